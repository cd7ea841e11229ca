"""YCloudClient: one method for each endpoint that we use."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

import httpx

from ycloud_client.answers import read
from ycloud_client.calls import Observer, record_of, tell
from ycloud_client.errors import NoResponseError, UnreadableResponseError, YCloudError
from ycloud_client.resources import (
    Balance,
    BusinessAccount,
    Page,
    PhoneNumber,
    WebhookEndpoint,
)

T = TypeVar("T")

MOST_PAGES = 100
LIMITS = httpx.Limits(max_connections=200, max_keepalive_connections=100, keepalive_expiry=30.0)
"""More than one process has calls under way. httpx keeps an idle connection for 5 s only, and each
new one costs two round trips and the CPU of a handshake; servers' own patience begins at a minute.
"""
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class YCloudClient:
    """Thread-safe; keeps connections alive. Every method raises YCloudError.

    `total_seconds` bounds a call as a whole, `max_body_bytes` its answer. `permit` is asked before
    each exchange and refuses it by raising; `observer` hears of it afterwards. Both run in whatever
    thread makes the exchange.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str = "https://api.ycloud.com/v2",
        *,
        transport: httpx.BaseTransport | None = None,
        observer: Observer | None = None,
        permit: Callable[[], None] | None = None,
        connect_timeout: float = 5.0,
        read_timeout: float = 15.0,
        total_seconds: float = 30.0,
        max_body_bytes: int = 1_000_000,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._observer = observer
        self._permit = permit
        self._total_seconds = total_seconds
        self._max_body_bytes = max_body_bytes
        self._timeouts = (connect_timeout, read_timeout)
        self._http = httpx.Client(
            transport=transport,
            limits=LIMITS,
            headers={"X-API-Key": api_key, "Accept": "application/json"},
            follow_redirects=False,
        )

    def close(self) -> None:
        """Close the kept connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"YCloudClient({self._base_url!r})"

    # --- WhatsApp Business Accounts --------------------------------------------------------------

    def list_business_accounts(
        self, *, page: int = 1, limit: int = 100, review_status: str | None = None
    ) -> Page[BusinessAccount]:
        """One page of the WABAs of this YCloud account."""
        query = {"page": page, "limit": limit, "filter.accountReviewStatus": review_status}
        return self._call(
            "GET",
            ("whatsapp", "businessAccounts"),
            lambda answer: Page.parse(answer, BusinessAccount.parse),
            query=query,
        )

    def retrieve_business_account(self, waba_id: str) -> BusinessAccount:
        """One WABA; NotFoundError or PermissionDeniedError when it is not bound (`is_unbound`)."""
        return self._call("GET", ("whatsapp", "businessAccounts", waba_id), BusinessAccount.parse)

    def tp_bind(self, waba_id: str) -> BusinessAccount:
        """Bind a WABA of the partner solution. In no published specification (Nov 2026)."""
        return self._call(
            "POST",
            ("whatsapp", "businessAccounts", waba_id, "tp", "bind"),
            lambda answer: BusinessAccount.parse(answer, sent_id=waba_id),
        )

    def smb_bind(self, waba_id: str) -> PhoneNumber:
        """Bind a WhatsApp Business app (coexistence); the answer looks like a number."""
        return self._call(
            "POST", ("whatsapp", "businessAccounts", waba_id, "smb", "bind"), PhoneNumber.parse
        )

    # --- Phone numbers ---------------------------------------------------------------------------

    def list_phone_numbers(
        self, waba_id: str | None = None, *, page: int = 1, limit: int = 100
    ) -> Page[PhoneNumber]:
        """One page of numbers, of one WABA or of all."""
        return self._call(
            "GET",
            ("whatsapp", "phoneNumbers"),
            lambda answer: Page.parse(answer, lambda each: PhoneNumber.parse(each, needs_id=True)),
            query={"page": page, "limit": limit, "filter.wabaId": waba_id},
        )

    def all_phone_numbers(self, waba_id: str) -> list[PhoneNumber]:
        """All numbers of a WABA, each once, over as many pages as there are.

        An item that names another WABA is left out: the filter is not taken on trust.
        """
        found: dict[str, PhoneNumber] = {}
        seen: set[str] = set()
        for page in range(1, MOST_PAGES + 1):
            listed = self.list_phone_numbers(waba_id, page=page)
            seen.update(news := {str(number.id) for number in listed.items} - seen)
            for number in listed.items:
                if number.waba_id in (None, waba_id):
                    found.setdefault(str(number.id), number)
            if not listed.is_full or not news:  # a server that ignores `page` shows nothing new
                break
        return list(found.values())

    def retrieve_phone_number(self, waba_id: str, e164: str) -> PhoneNumber:
        """One number by its E.164 digits (not by its id)."""
        return self._call("GET", ("whatsapp", "phoneNumbers", waba_id, e164), PhoneNumber.parse)

    def register_phone_number(self, waba_id: str, phone_number_id: str) -> PhoneNumber:
        """Register a number by its phone number id; at most 10 times in 72 h. Has no body."""
        return self._call(
            "POST",
            ("whatsapp", "phoneNumbers", waba_id, phone_number_id, "register"),
            lambda answer: PhoneNumber.parse(answer, sent_id=phone_number_id),
        )

    # --- Balance and webhook endpoints -----------------------------------------------------------

    def retrieve_balance(self) -> Balance:
        """The prepaid balance."""
        return self._call("GET", ("balance",), Balance.parse)

    def list_webhook_endpoints(self, *, page: int = 1, limit: int = 100) -> Page[WebhookEndpoint]:
        """One page of the webhook endpoints (20 at most exist)."""
        return self._call(
            "GET",
            ("webhookEndpoints",),
            lambda answer: Page.parse(answer, WebhookEndpoint.parse),
            query={"page": page, "limit": limit},
        )

    def create_webhook_endpoint(
        self,
        url: str,
        enabled_events: list[str],
        *,
        description: str | None = None,
        status: str | None = None,
    ) -> WebhookEndpoint:
        """Register an endpoint; the answer holds its secret."""
        body = _endpoint_body(url, enabled_events, description, status)
        return self._call("POST", ("webhookEndpoints",), WebhookEndpoint.parse, body=body)

    def update_webhook_endpoint(
        self,
        endpoint_id: str,
        *,
        url: str | None = None,
        enabled_events: list[str] | None = None,
        description: str | None = None,
        status: str | None = None,
    ) -> WebhookEndpoint:
        """Change what is given."""
        body = _endpoint_body(url, enabled_events, description, status)
        return self._call(
            "PATCH", ("webhookEndpoints", endpoint_id), WebhookEndpoint.parse, body=body
        )

    def delete_webhook_endpoint(self, endpoint_id: str) -> None:
        """Remove an endpoint."""
        self._call("DELETE", ("webhookEndpoints", endpoint_id), lambda answer: None, empty=True)

    def rotate_webhook_secret(self, endpoint_id: str) -> WebhookEndpoint:
        """A new secret; how long the old one stays valid is not documented."""
        return self._call(
            "POST", ("webhookEndpoints", endpoint_id, "rotateSecret"), WebhookEndpoint.parse
        )

    # --- The call --------------------------------------------------------------------------------

    def _call(
        self,
        method: str,
        segments: tuple[str, ...],
        parse: Callable[[object], T],
        *,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        empty: bool = False,
    ) -> T:
        path = _path(segments)
        params = {name: str(value) for name, value in (query or {}).items() if value is not None}
        sent = {k: v for k, v in body.items() if v is not None} if body is not None else None
        if self._permit is not None:
            self._permit()
        started = time.monotonic()
        response: httpx.Response | None = None
        failed: YCloudError | None = None
        try:
            response, content = self._exchange(method, path, params, sent, started)
            return read(response, content, parse, empty)
        except YCloudError as error:
            failed = error
            raise
        finally:
            if self._observer is not None:
                seconds = time.monotonic() - started
                tell(self._observer, record_of(method, path, params, seconds, response, failed))

    def _exchange(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        sent: Mapping[str, object] | None,
        started: float,
    ) -> tuple[httpx.Response, bytes]:
        connect, read = self._timeouts
        timeout = httpx.Timeout(min(read, self._total_seconds), connect=connect, pool=connect)
        request = self._http.build_request(
            method, self._base_url + path, params=params or None, json=sent, timeout=timeout
        )
        try:
            response = self._http.send(request, stream=True)
            try:
                return response, self._body(response, started)
            finally:
                response.close()
        except _NOT_SENT as error:
            raise NoResponseError(
                f"not connected ({type(error).__name__})", may_have_happened=False
            ) from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            # `from None`: nothing of the request, with its key, is to hang on the error.
            raise NoResponseError(
                f"no answer ({type(error).__name__})", may_have_happened=True
            ) from None

    def _body(self, response: httpx.Response, started: float) -> bytes:
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > self._max_body_bytes:
                raise UnreadableResponseError(
                    "the answer is too large", status=response.status_code
                )
            if time.monotonic() - started > self._total_seconds:
                raise NoResponseError("the answer took too long", may_have_happened=True)
        return bytes(content)


def _endpoint_body(
    url: str | None, events: list[str] | None, description: str | None, status: str | None
) -> dict[str, object]:
    return {"url": url, "enabledEvents": events, "description": description, "status": status}


def _path(segments: tuple[str, ...]) -> str:
    """Each segment percent-encoded whole, so that no id can lead elsewhere."""
    for segment in segments:
        if segment in ("", ".", ".."):
            raise ValueError(f"{segment!r} cannot be part of an address")
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)
