"""The sandbox's full-page dialog: what it refuses, how it leads back, what the exchange asks."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from sandbox.server import SandboxServer
from tests.sandbox.test_meta import APP, TOKEN

DIALOG = "/dialog/oauth"
BACK = "http://localhost:8000/connect/return/"
ASKED = {
    "client_id": "100000000000001", "config_id": "200000000000001", "redirect_uri": BACK,
    "response_type": "code", "override_default_response_type": "true", "state": "dlg_<&>",
    "extras": "{}",
}  # fmt: skip


@pytest.fixture
def server() -> Iterator[SandboxServer]:
    with SandboxServer() as made:
        yield made


@pytest.fixture
def http(server: SandboxServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url) as made:
        yield made


def ended(http: httpx.Client, ending: str = "finish", scenario: str = "") -> dict[str, str]:
    """What the address says that the customer is led back to."""
    answer = http.post(DIALOG, data={**ASKED, "ending": ending, "scenario": scenario})
    assert answer.status_code == 303
    address = urlsplit(answer.headers["Location"])
    assert (address._replace(query="", fragment="").geturl(), address.fragment) == (BACK, "_=_")
    return dict(parse_qsl(address.query))


def test_it_leads_back_with_a_code_and_the_state(http: httpx.Client) -> None:
    said = ended(http)
    assert said.pop("state") == "dlg_<&>"
    answer = http.post(TOKEN, data={**APP, "code": said.pop("code"), "redirect_uri": BACK})
    assert (answer.status_code, said) == (200, {})


def test_what_was_brought_is_written_as_text(http: httpx.Client) -> None:
    page = http.get(DIALOG, params=ASKED)
    assert page.status_code == 200
    assert 'value="dlg_&lt;&amp;&gt;"' in page.text


@pytest.mark.parametrize("named", ["", "http://localhost:8000/connect/return", f"{BACK}?x"])
def test_the_exchange_has_to_name_the_same_way_back(http: httpx.Client, named: str) -> None:
    code = ended(http)["code"]
    sent = {**APP, "code": code, **({"redirect_uri": named} if named else {})}
    assert http.post(TOKEN, data=sent).json()["error"]["error_subcode"] == 36008


def test_a_code_of_the_window_has_no_way_back(http: httpx.Client) -> None:
    code = http.post("/control/signup", json={}).json()["code"]
    answer = http.post(TOKEN, data={**APP, "code": code, "redirect_uri": BACK})
    assert answer.json()["error"]["error_subcode"] == 36008


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("redirect_uri", "http://evil.example/connect/return/"),
        ("redirect_uri", "http://localhost:8000.evil.example/connect/return/"),
        ("redirect_uri", "//localhost:8000/connect/return/"), ("redirect_uri", ""),
        ("redirect_uri", f"{BACK}?next=1"), ("client_id", "1"), ("config_id", ""),
        ("response_type", "token"), ("override_default_response_type", ""), ("extras", "{"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_meta_would_block_is_blocked(
    http: httpx.Client, method: str, name: str, value: str
) -> None:
    sent = {**ASKED, name: value}
    answer = (
        http.get(DIALOG, params=sent)
        if method == "GET"
        else http.post(DIALOG, data={**sent, "ending": "finish"})
    )
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_a_foreign_page_cannot_press_its_buttons(http: httpx.Client) -> None:
    sent = {**ASKED, "ending": "finish"}
    answer = http.post(DIALOG, data=sent, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 400
    assert http.get("/control/").json()["accounts"] == []


@pytest.mark.parametrize(
    ("ending", "scenario", "error", "code"),
    [
        ("cancel", "", "access_denied", "200"), ("report", "", "server_error", "3441030"),
        ("finish", "cancel", "access_denied", "200"),
        ("finish", "report", "server_error", "3441030"),
        ("finish", "error", "server_error", "2"), ("finish", "ids_only", "server_error", "2"),
    ],
)  # fmt: skip
def test_each_other_end_leads_back_with_an_error(
    http: httpx.Client, ending: str, scenario: str, error: str, code: str
) -> None:
    said = ended(http, ending, scenario)
    assert (said["error"], said["error_code"], said["state"]) == (error, code, ASKED["state"])
    assert ("error_reason" in said) == (error == "access_denied")


def test_a_page_that_stops_answering_leads_nowhere(http: httpx.Client) -> None:
    answer = http.post(DIALOG, data={**ASKED, "ending": "finish", "scenario": "nothing"})
    assert answer.status_code == 200
    assert "Location" not in answer.headers


def test_the_number_that_was_picked_is_what_the_code_grants(
    http: httpx.Client, server: SandboxServer
) -> None:
    first = http.post("/control/signup", json={}).json()
    sent = {**ASKED, "ending": "finish", "number_id": first["phone_number_id"]}
    assert http.post(DIALOG, data=sent).status_code == 303
    assert server.world.last_waba_ids == [first["waba_id"]]
    assert len(server.world.accounts) == 1
