"""YCloud's webhook events: what each one wakes. An event never moves anything itself.

Nothing documents that an event announces payment or CONNECTED, so the schedule alone suffices;
an event only makes the look come sooner. Its words are read again where they are the only source
(`steps/health.py`). The lists: YCloud's developer kit 0.7.9 and docs (read Sep to Nov 2026).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from onboarding import tombstones
from onboarding.models import Onboarding, PhoneNumber, WebhookEvent, WhatsAppBusinessAccount
from onboarding.states import OPEN, State
from ycloud_client.webhooks import Event

Standing = WebhookEvent.Standing


@dataclass(frozen=True, slots=True)
class Concern:
    """What an event is about, by keys: attempts under way, numbers that are connected, and accounts
    whose own facts may be others now.
    """

    onboardings: frozenset[int] = frozenset()
    numbers: frozenset[int] = frozenset()
    accounts: frozenset[int] = frozenset()


class Known:
    """All that is here of the ids that some events name: read once for all of them."""

    def __init__(self, about: Sequence[WebhookEvent]) -> None:
        waba_ids = {event.waba_id for event in about} - {""}
        number_ids = {event.phone_number_id for event in about} - {""}
        self.accounts = list(
            # "Not empty" is said for the planner, here and below: so are the indexes.
            WhatsAppBusinessAccount.objects.filter(~Q(waba_id=""), waba_id__in=waba_ids)
            .only("waba_id", "tenant", "ycloud_account", "proof").order_by("pk")
        )  # fmt: skip
        self.numbers = list(
            PhoneNumber.objects.filter(
                Q(business_account__in=[row.pk for row in self.accounts])
                | Q(phone_number_id__in=number_ids) & ~Q(phone_number_id="")
            )
            .select_related("business_account")
            .only(
                "phone_number_id", "tenant", "proof", "business_account__waba_id",
                "business_account__ycloud_account",
            )
            .order_by("pk")
        )  # fmt: skip
        found = list(
            Onboarding.objects.filter(
                Q(claimed_waba_id__in=waba_ids) & ~Q(claimed_waba_id="")
                | Q(claimed_phone_number_id__in=number_ids) & ~Q(claimed_phone_number_id="")
                | Q(number__in=[row.pk for row in self.numbers]),
                state__in=OPEN | {State.CONNECTED},
            ).only(
                "state", "tenant", "ycloud_account", "claimed_waba_id", "claimed_phone_number_id",
                "number",
            )
        )  # fmt: skip
        self.open = [row for row in found if row.state != State.CONNECTED]
        self.connected = {row.number_id for row in found if row.state == State.CONNECTED}
        self.waba_holders = _holders((row.waba_id, row) for row in self.accounts)
        self.number_holders = _holders((row.phone_number_id, row) for row in self.numbers)
        self.number_ids = {row.pk: row.phone_number_id for row in self.numbers}


def _holders(rows: Iterable[tuple[str, WhatsAppBusinessAccount | PhoneNumber]]) -> dict[str, int]:
    """The tenant that holds each id: the proven one, else the first."""
    holders: dict[str, int] = {}
    for named, row in rows:
        if named and (row.proof or named not in holders):
            holders[named] = row.tenant_id
    return holders


def _open(
    event: WebhookEvent, known: Known, is_about: Callable[[Onboarding], bool]
) -> frozenset[int]:
    """Of the YCloud account alone that sent the event, as in the two below.

    Anybody can claim an id. Where a tenant holds it, only that tenant's rows are woken: a row that
    changes with each event would tell a stranger that the account is in use here.
    """
    holders = {
        known.waba_holders.get(event.waba_id), known.number_holders.get(event.phone_number_id)
    } - {None}  # fmt: skip
    return frozenset(
        row.pk
        for row in known.open
        if is_about(row)
        and row.ycloud_account_id == event.ycloud_account_id
        and all(row.tenant_id == holder for holder in holders)
    )


def _connected(
    event: WebhookEvent, known: Known, is_about: Callable[[PhoneNumber], bool]
) -> frozenset[int]:
    return frozenset(
        row.pk
        for row in known.numbers
        if is_about(row)
        and row.pk in known.connected
        and row.business_account.ycloud_account_id == event.ycloud_account_id
    )


def _account(event: WebhookEvent, known: Known) -> Concern:
    if not event.waba_id:
        return Concern()
    return Concern(
        _open(event, known, lambda row: row.claimed_waba_id == event.waba_id),
        _connected(event, known, lambda row: row.business_account.waba_id == event.waba_id),
        frozenset(
            row.pk
            for row in known.accounts
            if (row.waba_id, row.ycloud_account_id) == (event.waba_id, event.ycloud_account_id)
        ),
    )


def _number(event: WebhookEvent, known: Known) -> Concern:
    """Who has or claims the number, and who waits for one in its account."""

    def is_about(row: Onboarding) -> bool:
        has = row.number_id and known.number_ids.get(row.number_id)
        if event.phone_number_id and event.phone_number_id in (has, row.claimed_phone_number_id):
            return True
        waits = row.number_id is None and row.claimed_waba_id == event.waba_id
        return bool(event.waba_id) and waits

    def is_it(row: PhoneNumber) -> bool:
        return bool(event.phone_number_id) and row.phone_number_id == event.phone_number_id

    return Concern(_open(event, known, is_about), _connected(event, known, is_it))


HANDLERS: dict[str, Callable[[WebhookEvent, Known], Concern]] = {
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


def concerns_of(stored: Sequence[WebhookEvent]) -> list[Concern | None]:
    """What each of these events is about; None: it is not ours, or of a kind that we do not know.

    In three statements, however many events there are.
    """
    known = Known([event for event in stored if event.type in HANDLERS])
    handlers = [(event, HANDLERS.get(event.type)) for event in stored]
    return [handler(event, known) if handler else None for event, handler in handlers]


def standing_without(event: WebhookEvent) -> WebhookEvent.Standing:
    """The standing of an event that has no handler."""
    return Standing.NOT_OURS if event.type in NOT_OURS else Standing.UNKNOWN
