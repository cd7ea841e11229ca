"""Migrations that may run beside the running site: judged by a linter that is kept for it.

The rule is in docs/architecture.md. The first migration makes its tables, so nothing waits for it.
"""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Model
from django.utils import timezone
from django_migration_linter import MigrationLinter

from onboarding.models import Notice, Onboarding, PhoneNumber, WhatsAppBusinessAccount
from onboarding.models.onboarding import LEADS_TO
from tenants.models import Tenant

APPS = ("onboarding", "tenants")
ROOT = Path(__file__).resolve().parent.parent


def lint(app: str, **more: object) -> MigrationLinter:
    linter = MigrationLinter(
        str(ROOT), include_apps=[app], no_cache=True, no_output=True,
        ignore_initial_migrations=True, all_warnings_as_errors=True, **more,
    )  # fmt: skip
    linter.lint_all_migrations()
    return linter


@pytest.mark.parametrize("app", APPS)
def test_no_migration_locks_a_table_for_long_or_breaks_the_release_before(
    transactional_db: None, app: str, capsys: pytest.CaptureFixture[str]
) -> None:
    linter = lint(app)
    assert linter.nb_total > 0
    assert linter.nb_erroneous == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    "model", [m for app in APPS for m in apps.get_app_config(app).get_models()]
)
def test_the_tables_have_each_constraint_and_index_that_the_models_name(
    db: None, model: type[Model]
) -> None:
    """Django drops a column's partial unique indexes together with its plain one."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, model._meta.db_table)
    wanted = [*model._meta.constraints, *model._meta.indexes]
    assert {each.name for each in wanted} <= set(found)
    plain = {field.column for field in model._meta.local_fields if field.db_index}
    indexed = [each for each in found.values() if each["index"] or each["unique"]]
    kept = {each["columns"][0] for each in indexed if each["columns"]}
    assert plain <= kept


def test_an_onboardings_columns_keep_no_plain_index_that_the_model_has_given_up(db: None) -> None:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "onboarding_onboarding")
    named = {each.name for each in [*Onboarding._meta.constraints, *Onboarding._meta.indexes]}
    plain = {
        each["columns"][0] for name, each in found.items()
        if each["index"] and not each["unique"] and name not in named
    }  # fmt: skip
    assert not plain & {f"{name}_id" for name in ("tenant", *LEADS_TO)}


def test_the_linter_sees_an_index_that_locks() -> None:
    from django_migration_linter.sql_analyser.analyser import analyse_sql_statements
    from django_migration_linter.sql_analyser.postgresql import PostgresqlAnalyser

    errors, _, warnings = analyse_sql_statements(
        PostgresqlAnalyser, ['CREATE INDEX "x" ON "onboarding_providercall" ("at");']
    )
    assert errors or warnings


def test_an_old_process_may_insert_without_the_new_columns(db: None) -> None:
    """What the release before writes while the new database is there already."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO onboarding_providercall (kind, target, outcome, method, path, code, "
            "meta_code, message, request_id, seen, at) "
            "VALUES ('register', '7', 'done', '', '', '', '', '', '', '', now()) RETURNING lane"
        )
        assert cursor.fetchone() == ("",)
        cursor.execute(
            "INSERT INTO onboarding_webhookevent (event_id, type, waba_id, phone_number_id, body, "
            "received_at, woke) VALUES ('evt_1', 'x', '', '', '{}', now(), 0) RETURNING standing"
        )
        assert cursor.fetchone() == ("waiting",)


def test_what_was_there_before_is_filled_in_batches_and_may_be_again(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    migration = import_module("onboarding.migrations.0021_filled")
    monkeypatch.setattr(migration, "BATCH", 2)
    late, soon = timezone.now() + timedelta(days=30), timezone.now() + timedelta(seconds=1)
    for n in range(5):
        account = WhatsAppBusinessAccount.objects.create(tenant=tenant, waba_id=f"4{n}")
        PhoneNumber.objects.create(
            tenant=tenant, business_account=account, phone_number_id=f"5{n}",
            e164=f"+3460000000{n}", next_look_at=(late, soon, None)[n % 3],
        )  # fmt: skip
    made = {"tenant": tenant, "audience": "owners"}
    at = timezone.now()
    for key, claimed, mailed in (("waits", None, None), ("told", at, at), ("unsure", at, None)):
        Notice.objects.create(key=key, claimed_at=claimed, mailed_at=mailed, **made)
    for _ in range(2):
        with connection.schema_editor() as editor:
            migration.looks(None, editor)
        assert not WhatsAppBusinessAccount.objects.filter(asked_at=None).exists()
        looks = list(PhoneNumber.objects.order_by("pk").values_list("next_look_at", flat=True))
        assert looks[1] == soon
        assert looks[2] is None
        assert all(look <= timezone.now() + timedelta(days=1) for look in looks[:2] + looks[3:])
        assert dict(Notice.objects.values_list("key", "standing")) == {
            "waits": "waiting", "told": "mailed", "unsure": "failed",
        }  # fmt: skip
