"""The register budget: counted across attempts and tenants, shown, kept before the call."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from onboarding import budget, transitions
from onboarding.models import Onboarding, ProviderCall
from tests.conftest import Sandbox, Worker
from tests.test_journey import API, Customer
from ycloud_client import YCloudClient


@pytest.fixture
def customer(api: APIClient, sandbox: Sandbox, worker: Worker) -> Customer:
    return Customer(api, sandbox, worker)


def refuse_registers(sandbox: Sandbox, status: int, meta: str, subcode: str = "") -> None:
    """YCloud passes on a refusal of Meta's, at the status that it likes."""
    from sandbox.envelope import RefusalError

    def register(call: Any, waba_id: str, number_id: str) -> Any:
        inner = {"code": meta, "message": "no", **({"error_subcode": subcode} if subcode else {})}
        raise RefusalError(status, "BAD_REQUEST", "no", whatsappApiError=inner)

    sandbox.server.ycloud._register = register  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _register_works_again(sandbox: Sandbox) -> Any:
    yield
    vars(sandbox.server.ycloud).pop("_register", None)


def texts(customer: Customer) -> list[str]:
    entries = customer.api.get(f"{API}{customer.id}/timeline/").json()["results"]
    return [entry["detail"] for entry in entries if entry["kind"] == "act"]


def test_the_timeline_counts_registers_and_says_when_the_next_may_go_out(
    customer: Customer,
) -> None:
    customer.goes_through("pin_mismatch")
    assert texts(customer)[-1] == "refused · 1 of 10 in 72 hours"
    for _ in range(7):
        customer.acts("resume")
    shown = texts(customer)[-1]
    assert shown.startswith("refused · 8 of 10 in 72 hours · next possible at ")
    customer.acts("resume")
    assert customer.stop == ("registering", "register_budget")
    (requirement,) = customer.sees()["requirements"]
    assert requirement["due"] is not None


def test_the_budget_is_counted_across_attempts_and_tenants(
    customer: Customer, sandbox: Sandbox
) -> None:
    window = sandbox.finish(scenario="approve")
    ProviderCall.objects.bulk_create(
        ProviderCall(kind="register", target=window["phone_number_id"], outcome="refused",
                     status=400, meta_code="133005")
        for _ in range(8)
    )  # fmt: skip
    customer.starts()
    customer.hands_over(window)
    customer.worker.run()
    assert customer.stop == ("registering", "register_budget")
    assert sandbox.registers == 0


@pytest.mark.parametrize("status", [400, 403, 429, 500])
def test_metas_block_closes_the_number_for_72_hours_whatever_the_status(
    customer: Customer, sandbox: Sandbox, status: int
) -> None:
    refuse_registers(sandbox, status, "133016")
    customer.goes_through("approve")
    assert customer.stop == ("registering", "register_budget")
    for _ in range(5):
        customer.worker.later(6 * 3600)
    assert sandbox.registers == 1
    due = Onboarding.objects.get().next_look_at
    call = ProviderCall.objects.get(kind="register")
    assert due is not None
    assert abs(due - call.at - timedelta(hours=72)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("outcome", "status", "meta", "counts"),
    [
        ("done", 200, "", True),
        ("lost", None, "", True),
        ("open", None, "", True),
        ("refused", 400, "133005", True),
        ("refused", 429, "133016", True),
        ("refused", 429, "", False),
        ("refused", 401, "", False),
        ("refused", 403, "", False),
        ("not_sent", None, "", False),
    ],
)
def test_only_what_may_have_reached_meta_counts(
    outcome: str, status: int | None, meta: str, counts: bool
) -> None:
    call = ProviderCall(kind="register", outcome=outcome, status=status, meta_code=meta)
    assert budget.counts(call) is counts


def test_after_72_hours_a_register_counts_no_more(db: None) -> None:
    call = ProviderCall.objects.create(kind="register", target="7", outcome="done")
    assert len(budget.spent_on("7")) == 1
    ProviderCall.objects.filter(pk=call.pk).update(at=timezone.now() - timedelta(hours=73))
    assert budget.spent_on("7") == []


def test_a_worker_that_died_after_the_answer_does_not_register_again(
    customer: Customer, sandbox: Sandbox
) -> None:
    """The outcome was written, the move was not."""
    customer.goes_through("pending", seconds=500)
    row = Onboarding.objects.get()
    Onboarding.objects.filter(pk=row.pk).update(state="registering")
    customer.worker.later(3)
    assert customer.state == "connecting"
    customer.worker.later(600)
    assert customer.state == "connected"
    assert sandbox.registers == 1


def test_a_number_that_had_to_be_verified_again_is_registered_again(
    customer: Customer, sandbox: Sandbox
) -> None:
    customer.goes_through("pending", seconds=5000)
    number = sandbox.server.world.numbers[customer.number_id]
    number["connect_at"] = None
    number["answer"] |= {"status": "UNVERIFIED", "codeVerificationStatus": "EXPIRED"}
    customer.worker.later(30)
    assert customer.stop == ("awaiting_number", "number_not_verified")
    number["answer"] |= {"status": "PENDING", "codeVerificationStatus": "VERIFIED"}
    number["connect_after"] = 0.0
    customer.worker.later(60)
    assert customer.state == "connected"
    assert sandbox.registers == 2


def told_unverified(sandbox: Sandbox, customer: Customer) -> None:
    """Meta refuses with 133006 while the list says VERIFIED."""
    refuse_registers(sandbox, 400, "133006")
    customer.goes_through("approve")


