"""When to look again. Anything later than seconds is a due time in the row, never a countdown.

The interval is a tenth of the time spent in the state, so that CONNECTED is noticed within 10 %
of the time that it took (2 s at least). When that is more than our share of YCloud's quota can
bear, one factor (`quota.pressure`) stretches all background intervals evenly; what somebody looks
at, and what has only begun, is not stretched.
"""

import random
from datetime import datetime, timedelta

from django.db.models import (
    Case,
    DurationField,
    ExpressionWrapper,
    F,
    FloatField,
    Min,
    Q,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Extract, Greatest, Least
from django.utils import timezone

from onboarding import quota, ycloud_accounts
from onboarding.models import Onboarding
from onboarding.states import State
from ycloud_client import YCloudError

LEAST = timedelta(seconds=2)
DAILY = timedelta(days=1)
DAILY_AFTER = timedelta(days=14)
DORMANT_AFTER = timedelta(days=30)
LONGEST = timedelta(hours=6)
SHARE = 0.1
LAG = timedelta(seconds=0.8)
"""Between the due time and the call: the sweep runs every second."""

HEALTHY = timedelta(days=7)
"""A connected number is read at least so often; a webhook makes it sooner."""

UNREADABLE = timedelta(minutes=10)

FAULT_FIRST = timedelta(seconds=2)
FAULT_LONGEST = timedelta(minutes=5)
SPREAD_SECONDS = 5.0
"""Rows that were refused together must not come back together."""


def soon(seconds: float) -> datetime:
    """A due time a few seconds away."""
    return timezone.now() + timedelta(seconds=seconds)


def interval(age: timedelta) -> timedelta | None:
    """How long to wait at this age of the state, without pressure; None: nobody looks any more.

    After 14 days daily; after 30 days never, until somebody acts or an event wakes it.
    """
    if age > DORMANT_AFTER:
        return None
    if age > DAILY_AFTER:
        return DAILY
    return min(max(age * SHARE - LAG, LEAST), LONGEST)


def next_look(row: Onboarding) -> datetime | None:
    """When to look at a waiting row again."""
    now = timezone.now()
    wait = interval(now - row.state_changed_at)
    if wait is None:
        return None
    stretched = not quota.is_young(row) and not quota.is_at_page(row.pk)
    return now + wait * (_pressure(row) if stretched else 1.0)


def _pressure(row: Onboarding) -> float:
    with ycloud_accounts.using(row.ycloud_account_id):
        return quota.pressure()


def after_fault(row: Onboarding, error: YCloudError, reason: str) -> datetime:
    """When to try again after YCloud failed: doubling from 2 s to 5 min, or what it asked for.

    It doubles with each look that ended for the same reason; looks that waited for something else
    (a full quota, say) were no faults.
    """
    earlier = row.looks + 1 if row.reason == reason else 0
    doubled = FAULT_FIRST * 2 ** min(earlier, 10)
    asked = min(error.retry_after or 0.0, quota.LONGEST_CLOSED)
    if isinstance(error, quota.QuotaFullError):
        return soon(asked + random.uniform(0, SPREAD_SECONDS))  # noqa: S311 - spreads the load
    wait = max(min(doubled, FAULT_LONGEST), timedelta(seconds=asked))
    return soon(wait.total_seconds())


def measure_pressure() -> float:
    """Measure that of each YCloud account in use; returns the largest factor."""
    largest = 1.0
    for account in ycloud_accounts.active():
        with ycloud_accounts.using(account):
            largest = max(largest, quota.measure(wanted_calls_an_hour()))
    return largest


def wanted_calls_an_hour() -> float:
    """What all waiting rows of one YCloud account would call in an hour at their own intervals,
    without pressure.

    A watched account is one call for all its numbers; a parked row reads the account as well.
    """
    now = timezone.now()
    old = Q(state_changed_at__lt=now - quota.YOUNG, next_look_at__isnull=False)
    rows = Onboarding.objects.filter(old, ycloud_account=ycloud_accounts.now().id)
    watched = rows.filter(state=State.CONNECTING).values("business_account")
    watched_since = watched.annotate(since=Min("state_changed_at"))
    parked_since = rows.exclude(state=State.CONNECTING).annotate(since=F("state_changed_at"))
    looks = Sum(3600.0 / _interval_seconds("since", now), output_field=FloatField())
    (once,), (twice,) = (
        each.aggregate(looks=looks).values() for each in (watched_since, parked_since)
    )
    return float((once or 0.0) + 2 * (twice or 0.0))


def _interval_seconds(since: str, now: datetime) -> Case:
    """`interval` in SQL."""
    passed = ExpressionWrapper(Value(now) - F(since), output_field=DurationField())
    age = Extract(passed, "epoch")
    bounded = Least(
        Greatest(age * Value(SHARE), Value(LEAST.total_seconds())),
        Value(LONGEST.total_seconds()),
        output_field=FloatField(),
    )
    daily = Value(DAILY.total_seconds(), output_field=FloatField())
    return Case(When(**{f"{since}__lt": now - DAILY_AFTER}, then=daily), default=bounded)
