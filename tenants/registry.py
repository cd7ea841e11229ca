"""Tenants made and changed by the partner's backend (staff use the admin)."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from tenants import audit
from tenants.models import Tenant

SLUG_LENGTH = 80
_TOLD = ("slug", "approval", "unproven", "language", "external_id", "prefill")
"""What audit entries tell; a company's name is not among it, nor what is prefilled."""


class TakenError(Exception):
    """Another tenant has this `slug` or `external_id`."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def create_tenant(actor: str, **values: Any) -> Tenant:
    """A new tenant; without a slug it gets one from its name. Raises TakenError."""
    given = values.pop("slug", "")
    tenant = Tenant(slug=given or _free_slug(values["name"]), **values)
    with transaction.atomic():
        _save(tenant)
        audit.record(actor, "tenant.created", tenant, after=_told(tenant, values))
    return tenant


def change_tenant(tenant: Tenant, actor: str, **values: Any) -> Tenant:
    """Change what is given. Raises TakenError."""
    with transaction.atomic():
        tenant = Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        changed = [name for name, value in values.items() if getattr(tenant, name) != value]
        before = _told(tenant, changed)
        for name in changed:
            setattr(tenant, name, values[name])
        if changed:
            _save(tenant)
            after = {**_told(tenant, changed), "changed": sorted(changed)}
            audit.record(actor, "tenant.changed", tenant, before=before, after=after)
    return tenant


def _told(tenant: Tenant, names: Any) -> dict[str, Any]:
    return {name: getattr(tenant, name) for name in _TOLD if name in names}


def _free_slug(name: str) -> str:
    stem = slugify(name)[: SLUG_LENGTH - 6].strip("-_") or "tenant"
    taken = set(Tenant.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    tries = (stem if n == 1 else f"{stem}-{n}" for n in range(1, len(taken) + 2))
    return next(slug for slug in tries if slug not in taken)


def _save(tenant: Tenant) -> None:
    try:
        with transaction.atomic():
            tenant.save()
    except IntegrityError as error:
        field = "external_id" if "external_id" in str(error) else "slug"
        raise TakenError(field) from error
