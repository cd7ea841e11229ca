"""Reads an answer: the parsed object, or the right error, however odd the body is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx

from ycloud_client.errors import UnreadableResponseError, WhatsappError, YCloudError, class_for
from ycloud_client.resources import ShapeError
from ycloud_client.text import clean, loads

T = TypeVar("T")


def read(response: httpx.Response, content: bytes, parse: Callable[[object], T], empty: bool) -> T:
    """The parsed answer, or the right error."""
    status = response.status_code
    wait = retry_after(response.headers)
    if status >= 400:
        raise _refusal(status, content, response, wait)
    if not 200 <= status < 300:
        raise UnreadableResponseError(f"HTTP {status} is no answer", status=status)
    if empty:
        return parse(None)
    if status == 204:
        content = b"{}"  # "done, and nothing to say": the ids that were sent stand
    try:
        return parse(loads(content))
    except ShapeError as error:
        raise UnreadableResponseError(str(error), status=status, retry_after=wait) from None
    except ValueError:
        raise UnreadableResponseError(
            "the answer is no JSON", status=status, retry_after=wait
        ) from None


def _refusal(
    status: int, content: bytes, response: httpx.Response, wait: float | None
) -> YCloudError:
    """The error of an answer of 400 or more, however odd its body."""
    try:
        body: Any = loads(content)
    except ValueError:
        body = None
    whole: dict[str, Any] = body if isinstance(body, dict) else {}
    inner = whole.get("error")
    error: dict[str, Any] = inner if isinstance(inner, dict) else whole
    meta = error.get("whatsappApiError")
    return class_for(status)(
        status=status,
        code=_word(error.get("code")),
        message=_word(error.get("message")),
        request_id=clean(response.headers.get("YCloud-Request-ID") or "")
        or _word(error.get("requestId"))
        or None,
        whatsapp_error=_whatsapp_error(meta) if isinstance(meta, dict) else None,
        retry_after=wait,
    )


def _whatsapp_error(meta: Mapping[str, object]) -> WhatsappError:
    return WhatsappError(
        code=_word(meta.get("code")),
        subcode=_word(meta.get("error_subcode")),
        message=_word(meta.get("message")),
        type=_word(meta.get("type")),
        user_title=_word(meta.get("error_user_title")),
        user_message=_word(meta.get("error_user_msg")),
        fbtrace_id=_word(meta.get("fbtrace_id")),
    )


def _word(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return ""
    return str(value) if isinstance(value, str | int) else ""


def retry_after(headers: httpx.Headers) -> float | None:
    """Seconds to wait: Retry-After as seconds or as a date, on any answer."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,9})?", text):
        return max(float(text), 0.0)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max((at - datetime.now(UTC)).total_seconds(), 0.0)
