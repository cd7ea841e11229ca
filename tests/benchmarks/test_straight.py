"""The straight line, short: both sides are measured, and a planted fault shows."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks import straight
from benchmarks.spent import cpu_seconds

LATENCY_MS = 20
SLOW_SECONDS = 0.4


@pytest.mark.timeout(300)
def test_both_ways_are_measured_and_a_slow_call_shows_in_each() -> None:
    with straight.line({}, LATENCY_MS) as made:
        straight.warm(made, straight.STRAIGHT)
        ours, (bare, _cpu) = made.ours_once(straight.STRAIGHT), made.bare(straight.STRAIGHT, 1)
        assert ours > 2 * LATENCY_MS / 1000
        assert bare[0] > 2 * LATENCY_MS / 1000
        slow = {"match": "register", "fault": "slow", "seconds": SLOW_SECONDS}
        made.sandbox.ask("POST", "/control/fault", slow)
        assert made.ours_once(straight.STRAIGHT) > SLOW_SECONDS
        made.sandbox.ask("POST", "/control/fault", slow)
        assert made.bare(straight.STRAIGHT, 1)[0][0] > SLOW_SECONDS


def test_the_cpu_of_a_process_counts_with_that_of_its_children() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass\n"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}]); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as child:
        before = cpu_seconds([child.pid])
        while cpu_seconds([child.pid]) < 0.3:
            assert child.poll() is None
        assert child.stdin is not None
        child.stdin.write(b"\n")
        child.stdin.close()
        child.wait()
    assert before < 0.3
