"""The journal of calls: an act's intent before it, and what came of each exchange."""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from onboarding import codes, instruments, quota, tombstones
from onboarding.models import Onboarding, ProviderCall
from tenants.redaction import redact
from ycloud_client import APIError, CallRecord, NoResponseError, YCloudError

Kind = ProviderCall.Kind
Outcome = ProviderCall.Outcome

LONGEST_CALL = timedelta(seconds=40)
STALE_INTENT = timedelta(minutes=2)
"""An act that is open for longer belongs to a worker that died (a call has 30 s in total)."""


class UnderWayError(Exception):
    """The same act on the same target is being done by somebody else right now."""


def intend(intent: ProviderCall) -> ProviderCall:
    """Write an act's intent; one is open for each act and target. Raises UnderWayError."""
    intent.outcome = Outcome.OPEN
    if _written(intent):
        return intent
    stale = timezone.now() - STALE_INTENT
    if _give_up(Q(kind=intent.kind, target=intent.target, at__lt=stale)) and _written(intent):
        return intent
    raise UnderWayError


def _written(intent: ProviderCall) -> bool:
    try:
        with transaction.atomic():
            intent.save(force_insert=True)
    except IntegrityError:  # the one that is open
        return False
    return True


def give_up_intents(row: Onboarding) -> None:
    """Acts that a dead worker left open on this row: their answers are lost.

    A young one may still be under way: a person's move takes the row from a worker at once.
    """
    acts = Q(onboarding=row, kind__in=(Kind.TP_BIND, Kind.SMB_BIND, Kind.REGISTER))
    _give_up(acts & Q(at__lt=timezone.now() - LONGEST_CALL))


def _give_up(which: Q) -> int:
    return ProviderCall.objects.filter(which, outcome=Outcome.OPEN).update(
        outcome=Outcome.LOST, ended_at=timezone.now()
    )


def described(call: ProviderCall, record: CallRecord | None, answer: object) -> ProviderCall:
    """The journal's row of one exchange: never a key, a body or a query."""
    if record is not None:
        call.method, call.path = record.method, record.path[:255]
        call.status, call.code = record.status, (record.code or "")[:80]
        call.request_id = (record.request_id or "")[:100]
        call.took_ms = round(record.seconds * 1000)
    call.ended_at = timezone.now()
    call.outcome = _outcome(answer)
    if isinstance(answer, YCloudError):
        call.message = redact(str(answer))[:500]
    if isinstance(answer, APIError):
        call.meta_code = codes.meta_code(answer)[:40]
    instruments.called(call)
    return call


def _outcome(answer: object) -> Outcome:
    if not isinstance(answer, YCloudError):
        return Outcome.DONE
    if isinstance(answer, NoResponseError | quota.QuotaFullError) and not answer.may_have_happened:
        return Outcome.NOT_SENT
    return Outcome.LOST if codes.may_have_happened(answer) else Outcome.REFUSED


def without_the_erased(call: ProviderCall) -> ProviderCall:
    """Not what was asked about where its tenant was erased while the answer was under way.

    Calls for an attempt need no such look: an attempt is erased when its lease has ended.
    """
    if call.onboarding is None and tombstones.covers(call.target):
        call.target = call.path = ""
    return call
