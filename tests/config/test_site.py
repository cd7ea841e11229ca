"""Health, forwarded headers, request ids, the access log, the deploy checks."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import checks
from django.core.cache import cache
from django.test import Client, RequestFactory

from config.gunicorn import shown_path
from config.middleware import ForwardedHeaders
from config.theme import contrast, readable_on
from tenants.models import User


def test_the_process_answers(client: Client) -> None:
    assert client.get("/healthz").content == b"ok\n"


def test_ready_means_database_and_migrations(client: Client, db: None) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "database": "ok"})


def test_fully_ready_needs_workers_and_beat_too(client: Client, db: None) -> None:
    cache.delete("beat_alive")
    answer = client.get("/readyz?full=1")
    told = answer.json()
    assert answer.status_code == 503
    assert told["redis"] == "ok"
    assert told["workers"] == "no worker for default, exchange, outbound, waiting"
    assert "beat" in told["beat"]


def test_a_request_id_is_echoed_or_made(client: Client, db: None) -> None:
    given = client.get("/healthz", headers={"X-Request-ID": "from-the-proxy-1"})
    assert given["X-Request-ID"] == "from-the-proxy-1"
    evil = client.get("/healthz", headers={"X-Request-ID": "x\ty"})
    assert evil["X-Request-ID"] != "x\ty"
    assert len(client.get("/healthz")["X-Request-ID"]) == 32


@pytest.mark.parametrize(
    ("peer", "kept"), [("10.1.2.3", True), ("192.0.2.1", False), ("nonsense", False)]
)
def test_forwarded_headers_count_only_from_trusted_proxies(
    settings: Any, peer: str, kept: bool
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO="https")
    seen: list[bool] = []
    ForwardedHeaders(lambda r: seen.append("HTTP_X_FORWARDED_PROTO" in r.META))(request)  # type: ignore[arg-type, func-returns-value]
    assert seen == [kept]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/s/secret-token/", "/s/…"),
        ("/connect/return/abc", "/connect/return/…"),
        ("/accounts/password/reset/key/1-abc/", "/accounts/password/reset/key/…"),
        ("/connect/", "/connect/"),
        ("/static/base.css", "/static/base.css"),
    ],
)
def test_the_access_log_drops_the_tail_of_secret_addresses(path: str, shown: str) -> None:
    assert shown_path(path) == shown


@pytest.mark.parametrize("colour", ["#0b6bcb", "#ffffff", "#000000", "#ffdd00", "#7f7f7f"])
def test_text_on_the_accent_can_be_read(colour: str) -> None:
    assert contrast(colour, readable_on(colour)) >= 4.5


@pytest.mark.parametrize("accent", ["red", "#12", "#12345g", "#000;}body{display:none"])
def test_an_unusable_accent_falls_back(client: Client, settings: Any, accent: str) -> None:
    settings.PARTNER_ACCENT = accent
    assert "--accent:#0b6bcb" in client.get("/theme.css").content.decode()


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"FIELD_ENCRYPTION_KEYS": ["short"]}, "onboarding.E001"),
        ({"HTTPS": False}, "onboarding.E002"),
        ({"META_APP_ID": ""}, "onboarding.E003"),
        ({"META_APP_SECRET": "", "ONBOARDING_UNPROVEN_IS_SET": False}, "onboarding.E004"),
        ({"YCLOUD_WEBHOOK_SECRETS": []}, "onboarding.E005"),
        ({"SANDBOX_ORIGIN": "http://127.0.0.1:8001"}, "onboarding.E006"),
        ({"META_SDK_URL": "http://evil.example/sdk.js"}, "onboarding.E007"),
        ({"META_SOLUTION_ID": {"business_platform": ""}}, "onboarding.W001"),
        ({"STATIC_COLLECTED": False}, "onboarding.W002"),
    ],
)
def test_each_deploy_check_finds_its_fault(
    settings: Any, changes: dict[str, Any], found: str
) -> None:
    production = {
        "HTTPS": True,
        "SANDBOX_ORIGIN": "",
        "YCLOUD_API_BASE_URL": "https://api.ycloud.com/v2",
        "META_GRAPH_BASE_URL": "https://graph.facebook.com",
        "META_SDK_URL": "https://connect.facebook.net/en_US/sdk.js",
        "STATIC_COLLECTED": True,
    }

    def ours() -> set[str]:
        told = checks.run_checks(include_deployment_checks=True)
        return {str(each.id) for each in told if str(each.id).startswith("onboarding.")}

    for name, value in production.items():
        setattr(settings, name, value)
    assert ours() == set()
    for name, value in changes.items():
        setattr(settings, name, value)
    assert ours() == {found}


def test_a_login_without_redis_says_so_and_lets_nobody_guess(
    client: Client, owner: User, settings: Any
) -> None:
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}
    }
    sent = {"login": owner.email, "password": "secret-secret"}
    answer = client.post("/accounts/login/", sent)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "30"
    assert "Try again in a minute" in answer.content.decode()
    assert "sessionid" not in answer.cookies
