"""Several at once on one onboarding: workers, browsers, the sweep, a person, a wake."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from onboarding import services, steps, tasks, transitions
from onboarding.models import Onboarding, ProviderCall
from onboarding.services import RefusedError
from tenants.access import Asker, member
from tenants.models import Membership, Tenant
from tests.at_once import at_once
from tests.conftest import Sandbox, person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def asker() -> Asker:
    tenant = Tenant.objects.create(slug="cakes", name="Cakes")
    owner = person("owner@cakes.example")
    Membership.objects.create(user=owner, tenant=tenant)
    return member(owner)


@pytest.fixture
def _slow_ycloud(sandbox: Sandbox) -> Iterator[None]:
    """Calls take long enough for others to come in between."""
    sandbox.server.latency_ms = 80
    yield
    sandbox.server.latency_ms = 0


def together(*acts: Callable[[], Any]) -> None:
    """All of them begun together; one that comes too late is refused, nothing else may go wrong."""
    for told in at_once(*acts):
        if isinstance(told, Exception) and not isinstance(told, RefusedError):
            raise told


def worker_of(row: Onboarding) -> Callable[[], None]:
    def work() -> None:
        for _ in range(6):
            claimed = transitions.claim(row.pk)
            if claimed is not None:
                steps.run(claimed)

    return work


def sweep() -> None:
    for _ in range(6):
        for onboarding_id, fence in transitions.claim_due(10):
            taken = transitions.take_over(onboarding_id, fence)
            if taken is not None:
                steps.run(taken)


def until_quiet(row: Onboarding) -> Onboarding:
    for _ in range(5):
        worker_of(row)()
    row.refresh_from_db()
    return row


def registers(sandbox: Sandbox, row: Onboarding) -> int:
    return sum(c.endswith(f"{row.claimed_phone_number_id}/register") for c in sandbox.calls)


@pytest.mark.usefixtures("_slow_ycloud")
def test_two_workers_two_browsers_and_the_sweep_make_one_registration(
    sandbox: Sandbox, asker: Asker, settings: Any
) -> None:
    settings.META_APP_SECRET = ""
    settings.ONBOARDING_UNPROVEN = "continue"
    row, _ = services.start(asker, Tenant.objects.get(), "business_platform")
    window = sandbox.finish(scenario="approve")
    ids = {name: window[name] for name in ("waba_id", "phone_number_id", "event")}

    def browser() -> None:
        for _ in range(3):
            services.record_signup_result(row, asker, ids)

    together(browser, browser, worker_of(row), worker_of(row), sweep)
    until_quiet(row)
    assert row.state == "connected"
    assert registers(sandbox, row) == 1
    assert Onboarding.objects.count() == 1


@pytest.mark.usefixtures("_slow_ycloud")
def test_a_withdrawal_beside_the_workers_wins_or_loses_as_a_whole(
    sandbox: Sandbox, asker: Asker, settings: Any
) -> None:
    settings.META_APP_SECRET = ""
    settings.ONBOARDING_UNPROVEN = "continue"
    for _ in range(4):
        row, _ = services.start(asker, Tenant.objects.get(), "business_platform")
        window = sandbox.finish(scenario="approve")
        ids = {name: window[name] for name in ("waba_id", "phone_number_id", "event")}
        row = services.record_signup_result(row, asker, ids)
        together(worker_of(row), sweep, lambda row=row: services.withdraw(row, "customer"))
        until_quiet(row)
        assert row.state in ("cancelled", "connected")
        assert registers(sandbox, row) <= 1
        last = row.transitions.order_by("at", "pk").last()
        assert last is not None
        assert last.to_state == row.state


@pytest.mark.usefixtures("_slow_ycloud")
def test_a_wake_during_a_read_is_answered_by_another_read(
    sandbox: Sandbox, asker: Asker, settings: Any
) -> None:
    settings.META_APP_SECRET = ""
    settings.ONBOARDING_UNPROVEN = "continue"
    row, _ = services.start(asker, Tenant.objects.get(), "business_platform")
    window = sandbox.finish(scenario="payment_missing")
    ids = {name: window[name] for name in ("waba_id", "phone_number_id", "event")}
    row = services.record_signup_result(row, asker, ids)
    claimed = transitions.claim(row.pk)
    assert claimed is not None
    before = len(sandbox.calls)
    together(
        lambda: steps.run(claimed),
        lambda: (threading.Event().wait(0.05), transitions.wake([row.pk])),
    )
    row.refresh_from_db()
    assert row.state == "awaiting_payment"
    assert transitions.claim(row.pk) is not None, "still due, because it was woken meanwhile"
    assert len(sandbox.calls) > before


def test_two_attempts_at_one_number_register_it_once(
    sandbox: Sandbox, asker: Asker, settings: Any
) -> None:
    settings.META_APP_SECRET = ""
    settings.ONBOARDING_UNPROVEN = "continue"
    tenant = Tenant.objects.get()
    window = sandbox.finish(scenario="pending", connect_after=0.5)
    ids = {name: window[name] for name in ("waba_id", "phone_number_id", "event")}
    rows = []
    for n in range(2):
        other = person(f"member{n}@cakes.example")
        Membership.objects.create(user=other, tenant=tenant)
        row, _ = services.start(member(other), tenant, "business_platform")
        rows.append(services.record_signup_result(row, member(other), ids))
    together(*(worker_of(row) for row in rows), sweep)
    assert registers(sandbox, rows[0]) == 1
    states = {until_quiet(row).state for row in rows}
    assert states <= {"cancelled", "connecting", "connected"}
    assert "cancelled" in states, "the second one is superseded"


def test_two_beats_double_the_sweep_and_nothing_else(sandbox: Sandbox, asker: Asker) -> None:
    row, _ = services.start(asker, Tenant.objects.get(), "business_platform")
    services.record_signup_result(row, asker, {"waba_id": "42", "event": "FINISH"})
    handed: list[int] = []
    together(*(lambda: handed.extend(i for i, _ in transitions.claim_due(10)) for _ in range(4)))
    assert handed == [row.pk]


def test_an_old_message_and_a_new_one_are_both_understood(sandbox: Sandbox, asker: Asker) -> None:
    row, _ = services.start(asker, Tenant.objects.get(), "business_platform")
    tasks.advance_onboarding(onboarding_id=row.pk)
    tasks.advance_onboarding(onboarding_id=row.pk, fence=99, lane="page", brand_new=[1])
    tasks.exchange_code(onboarding_id=row.pk, brand_new=1)
    tasks.apply_webhook_event(event_id="evt_none", brand_new=1)
    assert not ProviderCall.objects.exists()
