"""Settings -> YCloudClient, with every call in the journal.

Reads are noted after the answer; an act's row (its intent) is committed before the call.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from datetime import timedelta
from functools import cache
from typing import TypeVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from onboarding import transitions
from onboarding.models import Onboarding, ProviderCall
from ycloud_client import APIError, CallRecord, NoResponseError, YCloudClient, YCloudError

T = TypeVar("T")
Call = Callable[[YCloudClient], T]
Kind = ProviderCall.Kind
Outcome = ProviderCall.Outcome

STALE_INTENT = timedelta(minutes=2)
"""An act that is open for longer belongs to a worker that died (a call has 30 s in total)."""

_heard: ContextVar[list[CallRecord] | None] = ContextVar("heard", default=None)


class UnderWayError(Exception):
    """The same act on the same target is being done by somebody else right now."""


def _listen(record: CallRecord) -> None:
    heard = _heard.get()
    if heard is not None:
        heard.append(record)


@cache
def _client_of(pid: int, base_url: str, api_key: str) -> YCloudClient:
    return YCloudClient(api_key, base_url=base_url, observer=_listen)


def client() -> YCloudClient:
    """One client, with its keep-alive connections, for each process and setting."""
    return _client_of(os.getpid(), settings.YCLOUD_API_BASE_URL, settings.YCLOUD_API_KEY)


@cache
def _threads_of(pid: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="ycloud-read")


def read(row: Onboarding, *wanted: tuple[Kind, str, Call[T]]) -> list[T | YCloudError]:
    """Make reads at the same time; each result, or its error, in the order that was asked.

    `wanted`: (kind, target for the journal, the call). Raises OvertakenError.
    """
    transitions.renew(row)
    http = client()  # before the threads: two that come at once would make two
    threads = _threads_of(os.getpid())
    ends = [threads.submit(copy_context().run, _hear, http, w[2]) for w in wanted[1:]]
    answers = [copy_context().run(_hear, http, wanted[0][2]), *(end.result() for end in ends)]
    ProviderCall.objects.bulk_create(
        _described(ProviderCall(onboarding=row, kind=kind, target=target), record, answer)
        for (kind, target, _), (answer, heard) in zip(wanted, answers, strict=True)
        for record in heard
    )
    return [answer for answer, _ in answers]


def _hear(http: YCloudClient, call: Call[T]) -> tuple[T | YCloudError, list[CallRecord]]:
    heard: list[CallRecord] = []
    _heard.set(heard)
    try:
        return call(http), heard
    except YCloudError as error:
        return error, heard


def act(row: Onboarding, kind: Kind, target: str, call: Call[T]) -> tuple[T, ProviderCall]:
    """Do what cannot be undone: intent first, then the call outside any transaction, then the
    outcome. Raises YCloudError (the outcome is noted), UnderWayError, OvertakenError.
    """
    transitions.renew(row)
    intent = _intend(row, kind, target)
    answer, heard = copy_context().run(_hear, client(), call)
    _described(intent, heard[-1] if heard else None, answer)
    intent.save()
    if isinstance(answer, YCloudError):
        raise answer
    return answer, intent


def _intend(row: Onboarding, kind: Kind, target: str) -> ProviderCall:
    _give_up(Q(kind=kind, target=target, at__lt=timezone.now() - STALE_INTENT))
    try:
        with transaction.atomic():
            return ProviderCall.objects.create(
                onboarding=row, kind=kind, target=target, outcome=Outcome.OPEN
            )
    except IntegrityError as error:
        raise UnderWayError from error


def give_up_intents(row: Onboarding) -> None:
    """Acts that a dead worker left open on this row: their answers are lost.

    Only for whoever holds the row's lease: then nobody else can be doing them.
    """
    _give_up(Q(onboarding=row, kind__in=(Kind.TP_BIND, Kind.SMB_BIND, Kind.REGISTER)))


def _give_up(which: Q) -> None:
    ProviderCall.objects.filter(which, outcome=Outcome.OPEN).update(
        outcome=Outcome.LOST, ended_at=timezone.now()
    )


def _described(call: ProviderCall, record: CallRecord | None, answer: object) -> ProviderCall:
    """The journal's row of one exchange: never a key, a body or a query."""
    if record is not None:
        call.method, call.path = record.method, record.path[:255]
        call.status, call.code = record.status, (record.code or "")[:80]
        call.request_id = (record.request_id or "")[:100]
        call.took_ms = round(record.seconds * 1000)
    call.ended_at = timezone.now()
    call.outcome = _outcome(answer)
    if isinstance(answer, YCloudError):
        call.message = str(answer)[:500]
    if isinstance(answer, APIError) and answer.whatsapp_error is not None:
        error = answer.whatsapp_error
        call.meta_code = (error.subcode if error.subcode == "2388001" else error.code) or ""
    return call


def _outcome(answer: object) -> Outcome:
    if not isinstance(answer, YCloudError):
        return Outcome.DONE
    if answer.may_have_happened:
        return Outcome.LOST
    return Outcome.NOT_SENT if isinstance(answer, NoResponseError) else Outcome.REFUSED


def calls_of(kind: Kind, target: str, since: timedelta) -> list[ProviderCall]:
    """The acts of one kind on one target, oldest first, across attempts and tenants."""
    return list(
        ProviderCall.objects.filter(
            kind=kind, target=target, at__gt=timezone.now() - since
        ).order_by("at", "pk")
    )
