"""One quota for all tenants: who may call YCloud now, and how much the rest is stretched.

YCloud allows a whole account 200 calls a second and 10,000 an hour (docs "rate limits", Sep 2026);
our share of it is said beside its key (settings, or the account's row). Each YCloud account has
windows, closing and pressure of its own (`ycloud_accounts.now()` says whose are meant). Both are
sliding windows in Redis (the moving window of `limits`).
Each lane may fill the window up to a line of its own, so that the more urgent finds room:

    page      somebody looks at the onboarding at this moment     up to 100 %
    working   the worker owns the next move                       up to  95 %
    waiting   somebody else moves next, or it takes long          up to  90 %
    health    connected numbers                                   up to  80 %

An emptied Redis is seeded from the journal of calls before the next call, and so is one that was
away while calls went on. When Redis does not answer, the journal itself is counted: page goes on
below 90 % of the hour and working below 85 %, the others wait. `Retry-After` on any answer and a
used-up `RateLimit-Remaining` close that account's quota for all lanes until their time.
"""

from onboarding.quota import store
from onboarding.quota.lanes import (
    AT_PAGE_SECONDS,
    LINES,
    PAGE_KEY,
    WITHOUT_REDIS,
    YOUNG,
    Lane,
    all_at_page,
    is_at_page,
    is_young,
    lane_of,
    line,
    seen_at_page,
)
from onboarding.quota.stretch import (
    MOST_PRESSURE,
    PRESSURE_SECONDS,
    measure,
    pressure,
)
from onboarding.quota.windows import (
    HOUR,
    LONGEST_CLOSED,
    WITHOUT_REDIS_SECONDS,
    QuotaFullError,
    close,
    closed_seconds,
    counts_now,
    heard,
    room,
    seed,
    take,
    used_in_the_hour,
)

__all__ = [
    "AT_PAGE_SECONDS",
    "HOUR",
    "LINES",
    "LONGEST_CLOSED",
    "MOST_PRESSURE",
    "PAGE_KEY",
    "PRESSURE_SECONDS",
    "WITHOUT_REDIS",
    "WITHOUT_REDIS_SECONDS",
    "YOUNG",
    "Lane",
    "QuotaFullError",
    "all_at_page",
    "close",
    "closed_seconds",
    "counts_now",
    "heard",
    "is_at_page",
    "is_young",
    "lane_of",
    "line",
    "measure",
    "pressure",
    "room",
    "seed",
    "seen_at_page",
    "store",
    "take",
    "used_in_the_hour",
]
