"""What is due, pending or wrong with an onboarding; derived from its facts, never stored.

The shape of a requirement follows Stripe's: what, why, who must act, since when, by when.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from onboarding import reasons
from onboarding.models import Onboarding
from onboarding.states import FINAL, PARKED, State

S = State


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
    """What the onboarding stops at or waits for; the current stop first."""
    if not row.reason or row.state == S.CONNECTED:
        return []
    reason = reasons.REASONS[row.reason if staff else shown_reason(row)]
    labels = reasons.STAFF_WHO_LABELS if staff else reasons.WHO_LABELS
    return [
        Requirement(
            code=reason.code,
            what=str(reason.what),
            why=str(reason.why),
            remedy=tuple(str(line) for line in reason.remedy),
            who=reason.who,
            who_label=str(labels[reason.who]),
            tone=reason.tone,
            since=row.state_changed_at,
            due=row.next_look_at if reason.tone == "wait" or row.state in PARKED else None,
        )
    ]


def acts(row: Onboarding) -> list[str]:
    """What people may ask for now, by the names of the API's addresses."""
    state = State(row.state)
    allowed = []
    if state == S.CANCELLED or (state == S.STARTED):
        allowed.append("launch")
    if state == S.AWAITING_ACCOUNT:
        allowed.append("account")
    if state == S.AWAITING_NUMBER and row.choices:
        allowed.append("number")
    if state in PARKED | {S.NEEDS_ATTENTION, S.CONNECTING, S.REGISTERING, S.LINKED}:
        allowed.append("resume")
    if state not in FINAL | {S.CANCELLED}:
        allowed.append("withdraw")
    return allowed
