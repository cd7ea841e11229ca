"""Who holds a row: the lease, the fence, and the claims that take both in one UPDATE."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F, QuerySet
from django.utils import timezone

from onboarding import durable
from onboarding.models import Onboarding
from onboarding.states import PARKED, WORKING
from tenants.models import Tenant
from tenants.prepared import Prepared

LEASE = timedelta(seconds=45)
"""Longer than one call may take (30 s); renewed before each call."""

FRESH = timedelta(seconds=5)
"""A lease that is no older outlasts a call as it is."""

ANY = -1
"""Of no matter which YCloud account; None is the environment's."""


class OvertakenError(Exception):
    """Somebody else moved the row first; whoever holds the old fence stops."""


def _is_free(table: str = "") -> str:
    return f"({table}lease_until IS NULL OR {table}lease_until < %(now)s)"


def claim(onboarding_id: int) -> Onboarding | None:
    """Take a due, unleased row; None when it is not due or somebody else has it.

    Lazily: a crash that takes the claim back takes the claimant's connection too.
    """
    now = timezone.now()
    rows = Onboarding.objects.raw(
        # Our own words alone are joined here; values go as parameters.
        "UPDATE onboarding_onboarding SET fence = fence + 1, faults = faults + 1, "  # noqa: S608
        "lease_until = %(until)s WHERE id = %(id)s AND next_look_at <= %(now)s "
        f"AND {_is_free()} RETURNING *{durable.returning()}",
        {"id": onboarding_id, "now": now, "until": now + LEASE},
    )
    row = next(iter(rows), None)
    if row is not None:
        row.tenant = _TENANT.get(row.tenant_id)
    return row


_TENANT: Prepared[Tenant] = Prepared(lambda pk: Tenant.objects.filter(pk=pk))


def claim_due(
    limit: int,
    *,
    account: int | None = ANY,
    first: Sequence[int] = (),
    young_since: datetime | None = None,
    rest: int | None = None,
    until: datetime | None = None,
) -> list[tuple[int, int]]:
    """Take up to `limit` due rows, oldest first, in one statement: (id, fence) of each.

    `account`: only those of this YCloud account, where one is said.
    `first`: rows that are taken whether they are due or not; `young_since`: due rows whose state is
    younger come next; of the others at most `rest`, those that are due by `until`.
    SKIP LOCKED lets several sweeps share the work without waiting for each other.
    """
    only = {ANY: "", None: "AND ycloud_account_id IS NULL"}.get(
        account, "AND ycloud_account_id = %(account)s"
    )
    now = timezone.now()
    rows = f"FROM onboarding_onboarding WHERE {_is_free()} {only}"
    pick = f"SELECT id {rows} AND next_look_at"
    lock = "FOR UPDATE SKIP LOCKED"
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH watched AS ({pick} IS NOT NULL AND id = ANY(%(first)s) {lock}), "  # noqa: S608
            f"young AS ({pick} <= %(now)s AND state = ANY(%(states)s) AND state_changed_at > "
            f"%(since)s ORDER BY next_look_at LIMIT %(limit)s {lock}), "
            f"rest AS ({pick} <= %(until)s ORDER BY next_look_at LIMIT %(rest)s {lock}) "
            "UPDATE onboarding_onboarding AS row SET fence = fence + 1, lease_until = %(lease)s "
            "FROM (TABLE watched UNION TABLE young UNION TABLE rest) AS due "
            "WHERE row.id = due.id RETURNING row.id, row.fence",
            {
                "now": now, "lease": now + LEASE, "limit": limit, "first": list(first),
                "states": sorted(WORKING | PARKED) if young_since else [],
                "since": young_since or now, "rest": limit if rest is None else rest,
                "until": until or now, "account": account,
            },
        )  # fmt: skip
        return list(cursor.fetchall())


def take_over(onboarding_id: int, fence: int) -> Onboarding | None:
    """The row that a sweep claimed for this task; None when it went on without us.

    Only now a fault is counted: a hand-out that the broker lost is none of the step's.
    """
    held = Onboarding.objects.filter(pk=onboarding_id, fence=fence)
    until = timezone.now() + LEASE
    if not held.update(lease_until=until, faults=F("faults") + 1):
        return None
    return held.first()


def renew(row: Onboarding) -> Onboarding:
    """Extend the lease before a call. Raises OvertakenError when the fence moved."""
    until = timezone.now() + LEASE
    held = Onboarding.objects.filter(pk=row.pk, state=row.state, fence=row.fence)
    if not held.update(lease_until=until):
        raise OvertakenError
    row.lease_until = until
    return row


def hold(row: Onboarding) -> None:
    """Extend the lease before a read, unless it was taken a moment ago and outlasts the call.

    Before an act it is always renewed: that also tells who was overtaken. Raises OvertakenError.
    """
    fresh = timezone.now() + LEASE - FRESH
    if row.lease_until is None or row.lease_until < fresh:
        renew(row)


def is_mine(row: Onboarding) -> bool:
    """Whether this worker still holds the row: what it found may be written only then."""
    return _HELD.first(row.pk, row.fence) is not None


_HELD: Prepared[int] = Prepared(
    lambda pk, fence: Onboarding.objects.filter(pk=pk, fence=fence).values_list("pk", flat=True)
)


def bump(rows: QuerySet[Onboarding]) -> list[int]:
    """Overtake whoever works at these rows; nobody claims them until they are woken: their keys.

    Their leases stay: what a worker is at may last until its lease has ended.
    """
    keys = rows.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True)
    bumped = list(keys)  # locked in one order, so that two of these never wait for each other
    Onboarding.objects.filter(pk__in=bumped).update(fence=F("fence") + 1, next_look_at=None)
    return bumped


def hand_back(row: Onboarding) -> None:
    """The worker stops (SIGTERM): whoever comes next may take the row at once."""
    held = Onboarding.objects.filter(pk=row.pk, state=row.state, fence=row.fence)
    held.update(lease_until=None, next_look_at=timezone.now(), faults=0)
