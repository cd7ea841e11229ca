"""`manage.py rotate_keys`: encrypt what is sealed with the first of FIELD_ENCRYPTION_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand

from tenants import audit, rotation

NAMED = 20


class Command(BaseCommand):
    """Exit status 1 when something could not be decrypted; it is left as it is."""

    help = (
        "Encrypt every sealed value with the first of FIELD_ENCRYPTION_KEYS. Put the new key in "
        "front, restart everything, run this, then take the old key out."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = rotation.rotate_all()
        for place, count in done.items():
            told = f"{place}: {count.rotated} encrypted anew, {count.current} were current"
            self.stdout.write(told)
            if count.unreadable:
                more = "" if len(count.unreadable) <= NAMED else " and more"
                rows = ", ".join(count.unreadable[:NAMED]) + more
                self.stdout.write(
                    f"  {len(count.unreadable)} cannot be decrypted with any key and are left as "
                    f"they are (rows {rows})"
                )
        rotated = {place: count.rotated for place, count in done.items() if count.rotated}
        audit.record("command", "keys.rotated", after=rotated)
        if any(count.unreadable for count in done.values()):
            self.stdout.write(
                "A key is missing: add it behind the others and run this again, or have those "
                "values made anew."
            )
            raise SystemExit(1)
        self.stdout.write("Everything is under the first key: the others can be taken out.")
