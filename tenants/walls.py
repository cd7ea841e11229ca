"""The second wall: PostgreSQL shows a connection only the rows of the tenants it was told of.

The first wall is `visible_to()` in every view. This one stands when a view forgets it: each table
of tenants' rows has a row-level policy (`wall()`, used by migrations) that reads two settings of
the connection. Nothing is set to begin with, so code that names no scope sees no row.

- `seeing(ids)`: a tenant's request. One transaction; what is set ends with it.
- `seeing_everything(why)`: staff, the partner's keys, workers, commands, and the few reads inside
  a tenant's request that must look across tenants. Its callers are listed by a test.

It is a wall against our own mistakes, not against somebody who can run SQL of their own
(docs/decisions/0009-row-level-security.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.migrations import RunSQL
from django.dispatch import receiver


@dataclass(frozen=True, slots=True)
class Scope:
    """What the connection may see: everything, or the rows of these tenants."""

    everything: bool = False
    tenants: tuple[int, ...] = ()


NOTHING = Scope()
EVERYTHING = Scope(everything=True)

current: ContextVar[Scope] = ContextVar("scope", default=NOTHING)

_sees: WeakKeyDictionary[Any, Scope] = WeakKeyDictionary()
"""What each of psycopg's connections was told beyond its transaction, if that is not nothing."""

READ_BEFORE_A_TENANT_IS_KNOWN = frozenset(
    {
        "tenants.User", "tenants.Membership", "tenants.Invitation", "tenants.ApiKey",
        "auth.Group", "auth.Permission",
        "contenttypes.ContentType", "sessions.Session", "admin.LogEntry",
        "account.EmailAddress", "account.EmailConfirmation", "mfa.Authenticator",
        "usersessions.UserSession",
        "onboarding.SignupLink", "onboarding.LinkOpening", "onboarding.WebhookEvent",
        "onboarding.WebhookSecret", "onboarding.Tombstone", "onboarding.TombstoneKey",
        "onboarding.SetupTick", "onboarding.YCloudAccount",
    }
)  # fmt: skip
"""The exceptions: who somebody is, and what comes in before it is known whose it is;
and the list of the set-up and the partner's YCloud accounts, which are of no tenant."""


@contextmanager
def seeing(tenant_ids: Iterable[int]) -> Iterator[None]:
    """One transaction that sees and writes the rows of these tenants only."""
    scope = Scope(tenants=tuple(tenant_ids))
    if connection.in_atomic_block:
        with transaction.atomic(), _entered(scope):
            yield
        return
    with transaction.atomic():
        _tell(connection, scope, local=True)
        before = current.set(scope)
        try:
            yield  # what was told ends with the transaction: nothing has to be told back
        finally:
            current.reset(before)


@contextmanager
def seeing_everything(why: str) -> Iterator[None]:
    """Every tenant's rows, for as long as the block lasts; `why` is for the reader."""
    if current.get() == EVERYTHING:
        yield
        return
    with _entered(EVERYTHING):
        yield


@contextmanager
def seeing_nothing() -> Iterator[None]:
    """No tenant's rows: a request of nobody's. It is so from the start, but not in every test."""
    if current.get() == NOTHING:
        yield
        return
    with _entered(NOTHING):
        yield


@contextmanager
def _entered(scope: Scope) -> Iterator[None]:
    before = current.set(scope)
    outer = before.old_value if isinstance(before.old_value, Scope) else NOTHING
    local = connection.in_atomic_block
    try:
        if connection.connection is not None:  # else it is told when it is made
            _tell(connection, scope, local=local)
        yield
    finally:
        current.reset(before)
        if local:
            _tell_again(outer, local=True)
        else:  # what a tenant's transaction saw ended with it
            _tell_again(outer if outer.everything else NOTHING, local=False)


def _tell(told: BaseDatabaseWrapper, scope: Scope, *, local: bool) -> None:
    with told.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('onboarding.scope', %s, %s), "
            "set_config('onboarding.tenants', %s, %s)",
            [
                "everything" if scope.everything else "",
                local,
                ",".join(str(pk) for pk in scope.tenants),
                local,
            ],
        )
    if not local:
        _sees[told.connection] = scope


def _tell_again(outer: Scope, *, local: bool) -> None:
    """Back to what was seen before. A transaction that failed forgets by itself."""
    if connection.connection is None or connection.needs_rollback:
        return
    try:
        _tell(connection, outer, local=local)
    except (DatabaseError, InterfaceError):
        if not local:  # a connection that may see too much is not kept, nor given to a pool
            connection.connection.close()
            connection.close()


@receiver(connection_created)
def tell_new_connection(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """A connection that is made, or taken from the pool, sees what the code around it may see.

    That is everything or nothing: a tenant's request tells its transaction.
    """
    wanted = EVERYTHING if current.get().everything else NOTHING
    if _sees.get(connection.connection, NOTHING) != wanted:
        _tell(connection, wanted, local=False)


def wall(table: str, column: str = "tenant_id") -> RunSQL:
    """The migration's operation that puts a tenant's table behind the wall."""
    return behind(
        table,
        f"{column} = ANY ((SELECT string_to_array("
        "current_setting('onboarding.tenants', true), ',')::bigint[])::bigint[])",
    )


def behind(table: str, sees: str) -> RunSQL:
    """The same for a table whose tenant is known by another row: `sees` is an SQL condition.

    FORCE: it holds for the tables' owner too, where somebody runs the app as that role. The
    sub-selects are evaluated once a statement, not once a row.
    """
    everything = "(SELECT current_setting('onboarding.scope', true)) = 'everything'"
    condition = f"{everything} OR {sees}" if sees else everything
    return RunSQL(
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY;"
        f"CREATE POLICY {table}_wall ON {table} USING ({condition});",
        f"DROP POLICY {table}_wall ON {table};"
        f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;"
        f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;",
    )
