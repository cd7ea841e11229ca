"""The sections of the desk, from figures to what is drawn."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from onboarding import figures, progress
from onboarding.desk.drawn import Bar, Figure, Row, Step, Tab, Text, age, duration, percent
from onboarding.desk.links import Links
from onboarding.figures import Stage, Standing, Took
from onboarding.models import Onboarding
from onboarding.reasons import CUSTOMER, META, NOBODY, PARTNER, REASONS, YCLOUD, for_staff
from onboarding.reasons.staff import WITHOUT_REASON
from onboarding.states import OPEN, State

S = State

BAND_LABELS = {
    "hour": gettext_lazy("Under 1 hour"),
    "day": gettext_lazy("Under 1 day"),
    "week": gettext_lazy("Under 1 week"),
    "older": gettext_lazy("Older"),
}
TONES = {
    S.NEEDS_ATTENTION: "stop",
    S.IN_REVIEW: "act",
    S.AWAITING_NUMBER: "act",
    S.AWAITING_ACCOUNT: "act",
    S.AWAITING_PAYMENT: "act",
}
STUCK = 10

WHO: dict[str, Text] = {
    CUSTOMER: gettext_lazy("The customer"),
    PARTNER: gettext_lazy("You"),
    YCLOUD: gettext_lazy("YCloud"),
    META: gettext_lazy("Meta"),
    NOBODY: gettext_lazy("Nobody"),
}


def tiles(links: Links, standings: list[Standing], unwell: dict[str, int]) -> list[Figure]:
    """The five of the top row."""
    attention, review = _in(standings, S.NEEDS_ATTENTION), _in(standings, S.IN_REVIEW)
    to_decide = links.onboardings(state__exact=S.NEEDS_ATTENTION.value)
    customer, ycloud = _waiting(standings, CUSTOMER), _waiting(standings, YCLOUD)
    meta, dropped = _waiting(standings, META), sum(unwell.values())
    today = figures.connected_today()
    to_review = ngettext("to review", "to review", review)
    return [
        Figure(
            _("Needs attention"), attention, to_decide,
            "stop" if attention else "quiet", "error",
            (Figure(to_review, review, links.onboardings(state__exact=S.IN_REVIEW.value)),),
        ),
        Figure(
            _("Waiting for customer"), customer, links.onboardings(waits_for=CUSTOMER),
            "act" if customer else "quiet", "person",
        ),
        Figure(
            _("Waiting for YCloud"), ycloud, links.onboardings(waits_for=YCLOUD),
            "act" if ycloud else "quiet", "hourglass_top",
            (Figure(_("for Meta"), meta, links.onboardings(waits_for=META)),),
        ),
        Figure(
            _("Connected today"), today, links.onboardings(connected="today"),
            "good" if today else "quiet", "check_circle",
        ),
        Figure(
            _("Health dropped"), dropped, links.to("numbers", health="any"),
            "stop" if dropped else "quiet", "heart_broken",
        ),
    ]  # fmt: skip


def _in(standings: list[Standing], state: State) -> int:
    return sum(each.rows for each in standings if each.state == state)


def _waiting(standings: list[Standing], who: str) -> int:
    waiting = OPEN - {S.NEEDS_ATTENTION}
    return sum(each.rows for each in standings if each.state in waiting and each.who == who)


def stuck(links: Links) -> list[dict[str, Any]]:
    """The first ten of the queue: what waits for us, then the longest waits."""
    now = timezone.now()
    return [
        {
            "tenant": row.tenant.name,
            "which": _number_of(row) or row.reference,
            "what": _what(row.reason) or State(row.state).label,
            "who": WHO[who := figures.who_moves(row.state, row.reason)],
            "todo": _todo(row.reason, who),
            "state": State(row.state).label,
            "tone": TONES.get(State(row.state), "quiet"),
            "age": age(now - row.state_changed_at),
            "since": timezone.localtime(row.state_changed_at),
            "link": links.record(row.pk),
            "act": _act(row),
        }
        for row in figures.stuck(STUCK)
    ]


def _what(code: str) -> Text:
    """A reason in staff's words."""
    return for_staff(code)


def _number_of(row: Onboarding) -> str:
    return progress.display_number(row.number.e164) if row.number else ""


def _act(row: Onboarding) -> str:
    return {S.IN_REVIEW: _("Review"), S.NEEDS_ATTENTION: _("Decide")}.get(
        State(row.state), _("Open")
    )


def _todo(code: str, who: str) -> Text:
    """What staff do about it; the record says it in full."""
    remedy = REASONS[code].staff_remedy if code in REASONS else ()
    return next(iter(remedy), WITHOUT_REASON[who])


