"""`make bench-desk`: how much longer desk and queue take with 100,000 onboardings than with 1,000.

A PostgreSQL and a Valkey of its own, the app's role behind the walls, whole requests through all
middleware by a signed-in reviewer. Medians; the first request of each kind is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from devstack import runenv
from devstack.postgres import Postgres
from devstack.pytest_plugin import _TEST_SETTINGS
from devstack.valkey import Valkey

ROOT = Path(__file__).resolve().parent.parent
QUEUE = "/admin/onboarding/onboarding/"
AT_MOST = 2.0
"""The desk with all the rows may take so many times what it takes with few."""


@contextmanager
def site() -> Iterator[None]:
    """Servers in a directory of their own, and Django set up as the app's role."""
    runenv.directory(runenv.LOCAL)
    (ROOT / "staticfiles").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=runenv.LOCAL) as name:
        place, kept = Path(name), runenv.invent()
        postgres, valkey = Postgres(place / "postgres", kept), Valkey(place / "valkey", kept)
        postgres.start()
        valkey.start()
        try:
            os.environ.update(_TEST_SETTINGS | runenv.database_urls(kept))
            os.environ["REDIS_URL"] = runenv.redis_url(kept)
            os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
            owner = {**os.environ, "DATABASE_URL": os.environ["DATABASE_OWNER_URL"]}
            migrate = [sys.executable, "manage.py", "migrate", "-v", "0"]
            subprocess.run(migrate, cwd=ROOT, env=owner, check=True)
            import django

            django.setup()
            from tenants import walls

            with walls.seeing_everything("a benchmark"):
                yield
        finally:
            valkey.stop()
            postgres.stop()


def load(count: int) -> None:
    """So many made-up onboardings in all, and what autovacuum does after a while."""
    import psycopg
    from django.core.management import call_command

    from onboarding.models import Onboarding

    missing = count - Onboarding.objects.count()
    call_command(
        "generate_onboardings", "--yes-really", "--count", str(missing), "--seed", str(count),
        "--tenants", str(max(20, count // 200)), stdout=StringIO(),
    )  # fmt: skip
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute("VACUUM (ANALYZE)")


def reviewer() -> Any:
    """A browser of a superuser's."""
    from django.test import Client

    from tenants.models import User

    user, _made = User.objects.get_or_create(
        username="bench", defaults={"email": "bench@example.com", "is_staff": True},
    )  # fmt: skip
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    client = Client(SERVER_NAME="localhost")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def requests(client: Any) -> dict[str, Callable[[], Any]]:
    """What is measured, by name; all find the same kind of row however many there are."""
    from django.core.cache import cache

    from onboarding import tally
    from onboarding.models import Onboarding

    stopped = Onboarding.objects.filter(state="connected").select_related(
        "number", "tenant", "business_account"
    )
    row = stopped.order_by("pk")[10]
    assert row.number
    assert row.business_account

    def opens(address: str, **query: Any) -> Callable[[], Any]:
        return lambda: client.get(f"{address}?{urlencode(query)}")

    def counted_live() -> Any:
        cache.delete(tally._KEY)
        return client.get("/admin/")

    def counted_before() -> Any:
        return client.get("/admin/")

    tally.keep()
    return {
        "desk": counted_before,
        "desk, all counted live": counted_live,
        "queue": opens(QUEUE),
        "queue, by state": opens(QUEUE, state__exact="needs_attention"),
        "queue, by reason": opens(QUEUE, reason="payment_missing"),
        "queue, by tenant": opens(QUEUE, tenant__id__exact=row.tenant_id),
        "queue, by age": opens(QUEUE, age="week"),
        "queue, search: number": opens(QUEUE, q=row.number.e164),
        "queue, search: WABA id": opens(QUEUE, q=row.business_account.waba_id),
        "queue, search: reference": opens(QUEUE, q=row.reference),
        "queue, search: name": opens(QUEUE, q=row.business_account.name),
    }


def median_ms(ask: Callable[[], Any], rounds: int) -> float:
    """Of whole requests; each has to answer 200."""
    took = []
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        answer = ask()
        took.append((time.perf_counter() - begin) * 1000)
        assert answer.status_code == 200, answer
    return statistics.median(took[1:])


def measure(count: int, rounds: int) -> dict[str, float]:
    """Each request's median with so many rows."""
    load(count)
    asked = requests(reviewer())
    return {name: round(median_ms(ask, rounds), 1) for name, ask in asked.items()}


def report(found: dict[int, dict[str, float]]) -> str:
    """A table: a line a request, a column a size, and the ratio."""
    few, many = min(found), max(found)
    lines = [f"{'median ms':28}{few:>10,}{many:>12,}{'ratio':>8}"]
    for name, before in found[few].items():
        after = found[many][name]
        lines.append(f"{name:28}{before:>10.1f}{after:>12.1f}{after / before:>8.2f}")
    return "\n".join(lines)


def main() -> int:
    """Measure, print, write; 1 when the desk takes more than AT_MOST times as long."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--few", type=int, default=1_000)
    ask.add_argument("--many", type=int, default=100_000)
    ask.add_argument("--rounds", type=int, default=7)
    ask.add_argument("--json", type=Path, default=runenv.LOCAL / "bench-desk.json")
    given = ask.parse_args()
    with site():
        found = {}
        for count in (given.few, given.many):
            print(f"Loading and measuring {count:,} onboardings ...", flush=True)
            found[count] = measure(count, given.rounds)
    print(report(found), flush=True)
    given.json.write_text(json.dumps({"rounds": given.rounds, "median_ms": found}, indent=1))
    ratio = found[given.many]["desk"] / found[given.few]["desk"]
    verdict = "at most" if ratio <= AT_MOST else "MORE than"
    print(f"The desk takes {ratio:.2f} times as long, {verdict} {AT_MOST:.0f}; see {given.json}.")
    return 0 if ratio <= AT_MOST else 1


if __name__ == "__main__":
    sys.exit(main())
