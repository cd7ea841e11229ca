"""Audit entries are written once and never changed."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from tenants import audit
from tenants.models import AuditEntry, Tenant


def test_an_entry_names_who_did_what_to_which_tenants_thing(tenant: Tenant) -> None:
    entry = audit.record("anna", "tenant.renamed", tenant, before={"name": 1}, after={"name": 2})
    assert (entry.actor, entry.act, entry.tenant_slug) == ("anna", "tenant.renamed", "cakes")
    assert (entry.target_type, entry.target_id) == ("tenant", str(tenant.pk))


@pytest.mark.parametrize("change", ["update", "delete"])
def test_an_entry_cannot_be_changed_or_deleted(tenant: Tenant, change: str) -> None:
    audit.record("anna", "tenant.renamed", tenant)
    rows = AuditEntry.objects.all()
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        rows.update(actor="nobody") if change == "update" else rows.delete()
    assert AuditEntry.objects.get().actor == "anna"
