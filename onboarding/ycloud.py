"""A YCloud account -> YCloudClient, under its quota, with every call in the journal.

Reads are noted after the answer; an act's row (its intent) is committed before the call.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

from django.conf import settings
from django.db import connections

from onboarding import (
    durable,
    journal,
    quota,
    transitions,
    ycloud_accounts,
)
from onboarding.models import Onboarding, ProviderCall
from onboarding.quota import Lane
from ycloud_client import CallRecord, YCloudClient, YCloudError

T = TypeVar("T")
Call = Callable[[YCloudClient], T]
Kind = ProviderCall.Kind
Wanted = tuple[Kind, str, Call[T]]
"""A read: its kind and its target for the journal, and the call."""
Outcome = ProviderCall.Outcome

CALL_SECONDS = 30.0
MOST_AT_ONCE = 64
"""Reads beside other reads of one process: more than it has tasks, so that none waits for one."""


@dataclass
class _Call:
    """What goes on around one call of ours: its lane, permits paid before, exchanges heard."""

    lane: Lane
    prepaid: int = 0
    heard: list[CallRecord] = field(default_factory=list)


_current: ContextVar[_Call | None] = ContextVar("current", default=None)


def _permit() -> None:
    call = _current.get()
    if call is None:
        raise RuntimeError("YCloud is called through onboarding.ycloud only")
    if call.prepaid:
        call.prepaid -= 1
    else:
        quota.take(call.lane)


def _listen(record: CallRecord) -> None:
    quota.heard(record)
    call = _current.get()
    if call is not None:
        call.heard.append(record)


_clients: dict[tuple[int, str, int | None, str, float], YCloudClient] = {}
_clients_lock = threading.Lock()


def client(seconds: float = CALL_SECONDS) -> YCloudClient:
    """One client, with its keep-alive connections, for each process, YCloud account and patience.

    Raises EndedError.
    """
    account = ycloud_accounts.now()
    if account.ended:
        raise ycloud_accounts.EndedError(account)
    base_url, key_there = settings.YCLOUD_API_BASE_URL, account.api_key
    key = (os.getpid(), base_url, account.id, key_there, seconds)
    with _clients_lock:  # two threads that come at once would make two
        if key not in _clients:
            _clients[key] = YCloudClient(
                key_there, base_url=base_url, observer=_listen, permit=_permit,
                total_seconds=seconds, read_timeout=min(15.0, seconds),
            )  # fmt: skip
        return _clients[key]


def close() -> None:
    """Close the kept connections of every client of this process."""
    while _clients:
        _clients.popitem()[1].close()


@cache
def _threads_of(pid: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=MOST_AT_ONCE, thread_name_prefix="ycloud-read")


def read(
    row: Onboarding, *wanted: Wanted[T], seconds: float = CALL_SECONDS
) -> list[T | YCloudError]:
    """Make reads at the same time; each result, or its error, in the order that was asked.

    Each has `seconds` as a whole. Raises OvertakenError.
    """
    transitions.hold(row)
    with ycloud_accounts.using(row.ycloud_account_id):
        return _read(quota.lane_of(row), row, *wanted, seconds=seconds)


def look_up(lane: Lane, kind: Kind, target: str, call: Call[T]) -> T:
    """One read that belongs to no onboarding, by the account at hand. Raises YCloudError."""
    (answer,) = _read(lane, None, (kind, target, call))
    if isinstance(answer, YCloudError):
        raise answer
    return answer


def look_up_all(
    lane: Lane, *wanted: Wanted[T], seconds: float = CALL_SECONDS
) -> list[T | YCloudError]:
    """The same for several reads at once; each has `seconds` as a whole. Errors as `read`."""
    return _read(lane, None, *wanted, seconds=seconds)


def _read(
    lane: Lane,
    row: Onboarding | None,
    *wanted: Wanted[T],
    seconds: float = CALL_SECONDS,
) -> list[T | YCloudError]:
    http = client(seconds)
    for _each in wanted:  # here, not in the threads: without Redis it asks the database
        quota.take(lane)
    threads = _threads_of(os.getpid())
    account_id = ycloud_accounts.now().id
    ends = [
        threads.submit(copy_context().run, _hear_beside, http, _Call(lane, prepaid=1), each[2])
        for each in wanted[1:]
    ]
    first = copy_context().run(_hear, http, _Call(lane, prepaid=1), wanted[0][2])
    answers = [first, *(end.result() for end in ends)]
    with durable.lazily():
        ProviderCall.objects.bulk_create(
            journal.without_the_erased(
                journal.described(
                    ProviderCall(
                        onboarding=row, kind=kind, target=target, lane=lane,
                        ycloud_account_id=account_id,
                    ),
                    record, answer,
                )
            )
            for (kind, target, _), (answer, heard) in zip(wanted, answers, strict=True)
            for record in heard
        )  # fmt: skip
    return [answer for answer, _ in answers]


def _hear(
    http: YCloudClient, around: _Call, call: Call[T]
) -> tuple[T | YCloudError, list[CallRecord]]:
    _current.set(around)
    try:
        return call(http), around.heard
    except YCloudError as error:
        return error, around.heard


def _hear_beside(
    http: YCloudClient, around: _Call, call: Call[T]
) -> tuple[T | YCloudError, list[CallRecord]]:
    """`_hear` in a thread, which must not keep a database connection for itself."""
    try:
        return _hear(http, around, call)
    finally:
        connections.close_all()


def act(
    row: Onboarding,
    kind: Kind,
    target: str,
    call: Call[T],
    *,
    seen: str = "",
    ready: Callable[[], None] = lambda: None,
) -> tuple[T, ProviderCall]:
    """Do what cannot be undone: intent first, then the call outside any transaction, then the
    outcome. `seen`: what the list showed before, kept with the intent. `ready`: commits what was
    written before, and the intent with it. Raises YCloudError (the outcome is noted;
    QuotaFullError before there is an intent), UnderWayError, OvertakenError.
    """
    with ycloud_accounts.using(row.ycloud_account_id):
        return _act(quota.lane_of(row), row, kind, target, call, seen, ready)


def install(kind: Kind, target: str, call: Call[T]) -> T:
    """An act of the partner's own that belongs to no onboarding. Raises as `act`."""
    answer, _ = _act(Lane.PAGE, None, kind, target, call, "")
    return answer


def _act(
    lane: Lane,
    row: Onboarding | None,
    kind: Kind,
    target: str,
    call: Call[T],
    seen: str,
    ready: Callable[[], None] = lambda: None,
) -> tuple[T, ProviderCall]:
    http = client()
    quota.take(lane)
    with durable.whole():
        if row is not None:
            transitions.renew(row)
        intent = journal.intend(
            ProviderCall(
                onboarding=row, kind=kind, target=target, lane=lane, seen=seen,
                ycloud_account_id=ycloud_accounts.now().id,
            )
        )  # fmt: skip
    ready()
    around = _Call(lane, prepaid=1)
    answer, heard = copy_context().run(_hear, http, around, call)
    journal.described(intent, heard[-1] if heard else None, answer)
    with durable.lazily():  # lost in a crash: as open as after a worker's death, so it is looked at
        intent.save()
    if isinstance(answer, YCloudError):
        raise answer
    return answer, intent
