"""Who moves next: the reason's, else the state's."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from onboarding import figures, reasons
from onboarding.models import Onboarding
from onboarding.states import State

S = State

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
    return "" if row.state in ENDED else figures.who_moves(row.state, row.reason)


def are(who: str) -> Q:
    """The rows whose next move is theirs."""
    named = [code for code, reason in reasons.REASONS.items() if reason.who == who]
    of_state = figures.MOVES_NEXT
    bare = [s for s in State if s not in ENDED and of_state.get(s, reasons.NOBODY) == who]
    of_reason = Q(reason__in=named) & ~Q(state__in=[*ENDED, S.IN_REVIEW])
    silent = Q(state__in=bare) & ~Q(reason__in=list(reasons.REASONS))
    reviewed = Q(state=S.IN_REVIEW) if who == reasons.PARTNER else Q(pk__in=[])
    return of_reason | silent | reviewed
