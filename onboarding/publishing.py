"""Handing a task to the broker, bounded in time: the row is the queue, and a nudge may be lost."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextvars import copy_context
from functools import cache, partial
from typing import Any

logger = logging.getLogger(__name__)

PUBLISH_SECONDS = 0.5


@cache
def _publisher() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="publish")


def published(task: Any, kwargs: dict[str, Any]) -> bool:
    """Publish within PUBLISH_SECONDS; a broker that is down must not hold up a request."""
    # In a copy of the context, so that the message carries the id of the request under way.
    publish = partial(copy_context().run, task.apply_async)
    future = _publisher().submit(publish, kwargs=kwargs, retry=False)
    try:
        future.result(PUBLISH_SECONDS)
    except FutureTimeoutError:
        logger.warning("the broker did not take %s in time", task.name)
        return False
    except Exception:
        logger.warning("the broker did not take %s", task.name, exc_info=True)
        return False
    return True
