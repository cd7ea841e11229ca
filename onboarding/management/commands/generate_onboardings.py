"""`manage.py generate_onboardings`: made-up rows, to look at the desk and to measure it."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from onboarding.management import written


class Command(BaseCommand):
    """The same seed tells the same stories; `--remove` takes all of them away again."""

    help = "Write made-up onboardings of made-up tenants (or --remove them)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--count", type=int, default=1000, help="how many onboardings (1000)")
        parser.add_argument("--tenants", type=int, default=0, help="of how many tenants")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--remove", action="store_true", help="delete all that it ever made")
        parser.add_argument(
            "--yes-really", action="store_true", help="also where the sandbox is not in use"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not (settings.SANDBOX_ORIGIN or options["yes_really"]):
            raise CommandError(
                "The sandbox is not in use here, so these may be real customers: made-up rows "
                "would stand among theirs. With --yes-really it is done all the same."
            )
        if options["remove"]:
            self.stdout.write(f"Removed {written.remove()} onboardings.")
            return
        count = options["count"]
        tenants = options["tenants"] or max(1, min(count // 20, 500))
        if count < 1 or tenants < 1:
            raise CommandError("Give a count and a number of tenants of at least 1.")
        for done in written.write(count, tenants, options["seed"]):
            if options["verbosity"] > 1:
                self.stdout.write(f"{done} of {count}")
        self.stdout.write(f"Wrote {count} onboardings of {tenants} tenants.")
