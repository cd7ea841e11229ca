"""Where the windows are kept: Redis, with little patience for one that does not answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import redis
from django.conf import settings
from limits.storage import RedisStorage

T = TypeVar("T")

REDIS_SECONDS = 0.5
REDIS_AGAIN_SECONDS = 5.0


@cache
def _redis_at(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
    )


@cache
def _storage_at(url: str) -> RedisStorage:
    pool = _redis_at(url).connection_pool
    return RedisStorage(url, connection_pool=pool, key_prefix="quota")


def redis_client() -> redis.Redis:
    return _redis_at(settings.REDIS_URL)


def storage() -> RedisStorage:
    return _storage_at(settings.REDIS_URL)


class _Breaker:
    """A Redis that failed a moment ago is not asked again at once: each try costs its timeout."""

    until = 0.0
    missed = False
    """Calls went by the journal alone: the window in Redis does not know of them."""

    def ask(self, question: Callable[[], T]) -> T:
        """Raises redis.RedisError."""
        if time.monotonic() < self.until:
            raise redis.ConnectionError("Redis failed a moment ago")
        try:
            return question()
        except redis.RedisError:
            self.until = time.monotonic() + REDIS_AGAIN_SECONDS
            raise


breaker = _Breaker()


def quietly(write: Callable[[], object]) -> None:
    """Write; nothing where Redis does not answer."""
    try:
        breaker.ask(write)
    except redis.RedisError:
        return
