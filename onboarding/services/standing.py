"""Staff: read a connected number or a WABA again at YCloud now."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from onboarding import tasks, transitions
from onboarding.models import Onboarding, PhoneNumber, WhatsAppBusinessAccount
from onboarding.services.errors import RefusedError
from onboarding.states import FINAL, State
from tenants import audit

_NOT_READ = FINAL | {State.STARTED, State.CANCELLED}


def reread_number(number: PhoneNumber, actor: str) -> None:
    """Have it and its WABA read now. Raises RefusedError where nobody looks at it."""
    rows = Onboarding.objects.filter(number=number)
    with transaction.atomic():
        _wake(PhoneNumber.objects.filter(pk=number.pk), rows, [number.business_account_id])
        audit.record(actor, "phone_number.reread", number)


def reread_account(account: WhatsAppBusinessAccount, actor: str) -> None:
    """Have it and its numbers read now. Raises RefusedError where nobody looks at it."""
    rows = Onboarding.objects.filter(business_account=account)
    with transaction.atomic():
        _wake(PhoneNumber.objects.filter(business_account=account), rows, [account.pk])
        audit.record(actor, "business_account.reread", account)


def _wake(numbers: QuerySet[PhoneNumber], rows: QuerySet[Onboarding], accounts: list[int]) -> None:
    connected = numbers.filter(onboarding__state=State.CONNECTED).distinct()
    under_way = list(rows.exclude(state__in=_NOT_READ).values_list("pk", flat=True))
    transitions.ask_accounts(accounts)
    woken = transitions.wake_numbers(list(connected.values_list("pk", flat=True)))
    if not woken + transitions.wake(under_way):
        raise RefusedError("not_now", _("There is nothing to read for it."))
    for onboarding_id in under_way:
        tasks.nudge(onboarding_id)
    if woken:
        tasks.nudge_watch()
