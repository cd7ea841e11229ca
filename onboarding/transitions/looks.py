"""When a row is looked at next without a move: wakes, looks by another row's read, numbers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F, Model, Q, QuerySet
from django.utils import timezone

from onboarding.models import Onboarding, PhoneNumber, WhatsAppBusinessAccount


def wake(rows: Iterable[int]) -> int:
    """Make rows due now, also while a worker looks at them; how many there were."""
    return Onboarding.objects.filter(pk__in=list(rows)).update(
        wakes=F("wakes") + 1, next_look_at=timezone.now(), version=F("version") + 1
    )


def hold_free(rows: type[Model], keys: Iterable[int]) -> frozenset[int]:
    """Lock those of these rows that nobody else has locked, until the end of the transaction."""
    free = rows._default_manager.filter(pk__in=list(keys)).order_by("pk")
    # As an UPDATE does: whoever writes a row that points to one of these is no hindrance.
    held = free.select_for_update(skip_locked=True, no_key=True)
    return frozenset(held.values_list("pk", flat=True))


def looked(row: Onboarding, due: datetime | None) -> bool:
    """Another row's read served this waiting row too: its next look moves to `due`.

    Not where a worker holds the row; whether it was moved.
    """
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=timezone.now())
    rows = Onboarding.objects.filter(free, pk=row.pk, state=row.state, wakes=row.wakes)
    return bool(rows.update(next_look_at=due, looks=F("looks") + 1, version=F("version") + 1))


def facts_changed(
    *, account: WhatsAppBusinessAccount | None = None, number: PhoneNumber | None = None
) -> None:
    """What the page shows of these rows' onboardings has changed: new ETags."""
    for column, fact in (("business_account", account), ("number", number)):
        if fact is not None:
            Onboarding.objects.filter(**{column: fact}).update(version=F("version") + 1)


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
