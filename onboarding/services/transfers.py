"""Staff decide which tenant holds a WABA: open a case by hand, accept it, refuse it."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onboarding import cases, moving, tasks
from onboarding.models import Onboarding, TransferCase
from onboarding.services.errors import RefusedError
from tenants import audit
from tenants.models import User

C = TransferCase.Standing


def open_case(row: Onboarding, actor: User) -> TransferCase:
    """A case about the account that this attempt asks for. Raises RefusedError."""
    with transaction.atomic():
        held = cases.contested(row)
        if row.state in cases.ENDED or len(held) != 1:
            raise RefusedError("not_now", _("This attempt asks for no account of another tenant."))
        return cases.open_case(row, held[0], actor.get_username())


def accept(case: TransferCase, actor: User, note: str = "") -> TransferCase:
    """Move the account to the tenant that asks. Raises RefusedError.

    The workers at it are overtaken now; the move follows when their calls are over (45 s at most).
    """
    with transaction.atomic():
        if not moving.begin(case, actor.get_username(), note):
            raise RefusedError("not_now", _("This case is not open any more."))
        tasks.request_moves()
    case.refresh_from_db()
    return case


def refuse(case: TransferCase, actor: User, note: str = "") -> TransferCase:
    """Leave the account where it is. Raises RefusedError."""
    with transaction.atomic():
        changed = {"decided_by": actor.get_username(), "decided_at": timezone.now(), "note": note}
        free = TransferCase.objects.filter(pk=case.pk, standing=C.OPEN)
        if not free.update(standing=C.REFUSED, **changed):
            raise RefusedError("not_now", _("This case is not open any more."))
        audit.record(
            actor.get_username(), "transfer.refused", case, tenant=case.to_tenant,
            before={"standing": C.OPEN}, after={"standing": C.REFUSED},
        )  # fmt: skip
    case.refresh_from_db()
    return case
