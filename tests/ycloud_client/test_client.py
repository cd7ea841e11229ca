"""The client's contract with YCloud, at the wire."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import respx

from tests.openapi import UNDOCUMENTED, YCloudSpec, needs_spec
from ycloud_client import (
    APIError,
    AuthenticationError,
    CallRecord,
    ConflictError,
    InvalidRequestError,
    NoResponseError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnreadableResponseError,
    YCloudClient,
    YCloudError,
    is_unbound,
)

BASE = "https://api.ycloud.com/v2"
WABA, NUMBER = "111222333444555", "999888777666555"
ACCOUNT = {"id": WABA, "name": "Cakes", "paymentMethodAttached": True, "surprise": {"new": 1}}
PHONE = {"id": NUMBER, "phoneNumber": "+34612345678", "wabaId": WABA, "status": "CONNECTED"}
HOOK = {"id": "wh1", "url": "https://x.example", "enabledEvents": ["a"], "status": "active"}
PAGE = {"offset": 0, "limit": 100, "length": 1}


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=BASE, assert_all_called=False) as router:
        yield router


@pytest.fixture
def client() -> Iterator[YCloudClient]:
    with YCloudClient("secret-key") as made:
        yield made


Method = Callable[[YCloudClient], Any]
METHODS: dict[str, tuple[str, str, Any, Method]] = {
    "list_business_accounts": (
        "GET",
        "/whatsapp/businessAccounts",
        {**PAGE, "items": [ACCOUNT]},
        lambda c: c.list_business_accounts(review_status="APPROVED"),
    ),
    "retrieve_business_account": (
        "GET",
        f"/whatsapp/businessAccounts/{WABA}",
        ACCOUNT,
        lambda c: c.retrieve_business_account(WABA),
    ),
    "list_phone_numbers": (
        "GET",
        "/whatsapp/phoneNumbers",
        {**PAGE, "items": [PHONE]},
        lambda c: c.list_phone_numbers(WABA, page=2, limit=50),
    ),
    "retrieve_phone_number": (
        "GET",
        f"/whatsapp/phoneNumbers/{WABA}/%2B34612345678",
        PHONE,
        lambda c: c.retrieve_phone_number(WABA, "+34612345678"),
    ),
    "register_phone_number": (
        "POST",
        f"/whatsapp/phoneNumbers/{WABA}/{NUMBER}/register",
        {"status": "PENDING"},
        lambda c: c.register_phone_number(WABA, NUMBER),
    ),
    "tp_bind": (
        "POST",
        f"/whatsapp/businessAccounts/{WABA}/tp/bind",
        ACCOUNT,
        lambda c: c.tp_bind(WABA),
    ),
    "smb_bind": (
        "POST",
        f"/whatsapp/businessAccounts/{WABA}/smb/bind",
        PHONE,
        lambda c: c.smb_bind(WABA),
    ),
    "retrieve_balance": (
        "GET",
        "/balance",
        {"amount": 25.5, "currency": "USD"},
        lambda c: c.retrieve_balance(),
    ),
    "list_webhook_endpoints": (
        "GET",
        "/webhookEndpoints",
        {**PAGE, "items": [HOOK]},
        lambda c: c.list_webhook_endpoints(),
    ),
    "create_webhook_endpoint": (
        "POST",
        "/webhookEndpoints",
        {**HOOK, "secret": "whsec_1"},
        lambda c: c.create_webhook_endpoint(
            "https://x.example", ["whatsapp.business_account.updated"]
        ),
    ),
    "update_webhook_endpoint": (
        "PATCH",
        "/webhookEndpoints/wh1",
        HOOK,
        lambda c: c.update_webhook_endpoint("wh1", status="disabled"),
    ),
    "delete_webhook_endpoint": (
        "DELETE",
        "/webhookEndpoints/wh1",
        {},
        lambda c: c.delete_webhook_endpoint("wh1"),
    ),
    "rotate_webhook_secret": (
        "POST",
        "/webhookEndpoints/wh1/rotateSecret",
        {**HOOK, "secret": "whsec_2"},
        lambda c: c.rotate_webhook_secret("wh1"),
    ),
}
EACH = pytest.mark.parametrize("name", METHODS)


def made(wire: respx.MockRouter, name: str, client: YCloudClient) -> tuple[httpx.Request, Any]:
    """Call the method against a wire that answers it; the request and the result."""
    method, path, answer, call = METHODS[name]
    route = wire.route(method=method, path=httpx.URL(path).path).respond(json=answer)
    result = call(client)
    assert route.called
    return route.calls.last.request, result


@EACH
def test_each_method_sends_its_one_request_with_the_key(
    wire: respx.MockRouter, client: YCloudClient, name: str
) -> None:
    request, _ = made(wire, name, client)
    method, path, _, _ = METHODS[name]
    assert request.method == method
    assert request.url.raw_path.decode().partition("?")[0] == f"/v2{path}"
    assert request.headers["X-API-Key"] == "secret-key"
    assert len(wire.calls) == 1


@EACH
@needs_spec
def test_each_request_fits_the_published_specification(
    wire: respx.MockRouter, client: YCloudClient, name: str
) -> None:
    request, _ = made(wire, name, client)
    path = request.url.raw_path.decode().partition("?")[0].removeprefix("/v2")
    if UNDOCUMENTED.fullmatch(path):
        assert request.content == b""
        return
    body = json.loads(request.content) if request.content else None
    query = dict(request.url.params)
    assert YCloudSpec().request_faults(request.method, path, query, body) == []


ERRORS: list[tuple[int, type[APIError], bool, bool]] = [
    (400, InvalidRequestError, False, False),
    (401, AuthenticationError, False, False),
    (403, PermissionDeniedError, False, False),
    (404, NotFoundError, False, False),
    (409, ConflictError, False, False),
    (413, InvalidRequestError, False, False),
    (418, InvalidRequestError, False, False),
    (429, RateLimitError, True, False),
    (500, ServerError, True, True),
    (503, ServerError, True, True),
]


@EACH
@pytest.mark.parametrize(("status", "kind", "transient", "may_have"), ERRORS)
def test_each_method_raises_the_class_of_the_status(
    wire: respx.MockRouter,
    client: YCloudClient,
    name: str,
    status: int,
    kind: type[APIError],
    transient: bool,
    may_have: bool,
) -> None:
    error = {"status": status, "code": "SOME_CODE", "message": "No.", "requestId": "req_1"}
    wire.route().respond(status, json={"error": error})
    with pytest.raises(kind) as caught:
        METHODS[name][3](client)
    raised = caught.value
    assert type(raised) is kind
    assert (raised.status, raised.code, raised.message) == (status, "SOME_CODE", "No.")
    assert (raised.is_transient, raised.may_have_happened) == (transient, may_have)
    assert raised.request_id == "req_1"


def test_metas_refusal_inside_ycloud_s_is_kept(
    wire: respx.MockRouter, client: YCloudClient
) -> None:
    meta = {"code": 100, "message": "Cannot create certificate", "error_subcode": 2388001}
    wire.route().respond(400, json={"error": {"code": "BAD_REQUEST", "whatsappApiError": meta}})
    with pytest.raises(InvalidRequestError) as caught:
        client.register_phone_number(WABA, NUMBER)
    assert caught.value.whatsapp_error is not None
    assert caught.value.whatsapp_error.code == "100"
    assert caught.value.whatsapp_error.subcode == "2388001"


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"null", b"[]", b'{"message": "no"}', b'{"error": "no"}', b"\xff"]
)
def test_an_error_with_an_odd_body_is_still_its_class(
    wire: respx.MockRouter, client: YCloudClient, body: bytes
) -> None:
    wire.route().respond(404, content=body)
    with pytest.raises(NotFoundError):
        client.retrieve_business_account(WABA)


@pytest.mark.parametrize("body", [b"<html>nginx</html>", b"[]", b"null", b'"text"', b"", b'{"a":'])
def test_an_answer_that_is_none_may_have_happened(
    wire: respx.MockRouter, client: YCloudClient, body: bytes
) -> None:
    wire.route().respond(200, content=body)
    with pytest.raises(UnreadableResponseError) as caught:
        client.register_phone_number(WABA, NUMBER)
    assert caught.value.may_have_happened


def test_a_redirect_is_not_followed_with_the_key(
    wire: respx.MockRouter, client: YCloudClient
) -> None:
    wire.route().respond(302, headers={"Location": "https://evil.example/"})
    with pytest.raises(UnreadableResponseError):
        client.retrieve_balance()
    assert len(wire.calls) == 1


@pytest.mark.parametrize(
    ("fault", "may_have"),
    [
        (httpx.ConnectError, False),
        (httpx.ConnectTimeout, False),
        (httpx.PoolTimeout, False),
        (httpx.ReadTimeout, True),
        (httpx.WriteTimeout, True),
        (httpx.ReadError, True),
        (httpx.RemoteProtocolError, True),
    ],
)
def test_no_answer_says_whether_it_may_have_happened(
    wire: respx.MockRouter, client: YCloudClient, fault: type[httpx.HTTPError], may_have: bool
) -> None:
    wire.route().mock(side_effect=fault("secret-key"))
    with pytest.raises(NoResponseError) as caught:
        client.register_phone_number(WABA, NUMBER)
    assert caught.value.may_have_happened is may_have
    assert caught.value.is_transient
    assert "secret-key" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_answer_that_is_too_large_is_given_up(wire: respx.MockRouter) -> None:
    with YCloudClient("k", max_body_bytes=1000) as client:
        wire.route().respond(200, content=b"[" + b"1," * 1000 + b"1]")
        with pytest.raises(UnreadableResponseError, match="too large"):
            client.retrieve_balance()


def test_an_answer_that_drips_is_given_up_after_the_total_time() -> None:
    class Drip(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for _ in range(100):
                time.sleep(0.02)
                yield b" "

    transport = httpx.MockTransport(lambda request: httpx.Response(200, stream=Drip()))
    with YCloudClient("k", transport=transport, total_seconds=0.1) as client:
        started = time.monotonic()
        with pytest.raises(NoResponseError) as caught:
            client.retrieve_balance()
    assert time.monotonic() - started < 1
    assert caught.value.may_have_happened


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("soon", None), ("", None)]
)
def test_retry_after_is_read(
    wire: respx.MockRouter, client: YCloudClient, header: str, seconds: float | None
) -> None:
    wire.route().respond(429, headers={"Retry-After": header}, json={"error": {}})
    with pytest.raises(RateLimitError) as caught:
        client.retrieve_balance()
    assert caught.value.retry_after == seconds


def test_retry_after_may_be_a_date(wire: respx.MockRouter, client: YCloudClient) -> None:
    wire.route().respond(503, headers={"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"})
    with pytest.raises(ServerError) as caught:
        client.retrieve_balance()
    assert (caught.value.retry_after or 0) > 1_000_000


@pytest.mark.parametrize(
    "evil", ["../balance", "a/b", "a?b=1", "a#b", "%2e%2e", "a b", "..%2f", "é"]
)
def test_an_id_cannot_lead_to_another_address(
    wire: respx.MockRouter, client: YCloudClient, evil: str
) -> None:
    route = wire.route().respond(json=ACCOUNT)
    client.retrieve_business_account(evil)
    path = route.calls.last.request.url.raw_path.decode()
    assert path.startswith("/v2/whatsapp/businessAccounts/")
    assert path.count("/") == 4
    assert "?" not in path
    assert "#" not in path


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_an_empty_or_dotted_segment_is_refused_before_anything_is_sent(
    wire: respx.MockRouter, client: YCloudClient, segment: str
) -> None:
    with pytest.raises(ValueError, match="cannot be part of an address"):
        client.retrieve_business_account(segment)
    assert not wire.calls


def test_unknown_fields_and_words_are_kept_and_nulls_tolerated(
    wire: respx.MockRouter, client: YCloudClient
) -> None:
    wire.route().respond(
        json={**ACCOUNT, "accountReviewStatus": "BRAND_NEW", "name": None, "restrictions": None}
    )
    account = client.retrieve_business_account(WABA)
    assert account.account_review_status == "BRAND_NEW"
    assert account.name is None
    assert account.raw["surprise"] == {"new": 1}


def test_an_account_without_an_id_is_unreadable(
    wire: respx.MockRouter, client: YCloudClient
) -> None:
    wire.route().respond(json={"name": "Cakes"})
    with pytest.raises(UnreadableResponseError):
        client.retrieve_business_account(WABA)


def test_an_act_s_answer_may_lack_the_id(wire: respx.MockRouter, client: YCloudClient) -> None:
    wire.route().respond(json={"status": "PENDING"})
    assert client.register_phone_number(WABA, NUMBER).id == NUMBER


def test_an_id_that_lost_its_quotes_is_text_again(
    wire: respx.MockRouter, client: YCloudClient
) -> None:
    wire.route().respond(json={"id": 111222333444555})
    assert client.retrieve_business_account(WABA).id == WABA


def test_all_pages_of_numbers_are_read_and_doubles_and_foreign_ones_left_out(
    wire: respx.MockRouter, client: YCloudClient
) -> None:
    def page(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["page"])
        first = (number - 1) * 99
        ids = range(first, first + (100 if number < 3 else 5))
        items = [{"id": str(i), "wabaId": WABA} for i in ids]
        items[-1]["wabaId"] = "another" if number == 3 else WABA
        body = {"offset": 0, "limit": 100, "length": len(items), "items": items}
        return httpx.Response(200, json=body)

    wire.route().mock(side_effect=page)
    found = client.all_phone_numbers(WABA)
    assert len(wire.calls) == 3
    assert len(found) == len({n.id for n in found}) == 202


@pytest.mark.parametrize(
    ("status", "code", "unbound"),
    [
        (404, "NOT_FOUND", True),
        (403, "WHATSAPP_BUSINESS_ACCOUNT_UNAVAILABLE", True),
        (403, "FORBIDDEN", False),
        (401, "UNAUTHORIZED", False),
    ],
)
def test_what_an_unbound_account_looks_like(
    wire: respx.MockRouter, client: YCloudClient, status: int, code: str, unbound: bool
) -> None:
    wire.route().respond(status, json={"error": {"status": status, "code": code}})
    with pytest.raises(YCloudError) as caught:
        client.retrieve_business_account(WABA)
    assert is_unbound(caught.value) is unbound


def test_the_observer_hears_of_each_call_and_of_nothing_secret(wire: respx.MockRouter) -> None:
    heard: list[CallRecord] = []
    wire.route().respond(
        403, json={"error": {"code": "FORBIDDEN"}}, headers={"YCloud-Request-ID": "req_9"}
    )
    with (
        YCloudClient("secret-key", observer=heard.append) as client,
        pytest.raises(PermissionDeniedError),
    ):
        client.list_phone_numbers(WABA)
    (record,) = heard
    assert (record.method, record.path, record.status) == ("GET", "/whatsapp/phoneNumbers", 403)
    assert (record.code, record.request_id) == ("FORBIDDEN", "req_9")
    assert "secret-key" not in repr(record)


def test_an_observer_that_fails_does_not_fail_the_call(wire: respx.MockRouter) -> None:
    def fail(record: CallRecord) -> None:
        raise RuntimeError("the journal is down")

    wire.route().respond(json={"amount": 1, "currency": "USD"})
    with YCloudClient("k", observer=fail) as client:
        assert client.retrieve_balance().currency == "USD"


def test_the_key_is_in_no_text_of_the_client() -> None:
    with YCloudClient("secret-key") as client:
        assert "secret-key" not in repr(client)


def test_a_204_is_an_answer_to_an_act_and_none_to_a_read(
    wire: respx.MockRouter, client: YCloudClient
) -> None:
    wire.route().respond(204)
    assert client.register_phone_number(WABA, "7").id == "7"
    with pytest.raises(UnreadableResponseError):
        client.retrieve_business_account(WABA)
