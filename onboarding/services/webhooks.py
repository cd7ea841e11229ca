"""Staff: apply a stored webhook event once more. It only wakes rows, so it harms nothing."""

from django.db import transaction

from onboarding import tasks
from onboarding.models import WebhookEvent
from tenants import audit


def replay_event(event: WebhookEvent, actor: str) -> None:
    """Have the event applied again, after the commit."""
    with transaction.atomic():
        # As if it had just come: the sweep finds it too when the broker is away.
        WebhookEvent.objects.filter(pk=event.pk).update(
            applied_at=None, standing=WebhookEvent.Standing.WAITING
        )
        audit.record(actor, "webhook_event.replayed", event, before={"standing": event.standing})
        tasks.request_apply(event.event_id)
