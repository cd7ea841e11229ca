"""Copies a block of made-up rows within the database, for sizes that would take Python an hour.

Each copy is a block of its own: other tenants, people, ids and numbers, the same stories.
"""

from __future__ import annotations

from typing import Any

SHIFTED = (
    "waba_id", "phone_number_id", "claimed_waba_id", "claimed_phone_number_id", "target"
)  # fmt: skip
"""Meta's ids: digits, of a size that holds a million more."""
NAMES = ("slug", "username", "email")


def models() -> list[Any]:
    """What a block consists of; a row comes after those that it names."""
    from onboarding.management.written import WRITTEN
    from tenants.models import Membership, Tenant, User

    first = [m for m in WRITTEN if m.__name__ in ("WhatsAppBusinessAccount", "PhoneNumber")]
    return [User, Tenant, Membership, *first, *(m for m in WRITTEN if m not in first)]


def multiply(block: int, copies: int) -> None:
    """Beside the `block` onboardings that there are, so many times as many again.

    All tables of `models()` must hold the block and nothing else.
    """
    from django.db import connection, transaction
    from django.db.models import Max

    most = {each: each._default_manager.aggregate(most=Max("pk"))["most"] or 0 for each in models()}
    with connection.cursor() as cursor:
        for copy in range(1, copies + 1):
            with transaction.atomic():
                for model in models():
                    cursor.execute(_copied(model, most, block, copy))
        for model in models():
            cursor.execute(
                "SELECT count(nextval(pg_get_serial_sequence(%s, 'id'))) "
                "FROM generate_series(1, %s)",
                [model._meta.db_table, copies * most[model]],
            )


def _copied(model: Any, most: dict[Any, int], block: int, copy: int) -> str:
    """The statement that writes one copy of a table's part of the block."""
    names, values = [], []
    for field in model._meta.concrete_fields:
        names.append(f'"{field.column}"')
        values.append(_value(field, most, block, copy))
    table = model._meta.db_table
    return (
        f"INSERT INTO {table} ({', '.join(names)}) "  # noqa: S608 - our own names
        f"SELECT {', '.join(values)} FROM {table} WHERE id <= {most[model]}"
    )


def _value(field: Any, most: dict[Any, int], block: int, copy: int) -> str:
    column = f'"{field.column}"'
    of = field.related_model if field.is_relation else field.model
    if (field.primary_key or field.is_relation) and of in most:
        return f"{column} + {copy * most[of]}"
    if field.name == "public_id":
        return "gen_random_uuid()"
    if field.name in SHIFTED:
        return f"CASE {column} WHEN '' THEN '' ELSE ({column}::bigint + {copy * block})::text END"
    if field.name == "e164":
        return f"'+' || (substr({column}, 2)::bigint + {copy * block})"
    if field.name in NAMES:
        return f"'{copy}-' || {column}"
    return column
