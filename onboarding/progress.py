"""How far an onboarding has come, as people read it: milestones and the page's card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import phonenumbers
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onboarding import requirements
from onboarding.models import Onboarding, PhoneNumber
from onboarding.models.onboarding import ConnectionMode
from onboarding.reasons.standing import NOTICE
from onboarding.states import FINAL, PARKED, PASSED, WORKING, State
from onboarding.timeline import timeline

S = State


@dataclass(frozen=True, slots=True)
class Milestone:
    """One line of the progress list; `status`: done, current, todo or stopped."""

    key: str
    label: str
    status: str
    at: datetime | None = None


def _passed(row: Onboarding) -> int:
    state = State(row.state)
    if state == S.IN_REVIEW and row.business_account_id is None:
        return 1
    if state in PASSED:
        return PASSED[state]
    if row.number_id:
        return 3
    return 2 if row.business_account_id else 1


def milestones(row: Onboarding) -> list[Milestone]:
    """The customer's five steps, with the one under way or stopped at."""
    times = _times(row)
    passed = _passed(row)
    stopped = State(row.state) not in WORKING | {S.STARTED, S.CONNECTED}
    found = []
    for index, (key, done, doing) in enumerate(_labels(row)):
        status = _status(index, passed, stopped)
        label = doing if status in ("current", "stopped") else done
        found.append(Milestone(key, label, status, times.get(key)))
    return found


def _labels(row: Onboarding) -> list[tuple[str, str, str]]:
    """Key, and the words for it when it is done and while it is being done."""
    name = row.business_account.name if row.business_account else ""
    number = display_number(row.number.e164) if row.number else ""
    account = gettext("Account “%(name)s” found") % {"name": name}
    accepted = gettext("Number %(number)s accepted") % {"number": number}
    accepting = gettext("Registering number %(number)s") % {"number": number}
    if row.connection_mode == ConnectionMode.BUSINESS_APP:
        accepting = gettext("Taking over number %(number)s") % {"number": number}
    return [
        ("signed_up", gettext("Meta's window finished"), gettext("Meta's window")),
        ("linked", account if name else gettext("Account found"), gettext("Finding your account")),
        ("paid", gettext("Payment method attached by YCloud"), gettext("Checking your account")),
        (
            "registered",
            accepted if number else gettext("Number accepted"),
            accepting if number else gettext("Registering the number"),
        ),
        ("connected", gettext("Connected"), gettext("WhatsApp switches the number on")),
    ]


def _status(index: int, passed: int, stopped: bool) -> str:
    if index < passed:
        return "done"
    if index > passed:
        return "todo"
    return "stopped" if stopped else "current"


_REACHED_BY = {
    "signed_up": {S.SIGNED_UP},
    "linked": {S.LINKED},
    "paid": {S.AWAITING_NUMBER, S.IN_REVIEW, S.REGISTERING},
    "registered": {S.CONNECTING, S.CONNECTED},
    "connected": {S.CONNECTED},
}


def _times(row: Onboarding) -> dict[str, datetime]:
    """When each milestone was reached last, from the audit rows."""
    reached: dict[str, datetime] = {}
    for move in row.transitions.all():
        for key, states in _REACHED_BY.items():
            if move.to_state in states and move.to_state != move.from_state:
                reached[key] = move.at
    return reached


_WAITING = {
    S.STARTED: _("Waiting for you to finish the steps in Meta's window."),
    S.CANCELLED: _("Nothing is under way. Start again when you are ready."),
    S.SIGNED_UP: _("Looking for your WhatsApp account. Usually a few seconds."),
    S.AWAITING_ACCOUNT: _("Waiting for you to choose an account."),
    S.LINKED: _("Checking your WhatsApp account. Usually a few seconds."),
    S.AWAITING_PAYMENT: _("Waiting for YCloud to attach the payment method. We keep looking."),
    S.AWAITING_NUMBER: _("Waiting for the number. We keep looking."),
    S.IN_REVIEW: _("Waiting for your partner's decision."),
    S.REGISTERING: _("The number is being registered. Usually under a minute."),
    S.CONNECTING: _("WhatsApp is switching the number on. Usually under a minute."),
    S.CONNECTED: _("Your number is connected."),
    S.NEEDS_ATTENTION: _("This needs somebody's attention before it can go on."),
    S.REJECTED: _("Your partner declined this connection."),
}


