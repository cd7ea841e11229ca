"""Handing a task to the broker, bounded in time: the row is the queue, and a nudge may be lost."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextvars import copy_context
from functools import cache, partial
from math import ceil
from typing import Any

import redis
from django.core.cache import caches
from django.utils.connection import ConnectionProxy

logger = logging.getLogger(__name__)
kept = ConnectionProxy(caches, "nudges")

PUBLISH_SECONDS = 0.5
WAITS_SECONDS = 10
"""So long a message may be lost before another one is published."""


@cache
def _publisher() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="publish")


def published(task: Any, kwargs: dict[str, Any], countdown: float | None = None) -> bool:
    """Publish within PUBLISH_SECONDS; a broker that is down must not hold up a request."""
    # In a copy of the context, so that the message carries the id of the request under way.
    publish = partial(copy_context().run, task.apply_async)
    future = _publisher().submit(publish, kwargs=kwargs, retry=False, countdown=countdown)
    try:
        future.result(PUBLISH_SECONDS)
    except FutureTimeoutError:
        logger.warning("the broker did not take %s in time", task.name)
        return False
    except Exception:
        logger.warning("the broker did not take %s", task.name, exc_info=True)
        return False
    return True


def published_once(task: Any, gather: float | None = None) -> bool:
    """Publish a task that takes whatever is due, unless one waits that has not begun.

    That one sees what was committed by now: it calls `begins` before it looks. Two hundred webhooks
    a second would else be two hundred messages about the same few rows. `gather`: where one was
    published lately, the next one waits for so many seconds, so that more come together.
    """
    try:
        if not kept.add(_waiting(task), 1, WAITS_SECONDS):
            return True
        countdown = _countdown(task, gather) if gather else None
    except redis.RedisError:
        return False  # the broker is the same Redis; beat asks again
    done = published(task, {}, countdown)
    if not done:
        begins(task)  # nothing waits
    return done


def _countdown(task: Any, gather: float) -> float | None:
    lately = f"lately:{task.name}"
    if kept.add(lately, 1, ceil(gather)):
        return None
    kept.touch(lately, ceil(2 * gather))
    return gather


def begins(task: Any) -> None:
    """The task looks now: what comes from here on needs a message of its own."""
    try:
        kept.delete(_waiting(task))
    except redis.RedisError:
        logger.warning("%s: Redis does not answer", task.name)


def _waiting(task: Any) -> str:
    return f"waits:{task.name}"
