"""Workers whose tasks are threads: what Celery gives to pool processes only, for them too.

Threads, because a task waits for YCloud nine tenths of its time (docs/decisions/0015). One that
never ends cannot be killed alone, so its process is; and neither does a stop wait for one.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from celery import current_app
from celery.concurrency.thread import TaskPool
from celery.signals import task_postrun, task_prerun, worker_ready

from config import reporting

logger = logging.getLogger(__name__)

LOOK_SECONDS = 5.0

_pool: list[TaskPool] = []
_began: dict[str, tuple[str, float]] = {}


def is_pool() -> bool:
    """Whether this worker's tasks are threads."""
    return bool(_pool)


def stop_cold() -> None:
    """Leave at once. Celery's own way waits for every thread, however long its call hangs."""
    if is_pool():
        os._exit(0)
    os.kill(os.getpid(), signal.SIGQUIT)


def overdue(now: float, limit: float) -> list[str]:
    """The names of tasks that run for longer than the limit."""
    return [name for name, began in list(_began.values()) if now - began > limit]


def watch(limit: float, end: Callable[[int], Any] = os._exit) -> None:
    """End the process once a task is overdue, as Celery ends a pool process of its own.

    For the rows of all its tasks that is a killed worker: their leases end, the sweep hands them
    out, and their open acts are looked at before anything is repeated.
    """
    while True:
        if late := overdue(time.monotonic(), limit):
            logger.critical("a task did not end within %s s: %s", limit, ", ".join(sorted(late)))
            end(1)
            return
        time.sleep(LOOK_SECONDS)


def begin(sender: Any = None, **_more: Any) -> None:
    """The worker is ready."""
    pool = getattr(sender, "pool", None)
    if not isinstance(pool, TaskPool):
        return
    _pool.append(pool)
    reporting.begin_traces()
    limit = float(current_app.conf.task_time_limit)
    threading.Thread(target=watch, args=(limit,), name="overdue", daemon=True).start()


def take_up(task_id: str = "", task: Any = None, **_more: Any) -> None:
    """A task begins."""
    if is_pool():
        _began[task_id] = (task.name, time.monotonic())


def put_down(task_id: str = "", **_more: Any) -> None:
    """It has ended."""
    _began.pop(task_id, None)


def connect() -> None:
    """Have Celery call what is above."""
    worker_ready.connect(begin)
    task_prerun.connect(take_up)
    task_postrun.connect(put_down)
