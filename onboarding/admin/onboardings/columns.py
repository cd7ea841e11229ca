"""What a line of the queue shows."""

from __future__ import annotations

from typing import Any

import phonenumbers
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from onboarding import progress, reasons
from onboarding.admin import proof
from onboarding.admin.onboardings import acts, asks, movers
from onboarding.models import Onboarding
from onboarding.states import State

S = State

TONES = {
    S.CONNECTED: "success",
    S.NEEDS_ATTENTION: "danger",
    S.REJECTED: "danger",
    S.IN_REVIEW: "warning",
    S.AWAITING_ACCOUNT: "warning",
    S.AWAITING_NUMBER: "warning",
    S.AWAITING_PAYMENT: "warning",
}
MODES = {"business_platform": _("Platform"), "business_app": _("App")}
MOST_LINKS = 2


def country_of(row: Onboarding) -> str:
    """The account's country, else that of the number's code; "" while neither is known."""
    if row.business_account is not None and row.business_account.country:
        return row.business_account.country
    e164 = row.number.e164 if row.number else row.expected_number
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(e164)) or ""
    except phonenumbers.NumberParseException:
        return ""


class Columns:
    """For the admin of onboardings."""

    @display(description=_("tenant"), header=True)
    def who(self, row: Onboarding) -> list[str]:
        account = row.business_account
        return [row.tenant.name, account.name if account else row.reference]

    @display(description=_("state · proof"), ordering="state")
    def shown_state(self, row: Onboarding) -> Any:
        word = proof.word_of(row)
        return format_html(
            '<span class="pills"><span class="pill {}">{}</span>'
            '<span class="pill {}">{}</span></span>',
            TONES.get(State(row.state), ""),
            State(row.state).label,
            proof.TONES.get(word, ""),
            proof.LABELS[word],
        )

    @display(description=_("reason · next move"), header=True)
    def shown_reason(self, row: Onboarding) -> list[str]:
        what = reasons.for_staff(row.reason) or "–"
        mover = movers.of(row)
        return [what, str(movers.LABELS[mover]) if mover else ""]

    @display(description=_("number"), header=True)
    def shown_number(self, row: Onboarding) -> list[str]:
        e164 = row.number.e164 if row.number else row.expected_number
        number = progress.display_number(e164) if e164 else ""
        told = (country_of(row), str(MODES.get(row.connection_mode, "")))
        return [number or row.claimed_phone_number_id or "–", " · ".join(filter(None, told))]

    @display(description=_("in this state"), header=True, ordering="state_changed_at")
    def age(self, row: Onboarding) -> list[str]:
        assigned = row.assigned_to
        return [timesince(row.state_changed_at, depth=1), asks.shown(assigned) if assigned else ""]


def links(request: HttpRequest) -> Any:
    """A column with the first acts that fit; each opens a page, which asks."""

    @display(description=_("acts"))
    def column(row: Onboarding) -> Any:
        fitting = acts.now(request, row)[:MOST_LINKS]
        name = "admin:onboarding_onboarding_decide"
        shown = format_html_join(
            "",
            '<a class="row-act" href="{}">{}</a>',
            ((reverse(name, args=(row.pk, act.name)), act.label) for act in fitting),
        )
        return format_html('<span class="row-acts">{}</span>', shown)

    return column
