"""How often a number may still be registered, from the journal of calls.

Meta counts registrations of a number in a moving window of 72 h and blocks it for 72 h at the
eleventh (error 133016; Meta's error codes and YCloud's register page, read Nov 2026). We count
across attempts and tenants, and keep a reserve, so that a person can still try by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from onboarding.models import ProviderCall
from tenants import walls
from tenants.prepared import Prepared

WINDOW = timedelta(hours=72)
BLOCKED = "133016"
_NOT_A_NO = (401, 403, 429)
"""Statuses that YCloud answers by itself, before Meta is asked."""

Ended = ProviderCall.Outcome


@dataclass(frozen=True, slots=True)
class Budget:
    """`used` of `most` in the last 72 h; `free_at`: when the next may go out, None for now."""

    used: int
    most: int
    free_at: datetime | None


def counts(call: ProviderCall) -> bool:
    """Whether a register may have reached Meta."""
    if call.outcome == Ended.NOT_SENT:
        return False
    return bool(call.meta_code) or call.status not in _NOT_A_NO


_REGISTERS = Prepared[ProviderCall](
    lambda phone_number_id, since, onboarding_id: ProviderCall.objects.filter(
        Q(at__gt=since) | Q(onboarding=onboarding_id),
        kind=ProviderCall.Kind.REGISTER,
        target=phone_number_id,
    ).order_by("at", "pk")
)


def registers(phone_number_id: str, onboarding_id: int = 0) -> list[ProviderCall]:
    """The registers of the last 72 h, oldest first, of all attempts and tenants; and all older
    ones of this onboarding.
    """
    since = timezone.now() - WINDOW
    with walls.seeing_everything("Meta counts a number's registers, whoever asked for them"):
        return _REGISTERS.rows(phone_number_id, since, onboarding_id)


def spent(calls: list[ProviderCall]) -> list[ProviderCall]:
    """Those of these registers that count, of the last 72 h."""
    since = timezone.now() - WINDOW
    return [call for call in calls if call.at > since and counts(call)]


def spent_on(phone_number_id: str) -> list[ProviderCall]:
    """The registers of the last 72 h that count, oldest first, of all attempts and tenants."""
    return spent(registers(phone_number_id))


def of(spent: list[ProviderCall]) -> Budget:
    """The budget after these registers."""
    allowed = settings.REGISTER_BUDGET - settings.REGISTER_RESERVE
    blocked = [call.at + WINDOW for call in spent if call.meta_code == BLOCKED]
    full = [spent[-allowed].at + WINDOW] if len(spent) >= allowed else []
    free_at = max(blocked + full, default=None)
    return Budget(len(spent), settings.REGISTER_BUDGET, free_at)
