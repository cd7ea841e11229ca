"""Watching: how soon CONNECTED is noticed, and one read for all numbers of an account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from onboarding import schedule, transitions
from onboarding.models import Onboarding
from tests.conftest import Sandbox, Worker
from tests.test_journey import Customer


@pytest.fixture
def customer(api: APIClient, sandbox: Sandbox, worker: Worker) -> Customer:
    return Customer(api, sandbox, worker)


@pytest.mark.parametrize(
    "took", [1, 5, 30, 60, 299, 600, 3600, 86_400, 3 * 86_400, 7 * 86_400], ids=str
)
def test_connected_is_noticed_within_a_tenth_of_the_time_that_it_took(took: float) -> None:
    """The worst case: it connects just after a look; the sweep adds a second where it is needed."""
    looked, sweep = 0.0, 1.0
    while looked <= took:
        wait = schedule.interval(timedelta(seconds=looked))
        assert wait is not None
        seconds = wait.total_seconds()
        looked += seconds if seconds <= 30 else seconds + sweep
    assert looked - took <= max(2.0, 0.1 * looked)


def several(customer: Customer, sandbox: Sandbox, numbers: int, seconds: float) -> list[Onboarding]:
    """So many numbers of one account, all being watched."""
    customer.goes_through("pending", seconds=seconds, numbers=numbers)
    for number in list(sandbox.server.world.numbers)[1:]:
        customer.starts()
        again = sandbox.finish(scenario="second_tenant")
        customer.hands_over({**again, "phone_number_id": number})
        customer.worker.run()
    rows = list(Onboarding.objects.filter(state="connecting"))
    assert len(rows) == numbers
    return rows


def lists(sandbox: Sandbox) -> int:
    return sum(call == "GET /whatsapp/phoneNumbers" for call in sandbox.calls)


def test_the_numbers_of_one_account_are_watched_with_one_call(
    customer: Customer, sandbox: Sandbox
) -> None:
    several(customer, sandbox, 5, 86_400)
    customer.worker.later(60)
    before = lists(sandbox)
    rounds = 0
    for _ in range(10):
        due = Onboarding.objects.order_by("next_look_at").values_list("next_look_at", flat=True)
        first = due[0]
        assert first is not None
        customer.worker.later(max((first - timezone.now()).total_seconds(), 0) + 0.1)
        rounds += 1
    assert lists(sandbox) - before == rounds, "five numbers, one call a round"


def test_a_number_that_connects_is_noticed_by_its_sibling_s_read(
    customer: Customer, sandbox: Sandbox
) -> None:
    rows = several(customer, sandbox, 3, 86_400)
    customer.worker.later(60)
    for number in sandbox.server.world.numbers.values():
        number["connect_at"] = sandbox.server.world.clock()
    before = lists(sandbox)
    customer.worker.later(10)
    assert {Onboarding.objects.get(pk=row.pk).state for row in rows} == {"connected"}
    assert lists(sandbox) - before == 1


def test_a_wake_is_answered_by_a_read_of_its_own(customer: Customer, sandbox: Sandbox) -> None:
    (row,) = several(customer, sandbox, 1, 86_400)
    before = lists(sandbox)
    transitions.wake([row.pk])
    customer.worker.run()
    assert lists(sandbox) - before == 1


def test_an_account_that_is_lost_while_its_number_connects_is_looked_for_by_the_gates(
    customer: Customer, sandbox: Sandbox, settings: Any
) -> None:
    settings.YCLOUD_TP_BIND = "never"
    (row,) = several(customer, sandbox, 1, 86_400)
    account = sandbox.server.world.accounts[customer.waba_id]
    account["bound"] = False
    customer.worker.later(30)
    assert customer.state in ("connecting", "signed_up")
    account["bound"] = True
    sandbox.act("connect_now", phone_number_id=customer.number_id)
    customer.worker.later(120)
    assert customer.state == "connected"
    assert sandbox.registers == 1
    assert row.pk


@pytest.mark.parametrize(("days", "says"), [(1, False), (16, True), (31, True)])
def test_a_long_wait_says_that_looks_have_become_rare(
    customer: Customer, sandbox: Sandbox, days: int, says: bool
) -> None:
    (row,) = several(customer, sandbox, 1, 90 * 86_400)
    Onboarding.objects.update(state_changed_at=timezone.now() - timedelta(days=days))
    transitions.wake([row.pk])
    customer.worker.run()
    from onboarding import requirements

    row.refresh_from_db()
    (shown,) = requirements.of(row)
    rare = [line for line in shown.remedy if "Check again" in line]
    assert bool(rare) is says
    assert row.state == "connecting"
