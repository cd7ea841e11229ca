"""The two windows of each YCloud account: permits, what answers said, what is left."""

from __future__ import annotations

import math
import time
from datetime import timedelta

import redis
from django.db.models import Q, QuerySet
from django.utils import timezone

from onboarding import instruments, ycloud_accounts
from onboarding.models import ProviderCall
from onboarding.quota import store
from onboarding.quota.lanes import WITHOUT_REDIS, Lane, line
from ycloud_client import CallRecord, YCloudError

HOUR = 3600
LONGEST_CLOSED = 3600.0
WITHOUT_REDIS_SECONDS = 15.0

_CLOSED, _SEEDED = "quota:closed_until", "quota:seeded"
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


@instruments.counts_refusals
def take(lane: Lane) -> None:
    """Permit for one call. Raises QuotaFullError; what it does without Redis is said above."""
    try:
        store.breaker.ask(lambda: _take(lane))
    except redis.RedisError:
        store.breaker.missed = True
        _take_by_journal(lane)


def _take(lane: Lane) -> None:
    account, storage = ycloud_accounts.now(), store.storage()
    second, hour = account.suffix(_SECOND_WINDOW), account.suffix(_HOUR_WINDOW)
    closed, seeded = store.redis_client().mget(account.suffix(_CLOSED), account.suffix(_SEEDED))
    wait = float(closed or 0) - time.time()
    if wait > 0:
        raise QuotaFullError(wait)
    if store.breaker.missed:
        _forget_windows()
    if store.breaker.missed or not seeded:
        seed()
        store.breaker.missed = False
    if not storage.acquire_entry(second, line(lane, account.per_second), 1):
        raise QuotaFullError(1.0)
    most = line(lane, account.per_hour)
    if not storage.acquire_entry(hour, most, HOUR):
        oldest, _ = storage.get_moving_window(hour, most, HOUR)
        raise QuotaFullError(max(oldest + HOUR - time.time(), 1.0))


def _forget_windows() -> None:
    """Calls of any account may have gone by the journal: each seeds its window anew."""
    storage, accounts = store.storage(), ycloud_accounts.active()
    hours = [storage.prefixed_key(each.suffix(_HOUR_WINDOW)) for each in accounts]
    store.redis_client().delete(*(each.suffix(_SEEDED) for each in accounts), *hours)


def seed() -> None:
    """Fill an emptied Redis with the calls of the last hour. Raises redis.RedisError."""
    account, storage = ycloud_accounts.now(), store.storage()
    times = _counted().order_by("-at").values_list("at", flat=True)
    entries = [repr(at.timestamp()) for at in times[: account.per_hour]]
    keys = [account.suffix(_SEEDED), storage.prefixed_key(account.suffix(_HOUR_WINDOW))]
    store.redis_client().register_script(_SEED)(keys, [*entries, HOUR])


def counts_now() -> Q:
    """Calls to YCloud that were sent in the last hour."""
    since = timezone.now() - timedelta(seconds=HOUR)
    not_sent = Q(outcome=ProviderCall.Outcome.NOT_SENT)
    return Q(at__gt=since) & ~Q(kind__in=_NOT_YCLOUD) & ~not_sent


def _counted() -> QuerySet[ProviderCall]:
    """Those of them that went by the account at hand."""
    return ProviderCall.objects.filter(counts_now(), ycloud_account=ycloud_accounts.now().id)


def _take_by_journal(lane: Lane) -> None:
    if lane not in WITHOUT_REDIS:
        raise QuotaFullError(WITHOUT_REDIS_SECONDS)
    if used_in_the_hour() >= line(lane, ycloud_accounts.now().per_hour, WITHOUT_REDIS):
        raise QuotaFullError(WITHOUT_REDIS_SECONDS)


def used_in_the_hour(*lanes: Lane) -> int:
    """Calls of the last hour by the journal; of these lanes, or of all."""
    calls = _counted()
    return int((calls.filter(lane__in=lanes) if lanes else calls).count())


def heard(record: CallRecord) -> None:
    """An answer that asks for a pause closes the quota of the account that it came from."""
    if record.pause > 0:
        close(record.pause)


def close(seconds: float) -> None:
    """No call of any lane for so long; a longer closing that is in force stays."""
    wait = min(seconds, LONGEST_CLOSED)
    until, key = time.time() + wait, ycloud_accounts.now().suffix(_CLOSED)

    def write() -> None:
        http = store.redis_client()
        if float(http.get(key) or 0) < until:
            http.set(key, repr(until), ex=math.ceil(wait) + 1)

    store.quietly(write)


def closed_seconds() -> float:
    """For how long no call is made yet; 0.0 when calls are made. Raises redis.RedisError."""
    key = ycloud_accounts.now().suffix(_CLOSED)
    return max(
        float(store.breaker.ask(lambda: store.redis_client().get(key)) or 0) - time.time(), 0.0
    )


def room(lane: Lane) -> int:
    """Calls that the lane may make at this moment; none while the quota is closed or unknown."""
    account = ycloud_accounts.now()
    windows = (
        (account.suffix(_SECOND_WINDOW), line(lane, account.per_second), 1),
        (account.suffix(_HOUR_WINDOW), line(lane, account.per_hour), HOUR),
    )

    def used() -> list[int]:
        return [store.storage().get_moving_window(*window)[1] for window in windows]

    try:
        if closed_seconds():
            return 0
        taken = store.breaker.ask(used)
    except redis.RedisError:
        return 0
    return min(most - calls for (_, most, _), calls in zip(windows, taken, strict=True))
