"""When to look again. Anything later than seconds is a due time in the row, never a countdown."""

from datetime import datetime, timedelta

from django.utils import timezone

from onboarding.models import Onboarding

LEAST = timedelta(seconds=2)
DAILY_AFTER = timedelta(days=14)
DORMANT_AFTER = timedelta(days=30)
LONGEST = timedelta(hours=6)
SHARE = 0.1
"""Of its age: what takes an hour is noticed within six minutes of happening, at the worst."""

FAULT_FIRST = timedelta(seconds=2)
FAULT_LONGEST = timedelta(minutes=5)


def soon(seconds: float) -> datetime:
    """A due time a few seconds away."""
    return timezone.now() + timedelta(seconds=seconds)


def next_look(row: Onboarding) -> datetime | None:
    """When to look at a waiting row again: the interval grows with the age of its state.

    After 14 days daily; after 30 days never, until somebody acts or an event wakes it.
    """
    now = timezone.now()
    age = now - row.state_changed_at
    if age > DORMANT_AFTER:
        return None
    if age > DAILY_AFTER:
        return now + timedelta(days=1)
    return now + min(max(age * SHARE, LEAST), LONGEST)


def after_fault(row: Onboarding, retry_after: float | None) -> datetime:
    """When to try again after YCloud failed: doubling from 2 s to 5 min, or what it asked for."""
    doubled = FAULT_FIRST * 2 ** min(row.looks, 10)
    wanted = timedelta(seconds=min(retry_after or 0.0, 3600.0))
    due: datetime = timezone.now() + max(min(doubled, FAULT_LONGEST), wanted)
    return due
