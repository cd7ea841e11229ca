"""Encrypt anew what is sealed, with the first of FIELD_ENCRYPTION_KEYS (`manage.py rotate_keys`).

Columns are found by themselves: every field of a model with `is_sealed`. What is sealed elsewhere
(inside a JSON column, say) registers a function of its own with `register`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models import F, TextField, Value
from django.db.models.functions import Cast

BATCH = 500


@dataclass
class Count:
    """What came of one place. `unreadable` names rows whose value no key decrypts."""

    rotated: int = 0
    current: int = 0
    unreadable: list[str] = field(default_factory=list)


Rotate = Callable[[Count], None]
"""Goes through its own rows, asks `fresh` of each sealed value, writes what it gives and adds to
`count.rotated` what was written."""

_REGISTERED: dict[str, Rotate] = {}


def register(place: str, rotate: Rotate) -> None:
    """Have `rotate_keys` take this place along. Call it in an app's `ready`; once more replaces."""
    _REGISTERED[place] = rotate


class UnreadableError(Exception):
    """None of the keys decrypts the value."""


def reseal(sealed: str) -> str | None:
    """The value under the first key; None when it is already. Raises UnreadableError."""
    keys = [Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS]
    token = sealed.encode()
    try:
        keys[0].decrypt(token)
    except InvalidToken:
        try:
            return MultiFernet(keys).rotate(token).decode()
        except InvalidToken:
            raise UnreadableError from None
    return None


def fresh(sealed: str, name: str, count: Count) -> str | None:
    """What to write for a sealed value; None: leave it, and it is counted (`name`: its row)."""
    try:
        found = reseal(sealed)
    except UnreadableError:
        count.unreadable.append(name)
        return None
    count.current += found is None
    return found


def rotate_all() -> dict[str, Count]:
    """Everything that is sealed, by its place. May run again, and beside the running site."""
    done: dict[str, Count] = {}
    for model, column in sealed_columns():
        count = done[f"{model._meta.label}.{column}"] = Count()
        _rotate_column(model, column, count)
    for place, rotate in sorted(_REGISTERED.items()):
        rotate(done.setdefault(place, Count()))
    return done


def sealed_columns() -> Iterator[tuple[type[models.Model], str]]:
    """Every sealed field of every table, whichever app it belongs to."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            for each in model._meta.local_fields:
                if getattr(each, "is_sealed", False):
                    yield model, each.name


def _rotate_column(model: type[models.Model], column: str, count: Count) -> None:
    """In short steps by primary key; a row that somebody writes meanwhile is left to them."""
    # Cast: the field itself would decrypt, and "" for what no key decrypts would be lost.
    rows = model._base_manager.annotate(raw_=Cast(F(column), TextField())).exclude(raw_="")
    last: Any = None
    while True:
        after = rows.filter(pk__gt=last) if last is not None else rows
        batch = list(after.order_by("pk").values_list("pk", "raw_")[:BATCH])
        if not batch:
            return
        with transaction.atomic():
            for pk, raw in batch:
                if sealed := fresh(raw, str(pk), count):
                    row = rows.filter(pk=pk, raw_=raw)
                    value = Value(sealed, output_field=TextField())
                    count.rotated += row.update(**{column: value})
        last = batch[-1][0]