def test_a_number_that_meta_calls_unverified_does_not_burn_its_budget(
    customer: Customer, sandbox: Sandbox
) -> None:
    told_unverified(sandbox, customer)
    assert customer.stop == ("awaiting_number", "number_not_verified")
    for _ in range(30):
        customer.worker.later(60)
    assert sandbox.registers == 1
    customer.worker.later(3600)
    assert sandbox.registers == 2, "an hour later it is tried once more"


@pytest.mark.parametrize("code", ["VERIFIED", None])
def test_a_number_with_the_status_unverified_is_not_registered(
    customer: Customer, sandbox: Sandbox, code: str | None
) -> None:
    window = sandbox.finish(scenario="approve")
    number = sandbox.server.world.numbers[window["phone_number_id"]]
    number["answer"] |= {"status": "UNVERIFIED", "codeVerificationStatus": code}
    customer.starts()
    customer.hands_over(window)
    customer.worker.run()
    for _ in range(10):
        customer.worker.later(60)
    assert customer.stop == ("awaiting_number", "number_not_verified")
    assert sandbox.registers == 0


def test_a_known_registration_is_not_forgotten_after_the_budget_s_window(
    customer: Customer, sandbox: Sandbox
) -> None:
    customer.goes_through("pending", seconds=90 * 86_400)
    customer.worker.clock.shift(4 * 86_400)
    Onboarding.objects.update(state="linked")
    customer.worker.later(60)
    assert Onboarding.objects.get().state == "connecting"
    assert sandbox.registers == 1


def test_a_disconnected_number_is_registered_again_only_when_somebody_resumes(
    customer: Customer, sandbox: Sandbox
) -> None:
    customer.goes_through("pending", seconds=90_000)
    number = sandbox.server.world.numbers[customer.number_id]
    number["connect_at"], number["answer"]["status"] = None, "DISCONNECTED"
    customer.worker.later(30)
    assert customer.stop == ("needs_attention", "number_disconnected")
    for _ in range(3):
        transitions.wake([Onboarding.objects.get().pk])
        customer.worker.later(5)
    assert sandbox.registers == 1
    customer.acts("resume")
    assert sandbox.registers == 2


def test_a_conflict_means_that_it_was_done_before(customer: Customer, sandbox: Sandbox) -> None:
    from sandbox.envelope import RefusalError

    def register(call: Any, waba_id: str, number_id: str) -> Any:
        raise RefusalError(409, "ALREADY_EXISTS", "The number is registered already.")

    sandbox.server.ycloud._register = register  # type: ignore[method-assign]
    customer.goes_through("approve")
    assert customer.state == "connecting"
    sandbox.act("connect_now", phone_number_id=customer.number_id)
    customer.worker.later(60)
    assert customer.state == "connected"
    assert sandbox.registers == 1


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("BALANCE_INSUFFICIENT", "ycloud_balance_empty"),
        ("ACCOUNT_LIMITED", "ycloud_account_limited"),
        ("FORBIDDEN", "ycloud_access_refused"),
    ],
)
def test_what_is_the_partners_matter_waits_and_costs_no_budget(
    customer: Customer, sandbox: Sandbox, code: str, reason: str
) -> None:
    from sandbox.envelope import RefusalError

    def register(call: Any, waba_id: str, number_id: str) -> Any:
        raise RefusalError(403, code, "no")

    sandbox.server.ycloud._register = register  # type: ignore[method-assign]
    customer.goes_through("approve")
    assert Onboarding.objects.get().reason == reason
    assert customer.stop == ("registering", "ycloud_unavailable")
    for _ in range(12):
        customer.worker.later(301)
    assert Onboarding.objects.get().reason == reason
    vars(sandbox.server.ycloud).pop("_register")
    customer.worker.later(301)
    assert customer.state == "connected"


def test_a_register_that_found_no_connection_was_not_sent_and_costs_no_budget(
    customer: Customer,
) -> None:
    customer.goes_through("payment_missing")
    customer.sandbox.act("attach_payment", waba_id=customer.waba_id)
    register = YCloudClient.register_phone_number

    def unreachable(self: YCloudClient, *ids: str) -> Any:
        with YCloudClient("k", "http://127.0.0.1:9/v2") as nobody:
            return register(nobody, *ids)

    with pytest.MonkeyPatch.context() as away:
        away.setattr(YCloudClient, "register_phone_number", unreachable)
        customer.worker.later(30)
    call = ProviderCall.objects.get(kind="register")
    assert call.outcome == "not_sent"
    assert budget.spent_on(call.target) == []
    customer.worker.later(30)
    assert customer.state == "connected"


def test_a_number_that_ycloud_does_not_know_yet_waits_under_its_own_reason(
    customer: Customer, sandbox: Sandbox
) -> None:
    from sandbox.envelope import RefusalError

    def register(call: Any, waba_id: str, number_id: str) -> Any:
        raise RefusalError(403, "WHATSAPP_PHONE_NUMBER_UNAVAILABLE", "no")

    sandbox.server.ycloud._register = register  # type: ignore[method-assign]
    customer.goes_through("approve")
    assert customer.stop == ("registering", "number_not_listed")
    customer.worker.later(120)
    assert sandbox.registers == 1
    vars(sandbox.server.ycloud).pop("_register")
    customer.worker.later(200)
    assert customer.state == "connected"
