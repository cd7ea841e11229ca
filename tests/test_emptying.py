"""After a test that commits the database is as before, though little of it was touched."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection

from tenants.models import AuditEntry, Tenant
from tests.conftest import person


def empty() -> None:
    call_command("flush", verbosity=0, interactive=False, reset_sequences=False)


def rows_by_table() -> dict[str, int]:
    with connection.cursor() as cursor:
        found = {}
        for table in connection.introspection.django_table_names(only_existing=True):
            cursor.execute(f"SELECT count(*) FROM {table}")
            found[table] = cursor.fetchone()[0]
    return {table: count for table, count in found.items() if count}


def test_rows_go_also_those_that_nobody_may_delete(transactional_db: None) -> None:
    person("jane@cakes.example")
    Tenant.objects.create(name="Cakes", slug="cakes")
    AuditEntry.objects.create(act="tested", actor="command")
    assert {"tenants_tenant", "tenants_auditentry"} <= rows_by_table().keys()
    empty()
    assert rows_by_table().keys() == {"django_content_type", "auth_permission"}


@pytest.mark.parametrize("changed", ["taken", "added"])
def test_rights_that_a_test_changed_are_those_of_the_models_again(
    transactional_db: None, changed: str
) -> None:
    before = set(Permission.objects.values_list("content_type__model", "codename"))
    right = Permission.objects.get(codename="view_tenant")
    if changed == "taken":
        right.delete()
    else:
        Permission.objects.create(content_type=right.content_type, codename="a", name="a")
    empty()
    assert set(Permission.objects.values_list("content_type__model", "codename")) == before
