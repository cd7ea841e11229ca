"""Compare-and-set with a fence: nobody writes over somebody who was faster."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from onboarding import journal, retention, services, tasks, transitions
from onboarding.models import Onboarding, ProviderCall, Transition, WebhookEvent
from onboarding.states import FINAL, TRANSITIONS, State
from tenants import walls
from tenants.access import Asker
from tenants.models import Tenant, User


def made(tenant: Tenant, **more: Any) -> Onboarding:
    columns = {"connection_mode": "business_platform", "state": "signed_up"}
    columns["next_look_at"] = timezone.now()
    return Onboarding.objects.create(tenant=tenant, **columns | more)


def claimed(tenant: Tenant, **more: Any) -> Onboarding:
    row = transitions.claim(made(tenant, **more).pk)
    assert row is not None
    return row


def test_a_row_is_claimed_once(tenant: Tenant) -> None:
    row = made(tenant)
    assert transitions.claim(row.pk) is not None
    assert transitions.claim(row.pk) is None


@pytest.mark.parametrize("due", [None, timedelta(seconds=5)])
def test_a_row_that_is_not_due_is_not_claimed(tenant: Tenant, due: timedelta | None) -> None:
    row = made(tenant, next_look_at=due and timezone.now() + due)
    assert transitions.claim(row.pk) is None
    assert transitions.claim_due(10) == []


def test_a_lease_that_ran_out_is_taken_over_and_its_holder_writes_nothing(tenant: Tenant) -> None:
    slow = claimed(tenant)
    Onboarding.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    quick = transitions.claim(slow.pk)
    assert quick is not None
    with pytest.raises(transitions.OvertakenError):
        transitions.move(slow, State.LINKED, actor="worker")
    with pytest.raises(transitions.OvertakenError):
        transitions.renew(slow)
    transitions.move(quick, State.LINKED, actor="worker")


def test_a_persons_move_overtakes_the_worker(tenant: Tenant) -> None:
    worker = claimed(tenant)
    person = Onboarding.objects.get(pk=worker.pk)
    transitions.move(person, State.CANCELLED, actor="customer", reason="withdrawn", person=True)
    with pytest.raises(transitions.OvertakenError):
        transitions.move(worker, State.LINKED, actor="worker")
    worker.refresh_from_db()
    assert worker.state == "cancelled"


def test_a_move_and_its_audit_row_are_one(tenant: Tenant) -> None:
    row = claimed(tenant)
    transitions.move(row, State.LINKED, actor="worker")
    move = Transition.objects.get()
    assert (move.from_state, move.to_state, move.actor) == ("signed_up", "linked", "worker")


def test_a_look_that_changed_nothing_leaves_no_audit_row(tenant: Tenant) -> None:
    row = claimed(tenant, state="awaiting_payment", reason="payment_missing")
    transitions.move(row, State.AWAITING_PAYMENT, actor="worker", reason="payment_missing")
    assert not Transition.objects.exists()


def test_the_time_of_the_connection_is_that_of_the_move_and_of_no_later_look(
    tenant: Tenant,
) -> None:
    row = made(tenant, state="connecting")
    transitions.move(row, State.CONNECTED, actor="worker")
    row.refresh_from_db()
    first = row.connected_at
    transitions.move(row, State.CONNECTED, actor="worker")
    row.refresh_from_db()
    assert row.connected_at == first
    assert first is not None


def test_a_wake_while_the_worker_looks_leaves_the_row_due(tenant: Tenant) -> None:
    row = claimed(tenant, state="awaiting_payment")
    transitions.wake([row.pk])
    later = timezone.now() + timedelta(hours=6)
    transitions.move(row, State.AWAITING_PAYMENT, actor="worker", due=later)
    row.refresh_from_db()
    assert row.next_look_at is not None
    assert row.next_look_at <= timezone.now()


@pytest.mark.parametrize("state", State)
def test_only_listed_moves_are_made(tenant: Tenant, state: State) -> None:
    for to in State:
        row = made(tenant, state=state)
        if to in TRANSITIONS[state] or to == state:
            transitions.move(row, to, actor="worker")
        else:
            with pytest.raises(transitions.ForbiddenMoveError):
                transitions.move(row, to, actor="worker")
        row.delete()


def test_every_state_has_its_moves_and_final_ones_have_none() -> None:
    assert set(TRANSITIONS) == set(State)
    assert all(not TRANSITIONS[state] for state in FINAL)


def test_every_state_can_be_reached() -> None:
    reachable, edge = {State.STARTED}, [State.STARTED]
    while edge:
        fresh = TRANSITIONS[edge.pop()] - reachable
        reachable |= fresh
        edge += fresh
    assert reachable == set(State)


@pytest.mark.django_db(transaction=True)
def test_several_sweeps_at_once_share_the_rows_and_take_none_twice() -> None:
    tenant = Tenant.objects.create(name="Cakes", slug="cakes")
    Onboarding.objects.bulk_create(
        Onboarding(
            tenant=tenant,
            connection_mode="business_platform",
            state="signed_up",
            next_look_at=timezone.now(),
        )
        for _ in range(200)
    )
    taken: list[int] = []
    start = threading.Barrier(4)

    @walls.seeing_everything("a worker")
    def sweep() -> None:
        start.wait()
        while rows := transitions.claim_due(7):
            taken.extend(pk for pk, _ in rows)
        connections.close_all()

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(Onboarding.objects.values_list("pk", flat=True))


def test_a_task_that_comes_late_stops_quietly(tenant: Tenant) -> None:
    row = claimed(tenant)
    tasks.advance_onboarding(onboarding_id=row.pk)
    tasks.advance_onboarding(onboarding_id=row.pk, fence=row.fence - 1)
    tasks.advance_onboarding(onboarding_id=999_999)
    row.refresh_from_db()
    assert row.state == "signed_up"


def test_tasks_take_arguments_of_a_newer_release(tenant: Tenant) -> None:
    tasks.advance_onboarding(onboarding_id=999_999, something_new=True)
    tasks.exchange_code(onboarding_id=999_999, something_new=True)
    tasks.apply_webhook_event(event_id="none", something_new=True)


def test_hand_outs_that_the_broker_lost_are_no_faults_of_the_step(tenant: Tenant) -> None:
    row = made(tenant)
    for _ in range(20):
        (handed_out,) = transitions.claim_due(10)
        Onboarding.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    taken = transitions.take_over(*handed_out)
    assert taken is not None
    assert (taken.pk, taken.faults) == (row.pk, 1)


def test_the_periodic_tasks_do_nothing_on_an_empty_day(db: None) -> None:
    assert tasks.sweep_due() == 0
    assert tasks.forget_old() == 0
    tasks.beat_alive()


def test_old_calls_and_events_are_forgotten_and_open_acts_stay(
    tenant: Tenant, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RETENTION_DAYS = 10
    monkeypatch.setattr(retention, "BATCH", 2)
    row = made(tenant)
    for age in (1, 9, 11, 12, 13):
        at = timezone.now() - timedelta(days=age)
        call = ProviderCall.objects.create(
            onboarding=row, kind="register", target=str(age), outcome="done"
        )
        ProviderCall.objects.filter(pk=call.pk).update(at=at)
        event = WebhookEvent.objects.create(event_id=f"evt_{age}", type="x", body={})
        WebhookEvent.objects.filter(pk=event.pk).update(received_at=at)
    ProviderCall.objects.filter(target="13").update(outcome="open")
    assert tasks.forget_old() == 5
    kept = set(ProviderCall.objects.values_list("target", flat=True))
    assert kept == {"1", "9", "13"}
    assert WebhookEvent.objects.count() == 2
    assert Onboarding.objects.filter(pk=row.pk).exists()


RESULTS: dict[str, list[dict[str, str]]] = {
    "finished": [{"event": "FINISH", "waba_id": "1", "phone_number_id": "2"}],
    "cancelled": [{"event": "CANCEL", "current_step": "BUSINESS_ACCOUNT_SELECTION"}],
    "silent": [{"login_status": "unknown"}],
    "launched": [{"event": "LAUNCHED"}],
    "finished after silence": [{"login_status": "unknown"}, {"event": "FINISH", "waba_id": "1"}],
    "more after the finish": [{"event": "FINISH", "waba_id": "1"}, {"phone_number_id": "2"}],
    "told twice": [{"event": "FINISH", "waba_id": "1"}, {"event": "FINISH", "waba_id": "1"}],
}


@pytest.mark.parametrize("case", RESULTS)
def test_the_row_that_a_result_gives_back_is_the_one_that_was_written(
    tenant: Tenant, owner: User, case: str
) -> None:
    """It is shown as it is: with the version that its next read has."""
    asker = Asker("customer", (tenant.pk,), user=owner)
    row = made(tenant, state="started", next_look_at=None)
    for result in RESULTS[case]:
        row = services.record_signup_result(row, asker, result)
    there = Onboarding.objects.get()
    for field in Onboarding._meta.concrete_fields:
        assert getattr(row, field.attname) == getattr(there, field.attname), field.name


def test_an_intent_that_a_dead_worker_left_open_gives_way_to_the_next(tenant: Tenant) -> None:
    left = journal.intend(ProviderCall(onboarding=made(tenant), kind="register", target="7"))
    again = ProviderCall(onboarding=made(tenant), kind="register", target="7")
    with pytest.raises(journal.UnderWayError):
        journal.intend(again)
    ProviderCall.objects.update(at=timezone.now() - journal.STALE_INTENT - timedelta(seconds=1))
    assert journal.intend(again).outcome == "open"
    left.refresh_from_db()
    assert left.outcome == "lost"
