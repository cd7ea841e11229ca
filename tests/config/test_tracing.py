"""What an OpenTelemetry collector is told: routes and times, never an address or a secret."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from rest_framework.test import APIClient

from config import tracing
from onboarding import services
from tenants.models import Tenant
from tests.config.test_logs import Written, _written
from tests.config.test_settings import load
from tests.conftest import Sandbox, Worker
from tests.test_journey import API, Customer

SECRET = "Sup3rS3cretValue0123456789abcdef"


class Traced:
    """What left, as the collector would have got it."""

    def __init__(self, exporter: InMemorySpanExporter, provider: TracerProvider) -> None:
        self.exporter, self.provider = exporter, provider

    @property
    def spans(self) -> list[ReadableSpan]:
        self.provider.force_flush()
        return list(self.exporter.get_finished_spans())

    @property
    def text(self) -> str:
        return " ".join(span.to_json() for span in self.spans)


def listening(settings: Any) -> Iterator[Traced]:
    """Everything is instrumented, and the spans are kept here."""
    settings.MIDDLEWARE = list(settings.MIDDLEWARE)
    exporter = InMemorySpanExporter()
    provider = tracing.begin(exporter)
    yield Traced(exporter, provider)
    tracing.end()
    provider.shutdown()


@pytest.fixture
def traced(settings: Any) -> Iterator[Traced]:
    yield from listening(settings)


@pytest.fixture
def written() -> Iterator[Written]:
    yield from _written("json")


def test_a_request_is_told_by_its_route_and_its_ids(traced: Traced, api: APIClient) -> None:
    id_ = api.post(API, {"connection_mode": "business_app"}).json()["id"]
    asked = {"HTTP_X_REQUEST_ID": "a-traced-request"}
    api.get(f"{API}{id_}/?token={SECRET}", **asked)
    span = traced.spans[-1]
    assert span.name.startswith("GET api/v1/onboardings/(?P<id>")
    told = dict(span.attributes or {})
    assert (told["onboarding"], told["tenant"]) == (id_, "cakes")
    assert told["request_id"] == "a-traced-request"
    assert told.keys() <= tracing.KEPT_ATTRIBUTES
    assert SECRET not in traced.text


def test_a_secret_address_leaves_as_its_route(traced: Traced, tenant: Tenant) -> None:
    _, token = services.create_link(tenant)
    Client().get(f"/s/{token}/", headers={"Referer": f"https://x/{SECRET}"})
    assert [span.name for span in traced.spans] == ["GET s/<str:token>/"]
    assert token not in traced.text
    assert SECRET not in traced.text


def test_an_address_of_nobody_s_is_no_name_of_a_span(traced: Traced, db: None) -> None:
    Client().get(f"/{SECRET}/")
    assert SECRET not in traced.text


def test_a_fault_is_told_with_its_trace_but_no_secret(
    traced: Traced, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise ValueError(f"access_token={SECRET} of anna@customer.example")

    monkeypatch.setattr(services, "open_link", fails)
    Client(raise_request_exception=False).get("/s/some-token-or-other/")
    (span,) = traced.spans
    assert any((e.attributes or {}).get("exception.type") == "ValueError" for e in span.events)
    assert SECRET not in traced.text
    assert "anna@" not in traced.text


def test_calls_to_ycloud_and_meta_leave_no_address_and_no_token(
    traced: Traced, api: APIClient, sandbox: Sandbox, worker: Worker
) -> None:
    window = Customer(api, sandbox, worker).goes_through("approve")
    assert {"GET", "POST"} <= {span.name for span in traced.spans}
    planted = [
        window["code"],
        window["waba_id"],
        "sandbox-app-secret",
        *sandbox.server.world.tokens,
    ]
    assert [text for text in planted if text in traced.text] == []


def test_a_line_of_the_log_names_its_trace(traced: Traced, written: Written, db: None) -> None:
    Client().get("/no/such/page/")
    (line,) = written.of("Not Found: /no/such/page/")
    assert line["trace_id"] == format(traced.spans[-1].context.trace_id, "032x")
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_collector_that_is_away_costs_a_request_nothing(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    settings.MIDDLEWARE = list(settings.MIDDLEWARE)
    provider = tracing.begin()
    try:
        client = Client()
        began = time.monotonic()
        for _ in range(20):
            assert client.get("/healthz").status_code == 200
            assert client.get("/theme.css").status_code == 200
        assert time.monotonic() - began < 3
    finally:
        tracing.end()
        began = time.monotonic()
        provider.shutdown()
    assert time.monotonic() - began < 5, "a stop does not wait for it either"


def test_what_the_exporter_answers_is_handed_back() -> None:
    class Refuses(InMemorySpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            return SpanExportResult.FAILURE

    assert tracing.Cleaning(Refuses()).export([]) == SpanExportResult.FAILURE


@pytest.mark.parametrize("address", ["nonsense", "collector:4318", "ftp://collector"])
def test_an_endpoint_that_is_none_stops_the_start(address: str) -> None:
    told = load("1", OTEL_EXPORTER_OTLP_ENDPOINT=address)
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in told.stderr


def test_nothing_is_instrumented_without_the_setting() -> None:
    handler = WSGIHandler()
    assert "opentelemetry" not in repr(handler._middleware_chain)
