"""Whatever YCloud answers to any call, the onboarding arrives and no act is repeated blindly.

Real HTTP to the sandbox and a real database; the worker is driven by hand, with time moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from onboarding.models import Onboarding, ProviderCall
from tests.conftest import Sandbox, Worker
from tests.test_journey import Customer
from ycloud_client import YCloudClient

CALLS = ("retrieve_account", "list_numbers", "register")
KINDS = (
    "garbage", "html_502", "empty", "wrong_type", "huge", "half", "redirect", "nulls",
    "new_words", "rate_limited", "rate_limited_silent", "server_error", "timeout_before",
    "timeout_after",
)  # fmt: skip


@pytest.fixture
def customer(api: Any, sandbox: Sandbox, worker: Worker) -> Customer:
    return Customer(api, sandbox, worker)


def arrive(customer: Customer, seconds: float = 20, rounds: int = 12) -> None:
    for _ in range(rounds):
        if customer.state == "connected":
            return
        customer.worker.later(seconds)


def acted(sandbox: Sandbox, ending: str) -> list[dict[str, Any]]:
    return [c for c in sandbox.server.world.calls if c["path"].endswith(ending)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", CALLS)
def test_an_odd_answer_to_a_call_of_a_new_number_ends_nothing(
    customer: Customer, sandbox: Sandbox, call: str, kind: str
) -> None:
    faults = [{"match": call, "fault": kind, "times": 1, "seconds": 0.1}]
    customer.goes_through("pending", seconds=10, faults=faults)
    arrive(customer)
    assert customer.state == "connected"
    registers = acted(sandbox, "/register")
    applied_unseen = call == "register" and kind == "timeout_before"
    limited = call == "register" and kind.startswith("rate_limited")
    unavailable = call == "register" and kind == "server_error"
    assert len(registers) == (2 if applied_unseen or limited or unavailable else 1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_odd_answer_to_the_bind_of_an_app_ends_nothing(
    customer: Customer, sandbox: Sandbox, kind: str
) -> None:
    faults = [{"match": "smb_bind", "fault": kind, "times": 1, "seconds": 0.1}]
    customer.goes_through("approve", "business_app", faults=faults)
    arrive(customer)
    assert customer.state == "connected"
    not_applied = kind in ("timeout_before", "server_error") or kind.startswith("rate_limited")
    assert len(acted(sandbox, "/smb/bind")) == (2 if not_applied else 1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_odd_answer_to_the_bind_of_an_account_ends_nothing(
    customer: Customer, sandbox: Sandbox, kind: str
) -> None:
    faults = [{"match": "tp_bind", "fault": kind, "times": 1, "seconds": 0.1}]
    customer.goes_through("unbound", faults=faults)
    arrive(customer)
    assert customer.state == "connected"
    assert len(acted(sandbox, "/tp/bind")) <= 2


@pytest.mark.parametrize("kind", ["timeout_before", "server_error"])
def test_metas_silence_is_repeated_while_the_code_lives(
    customer: Customer, sandbox: Sandbox, kind: str
) -> None:
    sandbox.fault("graph_oauth_access_token", kind, seconds=0.1)
    customer.goes_through("approve")
    assert customer.state == "connected"
    assert customer.sees()["proven"] is True


def test_a_code_that_meta_took_without_answering_is_not_believed(
    customer: Customer, sandbox: Sandbox
) -> None:
    sandbox.fault("graph_oauth_access_token", "timeout_after", seconds=0.1)
    customer.goes_through("approve")
    assert customer.stop == ("in_review", "unproven")
    kinds = ProviderCall.objects.filter(kind="exchange_code").values_list("outcome", flat=True)
    assert list(kinds) == ["lost", "refused"]


@pytest.mark.parametrize("applied", [True, False])
def test_a_register_that_timed_out_is_watched_for_a_minute_before_it_is_repeated(
    customer: Customer, sandbox: Sandbox, applied: bool
) -> None:
    kind = "timeout_after" if applied else "timeout_before"
    faults = [{"match": "register", "fault": kind, "times": 1, "seconds": 0.1}]
    customer.goes_through("pending", seconds=30, faults=faults)
    arrive(customer, seconds=5, rounds=30)
    assert customer.state == "connected"
    times = [call["at"] for call in acted(sandbox, "/register")]
    assert len(times) == (1 if applied else 2)
    assert all(later - earlier >= 60 for earlier, later in pairwise(times))


def test_a_refused_connection_was_not_sent_and_is_tried_again(
    customer: Customer, sandbox: Sandbox, settings: Any
) -> None:
    right = settings.YCLOUD_API_BASE_URL
    settings.YCLOUD_API_BASE_URL = "http://127.0.0.1:9/v2"
    customer.goes_through("approve")
    assert customer.stop == ("signed_up", "ycloud_unavailable")
    assert not sandbox.calls
    settings.YCLOUD_API_BASE_URL = right
    customer.worker.later(10)
    assert customer.state == "connected"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A client whose patience is short, so that a real timeout costs the test no time."""
    begin = YCloudClient.__init__

    def hurried(self: YCloudClient, *args: Any, **named: Any) -> None:
        begin(self, *args, **{**named, "read_timeout": 0.3, "connect_timeout": 0.3})

    monkeypatch.setattr(YCloudClient, "__init__", hurried)
    return iter(())


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("call", CALLS)
def test_a_read_timeout_is_no_end(customer: Customer, sandbox: Sandbox, call: str) -> None:
    faults = [{"match": call, "fault": "slow", "times": 1, "seconds": 0.8}]
    customer.goes_through("pending", seconds=10, faults=faults)
    arrive(customer)
    assert customer.state == "connected"
    assert len(acted(sandbox, "/register")) == 1


@pytest.mark.usefixtures("impatient")
def test_a_host_that_does_not_take_the_connection_was_not_reached(
    customer: Customer, sandbox: Sandbox, settings: Any, full_port: int
) -> None:
    right = settings.YCLOUD_API_BASE_URL
    settings.YCLOUD_API_BASE_URL = f"http://127.0.0.1:{full_port}/v2"
    customer.goes_through("approve")
    assert customer.stop == ("signed_up", "ycloud_unavailable")
    settings.YCLOUD_API_BASE_URL = right
    customer.worker.later(10)
    assert customer.state == "connected"


def test_an_act_that_may_have_reached_ycloud_is_in_the_journal_with_its_intent(
    customer: Customer, sandbox: Sandbox
) -> None:
    faults = [{"match": "register", "fault": "timeout_before", "times": 1, "seconds": 0.1}]
    customer.goes_through("approve", faults=faults)
    arrive(customer)
    rows = ProviderCall.objects.filter(kind="register").order_by("at")
    assert [row.outcome for row in rows] == ["lost", "done"]
    assert len(acted(sandbox, "/register")) == rows.count()
    assert Onboarding.objects.get().state == "connected"
