"""How the database is emptied after a test that committed: only where there is something.

Django's own way, TRUNCATE of all tables, gives each of sixty tables and of their indexes a new file
for the few rows that a test has made. It also takes away content types and permissions, which are
the same in every test, so that `post_migrate` has to make them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

KEPT = {
    ContentType: ("app_label", "model"),
    Permission: ("content_type__app_label", "content_type__model", "codename", "name"),
}

APPEND_ONLY = frozenset({"tenants_auditentry"})
"""No row of these can be deleted, not even by tests."""


class Emptying:
    """In place of the connection's `sql_flush`."""

    def __init__(self) -> None:
        self.kept = _held()

    def __call__(self, _style: Any, tables: Sequence[str], **_options: Any) -> list[str]:
        """Empties the tables, and leaves nothing to do.

        Where a test changed what is kept, that is emptied too; being told of a statement, the
        command then sends `post_migrate`, which fills it.
        """
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('onboarding.scope', 'everything', true)")
            is_changed = _held() != self.kept
            spared = set() if is_changed else {model._meta.db_table for model in KEPT}
            # In no order: foreign keys are checked when the transaction ends.
            for table in _with_rows(cursor, sorted({*tables} - spared)):
                does = "TRUNCATE" if table in APPEND_ONLY else "DELETE FROM"
                cursor.execute(f"{does} {table}")
        return ["SELECT 1"] if is_changed else []


def _held() -> list[set[tuple[Any, ...]]]:
    return [set(model.objects.values_list(*fields)) for model, fields in KEPT.items()]


def _with_rows(cursor: Any, tables: list[str]) -> list[str]:
    asked = (f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in tables)
    cursor.execute(" UNION ALL ".join(asked))
    return [table for (table,) in cursor.fetchall()]
