"""What the desk counts, and the conditions of it: a figure and the list behind it share one.

Pure counting by the database; who may see it, where it links to and how it is drawn is `desk.py`.
Each condition is a `Q` that `admin/desk_filters.py` narrows the lists by.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from onboarding.models import Onboarding, PhoneNumber
from onboarding.models.onboarding import WAITS_FOR_US
from onboarding.reasons import CUSTOMER, META, NOBODY, PARTNER, REASONS, YCLOUD
from onboarding.states import MILESTONES, OPEN, State

S = State


def _rows(condition: Q) -> Count:
    """How many fulfil it. The tenant is in every index that counts are answered from."""
    return Count("tenant", filter=condition)


# --- Where they stand -----------------------------------------------------------------------------

STUCK_FIRST = (
    S.NEEDS_ATTENTION, S.IN_REVIEW, S.AWAITING_NUMBER, S.AWAITING_ACCOUNT, S.AWAITING_PAYMENT,
    S.REGISTERING, S.CONNECTING, S.LINKED, S.SIGNED_UP,
)  # fmt: skip
"""The open states, those in which somebody has to act before those that go on by themselves."""

BANDS: dict[str, timedelta | None] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "older": None,
}
"""How long an open one has been in its state: each band up to this, the next from there on."""

MOVES_NEXT = {
    S.STARTED: CUSTOMER,
    S.CANCELLED: CUSTOMER,
    S.NEEDS_ATTENTION: PARTNER,
    S.IN_REVIEW: PARTNER,
    S.AWAITING_ACCOUNT: CUSTOMER,
    S.AWAITING_NUMBER: CUSTOMER,
    S.AWAITING_PAYMENT: YCLOUD,
}
"""Without a reason that says it; what is in the other states goes on, or has ended, by itself."""

_WAITING = OPEN - {S.NEEDS_ATTENTION}


def who_moves(state: str, reason: str) -> str:
    """Who has to move next: the reason says it; without one the state does. A review is ours."""
    if reason in REASONS and state != S.IN_REVIEW:
        return REASONS[reason].who
    return MOVES_NEXT.get(State(state), NOBODY)


def waits_for(who: str) -> Q:
    """Open ones that wait for `who`; what needs attention has stopped and waits for nobody."""
    codes = sorted(code for code, reason in REASONS.items() if reason.who == who)
    states = sorted(state for state in _WAITING if MOVES_NEXT.get(state, NOBODY) == who)
    told = Q(reason__in=codes, state__in=sorted(_WAITING - {S.IN_REVIEW}))
    silent = Q(state__in=states) & ~Q(reason__in=sorted(REASONS))
    reviewed = Q(state=S.IN_REVIEW) if who == PARTNER else Q(pk__in=[])
    return told | silent | reviewed


WAITED_FOR = (CUSTOMER, PARTNER, YCLOUD, META, NOBODY)


def open_for(band: str, now: datetime | None = None) -> Q:
    """Open ones of one of the BANDS, or of `any` age."""
    if band == "any":
        return Q(state__in=sorted(OPEN))
    now = now or timezone.now()
    spans = list(BANDS.values())
    place = list(BANDS).index(band)
    found = Q(state__in=sorted(OPEN))
    if most := spans[place]:
        found &= Q(state_changed_at__gt=now - most)
    if place and (least := spans[place - 1]):
        found &= Q(state_changed_at__lte=now - least)
    return found


@dataclass(frozen=True, slots=True)
class Standing:
    """How many stand in one state for one reason; `ages`: by band, of open ones."""

    state: State
    reason: str
    rows: int
    ages: dict[str, int]

    @property
    def who(self) -> str:
        return who_moves(self.state, self.reason)


def standings() -> list[Standing]:
    """Open onboardings, by state and reason: what most of the desk is added up from."""
    now = timezone.now()
    bands = {band: _rows(open_for(band, now)) for band in BANDS}
    counted = Onboarding.objects.filter(open_for("any")).order_by().values("state", "reason")
    found: list[dict[str, Any]] = list(counted.annotate(rows=Count("*"), **bands))  # type: ignore[arg-type]
    return [
        Standing(
            State(each["state"]), each["reason"], each["rows"],
            {band: each[band] for band in BANDS},
        )
        for each in found
    ]  # fmt: skip


def by_state() -> dict[State, int]:
    """How many stand in each state; states without any are there too."""
    counts: dict[State, int] = dict.fromkeys(State, 0)
    for state, rows in Onboarding.objects.order_by().values_list("state").annotate(rows=Count("*")):
        counts[State(state)] = rows
    return counts


def stuck(limit: int) -> QuerySet[Onboarding]:
    """The open ones, in the queue's order, with what a table shows of them.

    What waits for us comes first: after some months the longest waits are those of customers who
    have gone, and they would hide what is for us to do.
    """
    order = (WAITS_FOR_US.asc(), "state_changed_at")
    rows = Onboarding.objects.filter(state__in=sorted(OPEN)).order_by(*order)
    # The keys first: joined at once, behind the wall, every open row would be read and sorted.
    keys = list(rows.values_list("pk", flat=True)[:limit])
    return rows.filter(pk__in=keys).select_related("tenant", "number", "business_account")


def today() -> datetime:
    """The midnight before, in the site's time zone."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def connected_since(moment: datetime) -> Q:
    """Onboardings that were connected since then."""
    return Q(connected_at__gte=moment)


