"""Celery tasks: nudges only. The row is the queue; whatever a lost message was about is due.

Arguments are ids, by keyword; unknown ones of a newer release are ignored.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from datetime import timedelta
from functools import cache
from typing import Any

from celery import shared_task
from django.conf import settings
from django.core.cache import cache as redis
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from onboarding import events, meta, steps, transitions
from onboarding.models import ProviderCall, WebhookEvent

logger = logging.getLogger(__name__)

SWEEP_LIMIT = 200
PUBLISH_SECONDS = 0.5
ALIVE_SECONDS = 30
FORGET_BATCH = 1000


@shared_task
def advance_onboarding(*, onboarding_id: int, fence: int | None = None, **_newer: Any) -> None:
    """Take the row's next steps. With `fence`, the row was claimed for us by the sweep."""
    if fence is None:
        row = transitions.claim(onboarding_id)
    else:
        row = transitions.take_over(onboarding_id, fence)
    if row is None:
        logger.info("onboarding %s: not due, or somebody else was first", onboarding_id)
        return
    steps.run(row)


@shared_task
def sweep_due(**_newer: Any) -> int:
    """Claim what is due and hand it out; enough by itself if every nudge is lost."""
    due = transitions.claim_due(SWEEP_LIMIT)
    for onboarding_id, fence in due:
        advance_onboarding.apply_async(
            kwargs={"onboarding_id": onboarding_id, "fence": fence},
            expires=transitions.LEASE.total_seconds(),
        )
    return len(due)


@shared_task
def exchange_code(*, onboarding_id: int, **_newer: Any) -> None:
    """Exchange the code that the row holds, then let the steps look at it."""
    meta.exchange_code(onboarding_id)
    nudge(onboarding_id)


@shared_task
def apply_webhook_event(*, event_id: str, **_newer: Any) -> None:
    """Wake the rows that a stored event concerns. Applying it again wakes them again."""
    event = WebhookEvent.objects.filter(event_id=event_id).first()
    if event is None:
        return
    rows = events.rows_to_wake(event)
    event.woke = transitions.wake(rows)
    event.applied_at = timezone.now()
    event.save(update_fields=["woke", "applied_at"])
    for onboarding_id in rows:
        nudge(onboarding_id)


@shared_task
def beat_alive(**_newer: Any) -> None:
    """Beat sent this and a worker ran it: both are alive (read by /readyz?full=1)."""
    redis.set("beat_alive", timezone.now().isoformat(), ALIVE_SECONDS)


@shared_task
def forget_old(**_newer: Any) -> int:
    """Delete webhook bodies and calls that are older than RETENTION_DAYS, in small steps.

    Onboardings, their timelines and open acts stay.
    """
    before = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    calls = ProviderCall.objects.filter(at__lt=before).exclude(outcome=ProviderCall.Outcome.OPEN)
    events = WebhookEvent.objects.filter(received_at__lt=before)
    return _deleted(calls) + _deleted(events)


def _deleted(rows: QuerySet[Any]) -> int:
    """Batches keep each transaction, and its locks, short."""
    count = 0
    while batch := list(rows.values_list("pk", flat=True)[:FORGET_BATCH]):
        count += rows.model._default_manager.filter(pk__in=batch).delete()[0]
    return count


@cache
def _publisher() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="publish")


def _published(task: Any, kwargs: dict[str, Any]) -> bool:
    """Publish within PUBLISH_SECONDS; a broker that is down must not hold up a request."""
    future = _publisher().submit(task.apply_async, kwargs=kwargs, retry=False)
    try:
        future.result(PUBLISH_SECONDS)
    except FutureTimeoutError:
        logger.warning("the broker did not take %s in time", task.name)
        return False
    except Exception:
        logger.warning("the broker did not take %s", task.name, exc_info=True)
        return False
    return True


def nudge(onboarding_id: int) -> None:
    """Ask a worker to look at the row now, after the commit. A lost nudge loses nothing."""
    transaction.on_commit(
        lambda: _published(advance_onboarding, {"onboarding_id": onboarding_id}) and None
    )


def request_exchange(onboarding_id: int) -> None:
    """Have the code exchanged at once: by a worker, or here when the broker does not answer."""

    def exchange() -> None:
        if not _published(exchange_code, {"onboarding_id": onboarding_id}):
            meta.exchange_code(onboarding_id, seconds=5)
            nudge(onboarding_id)

    transaction.on_commit(exchange)


def request_apply(event_id: str) -> None:
    """Have a stored webhook event applied, after the commit."""
    transaction.on_commit(lambda: _published(apply_webhook_event, {"event_id": event_id}) and None)
