"""One bounded request of doctor's own: what came, and how far the answerer's clock is from ours."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx

CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0
WHOLE_SECONDS = 8.0
MOST_BYTES = 2_000_000
AGENT = "whatsapp-onboarding-doctor"


class NoAnswerError(Exception):
    """Nothing came, or not in time. `is_certificate`: TLS itself was refused by us."""

    def __init__(self, text: str, *, is_certificate: bool = False) -> None:
        super().__init__(text)
        self.is_certificate = is_certificate


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer. `skew`: seconds that its Date is ahead of our clock; None without one."""

    status: int
    headers: httpx.Headers
    body: bytes
    skew: float | None

    def each(self, name: str) -> list[str]:
        """The values of a header that was sent several times, one by one."""
        return self.headers.get_list(name)


def ask(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    transport: httpx.BaseTransport | None = None,
) -> Seen:
    """One request, no redirect followed. Raises NoAnswerError, whose text names no address."""
    timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    sent = {"User-Agent": AGENT, **(headers or {})}
    try:
        with (
            httpx.Client(timeout=timeout, transport=transport, trust_env=False) as http,
            http.stream(method, url, headers=sent, content=content) as answer,
        ):
            came = time.time()
            return Seen(answer.status_code, answer.headers, _body(answer), _skew(answer, came))
    except httpx.HTTPError as failed:
        told = f"{type(failed).__name__}: {failed}"
        refused = "CERTIFICATE_VERIFY_FAILED" in told
        raise NoAnswerError(told[:200], is_certificate=refused) from None


def _body(answer: httpx.Response) -> bytes:
    until = time.monotonic() + WHOLE_SECONDS
    found = b""
    for part in answer.iter_bytes():
        found += part
        if len(found) > MOST_BYTES or time.monotonic() > until:
            break
    return found


def _skew(answer: httpx.Response, came: float) -> float | None:
    """A Date has whole seconds, cut off: half a second is added."""
    try:
        told = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return None
    return told.timestamp() + 0.5 - came
