"""`manage.py doctor`: what is not set up, here and outside, and how to mend it."""

import json
import textwrap
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from onboarding import doctor
from onboarding.doctor import Finding, Group, Level, dashboard

FAILING = {"error": {Level.ERROR}, "warning": {Level.ERROR, Level.WARNING}}
MARKS = {
    Level.OK: "ok   ", Level.TODO: "to do", Level.UNKNOWN: "?    ",
    Level.WARNING: "warn ", Level.ERROR: "ERROR",
}  # fmt: skip
DATABASE_SECONDS = 5


class Command(BaseCommand):
    """Exit status 1 when something has to be mended (`--fail-level`, `--strict`), else 0."""

    help = "Look whether everything is set up; install our webhook at YCloud."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--install-webhook",
            action="store_true",
            help="register our endpoint at YCloud with exactly the events that we handle",
        )
        parser.add_argument("--json", action="store_true", help="for programs: a list of objects")
        parser.add_argument(
            "--only",
            action="append",
            choices=[group.value for group in Group],
            default=[],
            metavar="GROUP",
            help=f"look at this group alone; may be repeated ({', '.join(Group)})",
        )
        parser.add_argument(
            "--fail-level",
            choices=sorted(FAILING),
            default="error",
            help="from what on the exit status is 1 (default: error)",
        )
        parser.add_argument(
            "--strict",
            action="store_true",
            help="1 also for warnings, for what is unknown and for what is not ticked yet",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        connection.settings_dict.setdefault("OPTIONS", {}).setdefault(
            "connect_timeout", DATABASE_SECONDS
        )
        if options["install_webhook"]:
            self._install(quiet=options["json"])
        found = doctor.examine([Group(name) for name in options["only"]])
        if options["json"]:
            self.stdout.write(json.dumps([_as_object(each) for each in found]))
        else:
            self._print(found)
        if _fails(found, options["fail_level"], strict=options["strict"]):
            raise SystemExit(1)

    def _install(self, *, quiet: bool) -> None:
        try:
            done = doctor.install_webhook()
        except doctor.CannotInstallError as error:
            raise CommandError(str(error)) from None
        (self.stderr if quiet else self.stdout).write(done)

    def _print(self, found: list[Finding]) -> None:
        group: Group | None = None
        for each in found:
            if each.group != group:
                group = each.group
                self.stdout.write(self.style.MIGRATE_HEADING(f"\n{group}"))
            self.stdout.write(f"  {self._mark(each.level)} {each.what}")
            if each.level != Level.OK:
                self._explain(each)
        counts = {level: sum(each.level == level for each in found) for level in Level}
        told = ", ".join(f"{n} {level}" for level, n in counts.items() if n)
        self.stdout.write(f"\n{told}")
        if counts[Level.TODO]:
            self.stdout.write(
                f"What only you can see is ticked at {settings.SITE_URL}/admin/setup/"
            )

    def _explain(self, each: Finding) -> None:
        """Why and remedy; of the list to tick only what has to be entered: it is long."""
        ticked_by_hand = each.code.startswith(dashboard.PREFIX)
        for line in () if ticked_by_hand else (each.why, each.remedy):
            for part in textwrap.wrap(line, 90):
                self.stdout.write(f"        {part}")
        if each.value:
            self.stdout.write(f"        {self.style.MIGRATE_LABEL(each.value)}")

    def _mark(self, level: Level) -> str:
        paint = {
            Level.OK: self.style.SUCCESS, Level.ERROR: self.style.ERROR,
            Level.WARNING: self.style.WARNING, Level.UNKNOWN: self.style.WARNING,
        }.get(level, str)  # fmt: skip
        return str(paint(MARKS[level]))


def _as_object(each: Finding) -> dict[str, Any]:
    return {**asdict(each), "is_well": each.is_well}


def _fails(found: list[Finding], fail_level: str, *, strict: bool) -> bool:
    failing = set(Level) - {Level.OK} if strict else FAILING[fail_level]
    return any(each.level in failing for each in found)
