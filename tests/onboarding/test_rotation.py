"""`manage.py rotate_keys`: all that is sealed comes under the first key; the rest is told."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection

from onboarding import services
from onboarding.models import Onboarding, SignupLink, WebhookSecret
from tenants import rotation
from tenants.models import AuditEntry, Tenant

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture(autouse=True)
def _sealed_with_the_old_key(settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]


@pytest.fixture
def secret(db: None) -> WebhookSecret:
    return WebhookSecret.objects.create(endpoint_id="1", url="x", secret="whsec_planted")


def raw(table: str, column: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} ORDER BY id")
        return [value for (value,) in cursor.fetchall()]


def rotate() -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("rotate_keys", stdout=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


def test_after_it_the_new_key_alone_reads_everything(
    secret: WebhookSecret, tenant: Tenant, settings: Any
) -> None:
    row = Onboarding.objects.create(tenant=tenant, connection_mode="business_app", code="AQ-x")
    link, token = services.create_link(tenant, email="a@b.example")
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    code, told = rotate()
    assert code == 0
    assert "onboarding.WebhookSecret.secret: 1 encrypted anew, 0 were current" in told
    assert "onboarding.Onboarding.code: 1 encrypted anew" in told
    assert "onboarding.SignupLink.sealed_token: 1 encrypted anew" in told
    assert "whsec_planted" not in told
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert WebhookSecret.objects.get().secret == "whsec_planted"
    assert Onboarding.objects.get(pk=row.pk).code == "AQ-x"
    assert SignupLink.objects.get(pk=link.pk).sealed_token == token


def test_a_second_run_changes_nothing(secret: WebhookSecret, settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    rotate()
    before = raw("onboarding_webhooksecret", "secret")
    code, told = rotate()
    assert (code, raw("onboarding_webhooksecret", "secret")) == (0, before)
    assert "onboarding.WebhookSecret.secret: 0 encrypted anew, 1 were current" in told


def test_what_no_key_decrypts_is_left_as_it_is_and_named(
    secret: WebhookSecret, settings: Any
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [LOST]
    lost = WebhookSecret.objects.create(endpoint_id="2", url="y", secret="whsec_lost")
    sealed = raw("onboarding_webhooksecret", "secret")[1]
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    code, told = rotate()
    assert code == 1
    assert f"1 cannot be decrypted with any key and are left as they are (rows {lost.pk})" in told
    assert raw("onboarding_webhooksecret", "secret")[1] == sealed
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert WebhookSecret.objects.get(pk=secret.pk).secret == "whsec_planted"
    settings.FIELD_ENCRYPTION_KEYS = [LOST]
    assert WebhookSecret.objects.get(pk=lost.pk).secret == "whsec_lost"


def test_more_rows_than_a_step_takes_are_all_rotated(
    tenant: Tenant, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 3)
    for n in range(8):
        Onboarding.objects.create(tenant=tenant, connection_mode="business_app", code=f"AQ-{n}")
    Onboarding.objects.create(tenant=tenant, connection_mode="business_app")
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    assert "onboarding.Onboarding.code: 8 encrypted anew, 0 were current" in rotate()[1]
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    codes = Onboarding.objects.order_by("pk").values_list("code", flat=True)
    assert list(codes) == [*(f"AQ-{n}" for n in range(8)), ""]


def test_a_row_that_is_written_meanwhile_keeps_what_was_written(
    secret: WebhookSecret, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    reseal = rotation.reseal

    def slowly(sealed: str) -> str | None:
        found = reseal(sealed)
        WebhookSecret.objects.update(secret="whsec_newer")
        return found

    monkeypatch.setattr(rotation, "reseal", slowly)
    assert "onboarding.WebhookSecret.secret: 0 encrypted anew" in rotate()[1]
    assert WebhookSecret.objects.get().secret == "whsec_newer"


def test_every_sealed_column_is_found_by_itself() -> None:
    found = {f"{model.__name__}.{column}" for model, column in rotation.sealed_columns()}
    assert {
        "WebhookSecret.secret", "Onboarding.code", "SignupLink.sealed_token", "MetaToken.token",
    } <= found  # fmt: skip


@pytest.fixture
def registered() -> Iterator[dict[str, str]]:
    kept = {"one": Fernet(OLD).encrypt(b"totp").decode()}

    def rotate_them(count: rotation.Count) -> None:
        for name, sealed in kept.items():
            if fresh := rotation.fresh(sealed, name, count):
                kept[name] = fresh
                count.rotated += 1

    rotation.register("elsewhere", rotate_them)
    yield kept
    del rotation._REGISTERED["elsewhere"]


def test_what_is_sealed_elsewhere_is_taken_along_where_it_is_registered(
    db: None, registered: dict[str, str], settings: Any
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    assert "elsewhere: 1 encrypted anew, 0 were current" in rotate()[1]
    assert Fernet(NEW).decrypt(registered["one"].encode()) == b"totp"
    assert "elsewhere: 0 encrypted anew, 1 were current" in rotate()[1]


def test_it_is_audited_without_a_value(secret: WebhookSecret, settings: Any) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    rotate()
    entry = AuditEntry.objects.get(act="keys.rotated")
    assert entry.after == {"onboarding.WebhookSecret.secret": 1}
