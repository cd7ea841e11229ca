"""How often somebody may do something: `hit("login", address, "10/minute")`.

Counted in Redis by a moving window, so that no burst fits around a full minute; one round trip a
hit, whose cost does not grow with the rate.
When Redis does not answer, everybody is let in and a warning is logged: the limits keep one asker
from crowding out others, they guard no secret (tokens and keys have 256 bits), and a signup that
is turned away is lost for the customer.
"""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from limits import RateLimitItem, parse
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


# The times of the hits that count, the newest first. What left the window is taken off its end, so
# each is looked at once; `limits` asks twice a hit, once to count and once to tell.
_TAKE = """
local now, window, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local oldest = redis.call('lindex', KEYS[1], -1)
while oldest and tonumber(oldest) <= now - window do
  redis.call('rpop', KEYS[1])
  oldest = redis.call('lindex', KEYS[1], -1)
end
local count, allowed = redis.call('llen', KEYS[1]), 0
if count < most then
  count, allowed = redis.call('lpush', KEYS[1], ARGV[1]), 1
  redis.call('expire', KEYS[1], window)
end
return {allowed, count, oldest or ARGV[1]}
"""


@cache
def _taker_at(url: str) -> Callable[..., Any]:
    pool = redis.ConnectionPool.from_url(
        url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
    )
    return redis.Redis(connection_pool=pool).register_script(_TAKE)


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
    name = f"throttle:{scope}:{hashlib.sha256(who.encode()).hexdigest()[:32]}:{rate}"
    now, window = time.time(), item.get_expiry()
    try:
        take = _taker_at(settings.REDIS_URL)
        allowed, count, oldest = take([name], [f"{now:.6f}", window, item.amount])
    except redis.RedisError:
        _away.until = time.monotonic() + REDIS_AGAIN_SECONDS
        logger.warning("throttle %s: Redis does not answer, everybody is let in", scope)
        return Standing(True, item.amount, item.amount, 0)
    if not allowed:
        REFUSALS.labels(scope if scope in SCOPES else "other").inc()
    wait = math.ceil(float(oldest) + window - now)
    return Standing(bool(allowed), item.amount, item.amount - count, max(wait, 0 if allowed else 1))
