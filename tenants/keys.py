"""API keys: made, recognised, revoked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from tenants import audit
from tenants.models import ApiKey, User
from tenants.models.key import KEY, new_key, secret_hash

USED_EVERY = timedelta(minutes=1)
"""`last_used_at` is for people; it is not worth a write for each request."""

_NOBODY = secret_hash("nobody's")


def create_key(
    name: str,
    scopes: Iterable[str],
    *,
    actor: str,
    created_by: User | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new row and the whole key, which is shown this once and kept only as a hash."""
    prefix, secret = new_key()
    with transaction.atomic():
        row = ApiKey.objects.create(
            name=name,
            prefix=prefix,
            secret_hash=secret_hash(secret),
            scopes=sorted(set(scopes)),
            created_by=created_by,
            expires_at=expires_at,
        )
        until = expires_at.isoformat() if expires_at else None
        audit.record(actor, "api_key.created", row, after={"scopes": row.scopes, "until": until})
    return row, f"{prefix}_{secret}"


def revoke_key(row: ApiKey, *, actor: str) -> None:
    """End it at once; nothing is cached. Revoking it again changes nothing."""
    now = timezone.now()
    with transaction.atomic():
        if ApiKey.objects.filter(pk=row.pk, revoked_at__isnull=True).update(revoked_at=now):
            audit.record(actor, "api_key.revoked", row, after={"revoked_at": now.isoformat()})


def bearer(request: HttpRequest) -> str | None:
    """What came as `Authorization: Bearer …`; None where nothing did."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def key_of(text: str) -> ApiKey | None:
    """The row of a whole key; None for one that is unknown, wrong, revoked or expired.

    The secret is compared also where no row has the prefix, so that time tells nothing either.
    """
    parts = KEY.fullmatch(text)
    if parts is None:
        return None
    row = ApiKey.objects.filter(prefix=parts[1]).first()
    fits = constant_time_compare(secret_hash(parts[2]), row.secret_hash if row else _NOBODY)
    if row is None or not fits or row.is_revoked or row.is_expired:
        return None
    _used(row)
    return row


def _used(row: ApiKey) -> None:
    now = timezone.now()
    before = now - USED_EVERY
    if row.last_used_at is None or row.last_used_at < before:
        old = Q(last_used_at__isnull=True) | Q(last_used_at__lt=before)
        ApiKey.objects.filter(old, pk=row.pk).update(last_used_at=now)
