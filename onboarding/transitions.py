"""The only writers of an onboarding's state and fence, each move with its audit row and event.

A worker holds a row by a lease and a fence. `claim` takes both in one UPDATE; each write of the
worker carries `state = what it saw AND fence = its own`, so a worker that was overtaken (by a
person, or because it slept through its lease) changes nothing. People's moves bump the fence.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

from django.db import connection, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone

from onboarding import instruments, notices, outbound_events, ycloud_accounts
from onboarding.models import Onboarding, PhoneNumber, Transition, WhatsAppBusinessAccount
from onboarding.states import TRANSITIONS, State, milestones_behind

LEASE = timedelta(seconds=45)
"""Longer than one call may take (30 s); renewed before each call."""


class OvertakenError(Exception):
    """Somebody else moved the row first; whoever holds the old fence stops."""


class ForbiddenMoveError(Exception):
    """The move is not in TRANSITIONS: a fault of ours, or a stale page."""


def _is_free(table: str = "") -> str:
    return f"({table}lease_until IS NULL OR {table}lease_until < %(now)s)"


def claim(onboarding_id: int) -> Onboarding | None:
    """Take a due, unleased row; None when it is not due or somebody else has it."""
    now = timezone.now()
    rows = Onboarding.objects.raw(
        # Our own words alone are joined here; values go as parameters.
        "UPDATE onboarding_onboarding SET fence = fence + 1, faults = faults + 1, "  # noqa: S608
        "lease_until = %(until)s WHERE id = %(id)s AND next_look_at <= %(now)s "
        f"AND {_is_free()} RETURNING *",
        {"id": onboarding_id, "now": now, "until": now + LEASE},
    )
    return next(iter(rows), None)


ANY = -1
"""Of no matter which YCloud account; None is the environment's."""


def claim_in_turns(limit: int) -> list[tuple[int, int]]:
    """`claim_due` of each YCloud account by itself, handed out in turns: where one's quota is full
    or closed, its rows are not in the way of another's. `limit` is of each.
    """
    accounts = ycloud_accounts.ids()
    if len(accounts) == 1:
        return claim_due(limit)
    turns = zip_longest(*(claim_due(limit, ycloud_account=each) for each in accounts))
    return [each for turn in turns for each in turn if each]


def claim_due(limit: int, *, ycloud_account: int | None = ANY) -> list[tuple[int, int]]:
    """Take up to `limit` due rows, oldest first, in one statement: (id, fence) of each.

    SKIP LOCKED lets several sweeps share the work without waiting for each other.
    """
    only = {ANY: "", None: "AND ycloud_account_id IS NULL"}.get(
        ycloud_account, "AND ycloud_account_id = %(account)s"
    )
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH due AS (SELECT id FROM onboarding_onboarding "  # noqa: S608
            f"WHERE next_look_at <= %(now)s AND {_is_free()} {only} "
            "ORDER BY next_look_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED) "
            "UPDATE onboarding_onboarding AS row SET fence = fence + 1, lease_until = %(until)s "
            "FROM due WHERE row.id = due.id RETURNING row.id, row.fence",
            {"now": now, "limit": limit, "until": now + LEASE, "account": ycloud_account},
        )
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


def is_mine(row: Onboarding) -> bool:
    """Whether this worker still holds the row: what it found may be written only then."""
    return Onboarding.objects.filter(pk=row.pk, fence=row.fence).exists()


def bump(rows: QuerySet[Onboarding]) -> list[int]:
    """Overtake whoever works at these rows; nobody claims them until they are woken: their keys.

    Their leases stay: what a worker is at may last until its lease has ended.
    """
    keys = rows.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True)
    bumped = list(keys)  # locked in one order, so that two of these never wait for each other
    Onboarding.objects.filter(pk__in=bumped).update(fence=F("fence") + 1, next_look_at=None)
    return bumped


def wake(rows: Iterable[int]) -> int:
    """Make rows due now, also while a worker looks at them; how many there were."""
    return Onboarding.objects.filter(pk__in=list(rows)).update(
        wakes=F("wakes") + 1, next_look_at=timezone.now(), version=F("version") + 1
    )


def looked(row: Onboarding, due: datetime | None) -> bool:
    """Another row's read served this waiting row too: its next look moves to `due`.

    Not where a worker holds the row; whether it was moved.
    """
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=timezone.now())
    rows = Onboarding.objects.filter(free, pk=row.pk, state=row.state, wakes=row.wakes)
    return bool(rows.update(next_look_at=due, looks=F("looks") + 1, version=F("version") + 1))


def hand_back(row: Onboarding) -> None:
    """The worker stops (SIGTERM): whoever comes next may take the row at once."""
    held = Onboarding.objects.filter(pk=row.pk, state=row.state, fence=row.fence)
    held.update(lease_until=None, next_look_at=timezone.now(), faults=0)


# --- Numbers after `connected` --------------------------------------------------------------------


