"""Transfer cases: opened by the worker where a grant proves what another tenant holds, or by staff.

The customer who asks never learns of a case; the words stay those of `account_unconfirmed`.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet

from onboarding.models import Onboarding, PhoneNumber, TransferCase, WhatsAppBusinessAccount
from onboarding.states import State
from tenants import audit

C = TransferCase.Standing
WORKER = "worker"

ENDED = (State.STARTED, State.CANCELLED, State.REJECTED)
"""An attempt in one of these asks for nothing any more."""


def contested(row: Onboarding) -> list[WhatsAppBusinessAccount]:
    """The accounts that this attempt is about and another tenant holds."""
    ids = [row.claimed_waba_id] if row.claimed_waba_id else row.granted_waba_ids
    held = WhatsAppBusinessAccount.objects.filter(waba_id__in=ids).exclude(tenant=row.tenant_id)
    return list(held.select_related("tenant"))


def open_proven(row: Onboarding) -> None:
    """The attempt stopped at somebody else's account: a case for each that its grant names.

    Not again once staff have refused this tenant while the same one holds the account.
    """
    for account in contested(row):
        refused = TransferCase.objects.filter(
            business_account=account, from_tenant=account.tenant, to_tenant=row.tenant_id,
            standing=C.REFUSED,
        )  # fmt: skip
        if account.waba_id in row.granted_waba_ids and not refused.exists():
            open_case(row, account, WORKER)


def open_case(row: Onboarding, account: WhatsAppBusinessAccount, actor: str) -> TransferCase:
    """The tenant's case about this account: the one under way, or a new one."""
    case, is_new = TransferCase.objects.get_or_create(
        business_account=account,
        to_tenant_id=row.tenant_id,
        standing__in=TransferCase.UNDER_WAY,
        defaults={
            "from_tenant": account.tenant,
            "onboarding": row,
            "opened_by": actor,
            "standing": C.OPEN,
        },
    )
    if is_new:
        audit.record(
            actor, "transfer.opened", case, tenant=row.tenant,
            after={"from": account.tenant.slug, "to": row.tenant.slug, "proven": is_proven(case)},
        )  # fmt: skip
    return case


def of(row: Onboarding) -> TransferCase | None:
    """The case under way about what this attempt asks for."""
    under_way = TransferCase.objects.filter(standing__in=TransferCase.UNDER_WAY)
    theirs = under_way.filter(to_tenant=row.tenant_id)
    same = theirs.filter(business_account__waba_id=row.claimed_waba_id or None)
    return (theirs.filter(onboarding=row) | same).order_by("pk").last()


def is_proven(case: TransferCase) -> bool:
    """Whether a grant of the asking tenant names the account."""
    granted = attempts(case.business_account).filter(tenant=case.to_tenant_id)
    return granted.filter(granted_waba_ids__contains=[case.business_account.waba_id]).exists()


def decides_itself(case: TransferCase) -> bool:
    """The holder has shown nothing and connected nothing, and the other side has Meta's grant.

    Then a claim would only stand in the way of the owner, and nobody loses a working number.
    """
    account = case.business_account
    connected = Onboarding.objects.filter(
        business_account=account, tenant=account.tenant_id, state=State.CONNECTED
    )
    return not account.proof and not connected.exists() and is_proven(case)


def attempts(account: WhatsAppBusinessAccount) -> QuerySet[Onboarding]:
    """All attempts, of whatever tenant, that have this account or ask for it."""
    return Onboarding.objects.filter(
        Q(business_account=account)
        | Q(claimed_waba_id=account.waba_id)
        | Q(granted_waba_ids__contains=[account.waba_id])
    )


def close_ended() -> int:
    """Cases whose attempt has ended are withdrawn; how many.

    Another attempt of the same tenant that stopped at the same account keeps its case open.
    """
    over = TransferCase.objects.filter(standing=C.OPEN, onboarding__state__in=ENDED)
    closed = 0
    for case in over.select_related("business_account", "to_tenant"):
        other = attempts(case.business_account).filter(
            tenant=case.to_tenant_id,
            state__in=(State.SIGNED_UP, State.NEEDS_ATTENTION),
            reason="account_held",
        )
        if heir := other.order_by("created_at").first():
            TransferCase.objects.filter(pk=case.pk, standing=C.OPEN).update(onboarding=heir)
        else:
            closed += withdraw(case)
    return closed


def withdraw(case: TransferCase) -> bool:
    """The attempt that asked has ended before anything moved; whether this was first."""
    open_now = TransferCase.objects.filter(pk=case.pk, standing__in=TransferCase.UNDER_WAY)
    if not open_now.update(standing=C.WITHDRAWN):
        return False
    audit.record(
        WORKER, "transfer.withdrawn", case, tenant=case.to_tenant,
        before={"standing": case.standing}, after={"standing": C.WITHDRAWN},
    )  # fmt: skip
    return True


def numbers(account: WhatsAppBusinessAccount) -> QuerySet[PhoneNumber]:
    """The account's numbers that are known here."""
    return PhoneNumber.objects.filter(business_account=account).order_by("e164", "pk")
