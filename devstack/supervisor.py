"""Keeps a set of children running together: all healthy, or one clear sentence and all stopped."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from devstack import process
from devstack.problem import ProblemError

GRACE_SECONDS = 6
_COLOURS = ("36", "32", "33", "35", "34", "31")


@dataclass
class Child:
    """One long-running child, with the last lines that it printed."""

    name: str
    popen: subprocess.Popen[bytes]
    stop_signal: int
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    reader: threading.Thread | None = None


class StopRequestedError(Exception):
    """Ctrl-C or SIGTERM."""


class Supervisor:
    """Use as a context manager: leaving it stops every child, the last one started first."""

    def __init__(self, cwd: Path, env: Mapping[str, str]) -> None:
        self.cwd = cwd
        self.env = dict(env)
        self.children: list[Child] = []
        self._stopping = False
        self._colour = sys.stdout.isatty()

    def __enter__(self) -> Supervisor:
        self._before = {
            number: signal.signal(number, self._asked)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _asked(self, number: int, frame: FrameType | None) -> None:
        if self._stopping:  # asked a second time: no more patience
            for child in self.children:
                process.send(child.popen, signal.SIGKILL)
            return
        self._stopping = True
        raise StopRequestedError

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        stop_signal: int = signal.SIGTERM,
        death_signal: int | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Child:
        """Start a child whose lines appear with its name before them."""
        popen = process.spawn(
            command,
            env={**self.env, **(env or {})},
            cwd=self.cwd,
            death_signal=death_signal or stop_signal,
        )
        child = Child(name, popen, stop_signal)
        self.children.append(child)
        child.reader = threading.Thread(target=self._print, args=(child,), daemon=True)
        child.reader.start()
        return child

    def adopt(self, name: str, popen: subprocess.Popen[bytes], stop_signal: int) -> None:
        """Watch and stop a child that was started elsewhere and logs to a file."""
        self.children.append(Child(name, popen, stop_signal))

    def _print(self, child: Child) -> None:
        label = f"{child.name:>9} | "
        if self._colour:
            colour = _COLOURS[sum(map(ord, child.name)) % len(_COLOURS)]
            label = f"\x1b[{colour}m{label}\x1b[0m"
        assert child.popen.stdout is not None
        for raw in child.popen.stdout:
            line = raw.decode(errors="replace").rstrip()
            child.lines.append(line)
            print(f"{label}{line}", flush=True)

    def wait_until(self, ready: Callable[[], bool], what: str, seconds: float) -> None:
        """Poll until ready. Raises ProblemError when a child ends or the time is up."""
        until = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > until:
                raise ProblemError(
                    f"{what} did not become healthy within {seconds:.0f} s: "
                    "read its lines above for the cause, then start again."
                )
            time.sleep(0.1)

    def check(self) -> None:
        """Raises ProblemError when a child has ended."""
        for child in self.children:
            status = child.popen.poll()
            if status is not None:
                raise ProblemError(_ended(child, status))

    def watch(self) -> None:
        """Until a child ends (ProblemError) or somebody asks us to stop."""
        while True:
            self.check()
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop all children, groups included: servers of data last, because others use them."""
        self._stopping = True
        for batch in ([c for c in self.children if c.reader], self._servers()):
            for child in batch:
                process.send(child.popen, child.stop_signal, group=False)
            until = time.monotonic() + GRACE_SECONDS
            for child in batch:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.popen.wait(max(until - time.monotonic(), 0.1))
                process.send(child.popen, signal.SIGKILL)
                child.popen.wait()
                _close(child)
        self.children.clear()

    def _servers(self) -> list[Child]:
        return [child for child in self.children if child.reader is None]


def _close(child: Child) -> None:
    if child.reader is not None:
        child.reader.join(2)
    if child.popen.stdout is not None:
        child.popen.stdout.close()


def _ended(child: Child, status: int) -> str:
    if child.reader is not None:
        child.reader.join(1)
    how = f"with status {status}" if status >= 0 else f"by signal {-status}"
    last = "\n".join(f"    {line}" for line in list(child.lines)[-8:])
    tail = f" Its last lines:\n{last}" if last else ""
    return f"{child.name} ended {how}: mend the cause and start again.{tail}"
