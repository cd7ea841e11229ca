"""Numbers, limits and states in the words of the one who connects a number."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import phonenumbers
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from onboarding.models import Onboarding, PhoneNumber
from onboarding.models.onboarding import ConnectionMode
from onboarding.reasons.base import Text
from onboarding.states import FINAL, PARKED, WORKING, State

S = State

_WAITING: dict[S, Text] = {
    S.STARTED: _("Waiting for you to finish the steps in Meta's window."),
    S.CANCELLED: _("Nothing is under way. Start again when you are ready."),
    S.SIGNED_UP: _("We are looking for your WhatsApp account. Usually a few seconds."),
    S.AWAITING_ACCOUNT: _("Waiting for you to choose an account."),
    S.LINKED: _("We are checking your WhatsApp account. Usually a few seconds."),
    S.AWAITING_PAYMENT: _("Waiting for YCloud to attach the payment method. We keep looking."),
    S.AWAITING_NUMBER: _("Waiting for the number. We keep looking."),
    S.IN_REVIEW: _("Waiting for your partner's decision."),
    S.REGISTERING: _("We are registering the number. Usually under a minute."),
    S.CONNECTING: _("WhatsApp is switching the number on. Usually under a minute."),
    S.CONNECTED: _("Your number is connected."),
    S.NEEDS_ATTENTION: _("This needs somebody's attention before it can go on."),
    S.REJECTED: _("Your partner declined this connection."),
}
_HEADINGS: dict[S, Text] = {
    S.STARTED: _("Meta's window is next"),
    S.CANCELLED: _("This attempt has ended"),
    S.SIGNED_UP: _("Finding your WhatsApp account"),
    S.AWAITING_ACCOUNT: _("Choose the WhatsApp account to connect"),
    S.LINKED: _("Checking your WhatsApp account"),
    S.AWAITING_PAYMENT: _("The payment method is not attached yet"),
    S.AWAITING_NUMBER: _("Waiting for the number"),
    S.IN_REVIEW: _("Your partner is looking at this connection"),
    S.REGISTERING: _("Registering your number"),
    S.CONNECTING: _("WhatsApp is switching your number on"),
    S.CONNECTED: _("Your number is connected"),
    S.NEEDS_ATTENTION: _("This needs somebody's attention"),
    S.REJECTED: _("Your partner declined this connection"),
}


def waiting_text(row: Onboarding) -> str:
    """One sentence: what is waited for, who moves, and how long it usually takes."""
    if row.state == S.STARTED and row.opened_at:
        return gettext(
            "If you finished the steps there, look for your account. Otherwise go on: Meta's "
            "window opens again."
        )
    return str(_WAITING[State(row.state)])


def heading(row: Onboarding) -> str:
    """The card's title where no reason has one of its own."""
    if row.state == S.STARTED and row.opened_at:
        return gettext("We have not heard from Meta's window yet")
    if row.state == S.REGISTERING and row.connection_mode == ConnectionMode.BUSINESS_APP:
        return gettext("Connecting your number with the app")
    return str(_HEADINGS[State(row.state)])


# --- The number -----------------------------------------------------------------------------------

_QUALITY: dict[str, tuple[Text, Text]] = {
    "GREEN": (_("high"), _("Few people block or report your messages.")),
    "YELLOW": (_("medium"), _("Some people block or report your messages.")),
    "RED": (_("low"), _("Many people block or report your messages. Meta may lower the limit.")),
    "UNKNOWN": (_("not rated yet"), _("Meta rates it after your first messages.")),
}
_LIMITS = {
    "TIER_50": 50,
    "TIER_250": 250,
    "TIER_1K": 1_000,
    "TIER_2K": 2_000,
    "TIER_10K": 10_000,
    "TIER_100K": 100_000,
}
_UNLIMITED = "TIER_UNLIMITED"


def limit_label(word: str) -> str:
    """YCloud's messaging limit in words; unknown words verbatim."""
    if word in _LIMITS:
        most = _LIMITS[word]
        text = ngettext("%(count)s customer a day", "%(count)s customers a day", most)
        return text % {"count": number_format(most, force_grouping=True)}
    if word == _UNLIMITED:
        return gettext("unlimited")
    return "" if word in ("", "TIER_NOT_SET") else word


def limit_means(word: str) -> str:
    """What the limit is counted of, in one sentence."""
    if word not in _LIMITS:
        return ""
    return gettext(
        "So many people may get a first message from you in 24 hours. Answers do not count."
    )


def display_number(e164: str) -> str:
    """+34612345678 -> +34 612 34 56 78; what cannot be parsed stays as it is."""
    try:
        parsed = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


def isolated(number: str) -> str:
    """For a number in plain text: on one line, from left to right whatever stands around it."""
    return f"\u2066{number.replace(' ', chr(0xA0))}\u2069" if number else ""


def shown_number(number: PhoneNumber | None) -> dict[str, Any] | None:
    """What the card shows of a number."""
    if number is None:
        return None
    quality, means = _QUALITY.get(number.quality, ("", ""))
    return {
        "e164": number.e164,
        "display": display_number(number.e164) or number.phone_number_id,
        "verified_name": number.verified_name,
        "status": number.status,
        "quality_label": str(quality),
        "quality_means": str(means),
        "limit_label": limit_label(number.messaging_limit),
        "limit_means": limit_means(number.messaging_limit),
    }


def firsts(row: Onboarding) -> list[str]:
    """What to do first with a number that has just been connected: three steps."""
    if row.connection_mode == ConnectionMode.BUSINESS_APP:
        return [
            gettext("Leave the app open on the phone for a while: it hands over your chats."),
            gettext("Write to this number from another phone: the message shows in the app too."),
            gettext("Keep using the app, and open it at least every week to stay connected."),
        ]
    return [
        gettext("Write to this number from your own phone, and see that the message arrives."),
        gettext("Ask your partner to answer it, or to send you a first message."),
        gettext("Then write only to people who agreed to hear from you: that raises your limit."),
    ]


# --- How often to ask -----------------------------------------------------------------------------

YOUNG = timedelta(minutes=1)
OLD = timedelta(hours=1)
CONNECTED_SECONDS = 20


def poll_seconds(row: Onboarding) -> int:
    """How often the page should ask; 0: nothing more comes.

    Less often the longer it waits, and where only a new attempt can help. A connected number may be
    lost while somebody looks at its card.
    """
    if row.state in FINAL:
        return CONNECTED_SECONDS if row.state == S.CONNECTED else 0
    age = timezone.now() - row.state_changed_at
    if row.reason == "number_unexpected":
        return 30
    if row.state in WORKING:
        return 1 if age < YOUNG else 5 if age < OLD else 15
    if row.state in PARKED | {S.IN_REVIEW}:
        return 5 if age < OLD else 15
    return 10
