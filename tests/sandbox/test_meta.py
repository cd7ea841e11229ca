"""The sandbox's Meta: codes, grants, what each scenario's window gives back."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox import scenarios
from sandbox.server import SandboxServer

APP = {"client_id": "100000000000001", "client_secret": "sandbox-app-secret"}
TOKEN = "/graph/v22.0/oauth/access_token"


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as made:
        yield made


@pytest.fixture
def http(server: SandboxServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url) as made:
        yield made


def signup(http: httpx.Client, scenario: str, mode: str = "business_platform") -> Any:
    sent = {"connection_mode": mode, "scenario": scenario}
    return http.post("/control/signup", json=sent).json()


def test_a_code_is_good_once_and_names_the_granted_accounts(http: httpx.Client) -> None:
    window = signup(http, "several_accounts")
    answer = http.post(TOKEN, data={**APP, "code": window["code"]})
    token = answer.json()["access_token"]
    debug = http.get(
        "/graph/v22.0/debug_token",
        params={"input_token": token},
        headers={"Authorization": "Bearer 100000000000001|sandbox-app-secret"},
    ).json()["data"]
    scope = debug["granular_scopes"][0]
    assert scope["scope"] == "whatsapp_business_management"
    assert len(scope["target_ids"]) == 2
    again = http.post(TOKEN, data={**APP, "code": window["code"]})
    assert again.status_code == 400
    assert again.json()["error"]["code"] == 100


def test_a_code_dies_after_thirty_seconds() -> None:
    now = [time.time()]
    with (
        SandboxServer(clock=lambda: now[0]) as server,
        httpx.Client(base_url=server.url) as http,
    ):
        window = signup(http, "approve")
        now[0] += 31
        answer = http.post(TOKEN, data={**APP, "code": window["code"]})
    assert answer.json()["error"]["error_subcode"] == 36007


def test_a_wrong_app_secret_is_refused(http: httpx.Client) -> None:
    window = signup(http, "approve")
    answer = http.post(TOKEN, data={**APP, "client_secret": "no", "code": window["code"]})
    assert answer.status_code == 400


def test_a_token_is_not_debugged_for_strangers(http: httpx.Client) -> None:
    answer = http.get("/graph/v22.0/debug_token", params={"input_token": "x"})
    assert answer.status_code == 400


@pytest.mark.parametrize("name", scenarios.CATALOGUE)
@pytest.mark.parametrize("mode", ["business_platform", "business_app"])
def test_each_scenario_gives_back_what_its_description_says(
    http: httpx.Client, name: str, mode: str
) -> None:
    wanted = scenarios.traits(name)
    window = signup(http, name, mode)
    finished = wanted["ending"] == "finish"
    assert bool(window["code"]) == (finished and wanted["code"])
    silent = wanted["ending"] == "nothing" or not wanted["message"]
    assert bool(window["messages"]) is not silent
    for raw in window["messages"]:
        message = json.loads(raw) if isinstance(raw, str) else raw
        assert message["type"] == "WA_EMBEDDED_SIGNUP"
        if not finished:
            assert message["event"] in ("CANCEL", "ERROR")
        elif mode == "business_app" and name != "only_waba":
            assert message["event"] == "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING"
            assert set(message["data"]) == {"waba_id"}


def test_the_second_tenant_gets_the_last_account_again(http: httpx.Client) -> None:
    first = signup(http, "approve")
    assert signup(http, "second_tenant")["waba_id"] == first["waba_id"]


def test_a_scenario_is_chosen_once_or_until_it_is_changed(http: httpx.Client) -> None:
    http.post("/control/", json={"scenario": "cancel", "once": True})
    first = http.post("/control/signup", json={}).json()
    second = http.post("/control/signup", json={}).json()
    assert (first["event"], second["event"]) == ("CANCEL", "FINISH")


def test_an_unknown_scenario_or_parameter_is_refused(http: httpx.Client) -> None:
    assert http.post("/control/", json={"scenario": "nonsense"}).status_code == 400
    sent = {"scenario": "approve", "params": {"nonsense": 1}}
    assert http.post("/control/", json=sent).status_code == 400
    assert http.post("/control/act", json={"act": "nonsense"}).status_code == 400


def test_the_old_name_of_a_scenario_still_works(http: httpx.Client) -> None:
    http.post("/control/", json={"scenario": "no_message"})
    assert http.get("/control/").json()["scenario"] == "code_only"


def test_a_foreign_page_cannot_press_the_buttons(http: httpx.Client) -> None:
    plain = http.post("/control/reset", content="{}", headers={"Content-Type": "text/plain"})
    assert plain.status_code == 415
    rebound = http.get("/control/", headers={"Host": "evil.example"})
    assert rebound.status_code == 421


@pytest.mark.parametrize("path", ["/", "/dialog", "/sdk.js", "/healthz", "/assets/sandbox.css"])
def test_the_pages_are_served(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/assets/../server.py", "/assets/..%2fserver.py", "/nothing"])
def test_nothing_but_the_assets_is_served(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == 404


def test_the_overview_holds_no_code_and_no_token(http: httpx.Client) -> None:
    window = signup(http, "approve")
    token = http.post(TOKEN, data={**APP, "code": window["code"]}).json()["access_token"]
    shown = http.get("/control/").text
    assert window["code"] not in shown
    assert token not in shown


# --- Which number ---------------------------------------------------------------------------------


def picks(http: httpx.Client, **picked: str) -> Any:
    return http.post("/control/signup", json={"scenario": "approve", **picked}).json()


def test_the_window_lists_the_numbers_that_are_there_newest_first(http: httpx.Client) -> None:
    ids = [signup(http, "approve")["phone_number_id"] for _ in range(2)]
    in_app = signup(http, "approve", "business_app")["waba_id"]
    listed = http.get("/dialog/config").json()["numbers"]
    assert [each["id"] for each in listed if not each["in_app"]] == ids[::-1]
    assert [each["account"] for each in listed if each["in_app"]]
    assert in_app not in str(listed)
    assert set(listed[0]) == {"id", "number", "account", "in_app"}


def test_a_number_that_is_there_is_given_back_with_its_account(
    http: httpx.Client, server: SandboxServer
) -> None:
    first = signup(http, "approve")
    again = picks(http, number_id=first["phone_number_id"])
    for name in ("waba_id", "phone_number_id"):
        assert again[name] == first[name]
    assert again["code"]
    assert len(server.world.accounts) == 1


def test_a_lost_account_whose_number_is_picked_is_there_again(
    http: httpx.Client, server: SandboxServer
) -> None:
    first = signup(http, "approve")
    account = server.world.accounts[first["waba_id"]]
    account["bound"], account["answer"]["removed"] = False, True
    picks(http, number_id=first["phone_number_id"])
    assert account["bound"]
    assert not account["answer"]["removed"]


def test_a_number_that_is_typed_is_the_new_accounts(
    http: httpx.Client, server: SandboxServer
) -> None:
    made = picks(http, phone_number="+34 612 00 11 22")
    number = server.world.numbers[made["phone_number_id"]]["answer"]
    assert number["phoneNumber"] == "+34612001122"
    again = picks(http, phone_number="+34612001122")
    assert again["phone_number_id"] == made["phone_number_id"], "typed though it is there"


@pytest.mark.parametrize("typed", ["", "none", "12"])
def test_what_is_no_number_counts_as_any(
    http: httpx.Client, server: SandboxServer, typed: str
) -> None:
    made = picks(http, phone_number=typed)
    assert server.world.numbers[made["phone_number_id"]]["answer"]["phoneNumber"].startswith("+34")
