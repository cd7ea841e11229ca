"""`manage.py export_tenant SLUG [--output FILE]`: all that is kept of a tenant, as JSON."""

import json
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from onboarding.services import export
from tenants import audit
from tenants.models import Tenant


class Command(BaseCommand):
    """Without --output it goes to standard output; a file is made for its owner's eyes only."""

    help = "Write everything that is kept of a tenant as one JSON document."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--output", metavar="FILE", help="a file that is not there yet")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["slug"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['slug']!r}.")
        text = json.dumps(export.document(tenant), cls=DjangoJSONEncoder, indent=2)
        if not options["output"]:
            self.stdout.write(text)
        else:
            _write(options["output"], text + "\n")
            self.stdout.write(f"{tenant.slug} is in {options['output']} (mode 0600).")
        audit.record("command", "tenant.exported", tenant)


def _write(path: str, text: str) -> None:
    """A new file, readable by its owner from the first byte on."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CommandError(f"{path} is there already; it is not written over.") from None
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
