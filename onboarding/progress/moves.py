"""The buttons of a card: exactly one is the main one, and none where nothing can be pressed.

`act` is the name that the page's script knows (`static/acts.js`); most are addresses of the API.
`restart` ends the attempt and opens the same one again; `anew` begins another one.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from onboarding import proof, requirements
from onboarding.models import Onboarding
from onboarding.reasons.base import Text
from onboarding.states import OPEN, WITHDRAWABLE, State

S = State

MANAGER_URL = "https://business.facebook.com/latest/whatsapp_manager/phone_numbers"


@dataclass(frozen=True, slots=True)
class Button:
    """One button, or a link where `url` is set; `outside` opens in a tab of its own."""

    act: str
    label: str
    url: str = ""
    outside: bool = False


_RESTART: dict[str, Text] = {
    "ids_missing": _("Start again"),
    "account_unconfirmed": _("Start again"),
    "number_migrated": _("Start again"),
    "unproven": _("Open Meta's window again"),
    "number_missing": _("Add a number in Meta's window"),
    "number_not_verified": _("Open Meta's window again"),
    "number_unexpected": _("Start again with the right number"),
}
"""Where going through Meta's window once more is what helps."""

MANAGER = frozenset(
    {
        "account_rejected", "account_banned", "account_restricted", "number_banned",
        "number_disconnected", "number_missing", "number_not_verified", "pin_mismatch",
        "display_name_review", "number_limited", "health_disconnected", "health_banned",
        "health_account_banned", "health_unverified",
    }
)  # fmt: skip
"""Stops whose remedy leads to WhatsApp Manager."""

MANAGER_FIRST = frozenset({"pin_mismatch"})
"""Where nothing helps before something was done there."""

_CHECK_AGAIN, _TRY_AGAIN = _("Check again"), _("Try again")


def _another(row: Onboarding) -> Button:
    slug = row.tenant.slug
    return Button("another", str(_("Connect another number")), url=f"?new&tenant={slug}")


def _duplicated(row: Onboarding, visible: QuerySet[Onboarding] | None) -> Button | None:
    """To the attempt that goes on in place of this one, if the reader may see it."""
    if row.reason != "superseded" or visible is None or not row.claimed_waba_id:
        return None
    same = visible.filter(
        tenant=row.tenant_id, state__in=OPEN, business_account__waba_id=row.claimed_waba_id
    )
    claimed = row.claimed_phone_number_id
    if claimed:
        same = same.filter(Q(number=None) | Q(number__phone_number_id=claimed))
    other = same.exclude(pk=row.pk).first()
    if other is None:
        return None
    return Button("other", str(_("Open the other attempt")), url=f"?onboarding={other.public_id}")


def main_of(
    row: Onboarding,
    stop: requirements.Requirement | None,
    visible: QuerySet[Onboarding] | None = None,
) -> Button | None:
    """The card's one main button; None where there is nothing to press, or a choice has its own.

    `stop`: what the card shows as one, so not a wait of seconds. `visible`: the attempts that the
    reader may see.
    """
    if other := _duplicated(row, visible):
        return other
    acts = requirements.acts(row)
    code = stop.code if stop else ""
    if row.state == S.CONNECTED:
        if "reconnect" in acts:
            return Button("reconnect", str(_("Reconnect this number")))
        return _another(row)
    if row.state == S.REJECTED:
        return Button("anew", str(_("Start again")))
    if "launch" in acts:
        return Button("launch", str(_("Go on") if row.state == S.STARTED else _("Start again")))
    if row.choices or stop is None:
        return None
    if code in _RESTART and (code != "unproven" or proof.may_still_come(row)):
        return Button("restart", str(_RESTART[code]))
    if code in MANAGER_FIRST:
        return _manager()
    return _resume(code) if "resume" in acts else None


def _manager() -> Button:
    return Button("manager", str(_("Open WhatsApp Manager")), url=MANAGER_URL, outside=True)


def _resume(code: str) -> Button:
    return Button("resume", str(_TRY_AGAIN if code == "pin_mismatch" else _CHECK_AGAIN))


def others_of(row: Onboarding, stop: requirements.Requirement | None) -> list[Button]:
    """What else can be pressed, in plainer buttons."""
    acts = requirements.acts(row)
    main = main_of(row, stop)
    found = []
    if stop and "resume" in acts and not (main and main.act == "resume"):
        found.append(_resume(stop.code))
    if "search" in acts:
        found.append(Button("search", str(_("Look for my account"))))
    if stop and stop.code in MANAGER - MANAGER_FIRST:
        found.append(_manager())
    return found


def may_end(row: Onboarding) -> bool:
    """Whether the attempt can be stopped, and begun again in the same breath."""
    return row.state in WITHDRAWABLE
