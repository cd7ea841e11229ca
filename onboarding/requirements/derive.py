"""The requirements of an onboarding, of a WABA and of a number."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from onboarding import codes, proof, reasons
from onboarding.models import Onboarding, PhoneNumber, WhatsAppBusinessAccount
from onboarding.reasons.standing import STAFF_ONLY, STANDINGS
from onboarding.requirements import conditions
from onboarding.requirements.made import Requirement, made
from onboarding.states import PARKED, State

S = State
Text = str | Promise

_FACTS_MATTER = PARKED | {
    S.LINKED, S.IN_REVIEW, S.REGISTERING, S.CONNECTING, S.CONNECTED, S.NEEDS_ATTENTION,
}  # fmt: skip


def shown_reason(row: Onboarding) -> str:
    """The reason's code as a customer may read it."""
    return reasons.public(row.reason)


def of(row: Onboarding, *, staff: bool = False) -> list[Requirement]:
    """What the onboarding stops at or waits for comes first; then what else there is to do or to
    know of its account and its number, the worst first.
    """
    stop = stop_of(row, staff=staff)
    return ([stop] if stop else []) + also(row, staff=staff)


def stop_of(row: Onboarding, *, staff: bool = False) -> Requirement | None:
    """The current stop. Of a connected one: what has become of its number since."""
    if row.state == S.CONNECTED:
        return _lost(row, staff)
    if not row.reason:
        return None
    code = _stopped_at(row, staff)
    waits = reasons.REASONS[code].tone == "wait" or row.state in PARKED
    due = row.next_look_at if waits else None
    pace = _pace(row, staff) if waits else None
    if not staff and proof.may_still_come(row):
        pace = _SOONER
    return made(code, row.state_changed_at, due, staff, pace=pace)


def _stopped_at(row: Onboarding, staff: bool) -> str:
    code = row.reason if staff else shown_reason(row)
    return codes.WINDOW.get(row.error_code, code) if code == "meta_error" else code


def _lost(row: Onboarding, staff: bool) -> Requirement | None:
    number = row.number
    if row.business_account_id is None:  # it was connected, and the account has moved since
        return made("account_moved", row.updated_at, None, staff)
    if number is None or not number.health:
        return None
    return made(_code_for(number.health, staff), _since(number, number.health), None, staff)


def also(row: Onboarding, *, staff: bool = False) -> list[Requirement]:
    """What is to be done or known beside the current stop; nothing of an attempt that has ended."""
    if row.state not in _FACTS_MATTER:
        return []
    found: list[tuple[conditions.Condition, Requirement]] = []
    if row.business_account:
        found += _all_of(row.business_account, staff)
    if row.number:
        found += _all_of(row.number, staff)
    stop = stop_of(row, staff=True)
    said = {conditions.topic(stop.code)} if stop else set()
    kept = []
    for holds, requirement in found:
        # What became of a number before is what an attempt to reconnect it mends.
        mends = holds.code in reasons.LOST and row.state != S.CONNECTED
        if holds.topic not in said and not mends:
            said.add(holds.topic)
            kept.append(requirement)
    return sorted(kept, key=lambda each: STANDINGS.index(each.standing))


def of_account(account: WhatsAppBusinessAccount, *, staff: bool = False) -> list[Requirement]:
    """What is due, pending or wrong with a WABA, the worst first."""
    return [each for _, each in _all_of(account, staff)]


def of_number(number: PhoneNumber, *, staff: bool = False) -> list[Requirement]:
    """What is due, pending or wrong with a number, the worst first; not what its WABA has."""
    return [each for _, each in _all_of(number, staff)]


def _all_of(row: conditions.Row, staff: bool) -> list[tuple[conditions.Condition, Requirement]]:
    return [
        (holds, _of_condition(row, holds, staff))
        for holds in conditions.of_row(row)
        if staff or holds.code not in STAFF_ONLY
    ]


def _of_condition(row: conditions.Row, holds: conditions.Condition, staff: bool) -> Requirement:
    due, kind = holds.ends_at, holds.ends
    looks = reasons.standing_of(holds.code) == reasons.standing.PENDING
    if due is None and looks and isinstance(row, PhoneNumber):
        due, kind = row.next_look_at, conditions.LOOK
    return made(
        _code_for(holds.code, staff),
        _since(row, holds.code),
        due,
        staff,
        due_kind=kind,
        word=holds.word,
        of_page=False,
    )


def _code_for(code: str, staff: bool) -> str:
    return code if staff else reasons.public(code)


def _since(row: conditions.Row, code: str) -> datetime:
    """Its noted time; for a row of before times were noted, when it was read last."""
    if isinstance(row, PhoneNumber) and code == row.health and row.health_since:
        return row.health_since
    return conditions.since(row, code) or row.read_at or row.created_at


_SOONER = _(
    "To go faster, press “Open Meta's window again” and choose the same account: "
    "Meta may then confirm it at once. Your partner stops checking as soon as you press it."
)


def _pace(row: Onboarding, staff: bool) -> Text | None:
    """What a long wait has to know: that it is one, that looks have become rare, or have ended."""
    if row.state not in PARKED | {S.CONNECTING, S.REGISTERING, S.LINKED}:
        return None
    if row.next_look_at is None:
        return _DORMANT_FOR_STAFF if staff else _DORMANT
    rare = row.next_look_at - row.updated_at > RARE and row.state != S.REGISTERING
    if rare:
        return _SLOW_FOR_STAFF if staff else _SLOW
    return _LATE if is_late(row) and not staff else None


def is_late(row: Onboarding) -> bool:
    """Whether a number is not listed for longer than the minutes that this usually takes."""
    return row.reason == "number_not_listed" and timezone.now() - row.state_changed_at > LATE


LATE = timedelta(hours=1)
_LATE = _("It takes longer than usual. Send the reference to your partner: they can look into it.")
RARE = timedelta(hours=20)
_SLOW = _("This has taken long, so we look only about once a day now. Press “Check again” to look.")
_DORMANT = _("We no longer look by ourselves. Press “Check again” when something has changed.")
_SLOW_FOR_STAFF = _("We look only about once a day now: “Resume” looks at once.")
_DORMANT_FOR_STAFF = _("We no longer look by ourselves: resume when something has changed.")
