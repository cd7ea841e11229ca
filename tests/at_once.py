"""Acts that begin together, each in a thread with a database connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

from tenants import walls


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each returned, or the exception it raised, in the order of the acts."""
    gate = threading.Barrier(len(acts))

    @walls.seeing_everything("the test's own threads")
    def run(act: Callable[[], Any]) -> Any:
        gate.wait()
        return act()

    def alone(act: Callable[[], Any]) -> Any:
        try:
            return run(act)
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(alone, acts))
