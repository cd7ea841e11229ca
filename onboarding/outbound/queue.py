"""The rows as a queue: events become deliveries, due deliveries are claimed, tries are written.

At least once: a try whose worker died is made again when its claim ends, with the same webhook-id.
A claim raises `attempts`, which is its fence: whoever was overtaken writes nothing.
"""

from __future__ import annotations

import logging
import random
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from onboarding import instruments, outbound_events
from onboarding.models import Delivery, DeliveryAttempt, OutboundEvent, WebhookEndpoint
from onboarding.outbound.call import Answer

logger = logging.getLogger(__name__)

Standing = Delivery.Standing
Disabled = WebhookEndpoint.Disabled

WAITS = [timedelta(seconds=s) for s in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)]
"""After the first try, the second, ...: what Standard Webhooks recommends; 75 h in all."""
JITTER = 0.1
LONGEST_ASKED = timedelta(hours=24)
CLAIM = timedelta(seconds=60)
"""Longer than one call may take, its name server included."""
DISABLE_AFTER = timedelta(days=5)
AT_ONCE = 4
"""Requests under way to one endpoint; one only while it fails, so that it holds up nobody."""
SHARE_LIMIT = 500


def share_due() -> int:
    """Make the deliveries of new events; how many events. Safe in several workers at once."""
    with transaction.atomic():
        unshared = OutboundEvent.objects.filter(shared_at__isnull=True).order_by("pk")
        taken = unshared.select_for_update(skip_locked=True, of=("self",), no_key=True)
        events = list(taken[:SHARE_LIMIT])
        if not events:
            return 0
        # Locked, so that one that is being switched on misses nothing in between.
        endpoints = WebhookEndpoint.objects.select_for_update(of=("self",), no_key=True)
        enabled = [each for each in endpoints.order_by("pk") if each.enabled]
        Delivery.objects.bulk_create(
            [
                Delivery(event=event, endpoint=endpoint)
                for event in events
                for endpoint in enabled
                if wants(endpoint, event)
            ],
            ignore_conflicts=True,
        )
        OutboundEvent.objects.filter(pk__in=[e.pk for e in events]).update(shared_at=timezone.now())
    return len(events)


def wants(endpoint: WebhookEndpoint, event: OutboundEvent) -> bool:
    """Whether the endpoint asked for events of this kind and tenant."""
    if event.type == outbound_events.TEST:
        return False  # made for one endpoint, whose delivery is written with it
    if endpoint.only_tenant_id not in (None, event.tenant_id):
        return False
    return not endpoint.event_types or event.type in endpoint.event_types


def missed_by(endpoint: WebhookEndpoint) -> list[OutboundEvent]:
    """Events that the endpoint would have got since it was switched off."""
    if endpoint.disabled_at is None:
        return []
    since = OutboundEvent.objects.filter(at__gte=endpoint.disabled_at)
    without = since.exclude(deliveries__endpoint=endpoint).order_by("pk")
    return [event for event in without if wants(endpoint, event)]


def claim_due(limit: int) -> list[DeliveryAttempt]:
    """Take up to `limit` due deliveries, oldest first and a few of each endpoint only.

    Each with the row of its try, written in the same transaction: before anything goes out.
    """
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"now": now, "until": now + CLAIM, "most": AT_ONCE, "limit": limit})
        claimed = cursor.fetchall()
        tries = DeliveryAttempt.objects.bulk_create(
            [DeliveryAttempt(delivery_id=pk, number=number, at=now) for pk, number in claimed]
        )
    whole = DeliveryAttempt.objects.select_related("delivery__event", "delivery__endpoint")
    return list(whole.filter(pk__in=[each.pk for each in tries]))


