"""`manage.py replay_webhook_event EVENT_ID`: apply a stored event of YCloud's once more."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from onboarding import services
from onboarding.models import WebhookEvent


class Command(BaseCommand):
    """Wakes the rows that the event concerns; they are read again at YCloud."""

    help = "Apply a stored webhook event again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("event_id")

    def handle(self, *args: Any, **options: Any) -> None:
        event = WebhookEvent.objects.filter(event_id=options["event_id"]).first()
        if event is None:
            raise CommandError(
                f"No event {options['event_id']!r} is stored: look it up in the admin, "
                "or have YCloud send it again."
            )
        services.replay_event(event, "command")
        self.stdout.write(f"{event.type} is being applied again.")
