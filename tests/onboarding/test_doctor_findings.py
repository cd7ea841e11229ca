"""Each thing that doctor looks at, broken, and what it says then."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from onboarding import vitals
from onboarding.doctor import dashboard, database, mail, meta, partner, probe, workers, ycloud
from onboarding.doctor.finding import Finding
from onboarding.models import (
    Onboarding,
    SetupTick,
    WebhookEndpoint,
    WebhookEvent,
    WhatsAppBusinessAccount,
)
from tenants.models import Tenant, User
from tests.conftest import Sandbox


def levels(looks: Any) -> dict[str, str]:
    return {each.code: str(each.level) for each in looks()}


def found(looks: Any, code: str) -> Finding:
    (one,) = [each for each in looks() if each.code == code]
    return one


@pytest.fixture
def live(settings: Any) -> Any:
    """The settings of an installation that has gone live."""
    settings.SANDBOX_ORIGIN = ""
    settings.META_APP_ID = "123456789012345"
    settings.META_CONFIG_ID = {"business_platform": "2" * 15, "business_app": "3" * 15}
    settings.META_SOLUTION_ID = {"business_platform": "4" * 15, "business_app": "4" * 15}
    return settings


# --- Meta ----------------------------------------------------------------------------------------


def test_the_sandbox_is_to_be_left_for_going_live(settings: Any) -> None:
    settings.SANDBOX_ORIGIN = "http://127.0.0.1:8001"
    assert levels(meta.sandbox) == {"sandbox": "todo"}
    settings.SANDBOX_ORIGIN = ""
    assert levels(meta.sandbox) == {"sandbox": "ok"}


def test_ids_that_look_right_are_well(live: Any) -> None:
    assert set(levels(meta.ids).values()) == {"ok"}
    assert set(levels(meta.ids)) == {
        "meta_app_id", "meta_config_id", "meta_config_id_business_app", "meta_solution_id",
        "meta_solution_id_business_app",
    }  # fmt: skip


@pytest.mark.parametrize("mode", ["business_platform", "business_app"])
@pytest.mark.parametrize("setting", ["META_CONFIG_ID", "META_SOLUTION_ID"])
@pytest.mark.parametrize(
    ("value", "level", "words"),
    [
        ("", "error", "is not set"),
        ("12ab", "error", "digits only"),
        ("12345", "warning", "about 15 digits"),
        ("123456789012345", "error", "the app itself"),
    ],
)
def test_an_id_that_cannot_be_right_is_told_for_each_mode(
    live: Any, setting: str, mode: str, value: str, level: str, words: str
) -> None:
    setattr(live, setting, {**getattr(live, setting), mode: value})
    code = setting.lower() + ("_business_app" if mode == "business_app" else "")
    finding = found(meta.ids, code)
    assert finding.level == level
    assert words in finding.what
    assert code.upper() in finding.remedy
    assert finding.why


def test_an_app_without_an_id_is_an_error(live: Any) -> None:
    live.META_APP_ID = ""
    assert found(meta.ids, "meta_app_id").level == "error"


@pytest.mark.parametrize(
    ("version", "day", "level"),
    [
        ("v2", "2026-10-14", "warning"),
        ("v2", "2026-10-16", "error"),
        ("v3", "2026-10-31", "warning"),
        ("v3", "2026-11-27", "error"),
        ("v4", "2026-11-27", "ok"),
    ],
)
def test_a_signup_version_that_meta_ends_is_told_with_the_day(
    live: Any, version: str, day: str, level: str
) -> None:
    live.META_SIGNUP_VERSION = {"business_platform": "v4", "business_app": version}
    with time_machine.travel(f"{day}T12:00:00Z"):
        finding = found(meta.signup_version, "meta_signup_version_business_app")
        assert found(meta.signup_version, "meta_signup_version").level == "ok"
    assert finding.level == level
    if level != "ok":
        assert "2026-10-" in finding.what
        assert "META_SIGNUP_VERSION_BUSINESS_APP=v4" in finding.remedy


@pytest.mark.parametrize("name", ["META_SDK_VERSION", "META_GRAPH_VERSION"])
@pytest.mark.parametrize(
    ("value", "level"),
    [("v22.0", "ok"), ("v30.0", "ok"), ("v19.0", "warning"), ("22", "error"), ("", "error")],
)
def test_graph_versions_are_judged(live: Any, name: str, value: str, level: str) -> None:
    setattr(live, name, value)
    assert found(meta.sdk_version, name.lower()).level == level


@pytest.mark.parametrize(
    ("path", "level", "words"),
    [
        ("/sdk.js", "ok", "is loaded"),
        ("/nothing.js", "error", "status 404"),
        ("/dialog", "error", "no script"),
    ],
)
def test_what_is_at_the_sdks_address_is_looked_at(
    db: None, sandbox: Sandbox, settings: Any, path: str, level: str, words: str
) -> None:
    settings.META_SDK_URL = sandbox.url + path
    finding = found(meta.sdk, "meta_sdk_url")
    assert finding.level == level
    assert words in finding.what


def test_an_sdk_that_cannot_be_reached_or_is_not_https_is_told(live: Any) -> None:
    live.META_SDK_URL = "http://127.0.0.1:9/sdk.js"
    assert levels(meta.sdk) == {"meta_sdk_https": "error", "meta_sdk_url": "warning"}


def test_the_apps_secret_is_tried_and_never_in_an_address(
    db: None, sandbox: Sandbox, settings: Any
) -> None:
    assert levels(meta.app_secret) == {"meta_app_secret": "ok"}
    settings.META_APP_SECRET = "another-secret-altogether"
    finding = found(meta.app_secret, "meta_app_secret")
    assert finding.level == "error"
    assert "190" in finding.what
    assert "another-secret" not in str(sandbox.server.world.graph_calls)
    assert "another-secret" not in str(finding)


def test_a_secret_that_cannot_be_tried_is_unknown(
    db: None, sandbox: Sandbox, settings: Any
) -> None:
    sandbox.fault("graph_debug_token", "server_error")
    assert levels(meta.app_secret) == {"meta_app_secret": "unknown"}
    settings.META_GRAPH_BASE_URL = "http://127.0.0.1:9/graph"
    assert levels(meta.app_secret) == {"meta_app_secret": "unknown"}
    settings.META_APP_SECRET = ""
    assert levels(meta.app_secret) == {}


def test_without_a_secret_somebody_has_to_decide(settings: Any) -> None:
    settings.META_APP_SECRET, settings.ONBOARDING_UNPROVEN_IS_SET = "", False
    assert levels(meta.proven) == {"proof": "error"}
    settings.ONBOARDING_UNPROVEN_IS_SET = True
    assert levels(meta.proven) == {"proof": "ok"}


def test_metas_cap_on_new_customers_is_told_before_it_is_reached(
    tenant: Tenant, settings: Any
) -> None:
    settings.META_NEW_CUSTOMERS_PER_7_DAYS = 5
    assert levels(meta.cap) == {"new_customers": "ok"}
    WhatsAppBusinessAccount.objects.bulk_create(
        WhatsAppBusinessAccount(tenant=tenant, waba_id=f"9{n}") for n in range(4)
    )
    assert levels(meta.cap) == {"new_customers": "warning"}


# --- YCloud --------------------------------------------------------------------------------------


def test_a_key_that_ycloud_refuses_is_told_apart_from_a_net_that_fails(
    db: None, sandbox: Sandbox, settings: Any
) -> None:
    assert found(ycloud.account, "ycloud").level == "ok"
    settings.YCLOUD_API_KEY = "wrong-key"
    refused = found(ycloud.account, "ycloud")
    assert "refuses YCLOUD_API_KEY" in refused.what
    assert "wrong-key" not in str(refused)
    settings.YCLOUD_API_BASE_URL = "http://127.0.0.1:9/v2"
    assert "could not be asked" in found(ycloud.account, "ycloud").what


@pytest.mark.parametrize(
    ("amount", "level"), [(100.0, "ok"), (20.0, "ok"), (19.99, "warning"), (0.0, "error")]
)
def test_the_balance_is_judged(db: None, sandbox: Sandbox, amount: float, level: str) -> None:
    sandbox.server.world.balance = amount
    assert found(ycloud.account, "balance").level == level


def test_a_balance_that_cannot_be_read_is_unknown(db: None, sandbox: Sandbox) -> None:
    sandbox.fault("balance", "server_error")
    assert found(ycloud.account, "balance").level == "unknown"
    assert found(ycloud.account, "ycloud").level == "ok"


def test_when_ycloud_was_heard_last_is_told(db: None, settings: Any) -> None:
    settings.SANDBOX_ORIGIN = ""
    assert levels(probe.heard) == {"webhook_heard": "unknown"}
    event = WebhookEvent.objects.create(event_id="evt_1", type="x", body={})
    assert levels(probe.heard) == {"webhook_heard": "ok"}
    late = timezone.now() - timedelta(minutes=10)
    WebhookEvent.objects.filter(pk=event.pk).update(sent_at=late)
    assert levels(probe.heard) == {"webhook_heard": "ok", "webhook_delay": "warning"}
    WebhookEvent.objects.update(received_at=timezone.now() - timedelta(days=8))
    assert levels(probe.heard) == {"webhook_heard": "unknown"}


# --- Workers -------------------------------------------------------------------------------------


def test_a_queue_without_a_worker_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def answering(*queues: str) -> None:
        told = {f"w@{name}": [{"name": name}] for name in queues}
        monkeypatch.setattr("celery.app.control.Inspect.active_queues", lambda _: told or None)

    answering("default", "exchange", "outbound", "waiting")
    assert levels(workers.queues) == {"workers": "ok"}
    answering("default", "outbound", "waiting")
    assert "No worker answers for: exchange." in found(workers.queues, "workers").what
    answering()
    assert found(workers.queues, "workers").level == "error"


def test_workers_are_not_asked_while_redis_is_away(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert levels(workers.queues) == {}
    assert levels(workers.lengths) == {}
    assert levels(workers.redis) == {"redis": "error"}


def test_beat_is_alive_while_it_is_heard(db: None) -> None:
    assert levels(workers.beat) == {"beat": "error"}
    cache.set("beat_alive", timezone.now().isoformat(), 30)
    assert levels(workers.beat) == {"beat": "ok"}
    cache.set("beat_alive", (timezone.now() - timedelta(seconds=25)).isoformat(), 30)
    assert levels(workers.beat) == {"beat": "error"}


def test_a_queue_that_grows_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vitals, "queue_lengths", lambda: {"default": 3, "exchange": 900})
    finding = found(workers.lengths, "queues")
    assert finding.level == "warning"
    assert "exchange 900" in finding.what


def test_what_waits_too_long_for_a_worker_is_told(tenant: Tenant) -> None:
    assert levels(workers.lag) == {"overdue": "ok", "unapplied": "ok"}
    ago = timezone.now() - timedelta(minutes=5)
    Onboarding.objects.create(
        tenant=tenant, connection_mode="business_platform", state="linked", next_look_at=ago
    )
    WebhookEvent.objects.create(event_id="evt_1", type="x", body={})
    WebhookEvent.objects.update(received_at=ago)
    assert levels(workers.lag) == {"overdue": "error", "unapplied": "error"}
    assert "for 300 s" in found(workers.lag, "overdue").what


class _Memory:
    def __init__(self, policy: str) -> None:
        self.policy = policy

    def config_get(self, _: str) -> dict[str, str]:
        return {"maxmemory-policy": self.policy}


@pytest.mark.parametrize(("policy", "level"), [("noeviction", "ok"), ("allkeys-lru", "warning")])
def test_a_redis_that_throws_things_away_is_told(policy: str, level: str) -> None:
    assert workers._memory(_Memory(policy)).level == level  # type: ignore[arg-type]


# --- Database and staff --------------------------------------------------------------------------


def test_migrations_that_are_not_applied_are_named(db: None) -> None:
    assert levels(database.migrations) == {"migrations": "ok"}
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE name = '0025_indexes_of_what_is_there'")
    finding = found(database.migrations, "migrations")
    assert finding.level == "error"
    assert "0025_indexes_of_what_is_there" in finding.what


def test_a_connection_that_lost_its_time_zone_is_told(db: None) -> None:
    assert levels(database.time_zone) == {}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TimeZone = 'Europe/Madrid'")
    assert levels(database.time_zone) == {"time_zone": "warning"}


def test_a_rotation_under_way_is_still_to_be_ended(db: None, settings: Any) -> None:
    assert levels(database.keys) == {"encryption_keys": "ok"}
    settings.FIELD_ENCRYPTION_KEYS = [
        Fernet.generate_key().decode(), *settings.FIELD_ENCRYPTION_KEYS,
    ]  # fmt: skip
    finding = found(database.keys, "encryption_keys")
    assert finding.level == "todo"
    assert not any(key in str(finding) for key in settings.FIELD_ENCRYPTION_KEYS)


def test_superusers_without_a_second_factor_are_counted_and_not_named(
    reviewer: User, settings: Any
) -> None:
    settings.SANDBOX_ORIGIN, settings.STAFF_MFA_REQUIRED = "", True
    finding = found(database.staff, "superusers")
    assert finding.level == "warning"
    assert "1 superusers" in finding.what
    assert reviewer.email not in str(finding)
    Authenticator.objects.create(user=reviewer, type="recovery_codes", data={})
    assert "superusers" in levels(database.staff)
    Authenticator.objects.create(user=reviewer, type="totp", data={})
    assert levels(database.staff) == {"staff_mfa": "ok"}
    settings.STAFF_MFA_REQUIRED = False
    assert levels(database.staff) == {"staff_mfa": "error"}


# --- Mail ----------------------------------------------------------------------------------------


@pytest.fixture
def smtp(settings: Any) -> Iterator[Any]:
    """A mail server that greets, and takes no letter."""
    settings.EMAIL_BACKEND = mail.SMTP
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_HOST = "127.0.0.1"
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.EMAIL_PORT = server.getsockname()[1]
        heard: list[bytes] = []

        def talk() -> None:
            peer, _ = server.accept()
            with peer:
                peer.sendall(b"220 mail ready\r\n")
                while line := peer.recv(1000):
                    heard.append(line)
                    peer.sendall(b"221 bye\r\n" if line[:4] == b"QUIT" else b"250 fine\r\n")

        threading.Thread(target=talk, daemon=True).start()
        settings.heard = heard
        yield settings


def test_a_mail_server_is_greeted_and_gets_no_letter(smtp: Any) -> None:
    assert levels(mail.server) == {"mail_server": "ok"}
    assert not any(line.startswith(b"MAIL") for line in smtp.heard)


def test_a_mail_server_that_is_not_there_is_told(settings: Any) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = mail.SMTP, "127.0.0.1", 9
    settings.EMAIL_HOST_PASSWORD = "the-mail-password"
    finding = found(mail.server, "mail_server")
    assert finding.level == "error"
    assert "127.0.0.1:9" in finding.what
    assert "the-mail-password" not in str(finding)


@pytest.mark.parametrize(("origin", "level"), [("", "error"), ("http://127.0.0.1:1", "todo")])
def test_letters_to_the_console_are_told(settings: Any, origin: str, level: str) -> None:
    settings.SANDBOX_ORIGIN = origin
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert levels(mail.server) == {"mail_server": level}


@pytest.mark.parametrize(
    ("address", "level"),
    [("Cakes <hello@cakes.com>", "ok"), ("noreply@localhost", "error"), ("", "error")],
)
def test_the_sender_is_judged(settings: Any, address: str, level: str) -> None:
    settings.SANDBOX_ORIGIN, settings.DEFAULT_FROM_EMAIL = "", address
    assert levels(mail.sender) == {"mail_sender": level}


# --- The partner ---------------------------------------------------------------------------------


def test_pages_without_a_name_or_with_a_strange_colour_are_told(settings: Any) -> None:
    settings.SANDBOX_ORIGIN, settings.PARTNER_NAME = "", "Cakes & Co"
    assert set(levels(partner.looks).values()) == {"ok"}
    settings.PARTNER_NAME, settings.PARTNER_ACCENT = partner.NOBODYS, "blue"
    told = levels(partner.looks)
    assert (told["partner_name"], told["partner_accent"]) == ("warning", "warning")


def test_an_endpoint_of_the_partners_that_fails_is_told(db: None) -> None:
    assert levels(partner.outbound) == {}
    row = WebhookEndpoint.objects.create(url="https://partner.example/hook", secret="whsec_x")
    assert levels(partner.outbound) == {"outbound": "ok"}
    WebhookEndpoint.objects.update(failing_since=datetime(2026, 11, 26, tzinfo=UTC))
    assert "since 2026-11-26" in found(partner.outbound, "outbound").what
    assert levels(partner.outbound) == {"outbound": "warning"}
    WebhookEndpoint.objects.update(enabled=False, disabled_reason=row.Disabled.GONE)
    assert levels(partner.outbound) == {"outbound": "error"}
    WebhookEndpoint.objects.update(disabled_reason=row.Disabled.BY_STAFF)
    assert levels(partner.outbound) == {"outbound": "ok"}


# --- By hand -------------------------------------------------------------------------------------


def test_each_item_is_to_do_until_it_is_ticked(db: None) -> None:
    assert set(levels(dashboard.look).values()) == {"todo"}
    dashboard.tick("app_live", "ann")
    told = found(dashboard.look, "tick_app_live")
    assert told.level == "ok"
    assert "ann" in told.what
    dashboard.untick("app_live", "bob")
    assert set(levels(dashboard.look).values()) == {"todo"}


def test_what_has_to_be_entered_is_given_exactly(db: None, live: Any) -> None:
    live.SITE_URL = "https://connect.cakes.com"
    values = {each.code: each.value for each in dashboard.look()}
    assert values["tick_allowed_domain"] == "https://connect.cakes.com/"
    assert values["tick_redirect_return"] == "https://connect.cakes.com/connect/return/"
    assert values["tick_app_domain"] == "connect.cakes.com"
    assert values["tick_configuration_business_app"] == "3" * 15
    assert values["tick_solution_active"] == "4" * 15


def test_no_item_is_listed_twice_and_none_that_there_is_not_can_be_ticked(db: None) -> None:
    assert len(dashboard.CODES) == len(dashboard.ITEMS)
    for act in (dashboard.tick, dashboard.untick):
        with pytest.raises(dashboard.UnknownItemError):
            act("nonsense", "ann")
    assert not SetupTick.objects.exists()
