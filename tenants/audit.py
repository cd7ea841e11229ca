"""One call writes what somebody did: `record(actor, "link.revoked", link, after={...})`.

It goes into the transaction of the act itself, so neither is there without the other. Values are
plain (text, numbers, lists); never a secret, a token, a code or a person's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from django.db import models

from tenants import walls
from tenants.models import AuditEntry, Tenant

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request under way; set by the middleware."""


def record(
    actor: str,
    act: str,
    target: models.Model | None = None,
    *,
    tenant: Tenant | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Write one entry.

    `actor`: a staff username, `customer`, `key:PREFIX` or `command`. `act`: `thing.past_tense`.
    `tenant`: taken from the target where it has one. `before`, `after`: only what the act changed.
    """
    owner = tenant or (target if isinstance(target, Tenant) else getattr(target, "tenant", None))
    entry = AuditEntry(
        actor=actor,
        act=act,
        tenant_slug=owner.slug if owner else "",
        before=dict(before or {}),
        after=dict(after or {}),
        request_id=request_id.get(),
    )
    if target is not None:
        entry.target_type = target._meta.model_name or ""
        entry.target_id = str(getattr(target, "public_id", None) or target.pk)
    with walls.seeing_everything("the trail is staff's to read, whoever writes it"):
        entry.save()
    return entry