def claim_numbers(limit: int, until: datetime) -> list[int]:
    """Accounts of connected numbers that are due, oldest first; none is due again before `until`.

    Not a lease: two workers that read the same account at once do no harm.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH due AS (SELECT id FROM onboarding_phonenumber WHERE next_look_at <= %(now)s "
            "ORDER BY next_look_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED) "
            "UPDATE onboarding_phonenumber AS number SET next_look_at = %(until)s "
            "FROM due WHERE number.id = due.id RETURNING number.business_account_id",
            {"now": timezone.now(), "limit": limit, "until": until},
        )
        return sorted({account_id for (account_id,) in cursor.fetchall()})


def wake_numbers(numbers: Iterable[int]) -> int:
    """Have connected numbers read now; how many there were."""
    return PhoneNumber.objects.filter(pk__in=list(numbers)).update(next_look_at=timezone.now())


def ask_accounts(accounts: Iterable[int]) -> int:
    """Have the next look at these accounts' numbers read the accounts too; how many."""
    rows = WhatsAppBusinessAccount.objects.filter(pk__in=list(accounts))
    return rows.update(asked_at=timezone.now())


def unwatch(numbers: QuerySet[PhoneNumber], **facts: Any) -> int:
    """Nobody looks at these numbers until they are connected anew; how many. `facts`: columns."""
    return numbers.update(next_look_at=None, **facts)


def watch_number(number: PhoneNumber, due: datetime, *, read_at: datetime | None = None) -> None:
    """Look at a connected number next at `due`; overruled by a wake since `read_at`."""
    rows = PhoneNumber.objects.filter(pk=number.pk)
    if read_at is not None:
        rows = rows.exclude(next_look_at__gte=read_at, next_look_at__lte=timezone.now())
    rows.update(next_look_at=due)
    number.next_look_at = due


def lock(onboarding_id: int) -> Onboarding:
    """The row, locked until the end of the transaction: for people's moves."""
    rows = Onboarding.objects.select_related("tenant").select_for_update(of=("self",))
    row = rows.get(pk=onboarding_id)
    instruments.seen(row)
    return row


def move(
    row: Onboarding,
    to: State,
    *,
    actor: str,
    reason: str = "",
    note: str = "",
    due: datetime | None = None,
    hold: bool = False,
    person: bool = False,
    **facts: Any,
) -> None:
    """Write one move (or one look that changed nothing) and its audit row.

    `due`: when the worker looks next, None for never; overruled by a wake that came meanwhile.
    `hold`: the worker goes on with the row at once and keeps its lease. `person`: bumps the
    fence, so that a worker at work on the row is overtaken. `facts`: further columns.
    Raises OvertakenError and ForbiddenMoveError; may raise IntegrityError for a duplicate.
    """
    came_from = State(row.state)
    if to != came_from and to not in TRANSITIONS[came_from]:
        raise ForbiddenMoveError(f"{came_from} -> {to}")
    now = timezone.now()
    changed = to != came_from or reason != row.reason
    columns: dict[str, Any] = {
        "state": to,
        "reason": reason,
        "state_changed_at": now if to != came_from else row.state_changed_at,
        "looks": 0 if changed else row.looks + 1,
        "faults": 0,
        **facts,
    }
    if to != came_from:
        has_account = columns.get("business_account", row.business_account_id) is not None
        behind = milestones_behind(to, has_account=has_account)
        columns |= {name: now for name in behind if getattr(row, name) is None}
    with transaction.atomic():
        written = Onboarding.objects.filter(pk=row.pk, state=came_from, fence=row.fence).update(
            **columns,
            updated_at=now,
            version=F("version") + 1,
            fence=F("fence") + (1 if person else 0),
            lease_until=row.lease_until if hold else None,
            next_look_at=_next_look(row, now if hold else due, now, person),
        )
        if not written:
            raise OvertakenError
        came_with = row.reason
        for name, value in columns.items():
            setattr(row, name, value)
        journaled = _journal(row, came_from, actor, note) if changed or note else None
        if changed and journaled is not None:
            notices.onboarding_moved(row, journaled)
            outbound_events.onboarding_moved(row, from_state=came_from, from_reason=came_with)
            instruments.moved(row, came_from)
    row.fence += 1 if person else 0


def begun(row: Onboarding, actor: str) -> None:
    """Write the first audit row of a new attempt, in the transaction that made it."""
    _journal(row, "", actor, "")
    notices.begun(row)
    outbound_events.onboarding_moved(row, from_state="", from_reason="")
    instruments.seen(row)
    instruments.moved(row, "")


def _journal(row: Onboarding, came_from: str, actor: str, note: str) -> Transition:
    return Transition.objects.create(
        onboarding=row,
        from_state=came_from,
        to_state=row.state,
        reason=row.reason,
        actor=actor,
        note=note,
    )


def _next_look(row: Onboarding, due: datetime | None, now: datetime, person: bool) -> Any:
    """`due`, unless somebody woke the row since it was read: then now."""
    if person:
        return due
    return Case(When(wakes=row.wakes, then=Value(due)), default=Value(now))


def facts_changed(
    *, account: WhatsAppBusinessAccount | None = None, number: PhoneNumber | None = None
) -> None:
    """What the page shows of these rows' onboardings has changed: new ETags."""
    for column, fact in (("business_account", account), ("number", number)):
        if fact is not None:
            Onboarding.objects.filter(**{column: fact}).update(version=F("version") + 1)
