"""Meta's Graph: the code of the window becomes the list of WABAs that it granted.

The code lives 30 s and works once. It is exchanged by a POST form, never in an address; the
token is dropped as soon as the granted accounts are read, or sealed where META_KEEP_TOKEN says
that it is kept. `debug_token` takes the token only in
its query (Graph reference, Nov 2026): that request is made over TLS and its address never logged.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache

import httpx
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Min, QuerySet
from django.utils import timezone

from onboarding import instruments, launch, transitions
from onboarding.models import MetaToken, Onboarding, ProviderCall
from onboarding.models.onboarding import Grant
from tenants import walls

DEAD = timedelta(seconds=60)
"""A code lives 30 s, an exchange that was begun in time may take 20 s more."""

LAST_TRY = timedelta(seconds=25)
FORGOTTEN = timedelta(seconds=3)
_PAUSE_SECONDS = 0.5
_SCOPE = "whatsapp_business_management"
_BODY_LIMIT = 1_000_000
_LOCK = 7101
"""The class of our advisory locks in PostgreSQL."""


class RefusedError(Exception):
    """Meta said no: the code is used, expired or not ours. Asking again cannot help."""


class UnderWayError(Exception):
    """Somebody else is exchanging this code at this moment."""


class NoAnswerError(Exception):
    """Nothing, a fault of Meta's, or nonsense: may be tried again while the code lives."""


def exchange_code(onboarding_id: int, *, seconds: float = 20.0) -> None:
    """Exchange the row's code and keep what it grants; wakes the row.

    Repeats after no answer while the code is young; a refusal ends it. The code is wiped in any
    case. Safe to call twice: one exchange is under way at a time, and a wiped code is not found.
    """
    until = time.monotonic() + seconds
    exchange: Exchange | None = None
    while True:
        row = Onboarding.objects.filter(pk=onboarding_id, grant=Grant.WAITING).first()
        if row is None or not row.code or row.code_received_at is None:
            return None
        instruments.seen(row)
        try:
            back = launch.return_address() if row.code_by_dialog else ""
            exchange = exchange or Exchange(row.code, back)
            return _tried(row, exchange, max(until - time.monotonic(), 1.0))
        except UnderWayError:
            return None
        except NoAnswerError:
            young = timezone.now() - row.code_received_at < LAST_TRY
            if not young or time.monotonic() + _PAUSE_SECONDS > until:
                _keep(row, Grant.LOST, [])
                return None
            time.sleep(_PAUSE_SECONDS)


def forgotten_codes() -> list[int]:
    """Rows whose code lives and is not being exchanged: the message or the worker was lost."""
    now = timezone.now()
    rows = Onboarding.objects.filter(
        grant=Grant.WAITING,
        code_received_at__gt=now - LAST_TRY,
        code_received_at__lt=now - FORGOTTEN,
    )
    return list(rows.values_list("pk", flat=True)[:100])


def wipe_dead_codes() -> int:
    """A code that outlived its 30 s, and any exchange of it, is not kept; how many there were."""
    dead = Onboarding.objects.filter(
        grant=Grant.WAITING, code_received_at__lt=timezone.now() - DEAD
    )
    for row in dead[:100]:
        _keep(row, Grant.LOST, [])
    return len(dead)


@contextmanager
def _alone(target: str) -> Iterator[bool]:
    """Whether nobody else exchanges this code now, in whatever row.

    The lock belongs to our connection to the database, so it ends with a worker that dies: an
    exchange cannot wait for a lease, its code lives 30 s.
    """
    key = lock_of(target)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK, key])
        (free,) = cursor.fetchone()
    try:
        yield free
    finally:
        if free:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK, key])


def _tried(row: Onboarding, exchange: Exchange, seconds: float) -> None:
    """One exchange, with its intent before and its outcome after.

    Raises UnderWayError and NoAnswerError; any answer of Meta's is kept.
    """
    target = target_of(row.code)
    with _alone(target) as free:
        if not free:
            raise UnderWayError
        _tried_alone(row, target, exchange, seconds)


def lock_of(target: str) -> int:
    """The advisory lock's key for a code's hash."""
    return int(target[:7], 16)


def target_of(code: str) -> str:
    """What the journal calls this code: a hash, which gives nothing of it away."""
    return hashlib.sha256(code.encode()).hexdigest()[:40]


def was_answered(code: str) -> bool:
    """Whether Meta has answered this code already: it works once, so it is never sent again."""
    answered = (ProviderCall.Outcome.DONE, ProviderCall.Outcome.REFUSED)
    with walls.seeing_everything("a code works once, in whatever tenant's row it came"):
        return _exchanges_of(code).filter(outcome__in=answered).exists()


def first_tried_at(code: str) -> datetime | None:
    """When this code was exchanged first, if it ever was: its life is counted from there."""
    with walls.seeing_everything("a code works once, in whatever tenant's row it came"):
        first: datetime | None = _exchanges_of(code).aggregate(at=Min("at"))["at"]
    return first


def _exchanges_of(code: str) -> QuerySet[ProviderCall]:
    exchanges = ProviderCall.objects.filter(kind=ProviderCall.Kind.EXCHANGE_CODE)
    return exchanges.filter(target=target_of(code))


