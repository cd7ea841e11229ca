"""`manage.py create_api_key NAME --scope ...`: prints the key, which is shown only once."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from tenants.keys import create_key
from tenants.models import ApiKey


class Command(BaseCommand):
    """Makes an API key for one of the partner's systems."""

    help = "Make an API key and print it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="which of your systems uses it")
        parser.add_argument(
            "--scope", action="append", required=True, choices=ApiKey.Scope.values,
            help="what it may do; once for each scope",
        )  # fmt: skip
        parser.add_argument("--days", type=int, help="it expires after so many; else never")

    def handle(self, *args: Any, **options: Any) -> None:
        days, name = options["days"], options["name"].strip()
        if not 0 < len(name) <= 100:
            raise CommandError("The name has 1 to 100 characters.")
        if days is not None and not 0 < days <= 3650:
            raise CommandError("--days is from 1 to 3650.")
        until = timezone.now() + timedelta(days=days) if days else None
        _, key = create_key(name, options["scope"], actor="command", expires_at=until)
        self.stdout.write(key)
        self.stderr.write(f"Shown only now. Send it as: Authorization: Bearer {key[:12]}_…")
