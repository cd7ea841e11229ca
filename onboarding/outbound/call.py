"""One signed request to one endpoint: no redirect, no proxy, no cookie, little time, little read.

Built on httpcore, not httpx: only there the connection is ours to choose.
"""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import httpcore
import httpx
from standardwebhooks.webhooks import Webhook

from onboarding.outbound import guard
from ycloud_client.answers import retry_after
from ycloud_client.text import clean

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
_READ_BYTES = 4_000
_KEPT_CHARACTERS = 500
USER_AGENT = "WhatsApp-onboarding-webhooks/1"


@dataclass(frozen=True, slots=True)
class Request:
    """What goes out; everything that a thread without a database needs."""

    url: str
    secrets: tuple[str, ...]
    message_id: str
    body: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it: a status, or why there is none. `text` is the beginning of the answer."""

    status: int | None = None
    error: str = ""
    text: str = ""
    retry_after: float | None = None
    address: str = ""
    took_ms: int = 0

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def send(request: Request) -> Answer:
    """Send it once. Raises nothing: whatever happens is an answer."""
    started = time.monotonic()
    backend = guard.CheckedBackend(started + TOTAL_SECONDS)
    try:
        answer = _sent(request, backend)
    except guard.RefusedAddressError as refused:
        answer = Answer(error=f"refused: {refused}"[:200])
    except (httpcore.TimeoutException, TimeoutError):
        answer = Answer(error="no answer in time")
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        answer = Answer(error=_told(error))
    except Exception as error:  # its text may hold anything, a secret too
        answer = Answer(error=f"could not be sent ({type(error).__name__})")
    return Answer(
        answer.status, answer.error, answer.text, answer.retry_after, backend.address,
        int((time.monotonic() - started) * 1000),
    )  # fmt: skip


def headers_of(request: Request, now: datetime) -> dict[bytes | str, bytes | str]:
    """The three headers of Standard Webhooks; one signature for each secret that signs now."""
    if not request.secrets:
        raise ValueError("nothing to sign with")
    moment = now.astimezone(UTC)
    signed = [Webhook(s).sign(request.message_id, moment, request.body) for s in request.secrets]
    return {
        "webhook-id": request.message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signed),
    }


def _sent(request: Request, backend: guard.CheckedBackend) -> Answer:
    if not request.secrets:
        return Answer(error="its secret cannot be read: a key of FIELD_ENCRYPTION_KEYS is missing")
    target = guard.parse(request.url)
    headers: dict[bytes | str, bytes | str] = {
        "Host": target.netloc,
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "Accept-Encoding": "identity",
        "Connection": "close",
        **headers_of(request, datetime.now(UTC)),
    }
    url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
    timeout = {"connect": CONNECT_SECONDS, "read": TOTAL_SECONDS, "write": TOTAL_SECONDS}
    with (
        httpcore.ConnectionPool(
            ssl_context=_trusted(), network_backend=backend, max_keepalive_connections=0
        ) as pool,
        pool.stream(
            "POST", url, headers=headers, content=request.body.encode(),
            extensions={"timeout": timeout},
        ) as response,
    ):  # fmt: skip
        text = "" if 200 <= response.status < 300 else _beginning(response)
        told = httpx.Headers(response.headers)
        return Answer(response.status, "", text, retry_after(told))


def _beginning(response: httpcore.Response) -> str:
    """A little of the answer, for whoever looks why it was refused; the rest is not read."""
    read = b""
    try:
        for part in response.iter_stream():
            read += part
            if len(read) >= _READ_BYTES:
                break
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        pass  # the status is known; of the text we keep what there was
    return clean(read.decode("utf-8", "replace"))[:_KEPT_CHARACTERS]


def _told(error: Exception) -> str:
    cause = error.args[0] if error.args else error  # httpcore keeps what it stands for there
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {cause.verify_message}"[:200]
    if isinstance(error, httpcore.ConnectError):
        return "no connection"
    return f"no answer ({type(error).__name__})"


@cache
def _trusted() -> ssl.SSLContext:
    """The authorities that are trusted everywhere else here (SSL_CERT_FILE names others)."""
    return httpx.create_ssl_context()
