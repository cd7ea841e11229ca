"""Every periodic task on an empty day, and what it does when a message was lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from config.celery import app
from onboarding import tasks
from onboarding.models import Onboarding, ProviderCall, WebhookEvent
from tenants.models import Tenant

ENTRIES = app.conf.beat_schedule


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_each_periodic_task_has_nothing_to_do_on_an_empty_day(db: None, name: str) -> None:
    task = current_app.tasks[ENTRIES[name]["task"]]
    assert task.run() in (None, 0, 1.0)


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_each_periodic_message_expires_so_that_none_piles_up(name: str) -> None:
    assert 0 < ENTRIES[name]["options"]["expires"] <= 3600


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_each_periodic_task_ignores_what_a_newer_release_sends(db: None, name: str) -> None:
    task = current_app.tasks[ENTRIES[name]["task"]]
    task.run(brand_new=[1, 2])


def event(event_id: str, *, ago: float) -> WebhookEvent:
    made = WebhookEvent.objects.create(event_id=event_id, type="x.y", body={})
    WebhookEvent.objects.filter(pk=made.pk).update(
        received_at=timezone.now() - timedelta(seconds=ago)
    )
    return made


def test_an_event_whose_message_was_lost_is_applied_all_the_same(db: None) -> None:
    lost, fresh = event("evt_1", ago=10), event("evt_2", ago=0)
    assert tasks.apply_forgotten_events() == 1
    lost.refresh_from_db()
    fresh.refresh_from_db()
    assert lost.applied_at is not None
    assert fresh.applied_at is None, "its own message is still on its way"


def test_old_bodies_and_calls_are_forgotten_and_the_budget_s_journal_is_kept(
    tenant: Tenant, settings: Any
) -> None:
    settings.RETENTION_DAYS = 4
    old, young = timezone.now() - timedelta(days=5), timezone.now() - timedelta(hours=71)
    for at in (old, young):
        call = ProviderCall.objects.create(kind="register", target="7", outcome="done")
        ProviderCall.objects.filter(pk=call.pk).update(at=at)
        made = event(f"evt_{at:%d}", ago=0)
        WebhookEvent.objects.filter(pk=made.pk).update(received_at=at)
    assert tasks.forget_old() == 2
    assert ProviderCall.objects.get().at == young
    assert WebhookEvent.objects.get().received_at == young


def test_a_look_that_is_due_within_seconds_gets_a_nudge_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.advance_onboarding, "apply_async", lambda **how: sent.append(how))
    row = Onboarding(pk=7, state="connecting", state_changed_at=timezone.now())
    for seconds, nudged in ((5, True), (31, False), (-1, False), (None, False)):
        due = None if seconds is None else timezone.now() + timedelta(seconds=seconds)
        sent.clear()
        tasks._nudge_again(row, due)
        assert bool(sent) is nudged
    assert all(how["countdown"] <= tasks.NUDGE_WITHIN_SECONDS for how in sent)
