"""How often somebody may do something: `hit("login", address, "10/minute")`.

Counted in Redis by the moving window of `limits`, so that no burst fits around a full minute.
When Redis does not answer, everybody is let in and a warning is logged: the limits keep one asker
from crowding out others, they guard no secret (tokens and keys have 256 bits), and a signup that
is turned away is lost for the customer.
"""

from __future__ import annotations

import hashlib
import logging
import math
import time
from dataclasses import dataclass
from functools import cache

import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from limits import RateLimitItem, parse
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from prometheus_client import Counter

logger = logging.getLogger(__name__)

SCOPES = (
    "api", "api-results", "launch-tenant", "launch-address", "link-address", "links-tenant",
    "elsewhere",
)  # fmt: skip
REFUSALS = Counter("onboarding_rate_limit_refusals", "Requests over one of our limits", ["scope"])

REDIS_SECONDS = 0.5
REDIS_AGAIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody stands after a hit. `reset_seconds`: until there is room for one more."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int


def page_limit(request: HttpRequest, scope: str, who: str, rate: str) -> HttpResponse | None:
    """Count a page's request; the answer when there were too many (429), None to go on."""
    standing = hit(scope, who, rate)
    if standing.allowed:
        return None
    response = render(request, "429.html", status=429)
    response["Retry-After"] = str(standing.reset_seconds)
    response["Cache-Control"] = "no-store"
    response._has_been_logged = True  # type: ignore[attr-defined]  # the address may be a secret
    return response


@cache
def _limiter_at(url: str) -> MovingWindowRateLimiter:
    pool = redis.ConnectionPool.from_url(
        url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
    )
    return MovingWindowRateLimiter(RedisStorage(url, connection_pool=pool, key_prefix="throttle"))


@cache
def _item(rate: str) -> RateLimitItem:
    return parse(rate)


class _Away:
    """A Redis that failed a moment ago is not asked again at once: each try costs its timeout."""

    until = 0.0


_away = _Away()


def hit(scope: str, who: str, rate: str) -> Standing:
    """Count one more of `scope` by `who` against a rate like "600/minute"; never raises for Redis.

    `who` may be a person's address, so Redis keeps only its hash. What is refused is not counted.
    """
    item = _item(rate)
    if time.monotonic() < _away.until:
        return Standing(True, item.amount, item.amount, 0)
    names = (scope, hashlib.sha256(who.encode()).hexdigest()[:32])
    try:
        limiter = _limiter_at(settings.REDIS_URL)
        allowed = limiter.hit(item, *names)
        window = limiter.get_window_stats(item, *names)
    except redis.RedisError:
        _away.until = time.monotonic() + REDIS_AGAIN_SECONDS
        logger.warning("throttle %s: Redis does not answer, everybody is let in", scope)
        return Standing(True, item.amount, item.amount, 0)
    if not allowed:
        REFUSALS.labels(scope if scope in SCOPES else "other").inc()
    remaining = window.remaining if allowed else 0
    wait = math.ceil(window.reset_time - time.time())
    return Standing(allowed, item.amount, remaining, max(wait, 0 if allowed else 1))
