"""Row "footprint" and what an onboarding costs: the measuring sees what it should see."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from benchmarks import footprint, memory
from benchmarks.footprint import Found

HOLDS = """
import os, sys, time
held = bytearray(os.urandom(1)) * (40 * 2**20)
if len(sys.argv) > 1:
    os.fork()
print("ready", flush=True)
time.sleep(60)
"""
"""Holds 40 MB; with an argument its child shares them."""


@pytest.fixture
def holds() -> Iterator[list[subprocess.Popen[bytes]]]:
    found: list[subprocess.Popen[bytes]] = []
    yield found
    for child in found:
        for pid in memory.tree(child.pid)[1:]:
            subprocess.run(["kill", str(pid)], check=True)
        child.kill()
        child.wait()
        assert child.stdout
        child.stdout.close()


def started(holds: list[subprocess.Popen[bytes]], *more: str) -> int:
    child = subprocess.Popen([sys.executable, "-c", HOLDS, *more], stdout=subprocess.PIPE)
    holds.append(child)
    assert child.stdout
    child.stdout.readline()
    return child.pid


def test_memory_is_of_all_that_a_process_started_and_shared_pages_count_once(
    holds: list[subprocess.Popen[bytes]],
) -> None:
    alone, forked = started(holds), started(holds, "twice")
    assert len(memory.tree(alone)) == 1
    assert len(memory.tree(forked)) == 2
    assert 40 < memory.pss([alone]) / memory.MB < 60
    assert 40 < memory.pss([forked]) / memory.MB < 70, "not 80: both have the same pages"
    assert memory.pss([alone, forked]) > 80 * memory.MB


def test_cpu_time_is_seen() -> None:
    import os

    before = memory.cpu_seconds([os.getpid()])
    until = time.process_time() + 0.3
    while time.process_time() < until:
        pass
    assert memory.cpu_seconds([os.getpid()]) - before > 0.2


def test_what_grew_is_told_beside_the_comparator() -> None:
    ours = Found([2.0], [400.0], [500.0], {"web": [100.0]})
    plain = Found([1.0], [200.0], [250.0], {"web": [80.0]})
    ratios = [row.ratio for row in footprint.rows(ours, plain)]
    assert ratios == [2.0, 2.0, 2.0]


@pytest.mark.timeout(600)
def test_both_sides_start_and_bear_a_customer() -> None:
    """The whole of it, once: the comparator does its two calls, ours connects."""
    start, rest, load = footprint.measure(1, at_once=1, each=1)
    for row in (start, rest, load):
        assert row.value > 0
        assert row.compared
    assert rest.value > 50
    assert rest.more["at rest, by process [MB]"]["ours"].keys() >= {"web", "worker", "beat"}
