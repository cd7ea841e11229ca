"""The health of connected numbers: read by account, at most weekly and after a webhook.

The account itself is read too (one call more) where an event or a person spoke of it, and weekly.

A reading says what is there now; whether a number is still connected to us may only be in an
event (ACCOUNT_OFFBOARDED leaves the status as it was, and the reason of a removal is nowhere
else). So health follows from both: the newest event about the connection, by YCloud's own time,
and the fresh reading. Duplicates, replays and disorder change nothing of that.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from onboarding import (
    codes,
    notices,
    outbound_events,
    quota,
    requirements,
    schedule,
    transitions,
    ycloud,
    ycloud_accounts,
)
from onboarding.models import (
    Onboarding,
    PhoneNumber,
    ProviderCall,
    WebhookEvent,
    WhatsAppBusinessAccount,
)
from onboarding.states import State
from onboarding.steps import told
from onboarding.steps.facts import settle, write_account, write_account_number
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
ACCOUNT_OLD = timedelta(days=6)
AFTER_END = timedelta(minutes=1)
"""Something that ended by itself is looked at a moment later."""

ENDED = "ACCOUNT_OFFBOARDED"
RESTORED = "ACCOUNT_RECONNECTED"
_BANS = {"DISABLE": "health_account_banned", "REINSTATE": ""}
OF_WHOLE_ACCOUNT = {"account_removed", *codes.REMOVED.values()}
_LEFT = ("PARTNER_REMOVED", "PARTNER_APP_UNINSTALLED")


def begin(number: PhoneNumber) -> None:
    """The number was connected just now: all is well, and it is watched from here on."""
    before, now = number.health, timezone.now()
    # An answer to register says CONNECTED at once, before any read of the number does: that and
    # its status are written here.
    number.connected_at = number.connected_at or now
    number.health, number.health_since = "", None
    transitions.watch_number(number, now + schedule.HEALTHY)
    with transaction.atomic():
        settle(
            number, now, quietly=True,  # its onboarding's event tells
            health="", health_since=None, suspected="", connected_at=number.connected_at,
            status=number.status,
        )  # fmt: skip
        if before:
            outbound_events.health_changed(number, before=before)


def look(business_account_id: int) -> None:
    """Read one account's numbers with one call and keep how each is.

    Raises nothing of YCloud's: what cannot be read now is due again later.
    """
    numbers = _connected(business_account_id)
    if not numbers:
        return
    with ycloud_accounts.using(numbers[0].business_account.ycloud_account_id):
        _look(numbers)


def _look(numbers: list[PhoneNumber]) -> None:
    read_at, account = timezone.now(), numbers[0].business_account
    said = told.Said.since_last_look(account, numbers, read_at)
    try:
        listed = _read(account.waba_id)
    except YCloudError as error:
        _again(numbers, error, read_at)
        return
    failed = None
    if listed is not None and _is_due(account, read_at):
        try:
            _read_account(account, read_at, said)
        except YCloudError as error:
            failed = error
    for number in numbers:
        number.business_account = account
        _judge(number, listed, read_at, said)
    _keep_lost(account, numbers, read_at)
    if failed is not None:
        _again([n for n in numbers if not n.suspected], failed, read_at)


def _again(numbers: list[PhoneNumber], error: YCloudError, read_at: datetime) -> None:
    """What could not be read is due again in some minutes, or when YCloud asks for it."""
    asked = min(error.retry_after or 0.0, quota.LONGEST_CLOSED)
    again = read_at + max(schedule.UNREADABLE, timedelta(seconds=asked))
    for number in numbers:
        transitions.watch_number(number, again, read_at=read_at)


def _is_due(account: WhatsAppBusinessAccount, now: datetime) -> bool:
    """Whether the account itself is read too, by one call more: an event or a person asked, what
    held has ended, or it was not read for about a week.
    """
    read_at, asked_at = account.read_at, account.asked_at
    asked = asked_at is not None and read_at is not None and asked_at >= read_at
    noted = {"standing_since": account.standing_since, "standing": account.standing}
    over = requirements.settled(account, now) != noted  # a restriction ended by itself
    if not (asked or over) and read_at is not None and now - read_at <= ACCOUNT_OLD:
        return False
    # The list took its time: meanwhile the tenant may have been erased, or lost the account.
    ours = WhatsAppBusinessAccount.objects.filter(pk=account.pk, tenant=account.tenant_id)
    return ours.exists()


def _read_account(account: WhatsAppBusinessAccount, read_at: datetime, said: told.Said) -> None:
    """Read the WABA's own facts. Raises YCloudError; one that is not shown stays as it was."""
    waba_id = account.waba_id
    try:
        read = ycloud.look_up(
            quota.Lane.HEALTH, Kind.RETRIEVE_ACCOUNT, waba_id,
            lambda c: c.retrieve_business_account(waba_id),
        )  # fmt: skip
    except YCloudError as error:
        if not is_unbound(error):
            raise
        return  # what became of it is in the listing and in the events
    write_account(account, read, at=read_at, said_at=said.of_account())


