"""The health of connected numbers: read by account, at most weekly and after a webhook.

A reading says what is there now; whether a number is still connected to us may only be in an
event (ACCOUNT_OFFBOARDED leaves the status as it was, and the reason of a removal is nowhere
else). So health follows from both: the newest event about the connection, by YCloud's own time,
and the fresh reading. Duplicates, replays and disorder change nothing of that.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from onboarding import codes, notices, outbound_events, quota, schedule, transitions, ycloud
from onboarding.models import Onboarding, PhoneNumber, ProviderCall, WebhookEvent
from onboarding.states import State
from onboarding.steps.facts import write_account_number
from ycloud_client import PhoneNumber as ListedNumber
from ycloud_client import YCloudError, is_unbound

Kind = ProviderCall.Kind

BY_STATUS = {
    "DISCONNECTED": "health_disconnected",
    "BANNED": "health_banned",
    "MIGRATED": "health_migrated",
    "UNVERIFIED": "health_unverified",
}
CONFIRM = timedelta(minutes=2)
SKEW = timedelta(seconds=60)
"""YCloud's clock and ours: an event counts from a minute before the number was connected."""

ENDED = "ACCOUNT_OFFBOARDED"
RESTORED = "ACCOUNT_RECONNECTED"
_BANS = {"DISABLE": "health_account_banned", "REINSTATE": ""}
_LEFT = ("PARTNER_REMOVED", "PARTNER_APP_UNINSTALLED")


def begin(number: PhoneNumber) -> None:
    """The number was connected just now: all is well, and it is watched from here on."""
    before = number.health
    # An answer to register says CONNECTED at once, before any read of the number does.
    number.connected_at = number.connected_at or timezone.now()
    with transaction.atomic():
        PhoneNumber.objects.filter(pk=number.pk).update(
            health="", health_since=None, suspected="", connected_at=number.connected_at
        )
        number.health, number.health_since = "", None
        if before:
            outbound_events.health_changed(number, before=before)
    transitions.watch_number(number, timezone.now() + schedule.HEALTHY)


def look(business_account_id: int) -> None:
    """Read one account's numbers with one call and keep how each is.

    Raises nothing of YCloud's: what cannot be read now is due again later.
    """
    numbers = _connected(business_account_id)
    if not numbers:
        return
    read_at = timezone.now()
    try:
        listed = _read(numbers[0].business_account.waba_id)
    except YCloudError as error:
        asked = min(error.retry_after or 0.0, quota.LONGEST_CLOSED)
        again = max(schedule.UNREADABLE, timedelta(seconds=asked))
        for number in numbers:
            transitions.watch_number(number, read_at + again, read_at=read_at)
        return
    for number in numbers:
        _judge(number, listed, read_at)


def _connected(business_account_id: int) -> list[PhoneNumber]:
    numbers = PhoneNumber.objects.filter(business_account=business_account_id)
    connected = numbers.filter(onboarding__state=State.CONNECTED).distinct()
    return list(connected.select_related("business_account", "tenant"))


def _read(waba_id: str) -> dict[str, ListedNumber] | None:
    """The account's numbers; None when YCloud does not have the account any more."""
    try:
        found = ycloud.look_up(
            quota.Lane.HEALTH, Kind.LIST_NUMBERS, waba_id, lambda c: c.all_phone_numbers(waba_id)
        )
    except YCloudError as error:
        if not is_unbound(error):
            raise
        return None
    return {str(number.id): number for number in found}


def _judge(number: PhoneNumber, listed: dict[str, ListedNumber] | None, read_at: datetime) -> None:
    is_there = listed is not None and write_account_number(number, listed, read_at)
    event = _newest_event(number)
    reason = (_by_event(event) if event is not None else "") or ""
    due = read_at + schedule.HEALTHY
    if not reason:
        reason = BY_STATUS.get(number.status, "") if is_there else "number_removed"
        reason = "account_removed" if listed is None else reason
        if reason and reason not in (number.health, number.suspected):
            _suspect(number, reason)
            transitions.watch_number(number, read_at + CONFIRM, read_at=read_at)
            return
    _suspect(number, "")
    _keep(number, reason)
    transitions.watch_number(number, due, read_at=read_at)


def _suspect(number: PhoneNumber, reason: str) -> None:
    """What one reading alone has found: a second one, minutes later, has to find it too."""
    if number.suspected != reason:
        PhoneNumber.objects.filter(pk=number.pk).update(suspected=reason)
        number.suspected = reason


def _newest_event(number: PhoneNumber) -> WebhookEvent | None:
    """The last thing that YCloud said about the connection since the number was connected."""
    connected = Onboarding.objects.filter(number=number, state=State.CONNECTED)
    since = connected.aggregate(at=Max("connected_at"))["at"]
    of_number = Q(phone_number_id=number.phone_number_id, type__in=OF_NUMBER)
    of_account = Q(waba_id=number.business_account.waba_id, type__in=OF_ACCOUNT)
    events = (
        WebhookEvent.objects.filter(of_number | of_account)
        .annotate(happened=Coalesce("sent_at", "received_at"))
        .filter(happened__gt=since - SKEW if since else timezone.now())
        .order_by("-happened", "-pk")
    )
    return next((event for event in events if _by_event(event) is not None), None)


OF_NUMBER = ("whatsapp.phone_number.quality_updated", "whatsapp.phone_number.deleted")
OF_ACCOUNT = ("whatsapp.business_account.deleted", "whatsapp.business_account.updated")


def _by_event(event: WebhookEvent) -> str | None:
    """The reason that an event gives: "" all is well again, None it says nothing of this."""
    account = _payload(event, "whatsappBusinessAccount")
    number = _payload(event, "whatsappPhoneNumber")
    removed = codes.REMOVED.get(str(account.get("removedReason") or ""))
    word = number.get("updateEvent")
    if event.type == "whatsapp.business_account.deleted":
        return removed or "account_removed"
    if event.type == "whatsapp.business_account.updated":
        if account.get("updateEvent") in _LEFT:
            return removed or "account_removed"
        return _BANS.get(str(account.get("banState") or ""))
    if event.type == "whatsapp.phone_number.deleted":
        return "number_removed"
    if word == ENDED:
        return "number_offboarded"
    return "" if word == RESTORED else None


def _payload(event: WebhookEvent, name: str) -> dict[str, Any]:
    found = event.body.get(name) if isinstance(event.body, dict) else None
    return found if isinstance(found, dict) else {}


def _keep(number: PhoneNumber, reason: str) -> None:
    """Write a health that differs, and tell the tenant and staff of a new trouble, once."""
    if reason == number.health:
        return
    before, since = number.health, timezone.now() if reason else None
    with transaction.atomic():
        same = PhoneNumber.objects.filter(pk=number.pk, health=before, tenant=number.tenant_id)
        changed = same.update(health=reason, health_since=since)
        if not changed:
            return
        number.health, number.health_since = reason, since
        transitions.facts_changed(number=number)
        outbound_events.health_changed(number, before=before)
        if reason:
            notices.number_unwell(number)
