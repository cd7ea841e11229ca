"""Who moves next: the reason's, else the state's."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from onboarding import reasons
from onboarding.models import Onboarding
from onboarding.states import State

S = State

OF_STATE = {
    S.STARTED: reasons.CUSTOMER,
    S.CANCELLED: reasons.CUSTOMER,
    S.AWAITING_ACCOUNT: reasons.CUSTOMER,
    S.AWAITING_NUMBER: reasons.CUSTOMER,
    S.AWAITING_PAYMENT: reasons.YCLOUD,
    S.IN_REVIEW: reasons.PARTNER,
    S.NEEDS_ATTENTION: reasons.PARTNER,
}
"""In the states that are missing it goes on by itself, or has ended."""

ENDED = (S.CONNECTED, S.REJECTED)

LABELS: dict[str, Any] = {
    reasons.PARTNER: _("us"),
    reasons.CUSTOMER: _("the customer"),
    reasons.YCLOUD: _("YCloud"),
    reasons.META: _("Meta"),
    reasons.NOBODY: _("goes on by itself"),
}


def of(row: Onboarding) -> str:
    """A key of LABELS, "" for what has ended."""
    if row.state in ENDED:
        return ""
    if row.state == S.IN_REVIEW:
        return reasons.PARTNER
    if row.reason in reasons.REASONS:
        return reasons.REASONS[row.reason].who
    return OF_STATE.get(State(row.state), reasons.NOBODY)


def are(who: str) -> Q:
    """The rows whose next move is theirs."""
    named = [code for code, reason in reasons.REASONS.items() if reason.who == who]
    bare = [state for state in State if state not in ENDED and OF_STATE.get(state, "nobody") == who]
    of_reason = Q(reason__in=named) & ~Q(state__in=[*ENDED, S.IN_REVIEW])
    of_state = Q(reason="", state__in=bare)
    reviewed = Q(state=S.IN_REVIEW) if who == reasons.PARTNER else Q(pk__in=[])
    return of_reason | of_state | reviewed
