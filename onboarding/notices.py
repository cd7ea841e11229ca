"""What has to be told is written here, in the transaction that it tells of; `messages` mails it.

Written for each recipient with a key of its own, so that an event that comes twice tells once. Who
is told what is in docs/mails.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.dispatch import Signal
from django.utils import timezone

from onboarding import mail_addresses, reasons
from onboarding.models import MailAddress, Notice, Onboarding, PhoneNumber, Transition
from onboarding.states import State
from tenants.models import Membership, User
from tenants.prepared import Prepared

S = State
Audience, Kind = Notice.Audience, Notice.Kind

written = Signal()
"""Something is due at once."""

PATIENCE = timedelta(minutes=5)
"""What is needed of a customer is told when it is still needed after so long."""

STUCK_AFTER = timedelta(minutes=15)
"""What is stuck is told to staff when it still is after so long."""

QUIET_STATES = frozenset({S.STARTED, S.CANCELLED, S.CONNECTED})
"""Nothing is under way: Meta's window is next, or nothing is."""

ACCOUNT_WIDE = frozenset(
    {"ycloud_access_refused", "ycloud_account_limited", "ycloud_balance_empty"}
)
"""They stop every tenant at once, so staff get one alert and no entry for each onboarding."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A member, or an address without a login."""

    user: User | None = None
    address: MailAddress | None = None

    @property
    def key(self) -> str:
        return f"user-{self.user.pk}" if self.user else f"mail-{self.address and self.address.pk}"

    @property
    def columns(self) -> dict[str, Any]:
        audience = Audience.OWNERS if self.user else Audience.GUEST
        return {"audience": audience, "user": self.user, "address": self.address}


def begun(row: Onboarding) -> None:
    """A new attempt: whom its signup link was mailed to is told of it."""
    mail_addresses.from_link(row)


def onboarding_moved(row: Onboarding, move: Transition) -> None:
    """The row is in another state, or in the same one for another reason."""
    if row.state == S.CONNECTED:
        _tell_about(row, Kind.CONNECTED, f"connected:{row.pk}", timezone.now())
    elif needs_customer(row.state, row.reason):
        _tell_about(row, Kind.NEEDED, f"needed:{move.pk}", timezone.now() + PATIENCE)
    if is_stuck(row.state, row.reason):
        _write(
            Notice(
                tenant_id=row.tenant_id, key=f"stuck:{move.pk}", kind=Kind.STUCK,
                audience=Audience.STAFF, onboarding=row, reason=row.reason,
                due_at=timezone.now() + STUCK_AFTER,
            )
        )  # fmt: skip


def number_unwell(number: PhoneNumber) -> None:
    """The number's health has become worse."""
    event = f"health:{number.pk}:{number.health_since:%Y%m%d%H%M%S%f}"
    same: dict[str, Any] = {
        "tenant_id": number.tenant_id,
        "kind": Kind.HEALTH,
        "number": number,
        "reason": number.health,
    }
    owners = [
        Notice(key=f"{event}:{each.key}", **each.columns, **same) for each in told_of_health(number)
    ]
    _write(*owners, Notice(key=f"{event}:staff", audience=Audience.STAFF, **same))


def needs_customer(state: str, reason: str) -> bool:
    """Whether the customer has to do something; a decision against them is told too."""
    if state in QUIET_STATES or reason not in reasons.REASONS:
        return False
    public = reasons.REASONS[reasons.public(reason)]
    return state == S.REJECTED or (public.who == reasons.CUSTOMER and public.tone != "wait")


def is_stuck(state: str, reason: str) -> bool:
    """Whether staff, or YCloud, has to do something about this one.

    Where it went wrong staff are told whoever has to act: a customer may not know how, or be gone.
    """
    if state in QUIET_STATES | {S.REJECTED} or reason in ACCOUNT_WIDE:
        return False
    if reason not in reasons.REASONS:
        return False
    who = reasons.REASONS[reason].who
    return state == S.NEEDS_ATTENTION or who in (reasons.PARTNER, reasons.YCLOUD)


def public_of(row: Onboarding) -> str:
    """The row's reason as customers read it; one that nobody knows any more is none."""
    return reasons.public(row.reason) if row.reason in reasons.REASONS else ""


# --- Recipients -----------------------------------------------------------------------------------


def _tell_about(row: Onboarding, kind: Notice.Kind, event: str, due: datetime) -> None:
    mail_addresses.from_link(row)  # the letter may have gone out since the attempt began
    _write(
        *(
            Notice(
                tenant_id=row.tenant_id, key=f"{event}:{each.key}", kind=kind, onboarding=row,
                number=row.number, reason=public_of(row), due_at=due, **each.columns,
            )
            for each in told_of(row)
        )
    )  # fmt: skip


def told_of(row: Onboarding) -> Iterator[Recipient]:
    """Owners, the member who began it, and its confirmed addresses; nobody twice."""
    people = _CONCERNED.rows(row.tenant_id, row.started_by_id or 0)
    found = {user.email.lower(): Recipient(user=user) for user in people}
    for address in _CONFIRMED.rows(row.pk):
        found.setdefault(address.email, Recipient(address=address))
    yield from found.values()


def told_of_health(number: PhoneNumber) -> Iterator[Recipient]:
    """Owners who want letters; all of them where none does, for somebody has to know.

    Where there is no owner at all: the confirmed addresses of the attempt that connected it.
    """
    owners = list(_people(number.tenant_id, _IS_OWNER))
    people = [user for user in owners if user.wants_letters] or owners
    yield from (Recipient(user=user) for user in people)
    if not people:
        addresses = MailAddress.objects.filter(
            tenant=number.tenant_id, onboarding__number=number, onboarding__state=S.CONNECTED,
            confirmed_at__isnull=False, off_at__isnull=True,
        )  # fmt: skip
        by_email = {address.email: address for address in addresses}
        yield from (Recipient(address=address) for address in by_email.values())


_IS_OWNER = Q(memberships__role=Membership.Role.OWNER)


def _people(tenant_id: int, who: Q, **wanted: bool) -> QuerySet[User]:
    """In one filter: a role counts in this tenant alone."""
    of_tenant = User.objects.filter(who, memberships__tenant=tenant_id, is_active=True, **wanted)
    return of_tenant.exclude(email="").distinct()


_CONCERNED = Prepared[User](
    lambda tenant_id, starter: _people(tenant_id, _IS_OWNER | Q(pk=starter), wants_letters=True)
)
_CONFIRMED = Prepared[MailAddress](
    lambda onboarding_id: MailAddress.objects.filter(
        onboarding=onboarding_id, confirmed_at__isnull=False, off_at__isnull=True
    )
)


def _write(*rows: Notice) -> None:
    if not rows:
        return
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    if any(row.due_at <= timezone.now() for row in rows):
        written.send(Notice)
