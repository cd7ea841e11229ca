"""A WABA moves to another tenant: fences first, leases waited for, then one transaction.

A worker that holds a lease may be in a call of up to 30 s. After the fences are up it writes
nothing any more, but its call may still be under way; so nothing moves before its lease has ended.

What of the holder's goes along: the account, its numbers and what was told about them. Its attempts
stay with it (they hold its people's names and what Meta's window said) and lose the account.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from onboarding import cases, journal, transitions
from onboarding.models import (
    Notice,
    Onboarding,
    PhoneNumber,
    Proof,
    ProviderCall,
    TransferCase,
    WhatsAppBusinessAccount,
)
from onboarding.states import OPEN, State
from tenants import audit

C = TransferCase.Standing
S = State


def begin(case: TransferCase, actor: str, note: str = "") -> bool:
    """Accept an open case and overtake every worker at the account; whether this was first.

    The attempt that asks must still be under way. The move itself follows (`carry_out`).
    """
    try:
        with transaction.atomic():
            transitions.bump(_both(case).filter(state__in=OPEN))
            case = TransferCase.objects.select_related("onboarding").get(pk=case.pk)
            if case.onboarding.state in cases.ENDED:
                raise _TooLateError
            now = timezone.now()
            free = TransferCase.objects.filter(pk=case.pk, standing=C.OPEN)
            changed = {"decided_by": actor, "decided_at": now, "note": note}
            if not free.update(standing=C.MOVING, **changed):
                raise _TooLateError
            audit.record(
                actor, "transfer.accepted", case, tenant=case.to_tenant,
                before={"standing": C.OPEN}, after={"standing": C.MOVING, **_sides(case)},
            )  # fmt: skip
    except (_TooLateError, IntegrityError):  # IntegrityError: another case moves the account now
        return False
    return True


class _TooLateError(Exception):
    """Decided or withdrawn already: nobody is overtaken for that, so it is all taken back."""


def is_quiet(rows: Iterable[Onboarding]) -> bool:
    """No worker holds a lease on these rows, and no code of theirs is being exchanged."""
    now = timezone.now()
    rows = list(rows)
    if any(row.lease_until is not None and row.lease_until >= now for row in rows):
        return False
    exchanging = ProviderCall.objects.filter(
        onboarding__in=rows, outcome=ProviderCall.Outcome.OPEN, at__gt=now - journal.LONGEST_CALL
    )
    return not exchanging.exists()


def carry_out(case_id: int) -> bool:
    """Move the account of an accepted case, unless somebody is still at it; whether it moved."""
    with transaction.atomic():
        case = TransferCase.objects.select_related("business_account").get(pk=case_id)
        rows = list(_both(case).select_for_update(of=("self",)).order_by("pk"))
        case = TransferCase.objects.select_for_update().get(pk=case_id)
        if case.standing != C.MOVING:
            return False
        asks = next((row for row in rows if row.pk == case.onboarding_id), None)
        if asks is None or asks.state in cases.ENDED:
            cases.withdraw(case)
            transitions.wake(row.pk for row in rows if row.state in OPEN)
            return False
        if not is_quiet(rows):
            return False
        account = WhatsAppBusinessAccount.objects.select_for_update().get(
            pk=case.business_account_id
        )
        if case.decided_by == cases.WORKER and not cases.decides_itself(case):
            _leave_to_staff(case, rows)
            return False
        _move(case, account, rows)
    return True


def _both(case: TransferCase) -> QuerySet[Onboarding]:
    """The attempts of both sides. A third tenant that asks too must not see that anything stirs."""
    return cases.attempts(case.business_account).filter(
        tenant__in=(case.from_tenant_id, case.to_tenant_id)
    )


def _leave_to_staff(case: TransferCase, rows: list[Onboarding]) -> None:
    """The holder has proven or connected it meanwhile: that is no case for a rule any more."""
    TransferCase.objects.filter(pk=case.pk).update(standing=C.OPEN, decided_by="", decided_at=None)
    transitions.wake(row.pk for row in rows if row.state in OPEN)
    audit.record(
        cases.WORKER, "transfer.reopened", case, tenant=case.to_tenant,
        before={"standing": C.MOVING}, after={"standing": C.OPEN},
    )  # fmt: skip


def _move(case: TransferCase, account: WhatsAppBusinessAccount, rows: list[Onboarding]) -> None:
    holder, now = case.from_tenant, timezone.now()
    lost = [row for row in rows if row.business_account_id == account.pk]
    for row in lost:
        _let_go(row, case)
    proof = Proof.GRANT if cases.is_proven(case) else Proof.STAFF
    moved = _numbers_moved(account, case, proof)
    WhatsAppBusinessAccount.objects.filter(pk=account.pk).update(
        tenant=case.to_tenant, proof=proof, proven_at=now, lost="", standing_since={}
    )
    TransferCase.objects.filter(pk=case.pk).update(standing=C.ACCEPTED, moved_at=now)
    # Others who ask for it have a new holder opposite.
    others = TransferCase.objects.filter(business_account=account, standing=C.OPEN)
    others.exclude(to_tenant=case.to_tenant).update(from_tenant=case.to_tenant)
    for row in rows:
        if row.tenant_id == case.to_tenant_id:
            _resume(row, case)
    transitions.wake(row.pk for row in rows if row.state in OPEN and row not in lost)
    audit.record(
        case.decided_by, "transfer.moved", case, tenant=holder,
        before={"holder": holder.slug},
        after={"holder": case.to_tenant.slug, "numbers": moved, "attempts_ended": len(lost)},
    )  # fmt: skip


def _let_go(row: Onboarding, case: TransferCase) -> None:
    """The holder's attempt loses the account: an open one ends, history keeps only what was said.

    Who never proved the account reads what everybody reads who cannot (the next pass says so): that
    somebody else could prove it is nobody's business.
    """
    gone: dict[str, Any] = {"business_account": None, "number": None, "choices": []}
    if row.state in OPEN and case.decided_by != cases.WORKER:
        transitions.move(
            row, S.CANCELLED, actor=case.decided_by, reason="account_moved", person=True, **gone
        )
        return
    Onboarding.objects.filter(pk=row.pk).update(
        **gone, version=F("version") + 1, updated_at=timezone.now()
    )
    if row.state in OPEN:
        transitions.wake([row.pk])


def _numbers_moved(account: WhatsAppBusinessAccount, case: TransferCase, proof: str) -> int:
    numbers = PhoneNumber.objects.filter(business_account=account)
    theirs = PhoneNumber.objects.filter(tenant=case.to_tenant).exclude(business_account=account)
    numbers.filter(phone_number_id__in=theirs.values("phone_number_id")).delete()
    notices = Notice.objects.filter(number__in=numbers)
    notices.filter(Q(claimed_at__isnull=True)).delete()  # news of the time before
    told = Q(user__isnull=False) | Q(address__isnull=False)
    notices.filter(told).update(number=None)  # who was told belongs to the holder before
    notices.exclude(told).update(tenant=case.to_tenant)
    # Their health and connection were the holder's; the new owner's own attempt finds them out.
    return transitions.unwatch(
        numbers, tenant=case.to_tenant, proof=proof, connected_at=None, health="",
        health_since=None, suspected="", standing="", standing_since={},
    )  # fmt: skip


def _resume(row: Onboarding, case: TransferCase) -> None:
    """What the new owner had under way at this account finds it its own by a fresh pass."""
    if row.state == S.NEEDS_ATTENTION and row.reason == "account_held":
        transitions.move(
            row, S.SIGNED_UP, actor=case.decided_by, due=timezone.now(), person=True, note="moved"
        )


def _sides(case: TransferCase) -> dict[str, str]:
    return {"from": case.from_tenant.slug, "to": case.to_tenant.slug}
