"""API keys: shown once, kept as a hash, refused in the same words whatever is wrong with them."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from tenants import access
from tenants.keys import create_key, key_of, revoke_key
from tenants.models import ApiKey, AuditEntry, Tenant, User
from tests.conftest import pages_of, partner_api

TENANTS = "/api/v1/tenants/"
ADMIN = "/admin/tenants/apikey/"


def made(**more: Any) -> tuple[ApiKey, str]:
    return create_key("crm", ["tenants:read"], actor="command", **more)


def asked(key: str) -> Any:
    return APIClient().get(TENANTS, headers={"Authorization": f"Bearer {key}"})


def test_a_key_is_its_shown_prefix_and_256_random_bits(db: None) -> None:
    row, key = made()
    assert key.startswith(f"{row.prefix}_")
    assert len(row.prefix) == 12
    assert len(key) == 12 + 1 + 43
    assert key_of(key) == row


def test_the_secret_is_nowhere_in_the_database(db: None) -> None:
    _, key = made()
    secret = key[13:]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(
                f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{secret}%"]
            )
            assert cursor.fetchone() == (0,), table


def test_a_key_opens_what_its_scope_says(db: None) -> None:
    _, key = made()
    assert asked(key).status_code == 200


def test_unknown_wrong_revoked_and_expired_keys_are_refused_in_the_same_words(db: None) -> None:
    gone, revoked = made()
    revoke_key(gone, actor="command")
    _, expired = made(expires_at=timezone.now() - timedelta(seconds=1))
    row, good = made()
    refused = [revoked, expired, "x", "", f"onb_aaaaaaaa_{good[13:]}", f"{row.prefix}_{'a' * 43}"]
    told = set()
    for key in refused:
        answer = asked(key)
        assert answer.status_code == 401
        error = answer.json()["error"]
        error.pop("request_id")
        told.add(str(error))
    assert len(told) == 1
    assert "key_refused" in told.pop()


def test_a_refused_key_is_not_helped_by_a_session(owner: User) -> None:
    client = APIClient()
    client.force_login(owner, backend="tenants.login.Backend")
    answer = client.get("/api/v1/onboardings/", headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401


def test_a_revoked_key_stays_revoked_at_its_first_time(db: None) -> None:
    row, _ = made()
    revoke_key(row, actor="anna")
    first = ApiKey.objects.get().revoked_at
    revoke_key(row, actor="anna")
    assert ApiKey.objects.get().revoked_at == first
    assert AuditEntry.objects.filter(act="api_key.revoked").count() == 1


def test_the_last_use_is_written_once_a_minute(db: None) -> None:
    row, key = made()
    with time_machine.travel("2026-11-24T10:00:00Z", tick=False) as clock:
        asked(key)
        first = ApiKey.objects.get(pk=row.pk).last_used_at
        clock.shift(59)
        asked(key)
        assert (
            ApiKey.objects.get(pk=row.pk).last_used_at
            == first
            == timezone.now() - timedelta(seconds=59)
        )
        clock.shift(2)
        asked(key)
        assert ApiKey.objects.get(pk=row.pk).last_used_at == timezone.now()


def test_too_small_a_scope_is_a_403_that_names_the_missing_one(db: None) -> None:
    answer = partner_api("tenants:read").post(TENANTS, {"name": "New"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (403, "scope_missing")
    assert "tenants:write" in error["message"]
    assert not Tenant.objects.exists()


@pytest.mark.parametrize("query", ["?api_key={}", "?{}=1", "?limit=5&x=a{}b"])
def test_a_key_in_an_address_is_refused_and_not_logged(
    db: None, query: str, caplog: pytest.LogCaptureFixture
) -> None:
    _, key = made()
    answer = APIClient().get(
        TENANTS + query.format(key), headers={"Authorization": f"Bearer {key}"}
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "key_in_address")
    assert key not in answer.content.decode()
    assert key not in caplog.text


def test_a_key_needs_no_csrf_token(db: None) -> None:
    assert partner_api().post(TENANTS, {"name": "New"}).status_code == 201


def test_a_key_sees_every_tenant_and_says_so(tenant: Tenant) -> None:
    row, _ = made()
    asker = access.partner(row)
    assert asker.sees_all
    assert asker.actor == f"key:{row.prefix}"
    assert access.tenant_for(asker, "cakes") == tenant
    assert not access.guest(tenant.pk, 1).sees_all


# --- Staff ---------------------------------------------------------------------------------------


def test_the_admin_shows_a_new_key_once_with_how_it_is_used(reviewer: User) -> None:
    pages = pages_of(reviewer)
    form = {
        "name": "crm",
        "scopes": ["links:read", "links:write"],
        "expires_at_0": "",
        "expires_at_1": "",
    }
    answer = pages.post(f"{ADMIN}add/", form, follow=True)
    page = answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert "messages" not in answer.cookies, "and is kept in no message"
    row = ApiKey.objects.get()
    assert (row.name, row.scopes, row.created_by) == (
        "crm",
        ["links:read", "links:write"],
        reviewer,
    )
    assert f"Authorization: Bearer {row.prefix}_" in page
    assert f"{row.prefix}_" not in pages.get(ADMIN).content.decode()
    assert f"{row.prefix}_" not in pages.get(f"{ADMIN}made/", follow=True).content.decode()
    entry = AuditEntry.objects.get(act="api_key.created")
    assert (entry.actor, entry.after["scopes"]) == (reviewer.username, row.scopes)


def test_a_key_cannot_be_changed_in_the_admin_but_revoked(reviewer: User) -> None:
    row, key = made()
    pages = pages_of(reviewer)
    assert pages.get(f"{ADMIN}{row.pk}/change/").status_code == 200
    assert pages.post(f"{ADMIN}{row.pk}/change/", {"name": "other"}).status_code == 403
    pages.post(ADMIN, {"action": "revoke_selected", "_selected_action": [row.pk]})
    assert key_of(key) is None
    assert AuditEntry.objects.get(act="api_key.revoked").actor == reviewer.username


def test_a_member_finds_no_keys(owner: User) -> None:
    assert pages_of(owner).get(ADMIN).status_code in (302, 403)
    assert Client().get(ADMIN).status_code == 302


def test_the_command_prints_a_key_that_works(db: None) -> None:
    out = StringIO()
    call_command(
        "create_api_key",
        "crm",
        "--scope",
        "tenants:read",
        "--days",
        "3",
        stdout=out,
        stderr=StringIO(),
    )
    assert asked(out.getvalue().strip()).status_code == 200
    assert ApiKey.objects.get().expires_at is not None
    assert AuditEntry.objects.get().actor == "command"


@pytest.mark.parametrize(
    "wrong", [["--scope", "all"], [], ["--scope", "links:read", "--days", "0"]]
)
def test_the_command_refuses_what_makes_no_sense(db: None, wrong: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("create_api_key", "crm", *wrong)
    assert not ApiKey.objects.exists()
