"""One quota for all tenants: who may call YCloud now, and how much the rest is stretched.

YCloud allows a whole account 200 calls a second and 10,000 an hour (docs "rate limits", Sep 2026);
our share of it are settings. Both are sliding windows in Redis (the moving window of `limits`).
Each lane may fill the window up to a line of its own, so that the more urgent finds room:

    page      somebody looks at the onboarding at this moment     up to 100 %
    working   the worker owns the next move                       up to  95 %
    waiting   somebody else moves next, or it takes long          up to  90 %
    health    connected numbers                                   up to  80 %

An emptied Redis is seeded from the journal of calls before the next call, and so is one that was
away while calls went on. When Redis does not answer, the journal itself is counted: page goes on
below 90 % of the hour and working below 85 %, the others wait. `Retry-After` on any answer and a
used-up `RateLimit-Remaining` close the quota for all until their time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import TypeVar

import redis
from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from limits.storage import RedisStorage

from onboarding import instruments
from onboarding.models import Onboarding, ProviderCall
from onboarding.states import PARKED, WORKING
from ycloud_client import CallRecord, YCloudError

T = TypeVar("T")


class Lane(StrEnum):
    """Who asks, the most urgent first."""

    PAGE = "page"
    WORKING = "working"
    WAITING = "waiting"
    HEALTH = "health"


LINES = {Lane.PAGE: 1.0, Lane.WORKING: 0.95, Lane.WAITING: 0.9, Lane.HEALTH: 0.8}
WITHOUT_REDIS = {Lane.PAGE: 0.9, Lane.WORKING: 0.85}
"""Lower than the lines above: calls that are under way are not in the journal yet."""

HOUR = 3600
AT_PAGE_SECONDS = 15
YOUNG = timedelta(minutes=10)
"""So long after its state changed a row counts as being worked on; after that it waits."""

LONGEST_CLOSED = 3600.0
CLOSED_WITHOUT_A_WORD = 2.0
"""Seconds after a 429 without Retry-After."""

REDIS_SECONDS = 0.5
REDIS_AGAIN_SECONDS = 5.0
WITHOUT_REDIS_SECONDS = 15.0
PRESSURE_SECONDS = 120
MOST_PRESSURE = 1000.0

_CLOSED, _SEEDED, _PRESSURE = "quota:closed_until", "quota:seeded", "quota:pressure"
PAGE_KEY = "quota:page"
_SECOND_WINDOW, _HOUR_WINDOW = "second", "hour"
_NOT_YCLOUD = (ProviderCall.Kind.EXCHANGE_CODE,)

_SEED = """
if not redis.call('SET', KEYS[1], '1', 'NX') then return 0 end
for i = 1, #ARGV - 1, 1000 do
    redis.call('RPUSH', KEYS[2], unpack(ARGV, i, math.min(i + 999, #ARGV - 1)))
end
if #ARGV > 1 then redis.call('EXPIRE', KEYS[2], ARGV[#ARGV]) end
return #ARGV - 1
"""
"""One winner seeds, at once with its mark; newest first, as the moving window keeps its entries."""


class QuotaFullError(YCloudError):
    """No call now: it was not sent. `retry_after`: seconds until the lane has room again."""

    is_transient = True
    may_have_happened = False

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"our share of YCloud's quota is used up for {retry_after:.0f} s")
        self.retry_after = retry_after


@cache
def _redis_at(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
    )


@cache
def _storage_at(url: str) -> RedisStorage:
    pool = _redis_at(url).connection_pool
    return RedisStorage(url, connection_pool=pool, key_prefix="quota")


def _redis() -> redis.Redis:
    return _redis_at(settings.REDIS_URL)


def _storage() -> RedisStorage:
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


_breaker = _Breaker()


def _line(lane: Lane, whole: int, lines: dict[Lane, float] = LINES) -> int:
    return max(int(whole * lines[lane]), 1)


@instruments.counts_refusals
def take(lane: Lane) -> None:
    """Permit for one call. Raises QuotaFullError; what it does without Redis is said above."""
    try:
        _breaker.ask(lambda: _take(lane))
    except redis.RedisError:
        _breaker.missed = True
        _take_by_journal(lane)


def _take(lane: Lane) -> None:
    storage = _storage()
    closed, seeded = _redis().mget(_CLOSED, _SEEDED)
    wait = float(closed or 0) - time.time()
    if wait > 0:
        raise QuotaFullError(wait)
    if _breaker.missed:
        _redis().delete(_SEEDED, storage.prefixed_key(_HOUR_WINDOW))
    if _breaker.missed or not seeded:
        seed()
        _breaker.missed = False
    if not storage.acquire_entry(_SECOND_WINDOW, _line(lane, settings.YCLOUD_QUOTA_PER_SECOND), 1):
        raise QuotaFullError(1.0)
    most = _line(lane, settings.YCLOUD_QUOTA_PER_HOUR)
    if not storage.acquire_entry(_HOUR_WINDOW, most, HOUR):
        oldest, _ = storage.get_moving_window(_HOUR_WINDOW, most, HOUR)
        raise QuotaFullError(max(oldest + HOUR - time.time(), 1.0))


def seed() -> None:
    """Fill an emptied Redis with the calls of the last hour. Raises redis.RedisError."""
    storage = _storage()
    times = ProviderCall.objects.filter(counts_now()).order_by("-at").values_list("at", flat=True)
    entries = [repr(at.timestamp()) for at in times[: settings.YCLOUD_QUOTA_PER_HOUR]]
    keys = [_SEEDED, storage.prefixed_key(_HOUR_WINDOW)]
    _redis().register_script(_SEED)(keys, [*entries, HOUR])


def counts_now() -> Q:
    """Calls to YCloud that were sent in the last hour."""
    since = timezone.now() - timedelta(seconds=HOUR)
    not_sent = Q(outcome=ProviderCall.Outcome.NOT_SENT)
    return Q(at__gt=since) & ~Q(kind__in=_NOT_YCLOUD) & ~not_sent


def _take_by_journal(lane: Lane) -> None:
    if lane not in WITHOUT_REDIS:
        raise QuotaFullError(WITHOUT_REDIS_SECONDS)
    if used_in_the_hour() >= _line(lane, settings.YCLOUD_QUOTA_PER_HOUR, WITHOUT_REDIS):
        raise QuotaFullError(WITHOUT_REDIS_SECONDS)


def used_in_the_hour(*lanes: Lane) -> int:
    """Calls of the last hour by the journal; of these lanes, or of all."""
    calls = ProviderCall.objects.filter(counts_now())
    return int((calls.filter(lane__in=lanes) if lanes else calls).count())


def heard(record: CallRecord) -> None:
    """What an answer says of the quota: `Retry-After` on any, 429, `RateLimit-Remaining: 0`.

    A 429 that passes on a refusal of Meta's concerns one number and closes nothing for others.
    """
    if record.meta_code:
        return
    wait = record.retry_after or 0.0
    if record.status == 429:
        wait = max(wait, CLOSED_WITHOUT_A_WORD)
    if _whole(record.rate_limit_remaining) == 0:
        wait = max(wait, _whole(record.rate_limit_reset) or 0.0)
    if wait > 0:
        close(wait)


def _whole(text: str | None) -> float | None:
    """The number at the head of a header (the draft allows parameters behind it)."""
    head = (text or "").split(",")[0].split(";")[0].strip()
    return float(head) if head.isascii() and head.isdigit() else None


def close(seconds: float) -> None:
    """No call of any lane for so long; a longer closing that is in force stays."""
    wait = min(seconds, LONGEST_CLOSED)
    until = time.time() + wait

    def write() -> None:
        http = _redis()
        if float(http.get(_CLOSED) or 0) < until:
            http.set(_CLOSED, repr(until), ex=math.ceil(wait) + 1)

    _quietly(write)


def closed_seconds() -> float:
    """For how long no call is made yet; 0.0 when calls are made. Raises redis.RedisError."""
    return max(float(_breaker.ask(lambda: _redis().get(_CLOSED)) or 0) - time.time(), 0.0)


def _quietly(write: Callable[[], object]) -> None:
    try:
        _breaker.ask(write)
    except redis.RedisError:
        return


# --- Lanes ----------------------------------------------------------------------------------------


def seen_at_page(onboarding_id: int) -> None:
    """Somebody looks at it now; holds for AT_PAGE_SECONDS."""
    _quietly(lambda: _redis().zadd(PAGE_KEY, {str(onboarding_id): time.time() + AT_PAGE_SECONDS}))


def is_at_page(onboarding_id: int) -> bool:
    """Whether somebody looked within AT_PAGE_SECONDS; False without Redis."""
    try:
        until = _breaker.ask(lambda: _redis().zscore(PAGE_KEY, str(onboarding_id)))
        return float(until or 0) > time.time()
    except redis.RedisError:
        return False


def lane_of(row: Onboarding) -> Lane:
    """Which lane the row's calls take."""
    if is_at_page(row.pk):
        return Lane.PAGE
    return Lane.WORKING if is_young(row) else Lane.WAITING


def is_young(row: Onboarding) -> bool:
    """Whether the worker moves next, or the wait has only begun."""
    old = timezone.now() - row.state_changed_at > YOUNG
    return row.state in WORKING | PARKED and not old


# --- Pressure -------------------------------------------------------------------------------------


def measure(calls_an_hour: float) -> float:
    """Set the pressure from what the waiting would like to call in an hour; returns it.

    1.0 while that fits beside what page and working used; else the factor that makes it fit.
    """
    used = used_in_the_hour(Lane.PAGE, Lane.WORKING)
    line = _line(Lane.WAITING, settings.YCLOUD_QUOTA_PER_HOUR)
    room = max(line - used, line / 10)
    factor = min(max(calls_an_hour / room, 1.0), MOST_PRESSURE)
    text = f"{factor:.3f}"
    _quietly(lambda: _redis().set(_PRESSURE, text, ex=PRESSURE_SECONDS))
    return factor


def pressure() -> float:
    """By how much every background interval is stretched now; 1.0 when nothing is known."""
    try:
        return float(_breaker.ask(lambda: _redis().get(_PRESSURE)) or 1.0)
    except redis.RedisError:
        return 1.0
