"""What the planner can do with an index, whatever the figures of the day are."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection


def leave_only(indexes: Sequence[str]) -> None:
    """Drop the other indexes of their tables; the test's transaction ends by taking that back.

    Of few rows, with statistics of any age, each of twenty indexes may seem as cheap as another
    (which once chose another one on one run of hundreds). Those of constraints stay.
    """
    with connection.cursor() as cursor:
        # Rows that a test made wait for their foreign keys' checks; the owner alone may drop.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; RESET ROLE")
        cursor.execute(
            "SELECT indexrelid::regclass::text, relname FROM pg_index "
            "JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid IN "
            "(SELECT indrelid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
            "WHERE relname = ANY(%s)) "
            "AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)",
            [list(indexes)],
        )
        for quoted, name in cursor.fetchall():
            if name not in indexes:
                cursor.execute(f"DROP INDEX {quoted}")
        cursor.execute("SET ROLE onboarding_app")
