"""When a bind may be asked for again, and when it is done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from onboarding import services, transitions
from onboarding.models import Onboarding, ProviderCall
from sandbox.envelope import RefusalError
from tests.conftest import Sandbox, Worker
from tests.test_journey import API, Customer


@pytest.fixture
def customer(api: APIClient, sandbox: Sandbox, worker: Worker) -> Customer:
    return Customer(api, sandbox, worker)


def binds(sandbox: Sandbox) -> int:
    return sum(call.endswith("/bind") for call in sandbox.calls)


@pytest.fixture
def refuse(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have a call refused until it is told otherwise."""

    def refused(name: str, status: int, code: str) -> None:
        def answer(call: Any, *parts: str) -> Any:
            raise RefusalError(status, code, "no")

        monkeypatch.setattr(sandbox.server.ycloud, f"_{name}", answer, raising=False)

    return refused


@pytest.mark.parametrize(
    ("mode", "call"), [("business_platform", "tp_bind"), ("business_app", "smb_bind")]
)
@pytest.mark.parametrize("code", ["BALANCE_INSUFFICIENT", "ACCOUNT_LIMITED"])
def test_a_bind_refused_for_the_partners_reasons_goes_on_by_itself_when_they_are_mended(
    customer: Customer, sandbox: Sandbox, refuse: Any, monkeypatch: pytest.MonkeyPatch,
    mode: str, call: str, code: str,
) -> None:  # fmt: skip
    refuse(call, 403, code)
    customer.goes_through("unbound", mode)
    assert customer.stop[1] == "ycloud_unavailable", "the customer need not do anything"
    customer.worker.later(301)
    assert customer.state not in ("connected", "connecting", "needs_attention")
    monkeypatch.undo()
    customer.worker.later(301)
    customer.worker.later(20)
    assert customer.state == "connected"


def test_a_bind_that_shows_although_its_answer_was_lost_is_not_repeated(
    customer: Customer, sandbox: Sandbox
) -> None:
    """The app's number takes minutes to connect, but its hidden account is visible now."""
    faults = [{"match": "smb_bind", "fault": "timeout_after", "times": 1, "seconds": 0.1}]
    customer.goes_through("unbound", "business_app", faults=faults, connect_after=300.0)
    for _ in range(40):
        customer.worker.later(20)
    assert customer.state == "connected"
    assert binds(sandbox) == 1


def test_an_approval_is_no_reason_to_bind_again(
    customer: Customer, sandbox: Sandbox, settings: Any, reviewer: Any
) -> None:
    settings.ONBOARDING_APPROVAL = "always"
    customer.goes_through("unbound", "business_app")
    assert customer.stop == ("in_review", "approval_needed")
    assert binds(sandbox) == 1
    services.approve(Onboarding.objects.get(), reviewer)
    customer.worker.run()
    customer.worker.later(20)
    assert customer.state == "connected"
    assert binds(sandbox) == 1


