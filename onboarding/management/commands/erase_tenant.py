"""`manage.py erase_tenant SLUG [--yes]`: delete all that is kept of a tenant, for good."""

import time
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from onboarding import transitions
from onboarding.models import PhoneNumber, WhatsAppBusinessAccount
from onboarding.services import erase
from tenants.models import Tenant

PATIENCE = transitions.LEASE + timedelta(seconds=30)
PAUSE_SECONDS = 1.0


class Command(BaseCommand):
    """Shows what would go; with --yes it goes. Nothing brings it back."""

    help = "Erase a tenant and all that belongs to it. Without --yes: only count."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--yes", action="store_true", help="erase, do not only count")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["slug"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['slug']!r}.")
        bound = _bound(tenant)
        if not options["yes"]:
            self._told("This would go:", erase.plan(tenant), bound)
            self.stdout.write("Nothing was erased. Run it again with --yes to erase.")
            return
        self._told("Erased:", _erased(tenant), bound)

    def _told(self, title: str, found: erase.Plan, bound: list[str]) -> None:
        lines = [title, *(f"  {count:>6}  {name}" for name, count in found.counts.items())]
        lines.append(
            f"  {len(found.buried):>6}  hashed ids kept, so that later events are known as not ours"
        )
        if bound:
            lines += [
                "YCloud's binding of these remains, and no API ends it. Ask YCloud's support, and",
                "have the customer remove the partner in WhatsApp Manager (a number in the app:",
                "Settings > Account > Business Platform):",
                *(f"  {each}" for each in bound),
            ]
        self.stdout.write("\n".join(lines))


def _erased(tenant: Tenant) -> erase.Plan:
    """Fences, leases, then the rows. Raises CommandError when workers do not come to an end."""
    until = time.monotonic() + PATIENCE.total_seconds()
    while True:
        erase.overtake(tenant)
        found = erase.erase(tenant, "command")
        if found is not None:
            erase.scrub_events(found)
            return found
        if time.monotonic() > until:
            erase.give_up(tenant)
            raise CommandError("Workers are still at this tenant's attempts; nothing was erased.")
        time.sleep(PAUSE_SECONDS)


def _bound(tenant: Tenant) -> list[str]:
    """The WABAs and numbers, read before they are gone."""
    accounts = WhatsAppBusinessAccount.objects.for_tenant(tenant).order_by("pk")
    numbers = PhoneNumber.objects.for_tenant(tenant).order_by("pk")
    return [f"WABA {each.waba_id}" for each in accounts] + [
        f"number {each.e164 or each.phone_number_id}" for each in numbers
    ]
