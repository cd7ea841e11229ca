"""The public pages' headers, against the published rules of the usual scanners.

Mozilla's HTTP Observatory (its scoring page, read November 2026) counts from 100; A+ begins there.
securityheaders.com gives A+ when six headers are there and the policy has nothing unsafe.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from tenants.models import User
from tests.conftest import pages_of

PUBLIC = ["/", "/accounts/login/", "/s/nobody-knows-this/", "/api/docs/", "/nothing-here/",
          "/accounts/password/reset/", "/api/v1/onboardings/", "/theme.css"]  # fmt: skip
OURS = ["/connect/"]


@pytest.fixture(autouse=True)
def _https(settings: Any) -> None:
    """As config/settings.py sets them for an https SITE_URL."""
    settings.HTTPS = settings.SECURE_SSL_REDIRECT = True
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True


def answer_of(address: str, owner: User) -> Any:
    client = pages_of(owner) if address in OURS else Client()
    return client.get(address, secure=True)


def directives(policy: str) -> dict[str, list[str]]:
    parts = (part.split() for part in policy.split(";") if part.strip())
    return {name: sources for name, *sources in parts}


def observatory(answer: Any) -> int:
    """The Observatory's score of one answer, by its published modifiers."""
    score = 100
    policy = directives(answer["Content-Security-Policy"])
    scripts = policy.get("script-src", policy["default-src"])
    assert not {"'unsafe-inline'", "'unsafe-eval'", "data:", "*", "https:"} & set(scripts)
    assert "'unsafe-inline'" not in policy.get("style-src", [])
    score += 10 if policy["default-src"] == ["'none'"] else 5
    for name, cookie in answer.cookies.items():
        assert cookie["secure"], name
        assert cookie["samesite"] in ("Lax", "Strict"), name
        assert cookie["httponly"] or name == "csrftoken", name
    assert "Access-Control-Allow-Origin" not in answer
    assert answer["Referrer-Policy"] in ("same-origin", "no-referrer", "strict-origin")
    score += 5
    seconds = re.search(r"max-age=(\d+)", answer["Strict-Transport-Security"])
    assert seconds
    assert int(seconds[1]) >= 15_768_000
    score += 5 if "preload" in answer["Strict-Transport-Security"] else 0
    for tag in re.findall(rb"<script[^>]*src=[^>]*>", answer.content):
        assert b'src="/' in tag, "a script from elsewhere without integrity"
    assert answer["X-Content-Type-Options"] == "nosniff"
    score += 5 if policy["frame-ancestors"] == ["'none'"] else 0
    score += 10 if answer["Cross-Origin-Resource-Policy"] == "same-origin" else 0
    return score


@pytest.mark.parametrize("address", [*PUBLIC, *OURS])
def test_each_public_page_reaches_the_top_grade(address: str, owner: User) -> None:
    answer = answer_of(address, owner)
    assert answer.status_code < 500
    assert observatory(answer) >= 130


@pytest.mark.parametrize("address", [*PUBLIC, *OURS])
def test_the_six_headers_are_there(address: str, owner: User) -> None:
    answer = answer_of(address, owner)
    for name in (
        "Strict-Transport-Security", "Content-Security-Policy", "X-Frame-Options",
        "X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy",
    ):  # fmt: skip
        assert answer.get(name), name
    assert "camera=()" in answer["Permissions-Policy"]


def test_http_leads_to_https_on_the_same_host_first(db: None) -> None:
    answer = Client().get("/connect/")
    assert answer.status_code == 301
    assert answer["Location"] == "https://testserver/connect/"


@pytest.mark.parametrize(
    ("address", "length", "status"),
    [
        ("/api/v1/onboardings/", 65_537, 413),
        ("/accounts/login/", 100_001, 413),
        ("/webhooks/ycloud/", 1_000_001, 413),
        ("/webhooks/ycloud/", 1_000_000, 503),
    ],
)
def test_a_body_beyond_any_honest_size_is_refused_unread(
    db: None, settings: Any, address: str, length: int, status: int
) -> None:
    settings.YCLOUD_WEBHOOK_SECRETS = []
    answer = Client().post(address, "x" * length, content_type="application/json", secure=True)
    assert answer.status_code == status
    if address.startswith("/api/"):
        assert answer.json()["error"]["code"] == "too_large"
        assert answer.json()["error"]["request_id"]


def test_a_body_whose_length_is_nonsense_is_refused(db: None) -> None:
    answer = Client().post(
        "/api/v1/onboardings/", {}, content_type="application/json", secure=True,
        CONTENT_LENGTH="-5",
    )  # fmt: skip
    assert answer.status_code == 413
