"""One part of `make bench` in a process of its own: Django is set up once, for one server."""

from __future__ import annotations

import importlib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from benchmarks.report import Row


def measured(module: str, rounds: int) -> list[Row]:
    """The rows of the module's `measure`. Raises what that raised."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as alone:
        return alone.submit(_measure, module, rounds).result()


def _measure(module: str, rounds: int) -> list[Row]:
    rows: list[Row] = importlib.import_module(module).measure(rounds)
    return rows
