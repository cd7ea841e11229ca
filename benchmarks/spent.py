"""CPU that processes used, with all that they started, by what the kernel counts (/proc)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.processes import Processes

_TICK = os.sysconf("SC_CLK_TCK")


def _stat(pid: str) -> tuple[int, float]:
    """Its parent, and the seconds that it and its children that ended have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1]), sum(int(each) for each in fields[11:15]) / _TICK


def cpu_seconds(roots: Iterable[int]) -> float:
    """Of these processes and of whatever descends from them."""
    parents, used = {}, {}
    for pid in (each.name for each in Path("/proc").iterdir() if each.name.isdigit()):
        with suppress(OSError):  # ended meanwhile
            parents[int(pid)], used[int(pid)] = _stat(pid)
    wanted = set(roots)
    while found := {pid for pid, parent in parents.items() if parent in wanted} - wanted:
        wanted |= found
    return sum(used.get(pid, 0.0) for pid in wanted)


@contextmanager
def cpu_of(stack: Processes, used: dict[str, float]) -> Iterator[None]:
    """Adds the CPU seconds of each part of the stack while the block lasts."""
    before = _cpu(stack)
    yield
    for name, after in _cpu(stack).items():
        used[name] = used.get(name, 0.0) + after - before[name]


def _cpu(stack: Processes) -> dict[str, float]:
    children = {name: child.pid for name, child in stack.children.items()}
    parts = {name: [children.pop(name)] for name in ("web", "sandbox")}
    parts["workers"] = list(children.values())  # beat among them
    for name, server in (("postgres", stack.postgres.child), ("valkey", stack.valkey.child)):
        assert server is not None
        parts[name] = [server.pid]
    return {name: cpu_seconds(pids) for name, pids in parts.items()}
