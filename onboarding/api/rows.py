"""One onboarding of the asker's, by its public id: what each request of a page begins with.

The statements are written once (tenants/prepared.py); whose rows an asker sees is said by
`visible_to` here too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404

from onboarding.models import Onboarding
from tenants.access import Asker
from tenants.prepared import Prepared

_WHOLE = ("tenant", "business_account", "number")


def whole(public_id: str, asker: Asker) -> Onboarding:
    """With all that is shown of it. Raises Http404."""
    return _found(_whole(_like(asker)), public_id, asker)


def version(public_id: str, asker: Asker) -> Onboarding:
    """Only what its ETag is made of, and whose it is. Raises Http404."""
    return _found(_version(_like(asker)), public_id, asker)


def _found(prepared: Prepared[Onboarding], public_id: str, asker: Asker) -> Onboarding:
    row = prepared.first(UUID(public_id), *asker.tenant_ids)
    if row is None:
        raise Http404
    return row


def _like(asker: Asker) -> Asker:
    """An asker who sees as this one does: what is kept of them is their kind alone."""
    return Asker(
        actor="", tenant_ids=(), link_id=0 if asker.is_guest else None,
        key_prefix="any" if asker.is_key else "",
    )  # fmt: skip


@cache
def _whole(like: Asker) -> Prepared[Onboarding]:
    return Prepared(_of(like, lambda rows: rows.select_related(*_WHOLE)))


@cache
def _version(like: Asker) -> Prepared[Onboarding]:
    def narrow(rows: QuerySet[Onboarding]) -> QuerySet[Onboarding]:
        return rows.select_related("tenant").only("public_id", "version", "tenant__slug")

    return Prepared(_of(like, narrow))


def _of(like: Asker, narrowed: Callable[..., QuerySet[Onboarding]]) -> Callable[..., Any]:
    def build(public_id: UUID, *tenant_ids: int) -> QuerySet[Onboarding]:
        rows = Onboarding.objects.visible_to(replace(like, tenant_ids=tenant_ids))
        return narrowed(rows.filter(public_id=public_id).order_by())

    return build
