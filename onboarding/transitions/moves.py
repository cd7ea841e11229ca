"""`move`: the only writer of a state, with its audit row, notices and event in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from onboarding import instruments, notices, outbound_events
from onboarding.models import Onboarding, Transition
from onboarding.states import TRANSITIONS, State, milestones_behind
from onboarding.transitions.claims import OvertakenError
from tenants.prepared import Prepared


class ForbiddenMoveError(Exception):
    """The move is not in TRANSITIONS: a fault of ours, or a stale page."""


def lock(onboarding_id: int) -> Onboarding:
    """The row, locked until the end of the transaction: for people's moves."""
    row = _LOCKED.get(onboarding_id)
    instruments.seen(row)
    return row


_LOCKED: Prepared[Onboarding] = Prepared(
    lambda pk: (
        Onboarding.objects.select_related("tenant").select_for_update(of=("self",)).filter(pk=pk)
    )
)


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
    passed: dict[str, Any] = {}
    if to != came_from:
        has_account = columns.get("business_account", row.business_account_id) is not None
        behind = milestones_behind(to, has_account=has_account)
        passed = {name: now for name in behind if getattr(row, name) is None}
        columns |= passed
    # Nobody goes on after a failure: the transaction around it, if any, ends with it.
    with transaction.atomic(savepoint=False):
        written = Onboarding.objects.filter(pk=row.pk, state=came_from, fence=row.fence).update(
            **columns,
            updated_at=now,
            version=F("version") + 1,
            fence=F("fence") + (1 if person else 0),
            lease_until=row.lease_until if hold else None,
            next_look_at=_next_look(row, now if hold else due, now, person),
        )
        if written:
            _tell(row, columns, came_from, actor, note, changed=changed, is_first=bool(passed))
    if not written:  # out here: nothing was, so nothing has to be rolled back
        raise OvertakenError
    if person:  # whose row is locked, so nobody has written between
        row.version, row.fence = row.version + 1, row.fence + 1
        row.updated_at, row.lease_until, row.next_look_at = now, None, due


def _tell(
    row: Onboarding, columns: dict[str, Any], came_from: State, actor: str, note: str, *,
    changed: bool, is_first: bool,
) -> None:  # fmt: skip
    """The move was written: its audit row, and whoever is told of it."""
    came_with = row.reason
    for name, value in columns.items():
        setattr(row, name, value)
    journaled = _journal(row, came_from, actor, note) if changed or note else None
    if changed and journaled is not None:
        notices.onboarding_moved(row, journaled)
        outbound_events.onboarding_moved(row, from_state=came_from, from_reason=came_with)
        instruments.moved(row, came_from, is_first=is_first)


def begun(row: Onboarding, actor: str) -> None:
    """Write the first audit row of a new attempt, in the transaction that made it."""
    _journal(row, "", actor, "")
    notices.begun(row)
    outbound_events.onboarding_moved(row, from_state="", from_reason="")
    instruments.seen(row)
    instruments.moved(row, "", is_first=True)


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
