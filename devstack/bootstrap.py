"""The two commands before anything is installed: plain `python3`, the standard library only.

    python3 devstack/bootstrap.py run|test|test-browser|test-faults|test-api|bench|bench-desk|
                                  lighthouse|lint|words|env

Makes `.venv`, installs the pinned requirements (a stamp of their hash makes the next time cost
nothing), and goes on in it. Every refusal is one sentence and exit status 1. Written so that an
older Python can read it too and say that it is too old.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LEAST = (3, 11)
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def refuse(sentence: str) -> None:
    """Say one sentence and end with status 1."""
    sys.exit(f"make: {sentence}")


def is_root_on_debian() -> bool:
    """Whether apt-get may be asked."""
    debian = Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None
    return os.geteuid() == 0 and debian


def apt_install(package: str) -> bool:
    """Install a Debian package; whether that worked."""
    print(f"Installing the Debian package {package} ...", flush=True)
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    install = ["apt-get", "install", "-y", "--no-install-recommends", package]
    try:
        for command in (["apt-get", "update"], install):
            status = subprocess.call(
                command,
                env=env,
                timeout=900,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return status == 0


def check_place() -> None:
    """Refuse a Python that is too old and directories that are not ours."""
    if sys.version_info < LEAST:
        refuse(
            f"Python {VERSION} is too old: use 3.11 or newer, "
            "for example `PYTHON=python3.12 make run`."
        )
    for path in (VENV, ROOT / ".local"):
        if path.exists() and path.stat().st_uid != os.getuid():
            refuse(
                f"{path} belongs to another user (uid {path.stat().st_uid}): "
                f"run as that user, or remove it with `rm -rf {path}`."
            )
    if not os.access(ROOT, os.W_OK):
        refuse(f"{ROOT} cannot be written by you: clone it to a place of your own.")


def venv_works() -> bool:
    """Whether `.venv` is whole and of this Python."""
    ask = "import sys, pip; print('%d.%d' % sys.version_info[:2])"
    try:
        told = subprocess.check_output(
            [str(PYTHON), "-c", ask], stderr=subprocess.DEVNULL, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return told.decode().strip() == VERSION


def make_venv() -> bool:
    """Make it anew; whether that worked."""
    print("Making .venv ...", flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.call(
        [sys.executable, "-m", "venv", str(VENV)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return made == 0 and venv_works()


def ensure_venv() -> None:
    """A whole `.venv`, or the sentence that names the package."""
    if venv_works() or make_venv():
        return
    if is_root_on_debian() and apt_install("python3-venv") and make_venv():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    refuse(
        "this Python cannot make a virtual environment: as root run `apt-get install "
        f"python3-venv` (for another Python: python{VERSION}-venv), then start again."
    )


def stamp_of(level: str) -> str:
    """What has to be the same for an installation to be still right."""
    pins = (ROOT / "requirements" / f"{level}.txt").read_bytes()
    return hashlib.sha256(pins + sys.version.encode()).hexdigest()


def ensure_installed(level: str) -> None:
    """`level`: local or test; test holds everything of local."""
    stamp = VENV / f"installed-{level}"
    if stamp.is_file() and stamp.read_text() == stamp_of(level):
        return
    print("Installing the pinned requirements (the first time takes a minute) ...", flush=True)
    status = subprocess.call(
        [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check",
         "--root-user-action=ignore", "--require-hashes", "--no-deps",
         "-r", str(ROOT / "requirements" / f"{level}.txt")]
    )  # fmt: skip
    if status:
        refuse("the requirements could not be installed: check the network, then start again.")
    for each in ("local", "test") if level == "test" else (level,):
        (VENV / f"installed-{each}").write_text(stamp_of(each))


def chromium() -> str:
    """The browser's path: CHROMIUM, PATH, or Debian's package when root."""
    given = os.environ.get("CHROMIUM", "")
    if given:
        if not os.access(given, os.X_OK):
            refuse(f"CHROMIUM is {given!r}, which is no program: give the path of a Chromium.")
        return given
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None and is_root_on_debian() and apt_install("chromium"):
        found = shutil.which("chromium")
    if found is None:
        refuse(
            "there is no Chromium for the browser tests: install it (on Debian as root: "
            "`apt-get install chromium`), or name it with CHROMIUM=/path/to/chromium."
        )
    return str(found)


BESIDE = {
    "browsers": ("tests/browser",),
    "processes": (
        "tests/faults", "tests/devstack", "tests/benchmarks", "tests/test_running.py",
        "tests/test_production.py", "tests/config/test_settings.py",
        "tests/onboarding/test_killed_worker.py",
    ),
}  # fmt: skip
"""What drives a browser, and what starts processes and mostly waits for them."""


def step(*command: str) -> None:
    """Run one step of `lint`; stop at the first that fails."""
    print("$ " + " ".join(command), flush=True)
    status = subprocess.call([str(PYTHON), "-m", *command], cwd=str(ROOT))
    if status:
        sys.exit(status)


def lint() -> None:
    """Style, types, import contracts, migrations, and Django's checks with production settings."""
    step("ruff", "check", ".")
    step("ruff", "format", "--check", ".")
    step("bandit", "-q", "-c", "pyproject.toml", "-r", "config", "tenants", "onboarding",
         "ycloud_client", "manage.py")  # fmt: skip
    step("devstack.secretlint")
    step("mypy")
    step("devstack.contracts")
    step("devstack.checked", "makemigrations", "--check", "--dry-run")
    step("devstack.checked", "check", "--deploy", "--fail-level", "WARNING")


