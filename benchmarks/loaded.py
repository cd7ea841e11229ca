"""Databases of their own, loaded with made-up onboardings, for what is measured.

A PostgreSQL and a Valkey in a directory of their own; the app's role behind the walls.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

from benchmarks import multiplied
from devstack import runenv
from devstack.postgres import Postgres
from devstack.pytest_plugin import _TEST_SETTINGS
from devstack.valkey import Valkey

ROOT = Path(__file__).resolve().parent.parent
WHO = "bench"
COMMON = ("Holding", "Group")
"""Two words that each tenth account's name ends with."""
ENDING = " " + " ".join(COMMON)
EACH = 50
"""So many onboardings does a tenant have, and a member of staff."""
BLOCK = 10_000


@contextmanager
def site(*, fast: bool = False) -> Iterator[None]:
    """Servers in a directory of their own, and Django set up as the app's role.

    `fast`: PostgreSQL does not wait for the disk, for what is counted by a clock of our own.
    """
    runenv.directory(runenv.LOCAL)
    (ROOT / "staticfiles").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=runenv.LOCAL) as name:
        place, kept = Path(name), runenv.invent()
        postgres = Postgres(place / "postgres", kept, fast=fast)
        valkey = Valkey(place / "valkey", kept)
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
    """So many made-up onboardings in an empty database: a block that is written, and copies."""
    from django.core.management import call_command

    block = min(count, BLOCK)
    call_command(
        "generate_onboardings", "--yes-really", "--count", str(block), "--seed", str(block),
        "--tenants", str(max(20, block // EACH)), stdout=StringIO(),
    )  # fmt: skip
    multiplied.multiply(block, count // block - 1)


class Databases:
    """One of the same server for each size; what is asked goes to the one that is in use."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        from django.db import connections

        self.wrappers = {size: connections.create_connection("default") for size in sizes}
        connections["default"].close()
        with _owner("postgres") as owner:
            for size, wrapper in self.wrappers.items():
                owner.execute(f"CREATE DATABASE {self.name(size)} TEMPLATE onboarding")
                wrapper.settings_dict = {**wrapper.settings_dict, "NAME": self.name(size)}

    def name(self, size: int) -> str:
        return f"bench_{size}"

    def use(self, size: int) -> None:
        from django.db import connections

        connections["default"] = self.wrappers[size]


def _owner(database: str) -> Any:
    import psycopg

    return psycopg.connect(os.environ["DATABASE_OWNER_URL"], dbname=database, autocommit=True)


def tidy(database: str) -> None:
    """What autovacuum does after a while."""
    with _owner(database) as owner:
        owner.execute("VACUUM (ANALYZE)")


def reviewer() -> Any:
    """A browser of a superuser's."""
    from django.test import Client

    from tenants.models import User

    user, _made = User.objects.get_or_create(
        username=WHO, defaults={"email": "bench@example.com", "is_staff": True},
    )  # fmt: skip
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    client = Client(SERVER_NAME="localhost")
    client.force_login(user, backend="tenants.login.Backend")
    return client


def alike() -> Any:
    """Connected onboardings that went the same way and are nobody's: their pages are as long."""
    from django.db.models import Count

    from onboarding.models import Onboarding

    rows = Onboarding.objects.filter(state="connected", number__health="", assigned_to=None)
    rows = rows.annotate(moves=Count("transitions")).filter(moves=6, calls=None)
    return rows.select_related("tenant", "started_by", "number", "business_account").order_by("pk")


def mark() -> None:
    """What made-up rows lack: each third is somebody's, each tenth account's name ends alike.

    Members of staff have as many rows each however many there are in all.
    """
    from django.db import connection
    from django.db.models import F, Value
    from django.db.models.functions import Concat, Mod

    from onboarding.models import Onboarding, WhatsAppBusinessAccount
    from tenants.models import User

    free = Onboarding.objects.annotate(third=Mod("pk", 3)).filter(third=0, assigned_to=None)
    names = [f"colleague-{index}@example.com" for index in range(1, free.count() // EACH)]
    others = User.objects.bulk_create(User(username=name, email=name) for name in names)
    staff = [User.objects.get(username=WHO).pk, *(each.pk for each in others)]
    with connection.cursor() as cursor:
        cursor.execute(ASSIGNED, [staff, EACH])
    accounts = WhatsAppBusinessAccount.objects.annotate(tenth=Mod("pk", 10))
    accounts = accounts.filter(tenth=0).exclude(name__endswith=ENDING)
    accounts.update(name=Concat(F("name"), Value(ENDING)))


ASSIGNED = """
    UPDATE onboarding_onboarding AS row SET assigned_to_id = (%s::bigint[])[1 + place / %s]
    FROM (
        SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM onboarding_onboarding
        WHERE id %% 3 = 0 AND assigned_to_id IS NULL
    ) AS free
    WHERE row.id = free.id
"""
"""EACH of them in a row are one person's; what is left over is nobody's."""
