"""What Sentry is told: an error with its place and its ids, and nothing that anybody planted."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from django.conf import settings as site
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client, RequestFactory
from rest_framework.test import APIClient
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport
from structlog.contextvars import bind_contextvars, clear_contextvars

from config import sentry
from onboarding import meta, services, tasks
from onboarding.models import Onboarding
from tenants.models import Tenant
from tests.config.test_settings import GOOD, ROOT, load
from tests.test_journey import API

SECRET = "Sup3rS3cretValue0123456789abcdef"
PERSON, NUMBER = "anna@customer.example", "+34 600 123 456"


class Kept(Transport):
    """A transport that keeps what would have gone out."""

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self.sent: list[dict[str, Any]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.sent += [item.payload.json for item in envelope.items if item.payload.json]

    @property
    def text(self) -> str:
        return json.dumps(self.sent)


def listening(settings: Any) -> Iterator[Kept]:
    """Sentry is on, and what it would send is kept here."""
    settings.SENTRY_DSN = "https://publickey@sentry.example/1"
    transport = Kept()
    sentry.begin(transport=transport)
    yield transport
    sentry_sdk.get_global_scope().set_client(None)
    sentry_sdk.init()  # asleep again


@pytest.fixture
def kept(settings: Any) -> Iterator[Kept]:
    yield from listening(settings)


def test_a_fault_of_a_request_is_told_with_its_ids_and_without_secrets(
    kept: Kept, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = api.post(API, {"connection_mode": "business_app"}).json()["id"]
    api.raise_request_exception = False

    def fails(row: Any, asker: Any, result: dict[str, str]) -> None:
        held = result["code"] + SECRET
        raise ValueError(f"could not take {result} of {PERSON} at {NUMBER} {len(held)}")

    monkeypatch.setattr(services, "record_signup_result", fails)
    code = "AQ" + "plantedCode" * 8
    answer = api.post(
        f"{API}{id_}/signup/?token={SECRET}", {"code": code},
        HTTP_X_REQUEST_ID="sentry-request-1", HTTP_REFERER=SECRET, HTTP_X_API_KEY=SECRET,
    )  # fmt: skip
    assert answer.status_code == 500
    told = kept.sent[-1]
    assert told["exception"]["values"][-1]["type"] == "ValueError"
    assert told["tags"]["request_id"] == "sentry-request-1"
    assert told["tags"]["onboarding"] == id_
    assert told["tags"]["tenant"] == "cakes"
    assert told["transaction"] == "/api/v1/onboardings/{id}/signup/"
    session = api.cookies["sessionid"].value
    for planted in (code, SECRET, PERSON, "600 123", session, site.YCLOUD_API_KEY):
        assert planted not in kept.text, planted
    assert '"vars"' not in kept.text
    assert "Cookie" not in kept.text


def test_the_address_of_a_signup_link_is_told_as_its_route(
    kept: Kept, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, token = services.create_link(tenant)

    def fails(*_: Any, **__: Any) -> None:
        raise ValueError

    monkeypatch.setattr(services, "open_link", fails)
    sent = {"REQUEST_METHOD": "GET", "PATH_INFO": f"/s/{token}/", "QUERY_STRING": f"next={SECRET}",
            "HTTP_COOKIE": f"sessionid={SECRET}", "SERVER_NAME": "localhost"}  # fmt: skip
    environ = RequestFactory()._base_environ(**sent)
    b"".join(WSGIHandler()(environ, lambda *_: None))  # type: ignore[arg-type, return-value]
    assert kept.sent[-1]["request"] == {"method": "GET", "url": "/s/<str:token>/"}
    assert kept.sent[-1]["transaction"] == "/s/{token}/"
    assert token not in kept.text
    assert SECRET not in kept.text


def test_a_logged_error_is_told_without_the_arguments_that_it_was_made_of(kept: Kept) -> None:
    bind_contextvars(onboarding="an-onboarding", task="advance_onboarding")
    logging.getLogger("x").info("before: access_token=%s", SECRET)
    logging.getLogger("x").error("it failed: access_token=%s for %s", SECRET, PERSON)
    clear_contextvars()
    told = kept.sent[-1]
    assert told["logentry"]["message"].startswith("it failed")
    assert told["tags"]["task"] == "advance_onboarding"
    assert SECRET not in kept.text
    assert PERSON not in kept.text


def test_a_fault_of_a_task_is_told_without_its_arguments(
    kept: Kept, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_id: int) -> None:
        raise ValueError(f"secret={SECRET}")

    monkeypatch.setattr(meta, "exchange_code", fails)
    tasks.exchange_code.apply(kwargs={"onboarding_id": 1, "planted": SECRET})
    assert kept.sent[-1]["exception"]["values"][-1]["type"] == "ValueError"
    assert kept.sent[-1]["tags"]["task"] == "exchange_code"
    assert SECRET not in kept.text


def test_a_call_before_the_fault_leaves_no_address_in_the_event(kept: Kept) -> None:
    crumb = {"category": "httplib", "data": {"url": f"https://x/?input_token={SECRET}",
                                             "status_code": 200}}  # fmt: skip
    sentry_sdk.add_breadcrumb(crumb)
    sentry_sdk.add_breadcrumb({"category": "x", "message": f"told {PERSON}", "data": SECRET})
    sentry_sdk.capture_message("y", level="error")
    assert kept.sent[-1]["breadcrumbs"]["values"]
    assert SECRET not in kept.text
    assert PERSON not in kept.text


def test_a_server_that_is_away_costs_a_request_nothing(
    settings: Any, client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SENTRY_DSN = "http://publickey@127.0.0.1:9/1"
    sentry.begin()
    monkeypatch.setattr(services, "open_link", lambda *_, **__: 1 / 0)
    client.raise_request_exception = False
    began = time.monotonic()
    for _ in range(5):
        assert client.get("/s/some-token-or-other/").status_code == 500
    assert time.monotonic() - began < 3
    sentry_sdk.init()


def test_without_its_setting_the_library_is_not_even_loaded() -> None:
    script = (
        "import django; django.setup(); import sys; from config import reporting; "
        "reporting.begin_errors(); reporting.begin_traces(); "
        "print([m for m in ('sentry_sdk', 'config.sentry', 'config.tracing', "
        "'opentelemetry.instrumentation') if m in sys.modules])"
    )
    import os

    env = {"ONLY_ENVIRONMENT": "1", "PATH": os.environ["PATH"], **GOOD,
           "DJANGO_SETTINGS_MODULE": "config.settings"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("dsn", ["nonsense", "https://sentry.example/1", "https://key@x.example"])
def test_a_dsn_that_is_none_stops_the_start(dsn: str) -> None:
    assert "SENTRY_DSN" in load("1", SENTRY_DSN=dsn).stderr


def test_rows_are_made(tenant: Tenant, kept: Kept) -> None:
    """The SDK's database integration changes nothing about queries."""
    Onboarding.objects.create(tenant=tenant)
    assert kept.sent == []
