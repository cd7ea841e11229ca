"""Sentry and OpenTelemetry: each is not even loaded unless a setting names a server."""

from django.conf import settings


def begin_errors() -> None:
    """Once in each process, before it forks."""
    if settings.SENTRY_DSN:
        from config import sentry

        sentry.begin()


def begin_traces() -> None:
    """Once in each process, after it was forked: threads do not survive a fork."""
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        from config import tracing

        tracing.begin()
