"""Queues, schedule and limits of Celery."""

from __future__ import annotations

from config.celery import app
from onboarding import tasks, transitions


def test_each_queue_gets_only_its_own_messages() -> None:
    queues = app.amqp.queues
    bound = {(q.exchange.name, q.routing_key) for q in queues.values()}
    assert len(bound) == len(queues) == 3


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
