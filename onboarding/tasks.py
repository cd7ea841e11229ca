"""Celery tasks: nudges only. The row is the queue; whatever a lost message was about is due.

Arguments are ids, by keyword; unknown ones of a newer release are ignored.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from celery import shared_task
from django.core.cache import cache as redis
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone
from structlog.contextvars import bind_contextvars

from onboarding import (
    admission,
    applying,
    cases,
    instruments,
    link_mail,
    messages,
    meta,
    moving,
    notices,
    outbound,
    publishing,
    queues,
    quota,
    retention,
    schedule,
    steps,
    tally,
    transitions,
    vitals,
)
from onboarding.models import Onboarding, OutboundEvent, TransferCase, WebhookEvent
from onboarding.publishing import published as _published
from onboarding.steps import health
from tenants import walls

logger = logging.getLogger(__name__)

SWEEP_LIMIT = 200
ALIVE_SECONDS = 30
GATHER_SECONDS, WATCH_SECONDS = 0.2, 5.0
"""So often webhooks are applied; and so often the numbers are read that they wake."""
WATCH_LIMIT = 50
NUDGE_WITHIN_SECONDS = 30.0


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
    _nudge_again(row, steps.run(row))


def _nudge_again(row: Onboarding, due: datetime | None) -> None:
    """A look that is due within seconds gets a nudge of its own: the sweep alone adds its second.

    Never for later than seconds: such a countdown would sit in a worker's memory. Nor for what its
    lane refused a moment ago: the sweep hands it out when there is room.
    """
    if due is None or admission.waits_for_room(row):
        return
    wait = (due - timezone.now()).total_seconds()
    if 0 < wait <= NUDGE_WITHIN_SECONDS:
        advance_onboarding.apply_async(
            kwargs={"onboarding_id": row.pk}, countdown=wait, expires=wait + 5, retry=False,
            queue=queues.OF_LANE[quota.lane_of(row)],
        )  # fmt: skip


@shared_task
def sweep_due(**_newer: Any) -> int:
    """Claim what is due and hand it out; enough by itself if every nudge is lost."""
    due = admission.claim(SWEEP_LIMIT)
    instruments.swept(len(due))
    to = queues.of(onboarding_id for onboarding_id, _ in due) if due else {}
    for onboarding_id, fence in due:
        advance_onboarding.apply_async(
            kwargs={"onboarding_id": onboarding_id, "fence": fence},
            expires=transitions.LEASE.total_seconds(), queue=to.get(onboarding_id, queues.WAITING),
        )  # fmt: skip
    return len(due)


@shared_task
def exchange_code(*, onboarding_id: int, **_newer: Any) -> None:
    """Exchange the code that the row holds, then let the steps look at it."""
    meta.exchange_code(onboarding_id)
    nudge(onboarding_id)


@shared_task
def apply_webhook_events(**_newer: Any) -> int:
    """Wake what the events that just came concern; how many were applied."""
    publishing.begins(apply_webhook_events)
    return sum(map(_nudge_woken, applying.just_stored()))


@shared_task
def apply_webhook_event(*, event_id: str, **_newer: Any) -> None:
    """Wake what one stored event concerns. Applying it again wakes it again."""
    bind_contextvars(webhook_event=event_id)
    event = WebhookEvent.objects.filter(event_id=event_id).first()
    if event is not None:
        _nudge_woken(applying.one(event))


@shared_task
def apply_forgotten_events(**_newer: Any) -> int:
    """Apply stored events whose message the broker lost; how many were applied."""
    return sum(map(_nudge_woken, applying.forgotten()))


def _nudge_woken(woken: applying.Woken) -> int:
    for onboarding_id in woken.onboardings:
        nudge(onboarding_id)
    if woken.numbers:
        nudge_watch(WATCH_SECONDS)
    return woken.applied


@shared_task
def exchange_forgotten_codes(**_newer: Any) -> int:
    """Exchange codes whose message or worker was lost while they live; wipe those that do not."""
    meta.wipe_dead_codes()
    waiting = meta.forgotten_codes()
    for onboarding_id in waiting:
        _published(exchange_code, {"onboarding_id": onboarding_id})
    return len(waiting)


@shared_task
def watch_numbers(**_newer: Any) -> int:
    """Read the accounts of connected numbers that are due; how many accounts."""
    publishing.begins(watch_numbers)
    until = timezone.now() + schedule.UNREADABLE
    accounts = transitions.claim_numbers(WATCH_LIMIT, until)
    for account_id in accounts:
        health.look(account_id)
    return len(accounts)


@shared_task
def send_notices(**_newer: Any) -> int:
    """Mail the notices that are due; how many letters were mailed."""
    return messages.send_due()


@shared_task
def tell_staff(**_newer: Any) -> int:
    """Note troubles of all tenants; mail alerts and the digest that is due; how many letters."""
    return messages.tell_staff()


@shared_task
def mail_sample(*, kind: str, language: str, user_id: int, **_newer: Any) -> bool:
    """Mail a letter with made-up data to a member of staff who asked for it."""
    return messages.send_sample(kind, language, user_id)


@shared_task
def deliver_outbound(**_newer: Any) -> int:
    """Send the partner's webhooks that are due; how many were taken."""
    return outbound.deliver_due()