def _keep_lost(
    account: WhatsAppBusinessAccount, numbers: list[PhoneNumber], read_at: datetime
) -> None:
    """Where all numbers were lost because their account was, it has the same reason."""
    lost = numbers[0].health if all(n.health in OF_WHOLE_ACCOUNT for n in numbers) else ""
    if account.lost == lost:
        return
    account.lost = lost
    settle(account, numbers[0].health_since or read_at, lost=lost)
    transitions.facts_changed(account=account)


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


def _judge(
    number: PhoneNumber,
    listed: dict[str, ListedNumber] | None,
    read_at: datetime,
    said: told.Said,
) -> None:
    said_at = said.of_number(number)
    is_there = listed is not None and write_account_number(number, listed, read_at, said_at)
    event = _newest_event(number)
    reason = (_by_event(event) if event is not None else "") or ""
    happened = told.happened(event) if event is not None and reason else None
    if not reason:
        reason = BY_STATUS.get(number.status, "") if is_there else "number_removed"
        reason = "account_removed" if listed is None else reason
        if reason and reason not in (number.health, number.suspected):
            _suspect(number, reason)
            transitions.watch_number(number, read_at + CONFIRM, read_at=read_at)
            return
    _suspect(number, "")
    _keep(number, reason, min(happened or read_at, read_at))
    transitions.watch_number(number, _next(number, read_at), read_at=read_at)


def _next(number: PhoneNumber, read_at: datetime) -> datetime:
    """In a week, or when a restriction of the account is over."""
    end = requirements.next_end(number.business_account)
    return min(read_at + schedule.HEALTHY, end + AFTER_END) if end else read_at + schedule.HEALTHY


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
        WebhookEvent.objects.filter(
            of_number | of_account, ycloud_account=number.business_account.ycloud_account_id
        )
        .annotate(happened=Coalesce("sent_at", "received_at"))
        .filter(happened__gt=since - told.SKEW if since else timezone.now())
        .order_by("-happened", "-pk")
    )
    return next((event for event in events if _by_event(event) is not None), None)


OF_NUMBER = ("whatsapp.phone_number.quality_updated", "whatsapp.phone_number.deleted")
OF_ACCOUNT = ("whatsapp.business_account.deleted", "whatsapp.business_account.updated")


def _by_event(event: WebhookEvent) -> str | None:
    """The reason that an event gives: "" all is well again, None it says nothing of this."""
    account = told.payload(event, "whatsappBusinessAccount")
    number = told.payload(event, "whatsappPhoneNumber")
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


def _keep(number: PhoneNumber, reason: str, since: datetime) -> None:
    """Write a health that differs, and tell the tenant and staff of a new trouble, once."""
    if reason == number.health:
        return
    before = number.health
    number.health, number.health_since = reason, since if reason else None
    with transaction.atomic():
        same = PhoneNumber.objects.filter(pk=number.pk, health=before, tenant=number.tenant_id)
        if not same.update(health=reason, health_since=number.health_since):
            return
        settle(number, since)
        transitions.facts_changed(number=number)
        outbound_events.health_changed(number, before=before)
        if reason:
            notices.number_unwell(number)