def open_states(links: Links, standings: list[Standing]) -> list[Row]:
    """Each open state by age, those first in which somebody has to act; then all of them."""
    states = [state for state in figures.STUCK_FIRST if _in(standings, state)]
    most = max((_in(standings, state) for state in states), default=0)
    rows = [_state_row(links, standings, state, most) for state in states]
    if len(rows) > 1:
        opened = [each for each in standings if each.state in OPEN]
        cells = tuple(
            Figure(
                BAND_LABELS[band],
                sum(each.ages[band] for each in opened),
                links.onboardings(open_for=band),
            )
            for band in figures.BANDS
        )
        total = Figure(
            _("All open"), sum(each.rows for each in opened), links.onboardings(open_for="any")
        )
        rows.append(Row(_("All open"), "total", total, cells))
    return rows


def _state_row(links: Links, standings: list[Standing], state: State, most: int) -> Row:
    here = [each for each in standings if each.state == state]
    cells = tuple(
        Figure(
            BAND_LABELS[band],
            sum(each.ages[band] for each in here),
            links.onboardings(state__exact=state.value, open_for=band),
        )
        for band in figures.BANDS
    )
    rows = sum(each.rows for each in here)
    total = Figure(state.label, rows, links.onboardings(state__exact=state.value))
    return Row(state.label, TONES.get(state, "quiet"), total, cells, percent(rows, most))


def other_states(links: Links, by_state: dict[State, int]) -> list[Figure]:
    """The states in which nothing is under way, or Meta's window is open."""
    shown = (S.STARTED, S.CANCELLED, S.CONNECTED, S.REJECTED)
    return [
        Figure(state.label, by_state[state], links.onboardings(state__exact=state.value))
        for state in shown
    ]


def unwell(links: Links, found: dict[str, int]) -> list[Bar]:
    """Numbers whose health got worse, by what became of them."""
    most = max(found.values(), default=0)
    return [
        Bar(_what(code), rows, links.to("numbers", health=code), percent(rows, most))
        for code, rows in found.items()
    ]


def tabs(days: int) -> list[Tab]:
    """The windows of the funnel."""
    return [
        Tab(ngettext("%(n)s day", "%(n)s days", each) % {"n": each}, f"?days={each}", each == days)
        for each in figures.WINDOWS
    ]


def funnel(links: Links, stages: list[Stage], days: int) -> list[Bar]:
    """From the click to the number online, with what falls away between two bars."""
    whole = stages[0].count
    bars = []
    for place, stage in enumerate(stages):
        after = stages[place + 1] if place + 1 < len(stages) else None
        lost = None
        if after is not None and after.lost:
            link = links.onboardings(launched=days, stage=f"not-{after.key}")
            share = _("%(share)s of those") % {"share": _share(after.lost, stage.count)}
            lost = Figure(share, after.lost, link)
        narrowed: dict[str, str | int] = {"launched": days}
        if place:
            narrowed["stage"] = stage.key
        bars.append(
            Bar(
                stage.label,
                stage.count,
                links.onboardings(**narrowed),
                percent(stage.count, whole),
                _share(stage.count, whole),
                lost,
            )
        )
    return bars


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "–"


def lost_steps(links: Links, found: dict[str, int], days: int) -> list[Bar]:
    """At which of Meta's steps customers were lost."""
    most = max(found.values(), default=0)
    return [
        Bar(
            _step(step), rows,
            links.onboardings(launched=days, stage="not-finished", step=step),
            percent(rows, most),
        )
        for step, rows in found.items()
    ]  # fmt: skip


def _step(name: str) -> str:
    """PHONE_NUMBER_SETUP as people read it."""
    return name.replace("_", " ").capitalize().replace("Waba", "WABA")


def took(links: Links, found: Took, days: int) -> dict[str, Any] | None:
    """Times to connected, as words."""
    if found.p50 is None or found.p95 is None:
        return None
    return {
        "p50": duration(found.p50),
        "p95": duration(found.p95),
        "rows": found.rows,
        "link": links.onboardings(connected=days),
    }


def first_steps(links: Links) -> list[Step]:
    """What a product without any onboarding needs, in order."""
    return [
        Step(
            _("Add your first customer"),
            _("Each company that hands over a number is a tenant of its own."),
            _("Add a tenant"), links.add("tenants"),
        ),
        Step(
            _("Send a signup link"),
            _("The customer opens it and connects the number; no login is needed."),
            _("Make a link"), links.add("links"),
        ),
        Step(
            _("Watch it here"),
            _("This page then shows who is stuck, why, and who has to move next."),
            "", "",
        ),
    ]  # fmt: skip