def connected_today() -> int:
    """How many came online since midnight."""
    return Onboarding.objects.filter(connected_since(today())).count()


UNWELL = ~Q(health="")


def unwell() -> dict[str, int]:
    """Numbers that were connected and whose health got worse: by reason, the most first."""
    found = PhoneNumber.objects.filter(UNWELL).order_by().values_list("health")
    counted = found.annotate(rows=Count("*"))
    return dict(sorted(counted, key=lambda each: (-each[1], each[0])))


# --- The way from the click to the number online -------------------------------------------------

WINDOWS = (7, 30, 90)
"""Days; of the click on Launch."""

LAUNCHED = "launched"
STAGES: dict[str, str | Promise] = {
    LAUNCHED: _("Launched"),
    "finished": _("Finished Meta's window"),
    "linked": _("Account found"),
    "paid": _("Payment method attached"),
    "registered": _("Number accepted"),
    "connected": _("Connected"),
}


def launched_within(days: int, now: datetime | None = None) -> Q:
    """Onboardings whose Meta window was opened (last) in these days."""
    return Q(launched_at__gt=(now or timezone.now()) - timedelta(days=days))


def reached(stage: str) -> Q:
    """Those that came so far: a later milestone proves the earlier ones."""
    if stage == LAUNCHED:
        return Q(launched_at__isnull=False)
    later = MILESTONES[list(STAGES).index(stage) - 1 :]
    return reduce(or_, (Q(**{f"{name}__isnull": False}) for name in later))


def stopped_before(stage: str) -> Q:
    """Those that reached the stage before this one, and not this one."""
    stages = list(STAGES)
    return reached(stages[stages.index(stage) - 1]) & ~reached(stage)


@dataclass(frozen=True, slots=True)
class Stage:
    """One bar of the funnel. `lost`: how many of the stage before did not come here (yet)."""

    key: str
    label: str | Promise
    count: int
    lost: int


def funnels(windows: tuple[int, ...] = WINDOWS) -> dict[int, list[Stage]]:
    """The funnel of each window, counted in one statement."""
    now = timezone.now()
    wanted: dict[str, Any] = {
        f"{stage}_{days}": _rows(launched_within(days, now) & reached(stage))
        for days in windows
        for stage in STAGES
    }
    counts = Onboarding.objects.filter(launched_within(max(windows), now)).aggregate(**wanted)
    return {days: _staged([counts[f"{stage}_{days}"] for stage in STAGES]) for days in windows}


def _staged(counts: list[int]) -> list[Stage]:
    before = [counts[0], *counts]
    return [
        Stage(key, label, count, before[place] - count)
        for place, ((key, label), count) in enumerate(zip(STAGES.items(), counts, strict=True))
    ]


def lost_at_step(days: int, now: datetime | None = None) -> Q:
    """Those lost inside Meta's window whose last step Meta told us."""
    return launched_within(days, now) & stopped_before("finished") & ~Q(current_step="")


def lost_steps(windows: tuple[int, ...] = WINDOWS) -> dict[int, dict[str, int]]:
    """How many were lost at each of Meta's steps, the worst first, for each window."""
    now = timezone.now()
    wanted = {f"in_{days}": _rows(launched_within(days, now)) for days in windows}
    lost = Onboarding.objects.filter(lost_at_step(max(windows), now)).order_by()
    found: list[dict[str, Any]] = list(lost.values("current_step").annotate(**wanted))  # type: ignore[arg-type]
    return {
        days: {
            each["current_step"]: each[f"in_{days}"]
            for each in sorted(found, key=lambda each: -each[f"in_{days}"])
            if each[f"in_{days}"]
        }
        for days in windows
    }


@dataclass(frozen=True, slots=True)
class Took:
    """From the (last) click on Launch to connected, of `rows` onboardings; in seconds."""

    rows: int
    p50: float | None
    p95: float | None


def connected_within(days: int, now: datetime | None = None) -> Q:
    """Launched by a click and connected in these days."""
    since = (now or timezone.now()) - timedelta(days=days)
    return Q(connected_at__gt=since, launched_at__isnull=False)


def time_to_connect(windows: tuple[int, ...] = WINDOWS) -> dict[int, Took]:
    """Half of them took at most p50; of twenty, nineteen at most p95."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT days, count(*), percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP "
            "(ORDER BY extract(epoch FROM connected_at - launched_at)) "
            "FROM unnest(%(windows)s) AS span(days) JOIN onboarding_onboarding "
            "ON connected_at > %(now)s - make_interval(days => days) "
            "AND launched_at IS NOT NULL GROUP BY days",
            {"windows": list(windows), "now": timezone.now()},
        )
        found = {days: Took(rows, *took) for days, rows, took in cursor.fetchall()}
    return {days: found.get(days, Took(0, None, None)) for days in windows}
