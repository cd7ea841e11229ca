"""The sandbox's YCloud behaves as documented, over real HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.server import SandboxServer
from tests.openapi import UNDOCUMENTED, YCloudSpec, needs_spec
from ycloud_client import (
    AuthenticationError,
    InvalidRequestError,
    NoResponseError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnreadableResponseError,
    YCloudClient,
)


class Clock:
    """Time that tests move."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[SandboxServer]:
    with SandboxServer(clock=clock) as made:
        yield made


@pytest.fixture
def client(server: SandboxServer) -> Iterator[YCloudClient]:
    with YCloudClient("sandbox-key", f"{server.url}/v2") as made:
        yield made


def signup(server: SandboxServer, scenario: str = "approve", **more: Any) -> Any:
    mode = more.pop("mode", "business_platform")
    sent = {"connection_mode": mode, "scenario": scenario, "params": more}
    return server.control("/control/signup", sent)


def test_a_wrong_key_is_refused(server: SandboxServer) -> None:
    with (
        YCloudClient("wrong", f"{server.url}/v2") as client,
        pytest.raises(AuthenticationError) as caught,
    ):
        client.retrieve_balance()
    assert caught.value.code == "UNAUTHORIZED"
    assert caught.value.request_id


def test_a_signup_makes_an_account_with_its_number(
    server: SandboxServer, client: YCloudClient
) -> None:
    window = signup(server)
    account = client.retrieve_business_account(window["waba_id"])
    assert account.payment_method_attached is True
    (number,) = client.all_phone_numbers(window["waba_id"])
    assert number.id == window["phone_number_id"]
    assert number.status == "PENDING"
    assert client.retrieve_phone_number(account.id, number.phone_number or "").id == number.id


def test_a_number_is_not_found_by_its_id(server: SandboxServer, client: YCloudClient) -> None:
    window = signup(server)
    with pytest.raises(NotFoundError):
        client.retrieve_phone_number(window["waba_id"], window["phone_number_id"])


@pytest.mark.parametrize("limit", [0, 101])
def test_a_limit_outside_1_to_100_is_refused(client: YCloudClient, limit: int) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        client.list_phone_numbers(limit=limit)
    assert caught.value.code == "PARAM_INVALID"


def test_lists_are_paged(server: SandboxServer, client: YCloudClient) -> None:
    for _ in range(3):
        signup(server)
    first = client.list_business_accounts(limit=2)
    second = client.list_business_accounts(page=2, limit=2)
    assert (len(first.items), len(second.items)) == (2, 1)
    assert first.is_full
    assert not second.is_full


def test_register_connects_at_once_or_after_its_seconds(
    server: SandboxServer, client: YCloudClient, clock: Clock
) -> None:
    at_once = signup(server)
    answer = client.register_phone_number(at_once["waba_id"], at_once["phone_number_id"])
    assert answer.status == "CONNECTED"
    slow = signup(server, "pending", seconds=8)
    answer = client.register_phone_number(slow["waba_id"], slow["phone_number_id"])
    assert answer.status == "PENDING"
    clock.now += 7
    assert client.all_phone_numbers(slow["waba_id"])[0].status == "PENDING"
    clock.now += 1
    assert client.all_phone_numbers(slow["waba_id"])[0].status == "CONNECTED"


def meta_error(client: YCloudClient, window: Any) -> tuple[str, str]:
    with pytest.raises(InvalidRequestError) as caught:
        client.register_phone_number(window["waba_id"], window["phone_number_id"])
    assert caught.value.whatsapp_error is not None
    return caught.value.whatsapp_error.code, caught.value.whatsapp_error.subcode


@pytest.mark.parametrize(
    ("scenario", "error", "cure"),
    [
        ("number_unverified", ("133006", ""), "verify_number"),
        ("pin_mismatch", ("133005", ""), "clear_pin"),
        ("name_review", ("100", "2388001"), "approve_name"),
    ],
)
def test_register_is_refused_with_metas_code_until_the_cause_is_cured(
    server: SandboxServer,
    client: YCloudClient,
    scenario: str,
    error: tuple[str, str],
    cure: str,
) -> None:
    window = signup(server, scenario)
    assert meta_error(client, window) == error
    server.control("/control/act", {"act": cure, "phone_number_id": window["phone_number_id"]})
    client.register_phone_number(window["waba_id"], window["phone_number_id"])


