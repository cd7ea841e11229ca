"""Memory and CPU time of processes with all that they started, as Linux tells them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
MB = 2**20


def tree(root: int) -> list[int]:
    """The process and all that it started and that live."""
    children: dict[int, list[int]] = {}
    for path in PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(path.parent.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def pss(roots: Iterable[int]) -> int:
    """Bytes, each shared page counted by its share (PSS), of these and all that they started."""
    return sum(_pss(pid) for root in roots for pid in tree(root))


def _pss(pid: int) -> int:
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:  # it is gone
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def cpu_seconds(roots: Iterable[int]) -> float:
    """Of these and all that they started and that live; of those that ended, as of their parent."""
    return sum(_cpu(pid) for root in roots for pid in tree(root))


def _cpu(pid: int) -> float:
    try:
        told = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(told[at]) for at in (11, 12, 13, 14)) / TICKS