def test_a_refused_bind_is_asked_for_again_only_when_somebody_resumes(
    customer: Customer, sandbox: Sandbox, refuse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse("tp_bind", 404, "NOT_FOUND")
    customer.goes_through("unbound")
    customer.worker.later(90)
    assert Onboarding.objects.get().reason == "account_not_visible"
    asked = binds(sandbox)
    for _ in range(5):
        transitions.wake([Onboarding.objects.get().pk])
        customer.worker.later(90)
    assert binds(sandbox) == asked == 1
    monkeypatch.undo()
    customer.acts("resume")
    assert customer.state == "connected"
    assert binds(sandbox) == 2


def test_two_lost_answers_are_a_persons_matter_and_resuming_binds_again(
    customer: Customer, sandbox: Sandbox
) -> None:
    faults = [{"match": "tp_bind", "fault": "timeout_before", "times": 2, "seconds": 0.1}]
    customer.goes_through("unbound", faults=faults)
    for _ in range(10):
        customer.worker.later(30)
    assert Onboarding.objects.get().reason == "account_not_visible"
    assert binds(sandbox) == 2
    customer.acts("resume")
    assert customer.state == "connected"
    assert binds(sandbox) == 3


def test_a_bind_that_somebody_is_still_asking_for_is_waited_for(
    customer: Customer, sandbox: Sandbox
) -> None:
    window = sandbox.finish(scenario="unbound")
    customer.starts()
    customer.hands_over(window)
    row = Onboarding.objects.get()
    intent = ProviderCall.objects.create(
        onboarding=row, kind="tp_bind", target=window["waba_id"], outcome="open"
    )
    customer.worker.run()
    assert binds(sandbox) == 0
    intent.refresh_from_db()
    assert intent.outcome == "open"
    ProviderCall.objects.filter(pk=intent.pk).update(at=timezone.now() - timedelta(seconds=50))
    for _ in range(6):
        customer.worker.later(20)
    assert customer.state == "connected"
    assert binds(sandbox) == 1


# --- Codes and searches --------------------------------------------------------------------------


def test_a_code_that_is_posted_again_is_not_exchanged_again(
    customer: Customer, sandbox: Sandbox
) -> None:
    customer.starts()
    window = sandbox.finish(scenario="not_granted")
    for _ in range(3):
        customer.posts(code=window["code"], login_status="connected")
        customer.worker.run()
    exchanges = ProviderCall.objects.filter(kind="exchange_code")
    assert exchanges.count() == 1


def test_a_refused_code_in_another_attempt_is_not_sent_to_meta_again(
    customer: Customer, sandbox: Sandbox
) -> None:
    customer.starts()
    customer.posts(code="AQ-never-given")
    customer.worker.run()
    calls = len(sandbox.server.world.graph_calls)
    customer.starts("business_app")
    customer.posts(code="AQ-never-given")
    customer.worker.run()
    assert len(sandbox.server.world.graph_calls) == calls == 1


def test_a_search_forgets_what_was_approved_of_another_account(
    customer: Customer, sandbox: Sandbox, settings: Any, reviewer: Any
) -> None:
    settings.ONBOARDING_APPROVAL = "always"
    customer.goes_through("approve")
    row = Onboarding.objects.get()
    services.approve(row, reviewer)
    Onboarding.objects.filter(pk=row.pk).update(
        state="needs_attention", reason="account_not_visible"
    )
    answer = customer.api.post(f"{API}{customer.id}/search/")
    assert answer.status_code == 200
    row.refresh_from_db()
    assert (row.approved_at, row.business_account, row.number, row.proven) == (None,) * 4


def test_before_an_account_is_found_the_timeline_tells_of_no_bind(
    customer: Customer, sandbox: Sandbox, refuse: Any
) -> None:
    refuse("tp_bind", 404, "NOT_FOUND")
    customer.goes_through("unbound")
    entries = customer.api.get(f"{API}{customer.id}/timeline/").json()["results"]
    assert [entry["text"] for entry in entries if entry["kind"] == "act"] == [
        "Meta's confirmation was checked"
    ]


def test_the_trace_of_a_lost_bind_is_looked_for_before_it_is_repeated(
    customer: Customer, sandbox: Sandbox
) -> None:
    faults = [{"match": "tp_bind", "fault": "timeout_before", "times": 1, "seconds": 0.1}]
    customer.goes_through("unbound", faults=faults)
    assert customer.stop == ("signed_up", "ycloud_unavailable")
    for _ in range(20):
        customer.worker.later(5)
    times = [c["at"] for c in sandbox.server.world.calls if c["path"].endswith("/bind")]
    assert len(times) == 2
    assert times[1] - times[0] >= 35
    assert customer.state == "connected"


@pytest.mark.parametrize("kind", ["nulls", "new_words"])
def test_a_number_whose_status_is_unclear_for_once_is_not_registered(
    customer: Customer, sandbox: Sandbox, kind: str
) -> None:
    """It is connected already; one odd answer does not say so."""
    faults = [{"match": "list_numbers", "fault": kind, "times": 1}]
    customer.goes_through("already_connected", faults=faults)
    for _ in range(6):
        customer.worker.later(5)
    assert customer.state == "connected"
    assert sandbox.registers == 0


def test_a_status_that_stays_unknown_does_not_hold_the_number_up_for_ever(
    customer: Customer, sandbox: Sandbox
) -> None:
    customer.goes_through("approve", status="BRAND_NEW")
    assert customer.stop == ("registering", "status_unclear")
    for _ in range(8):
        customer.worker.later(6)
    assert sandbox.registers == 1


def test_always_binding_reads_first_after_a_lost_answer(
    customer: Customer, sandbox: Sandbox, settings: Any
) -> None:
    settings.YCLOUD_TP_BIND = "always"
    faults = [{"match": "tp_bind", "fault": "timeout_after", "times": 1, "seconds": 0.1}]
    customer.goes_through("unbound", faults=faults)
    customer.worker.later(5)
    assert customer.state == "connected", "the account is visible: that is the answer"
    assert binds(sandbox) == 1
