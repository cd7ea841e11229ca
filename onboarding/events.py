"""YCloud's webhook events: which rows each one wakes. An event never moves a state itself.

Nothing documents that an event announces payment or CONNECTED, so the schedule alone suffices;
an event only makes the look come sooner.
"""

from collections.abc import Callable

from django.db.models import Q, QuerySet

from onboarding.models import Onboarding, WebhookEvent
from onboarding.states import OPEN

Rows = Callable[[WebhookEvent], QuerySet[Onboarding]]


def _of_account(event: WebhookEvent) -> QuerySet[Onboarding]:
    return Onboarding.objects.filter(state__in=OPEN, claimed_waba_id=event.waba_id)


def _of_number(event: WebhookEvent) -> QuerySet[Onboarding]:
    return Onboarding.objects.filter(
        Q(number__phone_number_id=event.phone_number_id)
        | Q(claimed_phone_number_id=event.phone_number_id)
        | Q(number__isnull=True, claimed_waba_id=event.waba_id),
        state__in=OPEN,
    ).exclude(claimed_waba_id="", claimed_phone_number_id="")


HANDLERS: dict[str, Rows] = {
    "whatsapp.business_account.updated": _of_account,
    "whatsapp.business_account.reviewed": _of_account,
    "whatsapp.business_account.deleted": _of_account,
    "whatsapp.phone_number.name_updated": _of_number,
    "whatsapp.phone_number.quality_updated": _of_number,
    "whatsapp.phone_number.deleted": _of_number,
}


def rows_to_wake(event: WebhookEvent) -> list[int]:
    """The onboardings that this event concerns; unknown types and WABAs concern none."""
    handler = HANDLERS.get(event.type)
    if handler is None or not (event.waba_id or event.phone_number_id):
        return []
    return list(handler(event).values_list("pk", flat=True))
