"""By how much background intervals are stretched, where all of them would not fit the hour."""

from __future__ import annotations

import redis

from onboarding import ycloud_accounts
from onboarding.quota import store
from onboarding.quota.lanes import Lane, line
from onboarding.quota.windows import used_in_the_hour

PRESSURE_SECONDS = 120
MOST_PRESSURE = 1000.0
_PRESSURE = "quota:pressure"


def measure(calls_an_hour: float) -> float:
    """Set the pressure from what the waiting would like to call in an hour; returns it.

    1.0 while that fits beside what page and working used; else the factor that makes it fit.
    """
    used = used_in_the_hour(Lane.PAGE, Lane.WORKING)
    account = ycloud_accounts.now()
    most = line(Lane.WAITING, account.per_hour)
    room = max(most - used, most / 10)
    factor = min(max(calls_an_hour / room, 1.0), MOST_PRESSURE)
    text = f"{factor:.3f}"
    store.quietly(
        lambda: store.redis_client().set(account.suffix(_PRESSURE), text, ex=PRESSURE_SECONDS)
    )
    return factor


def pressure() -> float:
    """By how much every background interval is stretched now; 1.0 when nothing is known."""
    key = ycloud_accounts.now().suffix(_PRESSURE)
    try:
        return float(store.breaker.ask(lambda: store.redis_client().get(key)) or 1.0)
    except redis.RedisError:
        return 1.0
