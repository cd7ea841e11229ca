"""pytest plugin: an embedded PostgreSQL and Valkey for the test run, before Django's settings load.

Addresses given in the environment are used instead. A second run at the same time gets servers
of its own in a temporary directory.
"""

from __future__ import annotations

import fcntl
import gc
import os
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import IO

import pytest

from devstack import runenv
from devstack.postgres import Postgres
from devstack.translations import catalogues
from devstack.valkey import Valkey

_TEST_SETTINGS = {
    "ONLY_ENVIRONMENT": "1",
    "SECRET_KEY": "for-tests-only-" + "x7Kq9mZt" * 6,
    # pragma: allowlist nextline secret - "tests-only" four times
    "FIELD_ENCRYPTION_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
    "SITE_URL": "http://localhost:8000",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    "EMAIL_URL": "memorymail://",
    "PARTNER_NAME": "Test Partner",
    "META_APP_ID": "100000000000001",
    "META_APP_SECRET": "test-app-secret",
    "META_CONFIG_ID": "200000000000001",
    "META_SOLUTION_ID": "300000000000001",
    # Nobody listens on port 9; tests that call say where.
    "META_SDK_URL": "http://127.0.0.1:9/sdk.js",
    "META_GRAPH_BASE_URL": "http://127.0.0.1:9/graph",
    "YCLOUD_API_BASE_URL": "http://127.0.0.1:9/v2",
    "YCLOUD_API_KEY": "test-key",
    "YCLOUD_WEBHOOK_SECRETS": "whsec_test",
    # Tests move the clock back and forth, which no window survives; the quota's own say how much.
    "YCLOUD_QUOTA_PER_SECOND": "1000000",
    "YCLOUD_QUOTA_PER_HOUR": "1000000",
    # Tests have one thread; what is started as a process has the pool (tests/faults, benchmarks).
    "DATABASE_POOL_SIZE": "0",
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",  # playwright's sync API runs a loop in the main thread
}

_SELDOM = (50_000, 20, 20)
"""Python's own, (700, 10, 10), spends a sixth of a run on looking for garbage in cycles."""


def _foreign(name: str) -> bool:
    return name.startswith(("YCLOUD_", "META_", "ONBOARDING_", "SANDBOX_", "PARTNER_"))


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """Start the servers first of all; pytest-django loads the settings in this same hook."""
    for name in [name for name in os.environ if _foreign(name)]:
        del os.environ[name]
    os.environ.update(_TEST_SETTINGS)
    catalogues.compile_all()
    _Servers(early_config)
    gc.set_threshold(*_SELDOM)
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is loaded by now stays: it is not looked through for garbage again and again."""
    gc.collect()
    gc.freeze()


class _Servers:
    """What is embedded for this run, stopped when pytest is done."""

    def __init__(self, config: pytest.Config) -> None:
        wants_postgres = not os.environ.get("DATABASE_URL")
        wants_valkey = not os.environ.get("REDIS_URL")
        if not (wants_postgres or wants_valkey):
            return
        place = self._place(config)
        kept = runenv.invent()
        if wants_postgres:
            self._start_postgres(config, place, kept)
        if wants_valkey:
            valkey = Valkey(place / "valkey", kept)
            valkey.start()
            config.add_cleanup(valkey.stop)
            os.environ["REDIS_URL"] = runenv.redis_url(kept)

    def _start_postgres(self, config: pytest.Config, place: Path, kept: runenv.Remembered) -> None:
        passwords = place / "remembered.json"
        kept = _kept_passwords(passwords, kept)
        postgres = Postgres(place / "postgres", kept, fast=True)
        postgres.start()
        config.add_cleanup(postgres.stop)
        # Tests make and drop a database, so they connect as the role that owns and migrates.
        os.environ["DATABASE_URL"] = runenv.database_urls(kept)["DATABASE_OWNER_URL"]

    def _place(self, config: pytest.Config) -> Path:
        runenv.directory(runenv.LOCAL)
        (runenv.ROOT / "staticfiles").mkdir(exist_ok=True)  # whitenoise warns without it
        place = runenv.LOCAL / "test"
        runenv.directory(place)
        self.lock: IO[str] = (place / "lock").open("w")
        config.add_cleanup(self.lock.close)
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            spare = tempfile.TemporaryDirectory(prefix="onboarding-test-", dir=runenv.LOCAL)
            config.add_cleanup(spare.cleanup)
            return Path(spare.name)
        return place


def _kept_passwords(path: Path, made: runenv.Remembered) -> runenv.Remembered:
    """The passwords of an earlier run's data, with this run's free ports."""
    import json
    from dataclasses import asdict, replace

    if path.is_file():
        earlier = runenv.Remembered(**json.loads(path.read_text()))
        return replace(earlier, postgres_port=made.postgres_port)
    path.touch(mode=0o600)
    path.write_text(json.dumps(asdict(made)))
    return made
