"""`manage.py create_signup_link TENANT_SLUG`: prints the address, which is shown only once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from onboarding import services
from onboarding.models import SignupLink
from onboarding.models.link import LIFE_DAYS
from onboarding.models.onboarding import ConnectionMode
from tenants.models import Tenant


class Command(BaseCommand):
    """Makes a signup link for one tenant; an earlier one for the same number is revoked."""

    help = "Make a signup link for a tenant and print its address."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant_slug")
        parser.add_argument("--mode", choices=ConnectionMode.values, default="")
        parser.add_argument(
            "--expected-number", "--number", default="", help="the only number to accept (E.164)"
        )
        parser.add_argument("--email", default="", help="mail the link there, once")
        parser.add_argument("--language", default="", help="of the letter, such as en or pt-br")
        parser.add_argument("--days", type=int, default=LIFE_DAYS, help="how long it works")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["tenant_slug"]
        tenant = Tenant.objects.filter(slug=slug).first()
        if tenant is None:
            known = ", ".join(Tenant.objects.values_list("slug", flat=True)[:20]) or "none yet"
            raise CommandError(f"There is no tenant {slug!r}. Tenants: {known}.")
        try:
            link, token = services.create_link(
                tenant,
                actor="command",
                connection_mode=options["mode"],
                expected_number=options["expected_number"],
                email=options["email"],
                language=options["language"],
                life_days=options["days"],
            )
        except services.RefusedError as refused:
            raise CommandError(str(refused)) from None
        for old in link.ended:
            self.stderr.write(_told(old))
        self.stdout.write(f"{settings.SITE_URL}/s/{token}/")


def _told(old: SignupLink) -> str:
    """Which earlier link was ended, and whether anybody was about to use it."""
    used = f"last opened {old.opened_at:%Y-%m-%d %H:%M}" if old.opened_at else "never opened"
    return (
        f"Ended the earlier link of {old.created_at:%Y-%m-%d %H:%M} (made by "
        f"{old.get_made_by_display() or 'unknown'}; {used}; {services.under_way(old)} under way)."
    )
