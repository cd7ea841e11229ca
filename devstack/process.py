"""Child processes that never outlive us: own process group, and a signal when we die."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

SHIM = (
    "import ctypes, os, sys; "
    "ctypes.CDLL(None).prctl(1, int(sys.argv[1])); "
    "os.execv(sys.argv[2], sys.argv[2:])"
)
"""Sets the death signal after a change of credentials, which clears it (prctl(2)), then execs."""


def dies_with_us(death_signal: int) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends the signal when our main thread ends, however it ends."""
    parent = os.getpid()

    def set_death_signal() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            os._exit(1)

    return set_death_signal


def spawn(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    output: int | IO[bytes] | None = subprocess.PIPE,
    death_signal: int = signal.SIGTERM,
    user: str | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in a process group of its own. Call it from the main thread only: the death
    signal follows the thread that started the child.
    """
    return subprocess.Popen(
        list(command),
        env=dict(env) if env is not None else None,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        process_group=0,
        user=user,
        group="nogroup" if user else None,
        extra_groups=[] if user else None,
        preexec_fn=dies_with_us(death_signal),
    )


def send(child: subprocess.Popen[bytes], number: int, *, group: bool = True) -> None:
    """Signal the child, or all of its group; one that is gone already is no error."""
    with contextlib.suppress(ProcessLookupError):
        if group:
            os.killpg(child.pid, number)
        elif child.poll() is None:
            child.send_signal(number)


def stop(child: subprocess.Popen[bytes], number: int, seconds: float) -> None:
    """Ask the child to end; after `seconds` its whole group is killed."""
    send(child, number, group=False)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(seconds)
    send(child, signal.SIGKILL)
    child.wait()
