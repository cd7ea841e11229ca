"""A query whose SQL is written once a process.

The ORM takes several times as long to write a select of a few tables as PostgreSQL to answer it.
What each request asks is asked by this; the rows are made by Django as ever.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet
from django.db.transaction import TransactionManagementError

T = TypeVar("T")

_MARKS: dict[type, Callable[[int], Any]] = {
    int: lambda index: 2_000_000_007 - index,  # which most columns can hold
    str: lambda index: f"value {index} of a prepared query",
    UUID: lambda index: UUID(int=index),
    datetime: lambda index: datetime(1, 1, 1 + index, tzinfo=UTC),
}
"""What stands for a value of this type while the SQL is written; no row has it."""


class Prepared(Generic[T]):
    """`build(*values)` is the query; it is built once for each number of values, with marks.

    So it may not look at the values: only put them into conditions. Its rows are models, or one
    column of a flat `values_list`.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, T]]) -> None:
        self._build = build
        self._written: dict[int, _Written | None] = {}

    def rows(self, *values: Any) -> list[T]:
        """The rows for these values, asked for now."""
        if len(values) not in self._written:
            self._written[len(values)] = self._write(values)
        written = self._written[len(values)]
        return cast("list[T]", written.rows(values)) if written else list(self._build(*values))

    def first(self, *values: Any) -> T | None:
        """The first of them, or None. Nothing is limited: for queries that have one row at most."""
        return next(iter(self.rows(*values)), None)

    def get(self, *values: Any) -> T:
        """The first of them. Raises the model's DoesNotExist."""
        found = self.first(*values)
        if found is None:
            raise self._build(*values).model.DoesNotExist
        return found

    def _write(self, values: tuple[Any, ...]) -> _Written | None:
        marks = [_MARKS[type(value)](index) for index, value in enumerate(values)]
        try:
            return _Written(self._build(*marks), marks)
        except EmptyResultSet:
            # Such as "one of none", which Django answers by itself; or a mark is beyond what the
            # column holds, while a value is not. So it is left to Django each time.
            return None


class _Written:
    """A query's compiler that has done its work, to be copied for each time it is asked."""

    def __init__(self, rows: QuerySet[Any, Any], marks: list[Any]) -> None:
        self._like = rows
        self._compiler: Any = rows.query.get_compiler(using=rows.db)
        self._sql, params = self._compiler.as_sql()
        self._params = [(p in marks, marks.index(p) if p in marks else p) for p in params]
        missing = set(range(len(marks))) - {place for marked, place in self._params if marked}
        if missing:
            raise ValueError(f"the query does not ask for the values {sorted(missing)}")
        columns = [column for column, *_ in self._compiler.select[: self._compiler.col_count]]
        self._converters = self._compiler.get_converters(columns)
        self._compiler.connection = None  # this thread's, which may end before we do

    def rows(self, values: tuple[Any, ...]) -> list[Any]:
        asked_by = connections[self._like.db]  # the thread's own
        if self._like.query.select_for_update and asked_by.get_autocommit():
            raise TransactionManagementError("a row is locked inside a transaction only")
        params = [values[told] if marked else told for marked, told in self._params]
        compiler = copy(self._compiler)
        compiler.connection = asked_by
        compiler.as_sql = lambda: (self._sql, params)
        compiler.get_converters = lambda _columns: self._converters
        iterable: Any = self._like._iterable_class
        return list(iterable(_Asked(self._like, compiler)))


class _Asked:
    """All that Django's iterables ask of a queryset and its query."""

    def __init__(self, like: QuerySet[Any, Any], compiler: Any) -> None:
        self.query, self.model, self.db = self, like.model, like.db
        self._known_related_objects: dict[Any, Any] = {}
        self._compiler = compiler

    def get_compiler(self, *_: Any, **__: Any) -> Any:
        return self._compiler
