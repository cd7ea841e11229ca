"""What the partner's endpoints are told: the names of the events and what each holds.

An event is written in the transaction of what it tells of (an outbox): neither is there without
the other. It holds ids, codes and times; never a secret, a note or a person's name. The partner's
own backend reads it, so it also gets the reason that customers must not see (`staff_reason`).
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from onboarding import reasons
from onboarding.models import (
    Onboarding,
    OutboundEvent,
    PhoneNumber,
    WebhookEndpoint,
    WhatsAppBusinessAccount,
)
from onboarding.states import State
from tenants import walls
from tenants.prepared import Prepared

HEALTH = "phone_number.health_changed"
NUMBER_DUE = "phone_number.requirements_changed"
ACCOUNT_DUE = "business_account.requirements_changed"
TEST = "webhook.test"

EVENTS: dict[str, str | Promise] = {
    **{f"onboarding.{state}": state.label for state in State},
    HEALTH: _("the health of a connected number changed"),
    NUMBER_DUE: _("what is due with a connected number changed"),
    ACCOUNT_DUE: _("what is due with the account of a connected number changed"),
}
"""What an endpoint may choose from. The test event is sent on request, whatever it chose."""


def onboarding_moved(row: Onboarding, *, from_state: str, from_reason: str) -> OutboundEvent | None:
    """The row is in another state, or in the same one for another reason; None: nobody listens."""
    if not _anybody_listens():
        return None
    return OutboundEvent.objects.create(
        type=f"onboarding.{row.state}",
        tenant=row.tenant,
        onboarding=row,
        data={
            "id": str(row.public_id),
            **_of_onboarding(row),
            "from_state": str(from_state) or None,
            "from_reason": _public(from_reason),
        },
    )


def health_changed(number: PhoneNumber, *, before: str) -> OutboundEvent | None:
    """The health of a connected number is another one; None: nobody listens."""
    if not _anybody_listens():
        return None
    return OutboundEvent.objects.create(
        type=HEALTH,
        tenant=number.tenant,
        data={
            "tenant": number.tenant.slug,
            "waba_id": number.business_account.waba_id,
            "phone_number_id": number.phone_number_id,
            "phone_number": number.e164 or None,
            "number_status": number.status or None,
            "quality": number.quality or None,
            "health": number.health or None,
            "health_since": _moment(number.health_since),
            "from_health": before or None,
        },
    )


def requirements_changed(
    row: PhoneNumber | WhatsAppBusinessAccount, *, codes: list[str], before: list[str]
) -> OutboundEvent | None:
    """Other conditions hold of a connected number, or of its account; None: nobody listens."""
    if not _anybody_listens():
        return None
    number = row if isinstance(row, PhoneNumber) else None
    account = row.business_account if isinstance(row, PhoneNumber) else row
    data: dict[str, Any] = {"tenant": row.tenant.slug, "waba_id": account.waba_id}
    if number is not None:
        data |= {"phone_number_id": number.phone_number_id, "phone_number": number.e164 or None}
    return OutboundEvent.objects.create(
        type=NUMBER_DUE if number is not None else ACCOUNT_DUE,
        tenant=row.tenant,
        data=data
        | {
            "standing": reasons.worst(codes) or None,
            "requirements": codes,
            "from_requirements": before,
        },
    )


def test_event() -> OutboundEvent:
    """What staff send to see whether an endpoint takes and verifies it."""
    return OutboundEvent.objects.create(type=TEST, data={"message": "It works."})


test_event.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for one of its own


def body_of(event: OutboundEvent) -> str:
    """The signed text; the same in every delivery and every try.

    `sequence` grows with each event of one onboarding or number, in the order of what happened.
    """
    body = {
        "type": event.type,
        "timestamp": _moment(event.at),
        "sequence": event.pk,
        "data": event.data,
    }
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def _anybody_listens() -> bool:
    """An endpoint that is off counts: staff may send it later what it missed."""
    with walls.seeing_everything("endpoints are the partner's, whoever's row has moved"):
        return _LISTENING.first() is not None


_LISTENING: Prepared[int] = Prepared(
    lambda: WebhookEndpoint.objects.order_by().values_list("pk", flat=True)[:1]
)


def _of_onboarding(row: Onboarding) -> dict[str, Any]:
    """By the API's names; who wants all of it reads `/api/v1/onboardings/{id}/`."""
    number = row.number
    claimed = row.claimed_phone_number_id
    return {
        "tenant": row.tenant.slug,
        "connection_mode": row.connection_mode,
        "state": str(row.state),
        "reason": _public(row.reason),
        "staff_reason": row.reason or None,
        "waba_id": row.claimed_waba_id or None,
        "phone_number_id": number.phone_number_id if number else claimed or None,
        "phone_number": (number.e164 or None) if number else None,
        "number_status": (number.status or None) if number else None,
        "proven": row.proven,
        "created_at": _moment(row.created_at),
        "launched_at": _moment(row.launched_at),
        "connected_at": _moment(row.connected_at),
    }


def _public(code: str) -> str | None:
    """What the customer may read; a code that an old row kept and nobody knows any more is none."""
    return reasons.public(code) if code in reasons.REASONS else None


def _moment(at: datetime | None) -> str | None:
    return at.isoformat().replace("+00:00", "Z") if at is not None else None
