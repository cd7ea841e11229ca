"""What an observer hears of each HTTP exchange: enough for a journal, nothing secret."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from ycloud_client.answers import retry_after
from ycloud_client.errors import APIError, YCloudError
from ycloud_client.text import clean

logger = logging.getLogger(__name__)

PAUSE_WITHOUT_A_WORD = 2.0
"""Seconds after a 429 without Retry-After."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One HTTP exchange, for journals: no key, no body, no answer. `path` is without the query.

    `retry_after` is in seconds; `meta_code` is set when YCloud passed on a refusal of Meta's.
    """

    method: str
    path: str
    query: Mapping[str, str]
    seconds: float
    status: int | None = None
    code: str | None = None
    request_id: str | None = None
    rate_limit_remaining: str | None = None
    rate_limit_reset: str | None = None
    retry_after: float | None = None
    meta_code: str | None = None
    error: str | None = None

    @property
    def pause(self) -> float:
        """For how long (seconds) the whole account is to make no call; 0.0 when it may go on.

        `Retry-After` on any answer, a 429, and `RateLimit-Remaining: 0` ask for one. A 429 that
        passes on a refusal of Meta's concerns one number and asks the account for nothing.
        """
        if self.meta_code:
            return 0.0
        wait = self.retry_after or 0.0
        if self.status == 429:
            wait = max(wait, PAUSE_WITHOUT_A_WORD)
        if _whole(self.rate_limit_remaining) == 0:
            wait = max(wait, _whole(self.rate_limit_reset) or 0.0)
        return wait


def _whole(text: str | None) -> float | None:
    """The number at the head of a header (the draft allows parameters behind it)."""
    head = (text or "").split(",")[0].split(";")[0].strip()
    return float(head) if head.isascii() and head.isdigit() else None


Observer = Callable[[CallRecord], None]


def record_of(
    method: str,
    path: str,
    query: Mapping[str, str],
    seconds: float,
    response: httpx.Response | None,
    failed: YCloudError | None,
) -> CallRecord:
    """The record of one exchange, answered or not."""
    headers = response.headers if response is not None else httpx.Headers()
    status = response.status_code if response is not None else getattr(failed, "status", None)
    meta = failed.whatsapp_error if isinstance(failed, APIError) else None
    return CallRecord(
        method=method,
        path=path,
        query=query,
        seconds=seconds,
        status=status,
        code=getattr(failed, "code", None),
        request_id=clean(headers.get("YCloud-Request-ID") or "")
        or getattr(failed, "request_id", None),
        rate_limit_remaining=headers.get("RateLimit-Remaining"),
        rate_limit_reset=headers.get("RateLimit-Reset"),
        retry_after=retry_after(headers),
        meta_code=meta.code if meta else None,
        error=type(failed).__name__ if failed else None,
    )


def tell(observer: Observer, record: CallRecord) -> None:
    """A failing observer must not fail the call."""
    try:
        observer(record)
    except Exception:
        logger.exception("the observer of a call failed")