def _tried_alone(row: Onboarding, target: str, exchange: Exchange, seconds: float) -> None:
    if was_answered(row.code):
        _keep(row, Grant.REFUSED, [])
        return
    # Whoever left an intent open has died: we hold the lock.
    ProviderCall.objects.filter(
        kind=ProviderCall.Kind.EXCHANGE_CODE, target=target, outcome=ProviderCall.Outcome.OPEN
    ).update(outcome=ProviderCall.Outcome.LOST, ended_at=timezone.now())
    intent = ProviderCall.objects.create(
        onboarding=row, kind=ProviderCall.Kind.EXCHANGE_CODE, target=target,
        outcome=ProviderCall.Outcome.OPEN, method="POST",
        path=f"/{settings.META_GRAPH_VERSION}/oauth/access_token",
    )  # fmt: skip
    started = time.monotonic()
    granted: list[str] = []
    try:
        granted = exchange.granted_waba_ids(seconds)
        intent.outcome = ProviderCall.Outcome.DONE
    except RefusedError as error:
        intent.outcome = ProviderCall.Outcome.REFUSED
        intent.meta_code = str(error)[:40]
    except BaseException:
        intent.outcome = ProviderCall.Outcome.LOST
        raise
    finally:
        intent.ended_at = timezone.now()
        intent.took_ms = round((time.monotonic() - started) * 1000)
        instruments.exchanged(intent)
        if intent.outcome == ProviderCall.Outcome.LOST:
            intent.save()
    was_granted = intent.outcome == ProviderCall.Outcome.DONE
    with transaction.atomic():  # together: a code that was answered must not look unanswered
        intent.save()
        kept = _keep(row, Grant.GRANTED if was_granted else Grant.REFUSED, granted)
        if kept and was_granted and settings.META_KEEP_TOKEN:
            MetaToken.objects.update_or_create(
                onboarding=row,
                defaults={
                    "tenant": row.tenant, "token": exchange.token, "obtained_at": timezone.now(),
                },
            )  # fmt: skip


def _keep(row: Onboarding, grant: Grant, granted: list[str]) -> bool:
    """Keep what came of the code; whether the row was still waiting for this one."""
    with transaction.atomic():
        kept = Onboarding.objects.filter(
            pk=row.pk, grant=Grant.WAITING, code_received_at=row.code_received_at
        ).update(grant=grant, granted_waba_ids=granted, code="")
        transitions.wake([row.pk])
    return bool(kept)


class Exchange:
    """One code's way to the granted WABAs. A token that was got is kept in memory for the second
    call's repeats: the code itself works only once. `back`: the full-page dialog's way back.
    """

    def __init__(self, code: str, back: str = "") -> None:
        self._code, self._back = code, back
        self.token = ""

    def granted_waba_ids(self, seconds: float) -> list[str]:
        """The ids in the token's granular scopes; [] when Meta names no target (proves nothing).

        Raises RefusedError (its text is Meta's error code) and NoAnswerError.
        """
        timeout = httpx.Timeout(seconds / 2, connect=min(seconds / 2, 5))
        self.token = self.token or _token_of(timeout, self._code, self._back)
        return _targets(_debugged(timeout, self.token))


@cache
def _client_of(pid: int) -> httpx.Client:
    """One for each process, with its kept connections: a new one costs 17 ms of CPU for TLS."""
    made = httpx.Client(limits=httpx.Limits(keepalive_expiry=30.0))
    atexit.register(made.close)
    return made


def _graph(path: str) -> str:
    return f"{settings.META_GRAPH_BASE_URL}/{settings.META_GRAPH_VERSION}/{path}"


def _token_of(timeout: httpx.Timeout, code: str, back: str) -> str:
    app = {"client_id": settings.META_APP_ID, "client_secret": settings.META_APP_SECRET}
    form = {**app, "code": code}
    if back:  # else Meta refuses with 36008; a code of the window has none
        form["redirect_uri"] = back
    token = _json(timeout, "POST", _graph("oauth/access_token"), data=form).get("access_token")
    if isinstance(token, str) and token:
        return token
    raise NoAnswerError


def check_app(seconds: float) -> None:
    """Ask Graph about a token that is none, as our app: whether it knows the app and its secret.

    Raises RefusedError and NoAnswerError.
    """
    _debugged(httpx.Timeout(seconds, connect=min(seconds, 3)), "doctor")


def _debugged(timeout: httpx.Timeout, token: str) -> dict[str, object]:
    app = f"{settings.META_APP_ID}|{settings.META_APP_SECRET}"
    return _json(
        timeout, "GET", _graph("debug_token"),
        params={"input_token": token}, headers={"Authorization": f"Bearer {app}"},
    )  # fmt: skip


def _json(timeout: httpx.Timeout, method: str, url: str, **sent: object) -> dict[str, object]:
    try:
        http = _client_of(os.getpid())
        response = http.request(method, url, timeout=timeout, **sent)  # type: ignore[arg-type]
        answer = response.json() if len(response.content) <= _BODY_LIMIT else None
    except (httpx.HTTPError, ValueError):
        # `from None`: the cause's text names the address, and that one holds a token.
        raise NoAnswerError from None
    if 400 <= response.status_code < 500 and response.status_code != 429:
        error = answer.get("error") if isinstance(answer, dict) else None
        raise RefusedError(str(error.get("code", "")) if isinstance(error, dict) else "")
    if response.status_code != 200 or not isinstance(answer, dict):
        raise NoAnswerError
    return answer


def _targets(debug: dict[str, object]) -> list[str]:
    data = debug.get("data")
    scopes = data.get("granular_scopes") if isinstance(data, dict) else None
    found: dict[str, None] = {}
    for scope in scopes if isinstance(scopes, list) else []:
        if isinstance(scope, dict) and scope.get("scope") == _SCOPE:
            targets = scope.get("target_ids")
            for target in targets if isinstance(targets, list) else []:
                found[str(target)] = None
    return [target for target in found if target.isdigit()]
