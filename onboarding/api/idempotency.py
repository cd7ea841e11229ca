"""`Idempotency-Key`: a POST that is sent again does nothing again and gets the same answer.

The lock is PostgreSQL's own, for the length of one transaction, and the answer is written in that
transaction together with the act. So a process that dies leaves neither a half-done act nor a row
that says "under way": the lock is gone with its connection (docs/decisions/0010).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from onboarding.api.refusals import BadKeyError, KeyReusedError, UnderWayError
from onboarding.models import IdempotentAnswer
from onboarding.models.idempotency import LIFE
from tenants import walls
from tenants.access import Asker

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_WHY = "an asker's own answers, of whatever tenant"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def key_of(request: Request) -> str | None:
    """The key that came with a POST, or None. Raises BadKeyError."""
    key = request.headers.get(HEADER) if request.method == "POST" else None
    if key is not None and not _KEY.fullmatch(key):
        raise BadKeyError
    return key


def once(request: Request, asker: Asker, key: str, act: Callable[[], Response]) -> Response:
    """What `act` answers, or what it answered before. Raises KeyReusedError, UnderWayError.

    An act that raises is rolled back and forgotten, and may be sent again.
    """
    with transaction.atomic():
        _lock(asker, key)
        fresh = timezone.now() - LIFE
        kept = IdempotentAnswer.objects.filter(asker=asker.pk, key=key, created_at__gt=fresh)
        with walls.seeing_everything(_WHY):
            found, mark = kept.first(), _fingerprint(request)
        if found is not None and found.fingerprint != mark:
            raise KeyReusedError
        if found is not None:
            body = json.loads(found.body or "null")  # "": its encryption key was taken away
            return Response(body, status=found.status, headers={REPLAYED: "true"})
        answer = act()
        _keep(asker, key, mark, answer)
    return answer


def _fingerprint(request: Request) -> str:
    sent = request._request
    head = f"{sent.method} {sent.get_full_path()}\n"
    return hashlib.sha256(head.encode() + sent.body).hexdigest()


def _lock(asker: Asker, key: str) -> None:
    """Held until the transaction ends, however it ends."""
    name = hashlib.sha256(f"idempotency {asker.pk} {key}".encode()).digest()[:8]
    number = int.from_bytes(name, signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        (mine,) = cursor.fetchone()
    if not mine:
        raise UnderWayError


def _keep(asker: Asker, key: str, mark: str, answer: Response) -> None:
    values: dict[str, Any] = {
        "fingerprint": mark,
        "status": answer.status_code,
        "body": JSONRenderer().render(answer.data).decode(),
        "created_at": timezone.now(),
    }
    with walls.seeing_everything(_WHY):
        IdempotentAnswer.objects.update_or_create(asker=asker.pk, key=key, defaults=values)
