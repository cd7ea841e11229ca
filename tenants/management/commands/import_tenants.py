"""`manage.py import_tenants FILE [--dry-run]`: tenants from a sheet, as the admin imports them."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants import sheet, sheet_rows
from tenants.models import User


class Command(BaseCommand):
    """Exit status 1 when anything is refused; then nothing is written."""

    help = "Make tenants, or bring them up to date, from a CSV (or .tsv) file in UTF-8."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would happen and write nothing"
        )
        parser.add_argument(
            "--as",
            dest="by",
            metavar="EMAIL",
            help="a member of staff, in whose name the owners are invited",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        rows = _read(Path(options["file"]))
        by = _staff(options["by"]) if options["by"] else None
        if by is None and sheet.OWNER in rows.headers and any(rows[sheet.OWNER]):
            raise CommandError("The file names owners: say with --as EMAIL who invites them.")
        resource = sheet_rows.TenantResource(by=by, most_invited=None)
        result = resource.import_data(
            rows, dry_run=options["dry_run"], rollback_on_validation_errors=True
        )
        told = list(sheet_rows.report(result))
        for each in told:
            notes = [*each.errors, *([f"{each.invited} is invited"] if each.invited else [])]
            line = f"line {each.line}: {each.outcome} {each.slug}"
            self.stdout.write(f"{line}: {'; '.join(notes)}" if notes else line)
        count = ", ".join(f"{n} {word}" for word, n in sheet_rows.counts(told).items())
        if sheet_rows.is_refused(result):
            raise CommandError(f"Nothing was written: {count}.")
        self.stdout.write(f"{'Would be' if options['dry_run'] else 'Done'}: {count}.")
        for email, why in resource.invited.failed:
            self.stderr.write(f"{email} was not invited: {why}")
        if resource.invited.failed:
            raise SystemExit(1)


def _read(path: Path) -> Any:
    try:
        return sheet.read(path.read_bytes(), tabs=path.suffix == ".tsv")
    except OSError as failed:
        raise CommandError(f"{path} cannot be read: {failed.strerror}.") from None
    except sheet.SheetError as failed:
        raise CommandError(str(failed)) from None


def _staff(email: str) -> User:
    user = User.objects.filter(email__iexact=email, is_staff=True, is_active=True).first()
    if user is None:
        raise CommandError(f"No active member of staff has the address {email}.")
    return user
