"""Traces to an OpenTelemetry collector, where OTEL_EXPORTER_OTLP_ENDPOINT names one.

A span leaves with nothing but the attributes of a closed list, cleaned: addresses are not among
them, since some hold a token and many an id. Spans wait in a bounded queue that a thread sends;
while the collector is away they are dropped.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.propagate import set_global_textmap
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.contextvars import bind_contextvars, get_contextvars

from tenants.redaction import redact_people

EXPORT_SECONDS = 2
"""A batch that the collector does not take in this time is dropped; a stop waits no longer."""

BOUND = ("request_id", "onboarding", "tenant")
KEPT_ATTRIBUTES = frozenset(
    {
        "http.method", "http.request.method", "http.status_code", "http.response.status_code",
        "http.route", "http.scheme", "url.scheme", "http.flavor", "network.protocol.version",
        "http.host", "server.address", "server.port", "net.peer.name", "error.type",
        "celery.action", "celery.state", "celery.task_name", "messaging.destination",
        "messaging.destination.name", "messaging.message.id", "messaging.system",
        "exception.type", "exception.message", "exception.stacktrace", "exception.escaped",
        "request_id", "onboarding", "tenant",
    }
)  # fmt: skip
"""What a span may tell. Addresses are not among it: some hold a token, many an id."""


def begin(exporter: SpanExporter | None = None) -> TracerProvider:
    """Instrument Django, Celery and httpx in this process, after it was forked.

    `exporter`: for tests; else by the settings that OpenTelemetry names itself (OTEL_…).
    """
    name = os.environ.get("OTEL_SERVICE_NAME", "whatsapp-onboarding")
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(Named())
    sender = Cleaning(exporter or OTLPSpanExporter(timeout=EXPORT_SECONDS))
    provider.add_span_processor(BatchSpanProcessor(sender))
    set_global_textmap(TraceContextTextMapPropagator())  # no baggage: nobody's words go through us
    DjangoInstrumentor().instrument(
        tracer_provider=provider, excluded_urls="healthz,readyz,metrics", response_hook=_answered
    )
    CeleryInstrumentor().instrument(tracer_provider=provider)  # type: ignore[no-untyped-call]
    HTTPXClientInstrumentor().instrument(tracer_provider=provider)
    return provider


def end() -> None:
    """For tests: nothing is instrumented any more."""
    DjangoInstrumentor().uninstrument()
    CeleryInstrumentor().uninstrument()  # type: ignore[no-untyped-call]
    HTTPXClientInstrumentor().uninstrument()


def _answered(span: Any, _request: HttpRequest, _response: HttpResponse) -> None:
    span.set_attributes(_bound())
    # Lines that are written after the span has ended (the access log's) name the trace too.
    bind_contextvars(trace_id=format(span.get_span_context().trace_id, "032x"))


def _bound() -> dict[str, str]:
    bound = get_contextvars()
    return {name: str(bound[name]) for name in BOUND if bound.get(name)}


class Named(SpanProcessor):
    """Each span says whose onboarding it belongs to."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        span.set_attributes(_bound())


class Cleaning(SpanExporter):
    """Hands on spans that hold nothing but what KEPT_ATTRIBUTES names, cleaned."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([cleaned(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def cleaned(span: ReadableSpan) -> ReadableSpan:
    """A copy of the span as it may leave."""
    return ReadableSpan(
        name=span_name(span),
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=_attributes(span.attributes),
        events=[Event(e.name, _attributes(e.attributes), e.timestamp) for e in span.events],
        links=(),
        kind=span.kind,
        instrumentation_scope=span.instrumentation_scope,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
    )


def span_name(span: ReadableSpan) -> str:
    """`GET s/<str:token>/` (a route), `run/onboarding.tasks.…` or `GET`; never an address."""
    route = (span.attributes or {}).get("http.route")
    method = span.name.split(" ", 1)[0]
    if route:
        return f"{method} {route}"
    return redact_people(span.name) if span.name.startswith(("run/", "apply_async/")) else method


def _attributes(found: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        name: redact_people(value) if isinstance(value, str) else value
        for name, value in (found or {}).items()
        if name in KEPT_ATTRIBUTES
    }