def test_the_eleventh_register_in_72_hours_blocks_the_number(
    server: SandboxServer, client: YCloudClient, clock: Clock
) -> None:
    window = signup(server, "pin_mismatch")
    codes = [meta_error(client, window)[0] for _ in range(11)]
    assert codes == ["133005"] * 10 + ["133016"]
    clock.now += 71 * 3600
    assert meta_error(client, window)[0] == "133016"
    clock.now += 73 * 3600
    assert meta_error(client, window)[0] == "133005"


def test_a_number_of_the_app_cannot_be_registered(
    server: SandboxServer, client: YCloudClient
) -> None:
    window = signup(server, mode="business_app")
    (number,) = client.all_phone_numbers(window["waba_id"])
    window["phone_number_id"] = number.id
    assert meta_error(client, window)[0] == "100"


def test_smb_bind_answers_a_number_and_connects_it(
    server: SandboxServer, client: YCloudClient
) -> None:
    window = signup(server, mode="business_app")
    bound = client.smb_bind(window["waba_id"])
    (number,) = client.all_phone_numbers(window["waba_id"])
    assert (bound.id, bound.status) == (number.id, "PENDING")
    assert number.status == "CONNECTED"


def test_an_unbound_account_is_invisible_until_tp_bind(
    server: SandboxServer, client: YCloudClient
) -> None:
    window = signup(server, "unbound")
    with pytest.raises(PermissionDeniedError) as caught:
        client.retrieve_business_account(window["waba_id"])
    assert caught.value.code == "WHATSAPP_BUSINESS_ACCOUNT_UNAVAILABLE"
    assert client.all_phone_numbers(window["waba_id"]) == []
    client.tp_bind(window["waba_id"])
    assert client.retrieve_business_account(window["waba_id"]).id == window["waba_id"]


def test_the_quota_is_told_and_kept(server: SandboxServer, client: YCloudClient) -> None:
    server.control("/control/quota", {"per_second": 3})
    answer = httpx.get(f"{server.url}/v2/balance", headers={"X-API-Key": "sandbox-key"})
    assert answer.headers["RateLimit-Limit"] == "3"
    assert answer.headers["RateLimit-Remaining"] == "2"
    client.retrieve_balance()
    client.retrieve_balance()
    with pytest.raises(RateLimitError) as caught:
        client.retrieve_balance()
    assert caught.value.retry_after == 1


def test_faults_of_a_scenario_are_met_and_used_up(
    server: SandboxServer, client: YCloudClient
) -> None:
    window = signup(server, "server_error")
    for _ in range(2):
        with pytest.raises(ServerError):
            client.retrieve_business_account(window["waba_id"])
    client.retrieve_business_account(window["waba_id"])


def test_garbage_is_a_web_page_with_status_200(server: SandboxServer, client: YCloudClient) -> None:
    window = signup(server, "garbage")
    with pytest.raises(UnreadableResponseError):
        client.retrieve_business_account(window["waba_id"])


@pytest.mark.parametrize(("fault", "applied"), [("timeout_before", 0), ("timeout_after", 1)])
def test_a_dropped_register_was_applied_or_not(
    server: SandboxServer, client: YCloudClient, fault: str, applied: int
) -> None:
    window = signup(server)
    server.control("/control/fault", {"match": "register", "fault": fault, "seconds": 0.1})
    with pytest.raises(NoResponseError) as caught:
        client.register_phone_number(window["waba_id"], window["phone_number_id"])
    assert caught.value.may_have_happened
    number_id = window["phone_number_id"]
    assert server.overview()["registers"][number_id] == applied


def test_webhook_endpoints_are_kept_changed_and_removed(client: YCloudClient) -> None:
    made = client.create_webhook_endpoint("https://x.example", ["whatsapp.phone_number.deleted"])
    assert (made.secret or "").startswith("whsec_")
    changed = client.update_webhook_endpoint(made.id, status="disabled")
    assert changed.status == "disabled"
    assert client.rotate_webhook_secret(made.id).secret != made.secret
    client.delete_webhook_endpoint(made.id)
    assert list(client.list_webhook_endpoints().items) == []
    for _ in range(20):
        client.create_webhook_endpoint("https://x.example", ["whatsapp.phone_number.deleted"])
    with pytest.raises(InvalidRequestError):
        client.create_webhook_endpoint("https://x.example", ["whatsapp.phone_number.deleted"])


