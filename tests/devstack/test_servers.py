"""The embedded servers start, keep their data, know their roles, and stop."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from devstack import postgres, runenv, valkey
from devstack.postgres import Postgres
from devstack.problem import ProblemError
from devstack.runenv import Remembered
from devstack.valkey import Valkey


@pytest.fixture(scope="module")
def kept() -> Remembered:
    return runenv.invent()


def connect(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url.replace("postgres://", "postgresql://"), autocommit=True)


@pytest.fixture(scope="module", params=["usual", "no-namespaces"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, kept: Remembered
) -> Iterator[Postgres]:
    if request.param == "no-namespaces" and os.geteuid() != 0:
        pytest.skip("an ordinary user needs no other way to start PostgreSQL")
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "no-namespaces":
            patch.setattr(postgres, "namespaces_work", lambda: False)
        made = Postgres(tmp_path_factory.mktemp("pg") / "postgres", kept, fast=True)
    made.start()
    yield made
    made.stop()
    if request.param == "no-namespaces":
        shutil.rmtree(made.data.parent)


def test_the_apps_role_is_neither_owner_nor_superuser(server: Postgres) -> None:
    urls = runenv.database_urls(server.kept)
    with connect(urls["DATABASE_OWNER_URL"]) as owner:
        owner.execute("CREATE TABLE IF NOT EXISTS things (id serial PRIMARY KEY, word text)")
    with connect(urls["DATABASE_URL"]) as app:
        app.execute("INSERT INTO things (word) VALUES ('kept')")
        assert app.execute("SELECT word FROM things LIMIT 1").fetchone() == ("kept",)
        for forbidden in (
            "DROP TABLE things",
            "CREATE TABLE mine (id int)",
            "ALTER TABLE things ADD x int",
            "CREATE ROLE evil SUPERUSER",
            "TRUNCATE things",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(forbidden)


def test_a_password_is_needed(server: Postgres) -> None:
    url = runenv.database_urls(server.kept)["DATABASE_URL"]
    with pytest.raises(psycopg.OperationalError, match="password"):
        connect(url.replace(server.kept.app_password, "wrong"))


def test_the_data_is_there_after_a_restart(server: Postgres) -> None:
    owner = runenv.database_urls(server.kept)["DATABASE_OWNER_URL"]
    with connect(owner) as database:
        database.execute("CREATE TABLE IF NOT EXISTS kept_over AS SELECT 42 AS n")
    server.stop()
    server.start()
    with connect(owner) as database:
        assert database.execute("SELECT n FROM kept_over LIMIT 1").fetchone() == (42,)


def test_valkey_needs_its_password_and_keeps_its_data(tmp_path: Path) -> None:
    kept = runenv.invent()
    server = Valkey(tmp_path / "valkey", kept)
    server.start()
    with redis.Redis(port=kept.valkey_port) as nobody, pytest.raises(redis.AuthenticationError):
        nobody.ping()
    with redis.Redis.from_url(runenv.redis_url(kept)) as client:
        client.set("word", "kept")
    server.stop()
    server.start()
    with redis.Redis.from_url(runenv.redis_url(kept)) as client:
        assert client.get("word") == b"kept"
    server.stop()


@pytest.mark.parametrize("find", [postgres.install_directory, valkey.binary])
def test_where_a_server_cannot_run_the_sentence_names_ones_own(
    monkeypatch: pytest.MonkeyPatch, find: Any
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ProblemError) as caught:
        find()
    assert "DATABASE_URL" in str(caught.value)
    assert "REDIS_URL" in str(caught.value)
