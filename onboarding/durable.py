"""Which commits wait for the disk.

All do, unless they say `lazily`: what PostgreSQL's own crash may take back within its last half
second, because whoever comes next finds out again. Nothing overtakes: the next commit that waits
takes all earlier ones to the disk with it, and each act's intent is such a one, before its call.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def lazily() -> Iterator[None]:
    """One transaction whose commit does not wait for the disk; inside another, a part of that."""
    inside = connection.in_atomic_block
    with transaction.atomic():
        if not inside:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL synchronous_commit TO off")
        yield


def returning() -> str:
    """`lazily` for a single statement, behind its RETURNING: a fourth of the round trips."""
    inside = connection.in_atomic_block
    return "" if inside else ", set_config('synchronous_commit', 'off', true) AS lazily"


@contextmanager
def whole() -> Iterator[None]:
    """The transaction at hand, without a savepoint; or else one of its own."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        yield


@contextmanager
def single() -> Iterator[None]:
    """For one statement that may fail: it is a transaction of its own, and inside another one a
    savepoint. Two round trips fewer than `atomic`.
    """
    if not connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        yield
