"""Staff have a number registered once more. The step does it, within the number's budget."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from onboarding import budget, tasks, transitions
from onboarding.models import Onboarding, ProviderCall
from onboarding.models.journal import ASKED_AGAIN
from onboarding.models.onboarding import ConnectionMode
from onboarding.services.audited import decided
from onboarding.services.errors import RefusedError, move
from onboarding.states import State

S = State

LONGEST = timedelta(minutes=1)
"""Twice what a call may take: what is open for longer was left by a worker that died."""


def may_register(row: Onboarding) -> bool:
    """Whether it stands where a number can be registered; one in the app never is."""
    number, state = row.number, State(row.state)
    if number is None or row.connection_mode == ConnectionMode.BUSINESS_APP:
        return False
    stopped = state == S.NEEDS_ATTENTION and row.reason in ("register_refused", "pin_mismatch")
    return not number.is_on_biz_app and (stopped or state in (S.REGISTERING, S.CONNECTING))


def budget_of(row: Onboarding) -> budget.Budget | None:
    """What is left of the number's registrations; None while there is no number."""
    number = row.number
    return budget.of(budget.spent_on(number.phone_number_id)) if number is not None else None


def retry_registration(row: Onboarding, actor: str) -> Onboarding:
    """Have the number registered again by the next step. Raises RefusedError.

    It overrules a wait after Meta's refusal, and that YCloud accepted it before; never the budget
    nor its reserve, which is there for a person at YCloud's own console. While a registration is
    under way, or its lost answer is watched, nothing is repeated.
    """
    with transaction.atomic():
        row = transitions.lock(row.pk)
        if not may_register(row):
            raise RefusedError("not_now", _("There is no number to register for it now."))
        _check_calls(row)
        stood = (row.state, row.reason)
        to = S.SIGNED_UP if row.state == S.NEEDS_ATTENTION else S.REGISTERING
        move(row, to, actor, due=timezone.now(), note=ASKED_AGAIN)
        decided("registration_retried", row, actor, *stood)
        tasks.nudge(row.pk)
    return row


def _check_calls(row: Onboarding) -> None:
    number, left = row.number, budget_of(row)
    assert number is not None  # noqa: S101 - `may_register` asks for it
    assert left is not None  # noqa: S101
    calls = ProviderCall.objects.filter(
        kind=ProviderCall.Kind.REGISTER, target=number.phone_number_id
    )
    lately = timezone.now() - LONGEST
    if calls.filter(outcome=ProviderCall.Outcome.OPEN, at__gt=lately).exists():
        raise RefusedError("under_way", _("A registration of this number is under way right now."))
    if left.free_at is not None:
        told = _("The number was registered %(used)s of %(most)s times; next possible at %(at)s.")
        at = date_format(timezone.localtime(left.free_at), "SHORT_DATETIME_FORMAT")
        raise RefusedError("budget_closed", told % {"used": left.used, "most": left.most, "at": at})
