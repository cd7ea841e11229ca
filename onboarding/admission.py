"""Which rows a sweep hands out: the watched and the young at once, the rest as their lane has room.

Handing out what its lane then refuses costs a worker's time and the row its place, second after
second, and whoever stands at the page waits behind it. So the sweep asks first how many calls the
waiting lane may make, and takes no more than a few seconds' worth of them at a time.

Under pressure a row's next look is put off. Two things bring it forward: somebody opens its page
(then its own interval counts again), and room that nobody else uses.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import zip_longest

from django.utils import timezone

from onboarding import quota, schedule, transitions, ycloud_accounts
from onboarding.models import Onboarding
from onboarding.quota import Lane

CALLS_A_LOOK = 2
PACE = 4.0
"""A second's worth of calls is the hour's share of it, so many times: room is used up in small
pieces, so that a worker is never far from free."""

EACH_AHEAD = timedelta(seconds=55)
LONGEST_AHEAD = timedelta(hours=1)


def claim(limit: int) -> list[tuple[int, int]]:
    """The rows that this second's sweep hands out: (id, fence) of each.

    At most `limit` of each YCloud account, in turns: where one's quota is full or closed, its rows
    are not in the way of another's.
    """
    watched = wanted_at_page()
    turns = zip_longest(*(_claim_of(each, limit, watched) for each in ycloud_accounts.ids()))
    return [each for turn in turns for each in turn if each]


def _claim_of(account: int | None, limit: int, watched: list[int]) -> list[tuple[int, int]]:
    now = timezone.now()
    with ycloud_accounts.using(account):
        return transitions.claim_due(
            limit,
            account=account,
            first=watched,
            young_since=now - quota.YOUNG,
            rest=min(waiting_looks(), limit),
            until=now + ahead(),
        )


def waiting_looks() -> int:
    """How many rows of the waiting lane may be looked at now.

    None where a look's calls would not all find room: the first one's permit would be lost.
    """
    room = quota.room(Lane.WAITING)
    if room < CALLS_A_LOOK:
        return 0
    a_second = quota.line(Lane.WAITING, ycloud_accounts.now().per_hour) / quota.HOUR
    return max(int(min(room, PACE * a_second)) // CALLS_A_LOOK, 1)


def waits_for_room(row: Onboarding) -> bool:
    """Its lane refused it a moment ago, and nobody stands at the page."""
    return row.reason == "quota_full" and quota.lane_of(row) == Lane.WAITING


def ahead() -> timedelta:
    """How far before its stretched time a row may be looked at where there is room.

    So little that even the shortest interval of the background (a tenth of YOUNG) passes first.
    """
    return min((quota.pressure() - 1) * EACH_AHEAD, LONGEST_AHEAD)


def wanted_at_page() -> list[int]:
    """Rows that somebody looks at whose own interval has passed, however far they were put off."""
    now = timezone.now()
    watched = Onboarding.objects.filter(pk__in=quota.all_at_page(), next_look_at__isnull=False)
    return [
        row.pk for row in watched if row.next_look_at and _is_wanted(row, row.next_look_at, now)
    ]


def _is_wanted(row: Onboarding, due: datetime, now: datetime) -> bool:
    if due <= now:
        return True
    looked = row.updated_at
    wait = schedule.interval(looked - row.state_changed_at)
    if wait is None or row.reason == "quota_full" or quota.is_young(row):
        return False  # what is young is never put off: its time was set by the step
    return looked + wait <= now
