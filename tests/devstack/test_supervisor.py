"""The supervisor: all together or none, and nobody is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devstack import stack
from devstack.problem import ProblemError
from devstack.supervisor import Supervisor

ROOT = Path(__file__).resolve().parent.parent.parent

# A child with a grandchild that ignores SIGTERM and INT; both write their pids.
FAMILY = """
import os, signal, sys, time
child = os.fork()
if child == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
open(sys.argv[1] + str(os.getpid()), "w").close()
time.sleep(600)
"""

SUPERVISOR = """
import sys
from pathlib import Path
from devstack.supervisor import StopRequestedError, Supervisor
with Supervisor(Path("."), {}) as supervisor:
    for name in ("one", "two"):
        supervisor.start(name, [sys.executable, "-c", sys.argv[1], sys.argv[2]])
    try:
        supervisor.watch()
    except StopRequestedError:
        pass
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(true: Callable[[], bool], seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def family(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], list[int]]]]:
    """A supervisor process with two children, each with a stubborn grandchild."""
    place = f"{tmp_path}/pid-"
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, FAMILY, place],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    def pids() -> list[int]:
        return [int(path.name.removeprefix("pid-")) for path in tmp_path.glob("pid-*")]

    assert until(lambda: len(pids()) == 4)
    yield process, pids
    for pid in pids():
        if alive(pid):
            os.kill(pid, signal.SIGKILL)
    process.kill()
    process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_ends_every_child_and_grandchild(
    family: tuple[subprocess.Popen[bytes], Callable[[], list[int]]], number: int
) -> None:
    process, pids = family
    process.send_signal(number)
    assert process.wait(20) == 0
    assert not any(alive(pid) for pid in pids())


def test_the_supervisors_violent_death_ends_its_children(
    family: tuple[subprocess.Popen[bytes], Callable[[], list[int]]],
) -> None:
    process, pids = family
    children = [pid for pid in pids() if parent_of(pid) == process.pid]
    assert len(children) == 2
    process.kill()
    process.wait()
    assert until(lambda: not any(alive(pid) for pid in children))


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def test_a_child_that_fails_is_named_with_its_last_lines() -> None:
    code = "import sys; print('the cause'); sys.exit(3)"
    with Supervisor(ROOT, dict(os.environ)) as supervisor:
        supervisor.start("web", [sys.executable, "-c", code])
        with pytest.raises(ProblemError) as caught:
            supervisor.watch()
    told = str(caught.value)
    assert told.startswith("web ended with status 3")
    assert "the cause" in told


def test_what_does_not_become_healthy_in_time_is_told() -> None:
    with Supervisor(ROOT, {}) as supervisor:
        supervisor.start("web", [sys.executable, "-c", "import time; time.sleep(60)"])
        with pytest.raises(ProblemError, match="The app did not become healthy"):
            supervisor.wait_until(lambda: False, "The app", 0.3)


def test_a_second_start_in_the_same_checkout_is_refused(tmp_path: Path) -> None:
    first = stack._locked(tmp_path / "lock")
    with pytest.raises(ProblemError, match=f"process {os.getpid()}"):
        stack._locked(tmp_path / "lock")
    first.close()
    stack._locked(tmp_path / "lock").close()


def test_a_taken_port_is_refused_with_the_command_that_helps(tmp_path: Path) -> None:
    from devstack import runenv

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        plan = runenv.ensure(tmp_path / ".local", {"PORT": str(port)})
        with pytest.raises(ProblemError, match=f"PORT={port + 10} make run"):
            stack._check_ports(plan)
