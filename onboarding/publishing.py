"""Handing a task to the broker, bounded in time: the row is the queue, and a nudge may be lost."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextvars import copy_context
from functools import cache, partial
from typing import Any

import redis
from django.core.cache import cache as kept

logger = logging.getLogger(__name__)

PUBLISH_SECONDS = 0.5
WAITS_SECONDS = 10
"""So long a message may be lost before another one is published."""


@cache
def _publisher() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="publish")


def published(task: Any, kwargs: dict[str, Any]) -> bool:
    """Publish within PUBLISH_SECONDS; a broker that is down must not hold up a request."""
    return _in_time(task.name, partial(task.apply_async, kwargs=kwargs, retry=False))


def published_once(task: Any, countdown: float | None = None) -> bool:
    """Publish a task that takes whatever is due, unless one waits that has not begun.

    That one sees what was committed by now: it calls `begins` before it looks. Two hundred webhooks
    a second would else be two hundred messages about the same few rows. `countdown`: seconds for
    which more may come together.
    """
    return _in_time(task.name, partial(_once, task, countdown))


def _once(task: Any, countdown: float | None) -> None:
    if not kept.add(_waiting(task), 1, WAITS_SECONDS):
        return
    try:
        task.apply_async(kwargs={}, retry=False, countdown=countdown)
    except Exception:
        begins(task)  # nothing waits
        raise


def _in_time(name: str, publish: Callable[[], object]) -> bool:
    # In a copy of the context, so that the message carries the id of the request under way.
    future = _publisher().submit(copy_context().run, publish)
    try:
        future.result(PUBLISH_SECONDS)
    except FutureTimeoutError:
        logger.warning("the broker did not take %s in time", name)
        return False
    except Exception:
        logger.warning("the broker did not take %s", name, exc_info=True)
        return False
    return True


def begins(task: Any) -> None:
    """The task looks now: what comes from here on needs a message of its own."""
    try:
        kept.delete(_waiting(task))
    except redis.RedisError:
        logger.warning("%s: Redis does not answer", task.name)


def _waiting(task: Any) -> str:
    return f"waits:{task.name}"