def test_all() -> int:
    """All tests, in three runs beside each other; the exit status.

    Each waits a part of its time, and two cores are busy to the end with three of them. Each has
    servers of its own (devstack/pytest_plugin.py).
    """
    logs = {name: ROOT / ".local" / f"test-{name}.log" for name in BESIDE}
    (ROOT / ".local").mkdir(mode=0o700, exist_ok=True)
    beside = {}
    try:
        for name, paths in BESIDE.items():
            with logs[name].open("w") as written:
                beside[name] = subprocess.Popen(
                    [str(PYTHON), "-m", "pytest", *paths], cwd=str(ROOT),
                    stdout=written, stderr=subprocess.STDOUT,
                )  # fmt: skip
        ignored = [f"--ignore={each}" for paths in BESIDE.values() for each in paths]
        status = subprocess.call([str(PYTHON), "-m", "pytest", *ignored], cwd=str(ROOT))
        for name, run in beside.items():
            status = run.wait() or status
            print(f"\nBeside it, {name}:\n{logs[name].read_text()}", flush=True)
    finally:
        for run in beside.values():
            run.terminate()
    return status


def main(command: str) -> None:
    """Install what the command needs and hand over to it."""
    check_place()
    ensure_venv()
    ensure_installed("local" if command == "run" else "test")
    os.chdir(str(ROOT))
    if command in ("test", "test-browser", "lighthouse"):
        os.environ["CHROMIUM"] = chromium()
    if command == "words":
        step("devstack.translations", "extract")
        step("devstack.translations", "check")
    elif command not in ("env", "run"):  # the stack does it itself
        step("devstack.translations", "compile")
    if command == "run":
        os.execv(str(PYTHON), [str(PYTHON), "manage.py", "runall"])  # noqa: S606
    if command in ("test", "lint"):
        lint()
    if command == "test":
        sys.exit(test_all())
    if command == "test-api":
        os.environ.setdefault("API_CASES", "40")
        step("pytest", "-q", "-s", "tests/api_fuzz")
    if command == "test-browser":
        step("tests.browser.walk.run")
    if command == "bench":
        step("benchmarks")
    if command == "bench-desk":
        step("benchmarks.desk")
    if command == "lighthouse":
        step("benchmarks.lighthouse")
    if command == "test-faults":
        step("pytest", "tests/faults", "--ignore", "tests/faults/test_mix.py")
        seed, count = os.environ.get("SEED", "1"), os.environ.get("COUNT", "2000")
        step("tests.faults.mix", "--seed", seed, "--count", count)


if __name__ == "__main__":
    COMMANDS = (
        "run", "test", "test-browser", "test-faults", "test-api", "bench", "bench-desk",
        "lighthouse", "lint", "words", "env",
    )  # fmt: skip
    if sys.argv[1:] not in [[command] for command in COMMANDS]:
        refuse(f"use one of {', '.join(COMMANDS)}.")
    main(sys.argv[1])
