"""Errors to Sentry, where SENTRY_DSN names one: cleaned before they leave.

No secrets, bodies, cookies, headers, queries, local variables, mail addresses or phone numbers. The
SDK sends from a thread of its own and drops what a server that is away does not take.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import sentry_sdk
from django.conf import settings
from django.urls import Resolver404, resolve
from structlog.contextvars import get_contextvars

from tenants.redaction import redact_all, redact_people

TAGS = ("request_id", "onboarding", "tenant", "task", "webhook_event")


def begin(**more: Any) -> None:
    """Once in each process that serves or works. `more`: further options, for tests."""
    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        # Nothing of persons: the SDK's default; naming it is deprecated.
        include_local_variables=False,
        max_request_body_size="never",
        before_send=clean_event,
        before_breadcrumb=clean_breadcrumb,
        traces_sample_rate=None,  # traces go to OpenTelemetry
        auto_session_tracking=False,
        shutdown_timeout=1,
        **more,
    )


def clean_event(event: Any, _hint: Any) -> Any:
    """An event as it may leave."""
    request = event.pop("request", None)
    if isinstance(request, Mapping):
        event["request"] = {"method": request.get("method"), "url": _route_of(request.get("url"))}
    for name in ("user", "modules", "server_name"):
        event.pop(name, None)
    told = event.get("logentry")
    if isinstance(told, dict):  # the arguments alone do not show that they are secrets
        text = told.get("formatted") or told.get("message")
        event["logentry"] = {"message": text}
    event.get("extra", {}).pop("sys.argv", None)
    event.get("contexts", {}).pop("celery-job", None)
    event.get("extra", {}).pop("celery-job", None)
    if "transaction" in event:
        event["transaction"] = _transaction(str(event["transaction"]))
    for frame in _frames(event):
        frame.pop("vars", None)
    cleaned = redact_all(event, redact_people)
    bound = get_contextvars()
    tags = cleaned.get("tags") or {}
    cleaned["tags"] = {**tags, **{n: str(bound[n]) for n in TAGS if bound.get(n)}}
    return cleaned


def _transaction(name: str) -> str:
    """A route (`/s/{token}/`) or a task's name; never an address that was asked for."""
    is_address = name.startswith("/") and not ("{" in name or "<" in name)
    return _route_of(name) if is_address else name


def _frames(event: Any) -> list[dict[str, Any]]:
    held = [event.get("exception"), event.get("threads")]
    values = [v for each in held if isinstance(each, dict) for v in each.get("values") or ()]
    stacks = [v.get("stacktrace") for v in values if isinstance(v, dict)]
    return [f for stack in stacks if isinstance(stack, dict) for f in stack.get("frames") or ()]


def _route_of(url: object) -> str:
    """The URLconf's route of an address: `/s/<str:token>/`; nothing for an address of nobody's."""
    path = re.sub(r"^\w+://[^/]*", "", str(url or "")).partition("?")[0]
    try:
        return f"/{resolve(path).route}"
    except Resolver404:
        return ""


def clean_breadcrumb(crumb: Any, _hint: Any) -> Any:
    """What happened before, without addresses, queries and data."""
    kept = {n: crumb[n] for n in ("type", "category", "level", "timestamp") if n in crumb}
    if crumb.get("category") in ("query", "redis", "httplib", "subprocess"):
        data = crumb.get("data") or {}
        return {**kept, "data": {n: data[n] for n in ("status_code", "http.method") if n in data}}
    return {**kept, "message": redact_people(str(crumb.get("message") or ""))}