_CLAIM = """
WITH due AS (
    SELECT ready.id FROM onboarding_webhookendpoint AS endpoint
    CROSS JOIN LATERAL (
        SELECT id, next_try_at FROM onboarding_delivery
        WHERE endpoint_id = endpoint.id AND standing = 'waiting' AND next_try_at <= %(now)s
        ORDER BY next_try_at
        LIMIT GREATEST(0, CASE WHEN endpoint.failing_since IS NULL THEN %(most)s ELSE 1 END - (
            SELECT count(*) FROM onboarding_delivery AS busy WHERE busy.endpoint_id = endpoint.id
            AND busy.standing = 'waiting' AND busy.claimed_until > %(now)s))
        FOR UPDATE SKIP LOCKED
    ) AS ready
    WHERE endpoint.enabled
    AND (endpoint.quiet_until IS NULL OR endpoint.quiet_until <= %(now)s)
    ORDER BY ready.next_try_at LIMIT %(limit)s
)
UPDATE onboarding_delivery AS delivery
SET attempts = attempts + 1, tries = tries + 1,
    claimed_until = %(until)s, next_try_at = %(until)s
FROM due WHERE delivery.id = due.id RETURNING delivery.id, delivery.attempts
"""


def written(attempt: DeliveryAttempt, answer: Answer) -> None:
    """Keep what came of a try. The log is written always, the rest unless somebody was faster."""
    now = timezone.now()
    delivery, endpoint = attempt.delivery, attempt.delivery.endpoint
    error = "" if answer.is_taken else answer.error or f"answered {answer.status}"
    over = answer.status == 410 or delivery.tries > len(WAITS)
    standing = Standing.GIVEN_UP if over else Standing.WAITING
    standing = Standing.DELIVERED if answer.is_taken else standing
    with transaction.atomic():
        DeliveryAttempt.objects.filter(pk=attempt.pk).update(
            ended_at=now, status=answer.status, error=error, answer=answer.text,
            address=answer.address, took_ms=answer.took_ms,
        )  # fmt: skip
        mine = Delivery.objects.filter(
            pk=delivery.pk, attempts=attempt.number, standing=Standing.WAITING
        ).update(
            standing=standing,
            claimed_until=None,
            next_try_at=now + _wait(delivery.tries, answer),
            last_status=answer.status,
            last_error=error,
            delivered_at=now if answer.is_taken else None,
        )
        if not mine:
            return
        instruments.outbound_tried(standing)
        if answer.is_taken:
            _well(endpoint)
        else:
            _failed(endpoint, answer)


def _wait(tries: int, answer: Answer) -> timedelta:
    """How long until the next try; a little more than planned, so that not all come at once."""
    planned = WAITS[min(tries, len(WAITS)) - 1]
    planned *= 1 + random.uniform(0, JITTER)  # noqa: S311 - spreads load, guards nothing
    return max(planned, _asked(answer))


def _asked(answer: Answer) -> timedelta:
    """What the endpoint asked for itself, when it is too busy."""
    if answer.status not in (429, 503) or answer.retry_after is None:
        return timedelta(0)
    return min(timedelta(seconds=min(answer.retry_after, 1e6)), LONGEST_ASKED)


def _well(endpoint: WebhookEndpoint) -> None:
    troubled = Q(failing_since__isnull=False) | Q(quiet_until__isnull=False)
    WebhookEndpoint.objects.filter(troubled, pk=endpoint.pk).update(
        failing_since=None, quiet_until=None
    )


def _failed(endpoint: WebhookEndpoint, answer: Answer) -> None:
    now = timezone.now()
    this = WebhookEndpoint.objects.filter(pk=endpoint.pk)
    this.filter(failing_since__isnull=True).update(failing_since=now)
    if asked := _asked(answer):
        this.update(quiet_until=now + asked)
    if answer.status == 410:
        _disable(endpoint, Disabled.GONE)
    elif this.filter(failing_since__lte=now - DISABLE_AFTER).exists():
        _disable(endpoint, Disabled.FAILING)


def _disable(endpoint: WebhookEndpoint, reason: WebhookEndpoint.Disabled) -> None:
    """Nothing is sent to it any more until staff switch it on; what waits for it goes on then."""
    off = WebhookEndpoint.objects.filter(pk=endpoint.pk, enabled=True).update(
        enabled=False, disabled_reason=reason, disabled_at=timezone.now()
    )
    if off:
        logger.error("webhook endpoint %s was switched off: %s", endpoint.public_id, reason.value)
