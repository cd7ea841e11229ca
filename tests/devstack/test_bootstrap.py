"""The commands before anything is installed: one sentence and status 1, or a whole `.venv`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the bootstrap and requirements that need no download."""
    (tmp_path / "devstack").mkdir()
    (tmp_path / "requirements").mkdir()
    shutil.copy(ROOT / "devstack" / "bootstrap.py", tmp_path / "devstack")
    for level in ("local", "test"):
        (tmp_path / "requirements" / f"{level}.txt").write_text("")
    return tmp_path


def bootstrap(
    checkout: Path, command: str, python: str = sys.executable, **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, str(checkout / "devstack" / "bootstrap.py"), command],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("make: ")
    return lines[0]


def test_a_venv_is_made_once_and_a_broken_one_again(checkout: Path) -> None:
    made = bootstrap(checkout, "env")
    assert made.returncode == 0, made.stderr
    assert "Making .venv" in made.stdout
    assert "Making" not in bootstrap(checkout, "env").stdout
    (checkout / ".venv" / "bin" / "python").unlink()
    assert "Making .venv" in bootstrap(checkout, "env").stdout


def test_a_changed_pin_is_installed_again(checkout: Path) -> None:
    bootstrap(checkout, "env")
    assert "Installing" not in bootstrap(checkout, "env").stdout
    (checkout / "requirements" / "test.txt").write_text("# changed\n")
    assert "Installing" in bootstrap(checkout, "env").stdout


def test_a_python_that_cannot_make_a_venv_names_the_package(checkout: Path) -> None:
    # As Debian's python3 without python3-venv; apt-get is out of reach in this PATH.
    broken = checkout / "broken"
    broken.mkdir()
    (broken / "venv.py").write_text("raise SystemExit('ensurepip is not available')")
    done = bootstrap(checkout, "env", PYTHONPATH=str(broken), PATH="/nowhere")
    assert "python3-venv" in refusal(done)
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize("name", [".venv", ".local"])
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_somebody_elses_directory_is_refused_with_the_fix(checkout: Path, name: str) -> None:
    (checkout / name).mkdir()
    os.chown(checkout / name, 65534, 65534)
    assert f"rm -rf {checkout / name}" in refusal(bootstrap(checkout, "env"))


def test_an_old_python_is_told_so(checkout: Path) -> None:
    script = (checkout / "devstack" / "bootstrap.py").read_text()
    (checkout / "devstack" / "bootstrap.py").write_text(script.replace("(3, 11)", "(3, 99)"))
    assert "too old" in refusal(bootstrap(checkout, "env"))


def test_an_unknown_command_is_told_so(checkout: Path) -> None:
    assert "use one of run" in refusal(bootstrap(checkout, "fly"))


def test_a_chromium_that_is_none_is_told_so(checkout: Path) -> None:
    done = bootstrap(checkout, "test", CHROMIUM="/nowhere/chromium")
    assert "CHROMIUM" in refusal(done)


def test_each_target_of_the_makefile_is_a_command_and_the_other_way_round() -> None:
    text = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"devstack/bootstrap\.py ([\w-]+)$", text, re.MULTILINE))
    source = (ROOT / "devstack" / "bootstrap.py").read_text()
    commands = set(re.findall(r'"([\w-]+)"', source.partition("COMMANDS = (")[2].partition(")")[0]))
    assert commands - targets == {"env"}
    assert targets <= commands


def test_the_lock_file_of_lighthouse_names_no_place_to_load_from() -> None:
    lock = ROOT / "benchmarks" / "lighthouse" / "package-lock.json"
    assert '"integrity"' in lock.read_text()
    assert '"resolved"' not in lock.read_text()
