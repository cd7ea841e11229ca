"""`manage.py rescue_login EMAIL`: for a person whom mail or a lost phone keeps out."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from tenants import audit
from tenants.models import User


class Command(BaseCommand):
    """Takes the address as proven, so that no mailed code is asked for; audited."""

    help = "Take a person's address as proven; with --second-factor, take away a lost one too."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--second-factor", action="store_true")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"].lower()).first()
        if user is None:
            raise CommandError("Nobody has this address.")
        EmailAddress.objects.update_or_create(
            user=user, email=user.email, defaults={"verified": True, "primary": True}
        )
        done = ["address"]
        if options["second_factor"]:
            Authenticator.objects.filter(user=user).delete()
            done.append("second factor")
        audit.record("command", "login.rescued", user, after={"done": done})
        self.stdout.write(f"Done: {', '.join(done)}. The password is as it was.")