@shared_task
def mail_link(*, link_id: int, **_newer: Any) -> None:
    """Mail a signup link's address; the token waits sealed in its row."""
    link_mail.send(link_id)


@shared_task
def mail_waiting_links(**_newer: Any) -> int:
    """Mail links whose message was lost, give up what waited for an hour; how many were mailed."""
    return link_mail.send_due()


@shared_task
def carry_out_transfers(**_newer: Any) -> int:
    """Close cases nobody asks for any more, decide those that decide themselves, move what was
    accepted and is quiet; how many accounts moved.
    """
    cases.close_ended()
    under_way = TransferCase.objects.select_related("business_account").order_by("opened_at")
    for case in under_way.filter(standing=TransferCase.Standing.OPEN):
        if cases.decides_itself(case):
            moving.begin(case, cases.WORKER)
    waiting = under_way.filter(standing=TransferCase.Standing.MOVING)
    return sum(moving.carry_out(key) for key in list(waiting.values_list("pk", flat=True)))


@shared_task
def measure_pressure(**_newer: Any) -> float:
    """Set the factors by which background intervals are stretched; returns the largest."""
    return schedule.measure_pressure()


@shared_task
def read_balance(**_newer: Any) -> bool:
    """Ask YCloud for the balances that desk, doctor and metrics show; whether all answered."""
    return vitals.read_balances()


@shared_task
def count_for_desk(**_newer: Any) -> None:
    """Count the desk's slow figures and keep them."""
    tally.keep()


@shared_task
def beat_alive(**_newer: Any) -> None:
    """Beat sent this and a worker ran it: both are alive (read by /readyz?full=1)."""
    redis.set("beat_alive", timezone.now().isoformat(), ALIVE_SECONDS)


@shared_task
def forget_old(**_newer: Any) -> int:
    """Delete what is kept for a while only; how many rows."""
    return retention.forget()


def nudge(onboarding_id: int) -> None:
    """Ask a worker to look at the row now, after the commit. A lost nudge loses nothing."""
    transaction.on_commit(
        lambda: _published(advance_onboarding, {"onboarding_id": onboarding_id}) and None
    )


def nudge_watch(gather: float | None = None) -> None:
    """Have due numbers read, after the commit. One task reads all, so one message waits."""
    transaction.on_commit(lambda: publishing.published_once(watch_numbers, gather) and None)


def request_exchange(onboarding_id: int) -> None:
    """Have the code exchanged at once: by a worker, or here when the broker does not answer."""

    def exchange() -> None:
        if not _published(exchange_code, {"onboarding_id": onboarding_id}):
            with walls.seeing_everything("the worker's part, done here"):
                meta.exchange_code(onboarding_id, seconds=5)
            nudge(onboarding_id)

    transaction.on_commit(exchange)


def request_applying() -> None:
    """Have the events that were just stored applied, after the commit: many with one message."""
    publish = publishing.published_once
    transaction.on_commit(lambda: publish(apply_webhook_events, GATHER_SECONDS) and None)


def request_apply(event_id: str) -> None:
    """Have this stored webhook event applied once more, after the commit."""
    transaction.on_commit(lambda: _published(apply_webhook_event, {"event_id": event_id}) and None)


@receiver(post_save, sender=OutboundEvent)
def request_delivery(**_signal: Any) -> None:
    """An event was written: have it sent after the commit, before beat's next second.

    A signal, because events are written below, in the transaction of what they tell of.
    """
    transaction.on_commit(lambda: _published(deliver_outbound, {}) and None)


@receiver(notices.written)
def request_notices(**_signal: Any) -> None:
    """Something is to be told at once: after the commit, before beat's next minute."""
    transaction.on_commit(lambda: _published(send_notices, {}) and None)


def request_sample(kind: str, language: str, user_id: int) -> bool:
    """Have a sample letter mailed; whether a worker will be told."""
    told = {"kind": kind, "language": language, "user_id": user_id}
    return _published(mail_sample, told)


def request_link_mail(link_id: int) -> None:
    """Have a signup link's address mailed, after the commit."""
    transaction.on_commit(lambda: _published(mail_link, {"link_id": link_id}) and None)


def request_moves() -> None:
    """Have accepted transfers carried out, after the commit."""
    transaction.on_commit(lambda: _published(carry_out_transfers, {}) and None)
