"""Connections of the pool: living ones only, and what one was told does not go on to the next."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, connections

from config.database import base
from config.database.base import DatabaseWrapper, hung_up
from tenants import walls
from tenants.models import Tenant

POOL = {"min_size": 1, "max_size": 1, "timeout": 3}


@pytest.fixture
def pooled(transactional_db: None) -> Iterator[DatabaseWrapper]:
    """The default connection, from a pool of one, as in web and workers."""
    before = connections["default"]
    before.close()
    settings = {
        **before.settings_dict,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": False,
        # Not `assume_role`, which Django cannot set in the pool's own thread.
        "OPTIONS": {"pool": POOL, "options": "-c role=onboarding_app"},
    }
    made = DatabaseWrapper(settings, "default")
    connections["default"] = made
    yield made
    made.close()
    made.close_pool()
    connections["default"] = before


def pid_of(database: Any) -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def scope_of(database: Any) -> str:
    with database.cursor() as cursor:
        cursor.execute("SELECT current_setting('onboarding.scope', true)")
        return str(cursor.fetchone()[0] or "")


def end(pid: int) -> None:
    """As an administrator, or a restart, ends a connection: by its user's own right."""
    told = connections["default"].settings_dict
    address = {"host": told["HOST"], "port": told["PORT"], "dbname": told["NAME"]}
    with psycopg.connect(**address, user=told["USER"], password=told["PASSWORD"]) as other:
        other.execute("SELECT pg_terminate_backend(%s, 3000)", [pid])


def test_a_closed_connection_is_used_again(pooled: DatabaseWrapper) -> None:
    first = pid_of(pooled)
    pooled.close()
    assert pid_of(pooled) == first


def test_a_connection_that_the_server_ended_is_replaced_unasked(pooled: DatabaseWrapper) -> None:
    first = pid_of(pooled)
    pooled.close()
    end(first)
    assert pid_of(pooled) != first


def test_a_server_that_always_has_something_to_say_is_put_up_with(
    pooled: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "hung_up", lambda connection: True)
    assert pid_of(pooled)


def test_an_idle_connection_that_lives_has_not_hung_up(pooled: DatabaseWrapper) -> None:
    pid_of(pooled)
    assert not hung_up(pooled.connection)


def test_no_connection_to_be_had_is_told_within_seconds(pooled: DatabaseWrapper) -> None:
    beside = DatabaseWrapper(pooled.settings_dict, "default")  # of the same pool of one
    pid_of(beside)
    began = time.monotonic()
    with pytest.raises(OperationalError):
        pid_of(pooled)
    assert time.monotonic() - began < 10
    beside.close()


def test_why_there_is_no_connection_is_told(pooled: DatabaseWrapper) -> None:
    wrong = DatabaseWrapper({**pooled.settings_dict, "NAME": "nowhere"}, "wrong")
    try:
        with pytest.raises(OperationalError, match="nowhere"):
            wrong.ensure_connection()
    finally:
        wrong.close_pool()


def test_what_a_worker_saw_is_not_seen_by_who_takes_its_connection_next(
    pooled: DatabaseWrapper,
) -> None:
    Tenant.objects.create(name="Cakes", slug="cakes")
    with walls.seeing_nothing():
        with walls.seeing_everything("a worker"):
            first = pid_of(pooled)
            pooled.close()  # in the midst of it, as a thread that ends does
        assert Tenant.objects.count() == 0
        assert pid_of(pooled) == first
        assert scope_of(pooled) == ""


def test_a_connection_from_the_pool_sees_what_the_code_around_it_sees(
    pooled: DatabaseWrapper,
) -> None:
    with walls.seeing_nothing():
        assert scope_of(pooled) == ""
        pooled.close()
        with walls.seeing_everything("a worker"):
            assert scope_of(pooled) == "everything"
        assert scope_of(pooled) == ""


def test_a_connection_that_could_not_be_told_is_not_given_back_to_the_pool(
    pooled: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = walls._tell

    def fails(told: Any, scope: walls.Scope, *, local: bool) -> None:
        if scope == walls.NOTHING and told.connection is not None:
            raise OperationalError("away")
        tell(told, scope, local=local)

    with walls.seeing_nothing():
        with walls.seeing_everything("a worker"):
            first = pid_of(pooled)
            monkeypatch.setattr(walls, "_tell", fails)
        monkeypatch.undo()
        assert pid_of(pooled) != first


def test_tests_themselves_run_without_the_pool(db: None) -> None:
    assert not connection.settings_dict["OPTIONS"].get("pool")
