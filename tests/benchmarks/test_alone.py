"""Each part of `make bench` has a process of its own."""

from __future__ import annotations

import os

from benchmarks import alone


def test_each_part_is_measured_in_a_process_of_its_own() -> None:
    first, second = (alone.measured("tests.benchmarks.planted", 3)[0].value for _ in range(2))
    assert len({first, second, os.getpid()}) == 3
