"""What YCloud's events say of an account and its numbers beside what a reading shows.

Nothing documents that retrieving a WABA shows its ban and its restrictions (Nov 2026); the event
does. So what an event told counts where the reading is silent: until its own time is over, or
until a newer event or a reading says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min, Q
from django.db.models.functions import Coalesce

from onboarding.models import Onboarding, PhoneNumber, WebhookEvent, WhatsAppBusinessAccount
from onboarding.states import State
from ycloud_client import BusinessAccount

SKEW = timedelta(seconds=60)
"""YCloud's clock and ours: an event counts from a minute before the number was connected."""

UPDATED = "whatsapp.business_account.updated"
MOST = 50


def payload(event: WebhookEvent, name: str) -> dict[str, Any]:
    """One object of an event's body, or an empty one."""
    found = event.body.get(name) if isinstance(event.body, dict) else None
    return found if isinstance(found, dict) else {}


def happened(event: WebhookEvent) -> datetime:
    """YCloud's own time, or when it came."""
    return event.sent_at or event.received_at


def beyond_the_reading(account: WhatsAppBusinessAccount, read: BusinessAccount) -> dict[str, Any]:
    """Columns that only events tell of a connected account: its ban, and its restrictions."""
    wants_ban, wants_limits = not read.ban_state, not isinstance(read.raw.get("restrictions"), list)
    found: dict[str, Any] = {}
    for event in _of_connected(account) if wants_ban or wants_limits else ():
        told = payload(event, "whatsappBusinessAccount")
        if wants_ban and told.get("banState"):
            found["ban_state"] = str(told["banState"])
            found["ban_date"] = str(told.get("banDate") or "")
            wants_ban = False
        if wants_limits and isinstance(told.get("restrictions"), list):
            found["restrictions"] = [r for r in told["restrictions"] if isinstance(r, dict)]
            wants_limits = False
    return found


def _of_connected(account: WhatsAppBusinessAccount) -> Iterable[WebhookEvent]:
    """The newest events since the account's first number was connected here; none before that."""
    connected = Onboarding.objects.filter(business_account=account, state=State.CONNECTED)
    since = connected.aggregate(at=Min("connected_at"))["at"]
    if since is None:
        return ()
    events = WebhookEvent.objects.filter(
        waba_id=account.waba_id, type=UPDATED, ycloud_account=account.ycloud_account_id
    )
    dated = events.annotate(at=Coalesce("sent_at", "received_at")).filter(at__gt=since - SKEW)
    return dated.order_by("-at", "-pk")[:MOST]


@dataclass(frozen=True, slots=True)
class Said:
    """When YCloud spoke of an account and of its numbers since they were read last."""

    events: tuple[tuple[str, datetime], ...]

    @classmethod
    def since_last_look(
        cls, account: WhatsAppBusinessAccount, numbers: list[PhoneNumber], now: datetime
    ) -> Said:
        """Of one account; a time that is still to come is now."""
        ids = [number.phone_number_id for number in numbers]
        read = [number.read_at for number in numbers if number.read_at]
        about = Q(waba_id=account.waba_id) | Q(phone_number_id__in=ids)
        events = WebhookEvent.objects.filter(about, ycloud_account=account.ycloud_account_id)
        events = events.filter(received_at__gt=min(read)) if read else events
        newest = events.order_by("-received_at")[:MOST]
        return cls(tuple((e.phone_number_id, min(happened(e), now)) for e in newest))

    def of_account(self) -> datetime | None:
        """When it spoke of the account itself."""
        return max((at for number, at in self.events if not number), default=None)

    def of_number(self, number: PhoneNumber) -> datetime | None:
        """When it spoke of the number."""
        ours = (at for named, at in self.events if named == number.phone_number_id)
        return max(ours, default=None)
