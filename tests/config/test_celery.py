"""Queues, schedule and limits of Celery."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from config.broker import InOrder
from config.celery import BACKGROUND, app
from onboarding import queues, quota, tasks, transitions
from onboarding.models import Onboarding
from tenants.models import Tenant


def test_each_queue_gets_only_its_own_messages() -> None:
    queues = app.amqp.queues
    bound = {(q.exchange.name, q.routing_key) for q in queues.values()}
    assert len(bound) == len(queues) == 4


def test_a_code_never_waits_behind_ordinary_work() -> None:
    for task in (tasks.exchange_code, tasks.exchange_forgotten_codes):
        route = app.amqp.router.route({}, task.name)
        assert route["queue"].name == "exchange"
    other = app.amqp.router.route({}, tasks.advance_onboarding.name)
    assert other["queue"].name == "default"


def test_the_sweep_runs_every_few_seconds_and_never_piles_up() -> None:
    entry = app.conf.beat_schedule["sweep_due"]
    assert entry["schedule"] <= 5
    assert entry["options"]["expires"] <= 30


def test_a_task_that_is_cut_off_outlives_neither_its_redelivery_nor_its_lease() -> None:
    assert app.conf.task_time_limit < app.conf.broker_transport_options["visibility_timeout"]
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert transitions.LEASE.total_seconds() > 30, "a call has 30 s in total"


def test_what_nobody_looks_at_has_a_queue_of_its_own() -> None:
    for name in BACKGROUND:
        route = app.amqp.router.route({}, f"onboarding.tasks.{name}")
        assert route["queue"].name == queues.WAITING, name
        assert f"onboarding.tasks.{name}" in app.tasks
    for task in (tasks.sweep_due, tasks.beat_alive, tasks.apply_webhook_event):
        assert app.amqp.router.route({}, task.name)["queue"].name == queues.DEFAULT


def test_every_queue_is_known_to_the_workers_settings() -> None:
    named = {queues.DEFAULT, queues.EXCHANGE, queues.OUTBOUND, queues.WAITING}
    assert named == set(settings.WORKER_QUEUES)
    assert set(queues.OF_LANE) == set(quota.Lane)


def test_a_worker_of_several_queues_takes_the_more_urgent_first() -> None:
    order = InOrder()
    order.update({"waiting", "outbound", "default", "exchange"})
    assert order.consume(4) == ["exchange", "default", "outbound", "waiting"]
    order.update({"waiting", "8f2.reply.celery.pidbox"})
    assert order.consume(2) == ["8f2.reply.celery.pidbox", "waiting"], "any other name is read too"
    order.update(set(settings.WORKER_QUEUES))
    order.rotate("exchange")
    assert order.consume(2) == ["exchange", "default"]
    options = app.conf.broker_transport_options
    assert options["queue_order_strategy"] == f"{InOrder.__module__}:{InOrder.__name__}"


def old(row: Onboarding) -> Onboarding:
    """It came into its state a day ago."""
    Onboarding.objects.filter(pk=row.pk).update(state_changed_at=timezone.now() - timedelta(days=1))
    return row


@pytest.fixture
def rows(tenant: Tenant) -> dict[str, Onboarding]:
    """A row that the worker is at, one that waits, one that waits and is looked at."""
    now = timezone.now()
    made = {"tenant": tenant, "state": "awaiting_payment"}
    found = {
        "young": Onboarding.objects.create(
            tenant=tenant, state="signed_up", next_look_at=now - timedelta(seconds=20)
        ),
        "waits": old(Onboarding.objects.create(**made, next_look_at=now - timedelta(seconds=50))),
        "seen": old(Onboarding.objects.create(**made, next_look_at=now - timedelta(seconds=30))),
    }
    quota.seen_at_page(found["seen"].pk)
    return found


def test_the_sweep_hands_out_by_lane(
    rows: dict[str, Onboarding], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: dict[int, str] = {}

    def send(*, kwargs: dict[str, Any], queue: str, **_more: Any) -> None:
        sent[kwargs["onboarding_id"]] = queue

    monkeypatch.setattr(tasks.advance_onboarding, "apply_async", send)
    assert tasks.sweep_due() == 3
    told = {name: sent[row.pk] for name, row in rows.items()}
    assert told == {"young": "default", "waits": "waiting", "seen": "default"}


def test_a_queue_s_lag_is_that_of_its_oldest_due_row(rows: dict[str, Onboarding]) -> None:
    lags = queues.lags()
    assert lags.keys() == set(settings.WORKER_QUEUES)
    assert 20 <= lags["default"] < 25
    assert 50 <= lags["waiting"] < 55
    assert lags["exchange"] == lags["outbound"] == 0


def test_a_row_that_was_handed_out_and_not_done_still_counts(rows: dict[str, Onboarding]) -> None:
    transitions.claim_due(10)
    assert queues.lags()["waiting"] >= 50
