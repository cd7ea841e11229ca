"""What happened to an onboarding, oldest first: moves and what Meta's window said."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onboarding import reasons
from onboarding.models import Onboarding, SignupEvent, Transition
from onboarding.states import State

S = State


def timeline(row: Onboarding, *, staff: bool = False) -> list[dict[str, Any]]:
    """What happened, oldest first, redacted for the tenant; repeated looks are not in it."""
    entries = [_moved(move, staff) for move in row.transitions.all()]
    entries += [_said(event) for event in row.events.all()]
    return sorted(entries, key=lambda entry: entry["at"])


def _moved(move: Transition, staff: bool) -> dict[str, Any]:
    code = move.reason if staff else reasons.public(move.reason)
    known = reasons.REASONS.get(code)
    return {
        "at": move.at,
        "kind": "state",
        "text": str(known.what) if known else str(State(move.to_state).label).capitalize(),
        "detail": move.note if staff or move.to_state == S.REJECTED else "",
        "state": move.to_state,
        "reason": code or None,
        "actor": move.actor if staff else _actor(move.actor),
    }


def _actor(actor: str) -> str:
    """Guests learn no names: anybody but the worker and the customer's side is the partner."""
    return actor if actor in ("worker", "customer", "link") else "partner"


_EVENT_TEXT = {
    "LAUNCHED": _("Meta's window was opened"),
    "CANCEL": _("Meta's window was closed"),
    "ERROR": _("Meta's window reported an error"),
}


def _said(event: SignupEvent) -> dict[str, Any]:
    if event.event.startswith("FINISH"):
        text = gettext("Meta's window reported that it finished")
    elif event.event in _EVENT_TEXT:
        text = str(_EVENT_TEXT[event.event])
    elif event.with_code:
        text = gettext("Meta's confirmation code arrived")
    elif event.login_status:
        text = gettext("Meta's login answered “%(word)s”") % {"word": event.login_status}
    else:
        text = gettext("Meta's window sent a message")
    detail = " · ".join(filter(None, (event.current_step, event.error_code, event.error_message)))
    return {
        "at": event.at,
        "kind": "window",
        "text": text,
        "detail": detail,
        "state": None,
        "reason": None,
        "actor": event.actor,
    }
