"""What `make run` invents, keeps, and leaves to the environment."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from devstack import runenv
from devstack.problem import ProblemError


def test_what_was_invented_is_kept(tmp_path: Path) -> None:
    local = tmp_path / ".local"
    first = runenv.ensure(local, {})
    assert runenv.ensure(local, {}).remembered == first.remembered


def test_secrets_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    local = tmp_path / ".local"
    runenv.ensure(local, {})
    assert stat.S_IMODE(local.stat().st_mode) == 0o700
    for name in ("run.env", "remembered.json"):
        assert stat.S_IMODE((local / name).stat().st_mode) == 0o600


def test_the_app_connects_as_a_role_that_does_not_migrate(tmp_path: Path) -> None:
    values = runenv.ensure(tmp_path / ".local", {}).values
    assert values["DATABASE_URL"].startswith("postgres://onboarding_app:")
    assert values["DATABASE_OWNER_URL"].startswith("postgres://onboarding_owner:")


def test_a_given_server_replaces_the_embedded_one(tmp_path: Path) -> None:
    given = {"DATABASE_URL": "postgres://u:p@db/x", "REDIS_URL": "redis://r/0"}
    plan = runenv.ensure(tmp_path / ".local", given)
    assert not plan.embedded_postgres
    assert not plan.embedded_valkey
    written = (tmp_path / ".local" / "run.env").read_text()
    assert "DATABASE" not in written
    assert "REDIS_URL" not in written


@pytest.mark.parametrize("name", ["META_APP_ID", "YCLOUD_API_KEY", "YCLOUD_API_KEY_FILE"])
def test_one_real_side_turns_the_sandbox_off(tmp_path: Path, name: str) -> None:
    local = tmp_path / ".local"
    assert runenv.ensure(local, {}).sandbox
    assert not runenv.ensure(local, {name: "123"}).sandbox
    assert "SANDBOX_ORIGIN" not in (local / "run.env").read_text()


def test_a_port_decides_the_site_s_address(tmp_path: Path) -> None:
    plan = runenv.ensure(tmp_path / ".local", {"PORT": "8123"})
    assert plan.values["SITE_URL"] == "http://localhost:8123"


@pytest.mark.parametrize("port", ["x", "0", "70000", "-1"])
def test_a_port_that_is_none_is_refused_by_name(tmp_path: Path, port: str) -> None:
    with pytest.raises(ProblemError, match="PORT"):
        runenv.ensure(tmp_path / ".local", {"PORT": port})


def test_two_equal_ports_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match="SANDBOX_PORT"):
        runenv.ensure(tmp_path / ".local", {"PORT": "8001"})


def test_a_remembered_port_that_is_taken_now_is_replaced(tmp_path: Path) -> None:
    local = tmp_path / ".local"
    first = runenv.ensure(local, {}).remembered
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first.postgres_port))
        taken.listen()
        second = runenv.ensure(local, {}).remembered
    assert second.postgres_port != first.postgres_port
    assert second.owner_password == first.owner_password


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_somebody_elses_directory_is_refused_with_the_fix(tmp_path: Path) -> None:
    local = tmp_path / ".local"
    local.mkdir()
    os.chown(local, 65534, 65534)
    with pytest.raises(ProblemError, match="belongs to another user"):
        runenv.ensure(local, {})
