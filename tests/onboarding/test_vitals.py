"""How the machine is: the figures that desk, doctor and metrics share."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from onboarding import tasks, vitals
from onboarding.models import Onboarding, WebhookEvent, WhatsAppBusinessAccount
from sandbox.server import SandboxServer
from tenants.models import Tenant


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


def test_the_balance_is_what_ycloud_said_last(db: None, sandbox: SandboxServer) -> None:
    assert vitals.balance() is None
    assert tasks.read_balance()
    found = vitals.balance()
    assert found is not None
    assert found.currency == "USD"
    assert found.at <= timezone.now()


def test_a_balance_below_the_warning_is_low(
    db: None, sandbox: SandboxServer, settings: Any
) -> None:
    tasks.read_balance()
    found = vitals.balance()
    assert found is not None
    settings.YCLOUD_BALANCE_WARNING = int(found.amount) + 1
    assert found.is_low
    settings.YCLOUD_BALANCE_WARNING = int(found.amount)
    assert not found.is_low


def test_the_old_balance_stays_while_ycloud_does_not_answer(
    db: None, sandbox: SandboxServer, settings: Any
) -> None:
    tasks.read_balance()
    before = vitals.balance()
    settings.YCLOUD_API_KEY = "wrong"  # pragma: allowlist secret
    assert not tasks.read_balance()
    assert vitals.balance() == before


def test_new_customers_are_the_accounts_of_seven_days(tenant: Tenant, settings: Any) -> None:
    settings.META_NEW_CUSTOMERS_PER_7_DAYS = 2
    for waba_id, days in (("1", 1), ("2", 6), ("3", 8)):
        made = WhatsAppBusinessAccount.objects.create(tenant=tenant, waba_id=waba_id)
        WhatsAppBusinessAccount.objects.filter(pk=made.pk).update(
            created_at=timezone.now() - timedelta(days=days)
        )
    assert vitals.new_customers() == vitals.NewCustomers(2, 2)
    assert vitals.new_customers().is_near


def test_overdue_rows_are_those_that_no_worker_holds(tenant: Tenant) -> None:
    now = timezone.now()
    for due, lease in ((-60, None), (-30, 30), (60, None)):
        Onboarding.objects.create(
            tenant=tenant,
            next_look_at=now + timedelta(seconds=due),
            lease_until=now + timedelta(seconds=lease) if lease else None,
        )
    found = vitals.overdue()
    assert found.rows == 1
    assert 60 <= found.oldest_seconds < 90


def test_the_delay_of_webhooks_is_ycloud_s_clock_to_ours(db: None) -> None:
    now = timezone.now()
    for name, late in (("a", 1), ("b", 2), ("c", 3)):
        event = WebhookEvent.objects.create(event_id=name, type="t", body={})
        WebhookEvent.objects.filter(pk=event.pk).update(
            received_at=now, sent_at=now - timedelta(seconds=late)
        )
    found = vitals.webhook_delay()
    assert (found.events, found.p50_seconds) == (3, 2.0)
    assert found.last_at == now
    assert vitals.unapplied_webhooks().rows == 3


def test_without_events_there_is_no_delay(db: None) -> None:
    assert vitals.webhook_delay() == vitals.WebhookDelay(0, None, None, None)


def test_queues_and_beat_are_read_from_redis(db: None) -> None:
    assert vitals.queue_lengths() == dict.fromkeys(settings.WORKER_QUEUES, 0)
    assert vitals.beat_seconds() is None
    tasks.beat_alive()
    assert (vitals.beat_seconds() or 99) < 5


def test_without_redis_the_figures_are_unknown_and_nothing_fails(db: None, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    }
    assert vitals.queue_lengths() is None
    assert vitals.balance() is None
    assert vitals.beat_seconds() is None
