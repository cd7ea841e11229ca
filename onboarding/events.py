"""YCloud's webhook events: what each one wakes. An event never moves anything itself.

Nothing documents that an event announces payment or CONNECTED, so the schedule alone suffices;
an event only makes the look come sooner. Its words are read again where they are the only source
(`steps/health.py`). The lists: YCloud's developer kit 0.7.9 and docs (read Sep to Nov 2026).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from onboarding import tombstones
from onboarding.models import Onboarding, PhoneNumber, WebhookEvent, WhatsAppBusinessAccount
from onboarding.states import OPEN, State
from ycloud_client.webhooks import Event

Standing = WebhookEvent.Standing


@dataclass(frozen=True, slots=True)
class Concern:
    """What an event is about: attempts under way, numbers that are connected, and accounts whose
    own facts may be others now.
    """

    onboardings: QuerySet[Onboarding]
    numbers: QuerySet[PhoneNumber]
    accounts: QuerySet[WhatsAppBusinessAccount]


def _open_of_account(event: WebhookEvent) -> Q:
    return _of_its_holder(event, Q(claimed_waba_id=event.waba_id)) if event.waba_id else _NOBODY


def _open_of_number(event: WebhookEvent) -> Q:
    """Who has or claims the number, and who waits for one in its account."""
    about = _NOBODY
    if event.phone_number_id:
        about |= Q(number__phone_number_id=event.phone_number_id)
        about |= Q(claimed_phone_number_id=event.phone_number_id)
    if event.waba_id:
        about |= Q(number__isnull=True, claimed_waba_id=event.waba_id)
    return _of_its_holder(event, about)


_NOBODY = Q(pk__in=[])


def _of_its_holder(event: WebhookEvent, about: Q) -> Q:
    """Anybody can claim an id. Where a tenant holds it, only that tenant's rows are woken: a row
    that changes with each event would tell a stranger that the account is in use here.
    """
    for model, name in ((WhatsAppBusinessAccount, "waba_id"), (PhoneNumber, "phone_number_id")):
        told = getattr(event, name)
        holder = model.objects.filter(**{name: told}).values("tenant")[:1] if told else None
        if holder is not None and holder.exists():
            about &= Q(tenant__in=holder.values_list("tenant", flat=True))
    return about


def _open(event: WebhookEvent, about: Q) -> QuerySet[Onboarding]:
    """Of the YCloud account alone that sent the event, as in the two below."""
    return Onboarding.objects.filter(about, state__in=OPEN, ycloud_account=event.ycloud_account_id)


def _connected(event: WebhookEvent) -> QuerySet[PhoneNumber]:
    connected = PhoneNumber.objects.filter(onboarding__state=State.CONNECTED).distinct()
    return connected.filter(business_account__ycloud_account=event.ycloud_account_id)


def _account(event: WebhookEvent) -> Concern:
    numbers = _connected(event).filter(business_account__waba_id=event.waba_id or None)
    accounts = WhatsAppBusinessAccount.objects.filter(
        waba_id=event.waba_id or None, ycloud_account=event.ycloud_account_id
    )
    return Concern(_open(event, _open_of_account(event)), numbers, accounts)


def _number(event: WebhookEvent) -> Concern:
    numbers = _connected(event).filter(phone_number_id=event.phone_number_id or None)
    none = WhatsAppBusinessAccount.objects.none()
    return Concern(_open(event, _open_of_number(event)), numbers, none)


HANDLERS: dict[str, Callable[[WebhookEvent], Concern]] = {
    "whatsapp.business_account.updated": _account,
    "whatsapp.business_account.reviewed": _account,
    "whatsapp.business_account.deleted": _account,
    "whatsapp.phone_number.name_updated": _number,
    "whatsapp.phone_number.quality_updated": _number,
    "whatsapp.phone_number.deleted": _number,
    # In one third-party handler and no official list: if it comes, it can only help.
    "whatsapp.phone_number.updated": _number,
}
"""The events that we want; `doctor --install-webhook` registers the documented ones of them."""

UNDOCUMENTED = frozenset({"whatsapp.phone_number.updated"})

NOT_OURS = frozenset(
    [
        "contact.attributes_changed",
        "contact.created",
        "contact.deleted",
        "contact.note.created",
        "contact.note.deleted",
        "contact.note.updated",
        "contact.unsubscribe.created",
        "contact.unsubscribe.deleted",
        "email.delivery.updated",
        "sms.inbound.received",
        "sms.message.updated",
        "voice.message.updated",
        "whatsapp.call.connect",
        "whatsapp.call.recording.updated",
        "whatsapp.call.status.updated",
        "whatsapp.call.terminate",
        "whatsapp.call.transcription.updated",
        "whatsapp.flow.status_change",
        "whatsapp.group.lifecycle_update",
        "whatsapp.group.participants_update",
        "whatsapp.group.settings_update",
        "whatsapp.group.status_update",
        "whatsapp.inbound_message.received",
        "whatsapp.message.updated",
        "whatsapp.payment.updated",
        "whatsapp.phone_number.business_username_updated",
        "whatsapp.smb.app.state.sync",
        "whatsapp.smb.history",
        "whatsapp.smb.message.created",
        "whatsapp.smb.message.echoes",
        "whatsapp.template.category_updated",
        "whatsapp.template.quality_updated",
        "whatsapp.template.reviewed",
        "whatsapp.user.preferences",
    ]
)
"""Known and not ours; they may hold messages of people, so only the envelope is kept."""

_ENVELOPE = ("id", "type", "apiVersion", "createTime")


def wanted() -> list[str]:
    """The events to register at YCloud: exactly those that have a handler here."""
    return sorted(set(HANDLERS) - UNDOCUMENTED)


def kept(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """What is stored of an event's body."""
    if kind not in NOT_OURS:
        return body
    return {name: body[name] for name in _ENVELOPE if name in body}


def columns_of(event: Event) -> dict[str, Any]:
    """What is stored of an event as it comes: of an erased account or number, only that it came."""
    if tombstones.covers(event.waba_id or "", event.phone_number_id or ""):
        over = {"standing": Standing.NOT_OURS, "applied_at": timezone.now()}
        return {"type": event.type[:80], "body": {}, **over}
    return {
        "type": event.type[:80],
        "waba_id": (event.waba_id or "")[:40],
        "phone_number_id": (event.phone_number_id or "")[:40],
        "body": kept(event.type, event.body),
        "sent_at": _moment(event.created_at),
    }


def _moment(text: str) -> datetime | None:
    """YCloud's createTime; None for what is no time with a zone."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def concern_of(event: WebhookEvent) -> Concern | None:
    """What this event is about; None: it is not ours, or of a kind that we do not know."""
    handler = HANDLERS.get(event.type)
    return handler(event) if handler else None


def standing_without(event: WebhookEvent) -> WebhookEvent.Standing:
    """The standing of an event that has no handler."""
    return Standing.NOT_OURS if event.type in NOT_OURS else Standing.UNKNOWN