def waiting_text(row: Onboarding) -> str:
    """One sentence: what is waited for and who moves."""
    return str(_WAITING[State(row.state)])


_QUALITY = {"GREEN": _("high"), "YELLOW": _("medium"), "RED": _("low")}
_LIMITS = {
    "TIER_50": 50,
    "TIER_250": 250,
    "TIER_1K": 1_000,
    "TIER_2K": 2_000,
    "TIER_10K": 10_000,
    "TIER_100K": 100_000,
}


def limit_label(word: str) -> str:
    """YCloud's messaging limit in words; unknown words verbatim."""
    if word in _LIMITS:
        count = f"{_LIMITS[word]:,}"
        return gettext("%(count)s customers a day") % {"count": count}
    if word == "TIER_UNLIMITED":
        return gettext("unlimited")
    return "" if word in ("", "TIER_NOT_SET") else word


def display_number(e164: str) -> str:
    """+34612345678 -> +34 612 34 56 78; what cannot be parsed stays as it is."""
    try:
        parsed = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


def _number(number: PhoneNumber | None) -> dict[str, Any] | None:
    if number is None:
        return None
    return {
        "e164": number.e164,
        "display": display_number(number.e164) or number.phone_number_id,
        "verified_name": number.verified_name,
        "status": number.status,
        "quality_label": str(_QUALITY.get(number.quality, "")),
        "limit_label": limit_label(number.messaging_limit),
    }


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
    return {
        "kind": "account",
        "value": waba_id,
        "title": gettext("Account ending in %(digits)s") % {"digits": waba_id[-4:]},
        "detail": waba_id,
    }


_TONES = {
    S.CONNECTED: "done",
    S.REJECTED: "stop",
    S.CANCELLED: "quiet",
    S.STARTED: "quiet",
    S.NEEDS_ATTENTION: "stop",
}


def _tone(row: Onboarding) -> str:
    state = State(row.state)
    stop = requirements.stop_of(row)
    if state in _TONES and not (stop and state == S.CONNECTED):
        return _TONES[state]
    return "act" if stop and stop.tone == "act" else "progress"


def said(row: Onboarding) -> str:
    """What the reviewer wrote who declined it."""
    if row.state != S.REJECTED:
        return ""
    last = row.transitions.filter(to_state=S.REJECTED).last()
    return last.note if last is not None else ""


def poll_seconds(row: Onboarding) -> int:
    """How often the page should ask; 0: the state is final."""
    if row.state in FINAL:
        return 0
    if row.state in WORKING:
        age = (timezone.now() - row.state_changed_at).total_seconds()
        return 1 if age < 60 else 5
    return 5 if row.state in PARKED | {S.IN_REVIEW} else 10


def _matters(also: list[requirements.Requirement]) -> bool:
    return bool(also) and also[0].standing != NOTICE


SAID_BY_CARD = "app_keep_open"
"""The card of a connected number says it among the first things to do."""


def card(row: Onboarding) -> dict[str, Any]:
    """Everything that the page's card shows of an onboarding."""
    stop = requirements.stop_of(row)
    # A wait of seconds in which nobody has anything to do is a sentence, not a stop.
    also = [each for each in requirements.also(row) if each.code != SAID_BY_CARD]
    passing = stop is not None and stop.tone == "wait" and not stop.remedy
    return {
        "id": str(row.public_id),
        "state": row.state,
        "state_label": State(row.state).label,
        "reason": requirements.shown_reason(row) or None,
        "mode": row.connection_mode,
        "tone": _tone(row),
        "milestones": milestones(row),
        "requirement": None if passing else stop,
        "also": also,
        # On a connected number's card it comes before what to do first, where it matters.
        "also_first": row.state == S.CONNECTED and not stop and _matters(also),
        "choices": [_choice(offer) for offer in row.choices],
        "said": said(row),
        "acts": requirements.acts(row),
        "expected": display_number(row.expected_number),
        "number": _number(row.number),
        "account_name": row.business_account.name if row.business_account else "",
        "history": timeline(row),
        "waiting_text": f"{stop.what}." if stop and passing else waiting_text(row),
        "poll_seconds": poll_seconds(row),
        "reference": row.reference,
        "error_code": row.error_code,
        "current_step": row.current_step,
        "meta_session_id": row.meta_session_id,
    }
