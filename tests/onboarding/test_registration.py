"""Staff have a number registered again: by the next step, within the budget, never blindly."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from onboarding import services
from onboarding.models import Onboarding, ProviderCall
from tests.conftest import Sandbox, Worker
from tests.onboarding.desk import LIST, decide
from tests.onboarding.test_budget import refuse_registers
from tests.test_journey import Customer


@pytest.fixture
def customer(api: APIClient, sandbox: Sandbox, worker: Worker) -> Customer:
    return Customer(api, sandbox, worker)


@pytest.fixture(autouse=True)
def _register_works_again(sandbox: Sandbox) -> Any:
    yield
    vars(sandbox.server.ycloud).pop("_register", None)


@pytest.fixture
def stopped(customer: Customer) -> Onboarding:
    """Refused once, by Meta's PIN."""
    customer.goes_through("pin_mismatch")
    row = Onboarding.objects.get()
    assert (row.state, row.reason) == ("needs_attention", "pin_mismatch")
    return row


def spend(row: Onboarding, times: int, **more: Any) -> None:
    assert row.number is not None
    call = {"outcome": "refused", "status": 400, "meta_code": "133005", **more}
    for _ in range(times):
        ProviderCall.objects.create(kind="register", target=row.number.phone_number_id, **call)


def test_the_service_calls_nobody_and_wakes_the_step(
    stopped: Onboarding, sandbox: Sandbox, worker: Worker
) -> None:
    before = len(sandbox.calls)
    services.retry_registration(stopped, "mary")
    assert len(sandbox.calls) == before
    worker.run()
    assert sandbox.registers == 2


def test_the_page_shows_the_budget_before_it_is_asked_for(
    desk: Client, stopped: Onboarding
) -> None:
    page = desk.get(f"{LIST}{stopped.pk}/decide/retry/").content.decode()
    assert "Registered 1 of 10 times in 72 hours." in page
    assert "The next one is possible now." in page


def test_a_closed_budget_refuses_and_says_when(
    desk: Client, stopped: Onboarding, sandbox: Sandbox, worker: Worker
) -> None:
    """The reserve is not for this: it is kept for a person at YCloud's own console."""
    spend(stopped, 7)
    page = desk.get(f"{LIST}{stopped.pk}/decide/retry/").content.decode()
    assert "Registered 8 of 10 times in 72 hours." in page
    assert "Closed; next possible" in page
    told = decide(desk, stopped, "retry", confirmed="yes").content.decode()
    assert "The number was registered 8 of 10 times; next possible at" in told
    worker.run()
    assert sandbox.registers == 1


def test_it_overrules_the_wait_for_the_display_name_and_then_waits_again(
    customer: Customer, sandbox: Sandbox, worker: Worker
) -> None:
    refuse_registers(sandbox, 400, "100", "2388001")
    customer.goes_through("approve")
    row = Onboarding.objects.get()
    assert (row.state, row.reason) == ("registering", "display_name_review")
    asked = ProviderCall.objects.filter(kind="register").count()
    services.resume(row, "mary")
    worker.run()
    assert ProviderCall.objects.filter(kind="register").count() == asked
    services.retry_registration(row, "mary")
    worker.run()
    assert ProviderCall.objects.filter(kind="register").count() == asked + 1
    worker.later(60)
    assert ProviderCall.objects.filter(kind="register").count() == asked + 1


def test_a_number_that_hangs_after_it_was_accepted_is_registered_once_more(
    customer: Customer, sandbox: Sandbox, worker: Worker
) -> None:
    customer.goes_through("approve", connect_after=600.0)
    row = Onboarding.objects.get()
    assert row.state == "connecting"
    services.resume(row, "mary")
    worker.run()
    assert sandbox.registers == 1
    services.retry_registration(row, "mary")
    worker.run()
    worker.later(1)
    assert sandbox.registers == 2


def test_nothing_is_repeated_while_one_is_under_way(stopped: Onboarding) -> None:
    spend(stopped, 1, outcome="open", status=None, meta_code="")
    with pytest.raises(services.RefusedError, match="under way right now"):
        services.retry_registration(stopped, "mary")


def test_a_number_in_the_app_is_never_registered(stopped: Onboarding, sandbox: Sandbox) -> None:
    assert stopped.number is not None
    stopped.number.is_on_biz_app = True
    stopped.number.save()
    with pytest.raises(services.RefusedError):
        services.retry_registration(stopped, "mary")


def test_the_customer_reads_nothing_of_it(
    customer: Customer, stopped: Onboarding, worker: Worker
) -> None:
    services.retry_registration(stopped, "mary")
    worker.run()
    told = customer.api.get(f"/api/v1/onboardings/{customer.id}/timeline/").content.decode()
    assert "asked for again" not in told
    assert "mary" not in told
