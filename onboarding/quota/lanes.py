"""The lanes: who asks, how far each may fill the windows, and who is at the page."""

from __future__ import annotations

import time
from datetime import timedelta
from enum import StrEnum

import redis
from django.utils import timezone

from onboarding.models import Onboarding
from onboarding.quota import store
from onboarding.states import PARKED, WORKING


class Lane(StrEnum):
    """Who asks, the most urgent first."""

    PAGE = "page"
    WORKING = "working"
    WAITING = "waiting"
    HEALTH = "health"


LINES = {Lane.PAGE: 1.0, Lane.WORKING: 0.95, Lane.WAITING: 0.9, Lane.HEALTH: 0.8}
WITHOUT_REDIS = {Lane.PAGE: 0.9, Lane.WORKING: 0.85}
"""Lower than the lines above: calls that are under way are not in the journal yet."""

AT_PAGE_SECONDS = 15
PAGE_KEY = "quota:page"
YOUNG = timedelta(minutes=10)
"""So long after its state changed a row counts as being worked on; after that it waits."""


def line(lane: Lane, whole: int, lines: dict[Lane, float] = LINES) -> int:
    """Up to how many of the window's calls the lane may fill it."""
    return max(int(whole * lines[lane]), 1)


def seen_at_page(onboarding_id: int) -> None:
    """Somebody looks at it now; holds for AT_PAGE_SECONDS."""
    until = {str(onboarding_id): time.time() + AT_PAGE_SECONDS}
    store.quietly(lambda: store.redis_client().zadd(PAGE_KEY, until))


def is_at_page(onboarding_id: int) -> bool:
    """Whether somebody looked within AT_PAGE_SECONDS; False without Redis."""
    try:
        until = store.breaker.ask(lambda: store.redis_client().zscore(PAGE_KEY, str(onboarding_id)))
        return float(until or 0) > time.time()
    except redis.RedisError:
        return False


def all_at_page() -> list[int]:
    """All that somebody looked at within AT_PAGE_SECONDS; none without Redis."""

    def keys() -> list[int]:
        http = store.redis_client()
        http.zremrangebyscore(PAGE_KEY, "-inf", time.time())
        return [int(key) for key in http.zrange(PAGE_KEY, 0, -1)]  # type: ignore[arg-type]

    try:
        return store.breaker.ask(keys)
    except redis.RedisError:
        return []


def lane_of(row: Onboarding) -> Lane:
    """Which lane the row's calls take."""
    if is_at_page(row.pk):
        return Lane.PAGE
    return Lane.WORKING if is_young(row) else Lane.WAITING


def is_young(row: Onboarding) -> bool:
    """Whether the worker moves next, or the wait has only begun."""
    old = timezone.now() - row.state_changed_at > YOUNG
    return row.state in WORKING | PARKED and not old
