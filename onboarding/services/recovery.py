"""Ways back: look for a lost account, reconnect a lost number, start again from the window."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onboarding import requirements, tasks, transitions
from onboarding.models import Onboarding, SignupLink
from onboarding.models.onboarding import ConnectionMode
from onboarding.services.audited import decided
from onboarding.services.decisions import withdraw
from onboarding.services.errors import RefusedError, move
from onboarding.services.signup import BEFORE, relaunch, start
from onboarding.states import State
from tenants.access import Asker

S = State


_FOUND_BEFORE: dict[str, Any] = {
    "claimed_waba_id": "",
    "claimed_phone_number_id": "",
    "claimed_business_id": "",
    "claimed_at": None,
    "proven": None,
    "business_account": None,
    "number": None,
    "approved_at": None,
    "approved_by": None,
}
"""Belongs to the account that was claimed before: another one is judged anew."""


def look_for_account(row: Onboarding, actor: str) -> Onboarding:
    """Drop what the browser claimed and find the account from Meta's grant alone.

    Only what this attempt's grant names and no other tenant holds is taken or offered, what nobody
    holds first. Raises RefusedError where an account is known or the window was never opened.
    """
    with transaction.atomic():
        row = transitions.lock(row.pk)
        if "search" not in requirements.acts(row):
            raise RefusedError("not_now", _("There is no lost account to look for."))
        stood = (row.state, row.reason)
        for name, blank in _FOUND_BEFORE.items():
            setattr(row, name, blank)
        row.searched_at = timezone.now()
        row.save(update_fields=["searched_at", *_FOUND_BEFORE])
        move(row, S.SIGNED_UP, actor, due=timezone.now(), note="searched")
        decided("searched", row, actor, *stood)
        tasks.nudge(row.pk)
    return row


def reconnect(row: Onboarding, asker: Asker) -> tuple[Onboarding, bool]:
    """A new attempt that only this number passes: (row, made). Raises RefusedError."""
    number = row.number
    if number is None or not number.e164 or "reconnect" not in requirements.acts(row):
        raise RefusedError("not_now", _("This number does not need to be reconnected."))
    link = SignupLink.objects.filter(pk=asker.link_id).first() if asker.link_id else None
    if link is not None and link.expected_number not in ("", number.e164):
        raise RefusedError("not_offered", _("Your link is for another number."))
    return start(asker, row.tenant, mode_of(row), expected_number=number.e164)


def restart(row: Onboarding, asker: Asker) -> Onboarding:
    """End what is under way and launch Meta's window anew in the same attempt, or change nothing.

    One act: whoever stopped between the two would be left with an ended attempt. It begins no other
    attempt, so it is whoever's may see it, and an expired link's guest's too. Raises RefusedError.
    """
    with transaction.atomic():
        row = transitions.lock(row.pk)
        if row.state not in BEFORE:
            row = withdraw(row, asker.actor)
        return relaunch(row, asker)


def mode_of(row: Onboarding) -> str:
    """How its number is connected anew."""
    on_app = row.number is not None and row.number.is_on_biz_app
    in_app = row.connection_mode == ConnectionMode.BUSINESS_APP or on_app
    return ConnectionMode.BUSINESS_APP if in_app else ConnectionMode.BUSINESS_PLATFORM