@needs_spec
def test_every_answer_fits_the_published_specification(server: SandboxServer) -> None:
    spec = YCloudSpec()
    window = signup(server, "approve")
    app = signup(server, mode="business_app")
    waba, number = window["waba_id"], window["phone_number_id"]
    e164 = server.world.numbers[number]["answer"]["phoneNumber"].replace("+", "%2B")
    hook = {"url": "https://x.example", "enabledEvents": ["whatsapp.phone_number.deleted"]}
    calls: list[tuple[str, str, Any]] = [
        ("GET", "/whatsapp/businessAccounts", None),
        ("GET", f"/whatsapp/businessAccounts/{waba}", None),
        ("GET", "/whatsapp/businessAccounts/404", None),
        ("POST", f"/whatsapp/businessAccounts/{waba}/tp/bind", None),
        ("POST", f"/whatsapp/businessAccounts/{app['waba_id']}/smb/bind", None),
        ("GET", "/whatsapp/phoneNumbers?limit=100&includeTotal=true", None),
        ("GET", "/whatsapp/phoneNumbers?limit=101", None),
        ("GET", f"/whatsapp/phoneNumbers/{waba}/{e164}", None),
        ("POST", f"/whatsapp/phoneNumbers/{waba}/{number}/register", None),
        ("POST", f"/whatsapp/phoneNumbers/{waba}/999/register", None),
        ("GET", "/balance", None),
        ("POST", "/webhookEndpoints", hook),
        ("GET", "/webhookEndpoints", None),
    ]
    seen = 0
    with httpx.Client(base_url=f"{server.url}/v2", headers={"X-API-Key": "sandbox-key"}) as http:
        for method, path, body in calls:
            answer = http.request(method, path, json=body)
            plain = path.partition("?")[0]
            if answer.status_code < 400 and UNDOCUMENTED.fullmatch(plain):
                continue
            faults = spec.answer_faults(method, plain, answer.status_code, answer.json())
            assert faults == [], f"{method} {path}"
            seen += 1
        hook_id = http.get("/webhookEndpoints").json()["items"][0]["id"]
        for method, path in (("GET", ""), ("PATCH", ""), ("POST", "/rotateSecret")):
            answer = http.request(method, f"/webhookEndpoints/{hook_id}{path}", json={})
            plain = f"/webhookEndpoints/{hook_id}{path}"
            assert spec.answer_faults(method, plain, 200, answer.json()) == []
    assert seen == 11


def test_the_state_survives_a_restart(tmp_path: Any) -> None:
    path = tmp_path / "sandbox.json"
    with SandboxServer(state=path) as server:
        server.control("/control/", {"scenario": "pending"})
        window = signup(server)
    assert json.loads(path.read_text())["scenario"] == "pending"
    with (
        SandboxServer(state=path) as again,
        YCloudClient("sandbox-key", f"{again.url}/v2") as client,
    ):
        assert client.retrieve_business_account(window["waba_id"]).id == window["waba_id"]
        assert again.world.scenario == "pending"


# --- Spoiled answers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("html_502", ServerError),
        ("empty", UnreadableResponseError),
        ("wrong_type", UnreadableResponseError),
        ("huge", UnreadableResponseError),
        ("redirect", UnreadableResponseError),
        ("half", NoResponseError),
        ("rate_limited_silent", RateLimitError),
    ],
)
def test_each_spoiled_answer_is_what_it_says(
    server: SandboxServer, client: YCloudClient, kind: str, error: type[Exception]
) -> None:
    server.control("/control/fault", {"match": "balance", "fault": kind})
    with pytest.raises(error):
        client.retrieve_balance()
    assert client.retrieve_balance().currency == "USD"


@pytest.mark.parametrize("applied", [True, False])
def test_a_spoiled_answer_to_an_act_is_applied_unless_it_says_otherwise(
    server: SandboxServer, client: YCloudClient, applied: bool
) -> None:
    window = signup(server, "unbound")
    server.control("/control/fault", {"match": "tp_bind", "fault": "empty", "applied": applied})
    with pytest.raises(UnreadableResponseError):
        client.tp_bind(window["waba_id"])
    assert server.world.accounts[window["waba_id"]]["bound"] is applied


def test_nulls_and_new_words_keep_the_ids(server: SandboxServer, client: YCloudClient) -> None:
    window = signup(server)
    for kind, status in (("nulls", None), ("new_words", "NEW_STATUS")):
        server.control("/control/fault", {"match": "list_numbers", "fault": kind})
        (number,) = client.all_phone_numbers(window["waba_id"])
        assert (number.id, number.status) == (window["phone_number_id"], status)


def test_a_slow_answer_is_late_and_right(server: SandboxServer, client: YCloudClient) -> None:
    server.control("/control/fault", {"match": "balance", "fault": "slow", "seconds": 0.3})
    began = time.monotonic()
    assert client.retrieve_balance().amount == 25.0
    assert time.monotonic() - began >= 0.3
