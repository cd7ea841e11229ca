"""The card of the signup page: everything that it shows of an onboarding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onboarding import reasons, requirements, window_steps
from onboarding.models import Onboarding
from onboarding.progress import moves
from onboarding.progress.line import milestones
from onboarding.progress.words import (
    display_number,
    firsts,
    heading,
    poll_seconds,
    shown_number,
    waiting_text,
)
from onboarding.reasons.base import Text
from onboarding.reasons.standing import NOTICE
from onboarding.states import FINAL, WORKING, State
from onboarding.timeline import timeline

S = State

SAID_BY_CARD = "app_keep_open"
"""The card of a connected number says it among the first things to do."""


def card(row: Onboarding, visible: QuerySet[Onboarding] | None = None) -> dict[str, Any]:
    """Everything that the page's card shows of an onboarding to who may see the `visible` ones."""
    stop = requirements.stop_of(row)
    also = [each for each in requirements.also(row) if each.code != SAID_BY_CARD]
    # A wait of seconds in which nobody has anything to do is a sentence, not a stop.
    passing = stop is not None and stop.tone == "wait" and not stop.remedy
    shown = None if passing else stop
    waits = shown is not None and _waits_for_others(row, shown)
    return {
        "id": str(row.public_id),
        "tenant": row.tenant.name,
        "state": row.state,
        "state_label": State(row.state).label,
        "reason": requirements.shown_reason(row) or None,
        "mode": row.connection_mode,
        "tone": tone(row),
        "tag": tag(row, shown),
        "heading": shown.what if shown else heading(row),
        "milestones": milestones(row),
        "requirement": shown,
        "waits": waits,
        "clock": shown.due if shown and shown.code == "register_budget" else None,
        "also": also,
        # On a connected number's card it comes before what to do first, where it matters.
        "also_first": row.state == S.CONNECTED and not stop and _matters(also),
        "choices": [_choice(offer) for offer in row.choices],
        "said": said(row),
        "acts": requirements.acts(row),
        "main": moves.main_of(row, shown, visible),
        "buttons": moves.others_of(row, shown),
        "may_end": moves.may_end(row),
        "expected": display_number(row.expected_number),
        "number": shown_number(row.number),
        "firsts": firsts(row) if row.state == S.CONNECTED and not shown else [],
        "account_name": row.business_account.name if row.business_account else "",
        "history": timeline(row),
        "waiting_text": f"{stop.what}. {stop.why}" if stop and passing else waiting_text(row),
        "launched_at": row.opened_at if row.state == S.STARTED else None,
        "since": row.state_changed_at,
        "poll_seconds": poll_seconds(row),
        "reference": row.reference,
        "error_code": row.error_code,
        "window_step": window_steps.words(row.current_step),
        "meta_session_id": row.meta_session_id,
    }


def _matters(also: list[requirements.Requirement]) -> bool:
    return bool(also) and also[0].standing != NOTICE


def _waits_for_others(row: Onboarding, stop: requirements.Requirement) -> bool:
    """It may take days and the customer is not the one who moves: a time to leave the page."""
    return row.state not in FINAL | {S.CANCELLED} and (
        stop.tone == "wait" or stop.who != reasons.CUSTOMER
    )


# --- How it stands, by colour, icon and word ------------------------------------------------------

_TONES = {
    S.CONNECTED: "done",
    S.REJECTED: "stop",
    S.CANCELLED: "quiet",
    S.STARTED: "quiet",
    S.NEEDS_ATTENTION: "stop",
}


def tone(row: Onboarding) -> str:
    """done, stop, act, progress or quiet: a colour, and never the colour alone."""
    state = State(row.state)
    stop = requirements.stop_of(row)
    if state == S.CONNECTED and stop:
        return "stop"
    if state in _TONES:
        return _TONES[state]
    yours = stop is not None and stop.tone == "act" and stop.who == reasons.CUSTOMER
    return "act" if yours else "progress"


@dataclass(frozen=True, slots=True)
class Tag:
    """How it stands, in an icon and a word or two."""

    icon: str
    label: str


_STOPPED: tuple[str, Text] = ("stop", _("Stopped"))
_ENDED: dict[S, tuple[str, Text]] = {
    S.CONNECTED: ("check", _("Connected")),
    S.REJECTED: ("stop", _("Declined")),
    S.CANCELLED: ("dot-todo", _("Ended")),
}
_TURNS: dict[str, tuple[str, Text]] = {
    reasons.CUSTOMER: ("person", _("Your turn")),
    reasons.PARTNER: ("wait", _("Waiting for your partner")),
    reasons.YCLOUD: ("wait", _("Waiting for YCloud")),
    reasons.META: ("wait", _("Waiting for Meta")),
    reasons.NOBODY: ("wait", _("Goes on by itself")),
}


def tag(row: Onboarding, stop: requirements.Requirement | None) -> Tag:
    """The icon and the word of how it stands now; `stop`: what the card shows as one."""
    icon, label = _tag(State(row.state), stop)
    return Tag(icon, str(label))


def _tag(state: State, stop: requirements.Requirement | None) -> tuple[str, Text]:
    if state in _ENDED:
        return _STOPPED if state == S.CONNECTED and stop else _ENDED[state]
    if stop is not None and state not in (S.STARTED, S.NEEDS_ATTENTION):
        return _TURNS[stop.who]
    if state == S.NEEDS_ATTENTION:
        return _STOPPED
    return ("dot-now", _("Under way")) if state in WORKING else _TURNS[reasons.CUSTOMER]


# --- Parts ----------------------------------------------------------------------------------------


def said(row: Onboarding) -> str:
    """What the reviewer wrote who declined it, or what Meta's window said."""
    if row.state == S.CANCELLED and row.reason == "meta_error":
        return row.error_message
    if row.state != S.REJECTED:
        return ""
    last = row.transitions.filter(to_state=S.REJECTED).last()
    return last.note if last is not None else ""


def _choice(offer: dict[str, Any]) -> dict[str, str]:
    if "phone_number_id" in offer:
        shown = display_number(offer.get("phone_number") or "") or offer["phone_number_id"]
        return {
            "kind": "number",
            "value": offer["phone_number_id"],
            "title": shown,
            "detail": offer.get("verified_name") or "",
        }
    waba_id = offer["waba_id"]
    by_digits = gettext("Account ending in %(digits)s") % {"digits": waba_id[-4:]}
    return {
        "kind": "account",
        "value": waba_id,
        "title": offer.get("account_name") or by_digits,
        "detail": waba_id,
    }


def listed(row: Onboarding) -> dict[str, Any]:
    """An attempt in the list of the company's other ones."""
    number, account = row.number, row.business_account
    stop = requirements.stop_of(row)
    return {
        "public_id": row.public_id,
        "number": display_number(number.e164) if number else "",
        "title": (account.name if account else "") or gettext("No number yet"),
        "state": row.state,
        "tone": tone(row),
        "tag": tag(row, stop),
        # What became of a connected number since is how it stands.
        "state_label": stop.what if stop else str(State(row.state).label),
        "since": stop.since if stop else row.state_changed_at,
    }
