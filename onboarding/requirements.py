"""What is due, pending or wrong with an onboarding; derived from its facts, never stored.

The shape of a requirement follows Stripe's: what, why, who must act, since when, by when.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from onboarding import codes, reasons
from onboarding.models import Onboarding
from onboarding.states import FINAL, PARKED, State

S = State
Text = str | Promise


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing to be done. `due`: when we look again, or None."""

    code: str
    what: str
    why: str
    remedy: tuple[str, ...]
    who: str
    who_label: str
    tone: str
    since: datetime
    due: datetime | None

    def as_json(self) -> dict[str, Any]:
        """The API's object: the agreed keys, and the remedy."""
        return {
            "code": self.code,
            "what": self.what,
            "why": self.why,
            "remedy": list(self.remedy),
            "who": self.who,
            "since": self.since,
            "due": self.due,
        }


def shown_reason(row: Onboarding) -> str:
    """The reason's code as a customer may read it."""
    return reasons.public(row.reason)


def of(row: Onboarding, *, staff: bool = False) -> list[Requirement]:
    """What the onboarding stops at or waits for; the current stop first.

    Of a connected one: what has become of its number since.
    """
    if row.state == S.CONNECTED:
        return _of_number(row, staff)
    if not row.reason:
        return []
    code = row.reason if staff else shown_reason(row)
    if code == "meta_error":
        code = codes.WINDOW.get(row.error_code, code)
    waits = reasons.REASONS[code].tone == "wait" or row.state in PARKED
    due = row.next_look_at if waits else None
    return [_made(code, row.state_changed_at, due, staff, _pace(row) if waits else None)]


def _of_number(row: Onboarding, staff: bool) -> list[Requirement]:
    number = row.number
    if row.business_account_id is None:  # it was connected, and the account has moved since
        return [_made("account_moved", row.updated_at, None, staff, None)]
    if number is None or not number.health:
        return []
    since = number.health_since or number.read_at or row.updated_at
    return [_made(number.health, since, None, staff, None)]


def _made(
    code: str, since: datetime, due: datetime | None, staff: bool, pace: Text | None
) -> Requirement:
    reason = reasons.REASONS[code]
    labels = reasons.STAFF_WHO_LABELS if staff else reasons.WHO_LABELS
    remedy = (*reason.remedy, pace) if pace else reason.remedy
    return Requirement(
        code=reason.code,
        what=str(reason.what),
        why=str(reason.why),
        remedy=tuple(str(line) for line in remedy),
        who=reason.who,
        who_label=str(labels[reason.who]),
        tone=reason.tone,
        since=since,
        due=due,
    )


def _pace(row: Onboarding) -> Text | None:
    """What a long wait has to know: that looks have become rare, or have ended."""
    if row.state not in PARKED | {S.CONNECTING, S.REGISTERING, S.LINKED}:
        return None
    if row.next_look_at is None:
        return _DORMANT
    rare = row.next_look_at - row.updated_at > RARE and row.state != S.REGISTERING
    return _SLOW if rare else None


RARE = timedelta(hours=20)
_SLOW = _("This has taken long, so we look only about once a day now. Press “Check again” to look.")
_DORMANT = _("We no longer look by ourselves. Press “Check again” when something has changed.")

NOT_RECONNECTABLE = {"health_banned", "health_account_banned"}
RECONNECTABLE = (
    {reason for reason in reasons.REASONS if reason.startswith(("removed_", "health_"))}
    | {"number_offboarded", "number_removed", "account_removed"}
) - NOT_RECONNECTABLE

SEARCHABLE = {
    S.STARTED: frozenset({""}),
    S.CANCELLED: frozenset({"no_confirmation", "meta_cancelled", "account_not_found"}),
    S.NEEDS_ATTENTION: frozenset(
        # The three that look alike to a customer have to act alike too.
        {"ids_missing", "account_not_granted", "account_not_visible", "account_held"}
    ),
}
"""Where Meta may have finished without our knowing which account."""


def _may_search(row: Onboarding) -> bool:
    may = row.reason in SEARCHABLE.get(State(row.state), frozenset())
    return may and row.launched_at is not None


def acts(row: Onboarding) -> list[str]:
    """What people may ask for now, by the names of the API's addresses."""
    state = State(row.state)
    allowed = []
    if state in (S.CANCELLED, S.STARTED):
        allowed.append("launch")
    if _may_search(row):
        allowed.append("search")
    if state == S.AWAITING_ACCOUNT:
        allowed.append("account")
    if state == S.AWAITING_NUMBER and row.choices:
        allowed.append("number")
    if state in PARKED | {S.NEEDS_ATTENTION, S.CONNECTING, S.REGISTERING, S.LINKED}:
        allowed.append("resume")
    if state not in FINAL | {S.CANCELLED}:
        allowed.append("withdraw")
    if state == S.CONNECTED and row.number and row.number.health in RECONNECTABLE:
        allowed.append("reconnect")
    return allowed
