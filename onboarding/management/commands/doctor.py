"""`manage.py doctor`: what is not set up outside, and how to mend it."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from onboarding import doctor


class Command(BaseCommand):
    """Exit status 1 when something has to be mended."""

    help = "Look whether YCloud is set up for us; install our webhook there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--install-webhook",
            action="store_true",
            help="register our endpoint at YCloud with exactly the events that we handle",
        )
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["install_webhook"]:
            try:
                self.stdout.write(doctor.install_webhook())
            except doctor.CannotInstallError as error:
                raise CommandError(str(error)) from None
        found = doctor.examine()
        if options["json"]:
            self.stdout.write(json.dumps([{**asdict(f), "is_well": f.is_well} for f in found]))
        else:
            for finding in found:
                mark = "ok  " if finding.is_well else "MEND"
                self.stdout.write(f"{mark} {finding.what} {finding.remedy}".rstrip())
        if not all(finding.is_well for finding in found):
            raise SystemExit(1)
