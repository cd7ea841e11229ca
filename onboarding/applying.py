"""Applying stored webhook events: many in one transaction, none of them waiting for anybody.

Events come in bursts about the same few rows, so a chunk of them is read together, each row is
woken once, and all is written with a dozen statements. What stands in the way of one event holds up
no other: those whose rows somebody holds at this moment, and all of a chunk that failed, are then
applied one by one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import InterfaceError, OperationalError, connection
from django.db.models import QuerySet
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from onboarding import durable, events, stopping, transitions
from onboarding.events import Concern
from onboarding.models import Onboarding, PhoneNumber, WebhookEvent, WhatsAppBusinessAccount

logger = logging.getLogger(__name__)

CHUNK = 100
FORGOTTEN = timedelta(seconds=5)
LATELY = timedelta(minutes=1)
"""What cannot be applied is tried by beat's look alone after that, not with each webhook."""
CHUNKS = 50
"""So many in a row; whatever is left then is found by beat's next look."""


@dataclass(slots=True)
class Woken:
    """What came of some events: what is to be nudged, now that it is committed."""

    applied: int = 0
    onboardings: set[int] = field(default_factory=set)
    numbers: bool = False

    def add(self, concern: Concern | None) -> None:
        """One more event was applied."""
        self.applied += 1
        if concern is not None:
            self.onboardings |= concern.onboardings
            self.numbers = self.numbers or bool(concern.numbers)


def just_stored() -> Iterator[Woken]:
    """Apply what came lately and waits, oldest first; yields after each commit.

    Two that do this at once share the work: no event is taken by both.
    """
    return _waiting(WebhookEvent.objects.filter(received_at__gte=timezone.now() - LATELY))


def forgotten() -> Iterator[Woken]:
    """The same for what should have been applied by now."""
    return _waiting(WebhookEvent.objects.filter(received_at__lt=timezone.now() - FORGOTTEN))


def _waiting(events_of: QuerySet[WebhookEvent]) -> Iterator[Woken]:
    rows = events_of.filter(applied_at__isnull=True).order_by("received_at")
    left: set[int] = set()
    for _ in range(CHUNKS):
        taken: list[WebhookEvent] = []
        woken, rest = _chunk(rows.exclude(pk__in=left), taken)
        yield woken
        for event in rest:
            yield _by_itself(event)
        left |= {event.pk for event in rest}
        if len(taken) < CHUNK or stopping.is_asked():
            return


def one(event: WebhookEvent) -> Woken:
    """Apply this event by itself, and wait for whoever holds what it wakes.

    Applying it again wakes it again.
    """
    [concern], woken = events.concerns_of([event]), Woken()
    if concern is not None:  # each a transaction of its own: nothing is held while we wait
        transitions.ask_accounts(concern.accounts)
        transitions.wake(concern.onboardings)
        transitions.wake_numbers(concern.numbers)
    _write([(event, concern)])
    woken.add(concern)
    return woken


def _by_itself(event: WebhookEvent) -> Woken:
    """One that cannot be applied stays as it is, for the next look."""
    with bound_contextvars(webhook_event=event.event_id):
        try:
            return one(event)
        except Exception:
            logger.exception("a stored webhook event could not be applied")
            return Woken()


def _chunk(
    rows: QuerySet[WebhookEvent], taken: list[WebhookEvent]
) -> tuple[Woken, list[WebhookEvent]]:
    """Apply the first of these together; what came of it, and which were not applied."""
    try:
        with durable.lazily():  # a crash that takes the wakes back takes `applied_at` back too
            taken += rows.select_for_update(skip_locked=True)[:CHUNK]
            return _together(taken)
    except (OperationalError, InterfaceError):
        raise  # no event's fault
    except Exception:
        logger.exception("%s webhook events could not be applied together", len(taken))
        return Woken(), taken


def _together(taken: Sequence[WebhookEvent]) -> tuple[Woken, list[WebhookEvent]]:
    told = list(zip(taken, events.concerns_of(taken), strict=True))
    free = _held([concern for _, concern in told if concern is not None])
    woken, done, rest = Woken(), [], []
    for event, concern in told:
        if concern is None or _is_within(concern, free):
            woken.add(concern)
            done.append((event, concern))
        else:
            rest.append(event)
    ours = [concern for _, concern in done if concern is not None]
    transitions.wake(_all("onboardings", ours))
    transitions.wake_numbers(_all("numbers", ours))
    transitions.ask_accounts(_all("accounts", ours))
    _write(done)
    return woken, rest


def _all(which: str, concerns: Sequence[Concern]) -> frozenset[int]:
    return frozenset[int]().union(*(getattr(concern, which) for concern in concerns))


def _held(concerns: Sequence[Concern]) -> Concern:
    """Of the rows that these are about, those that nobody else holds: they are held by us now.

    Nobody is waited for while other rows are held, so no two ever wait for each other.
    """
    return Concern(
        transitions.hold_free(Onboarding, _all("onboardings", concerns)),
        transitions.hold_free(PhoneNumber, _all("numbers", concerns)),
        transitions.hold_free(WhatsAppBusinessAccount, _all("accounts", concerns)),
    )


def _is_within(concern: Concern, free: Concern) -> bool:
    return (
        concern.onboardings <= free.onboardings
        and concern.numbers <= free.numbers
        and concern.accounts <= free.accounts
    )


def _write(done: Sequence[tuple[WebhookEvent, Concern | None]]) -> None:
    """What became of each: one statement, and an update of what is there, for the doctor takes its
    own event away while we are at it.
    """
    became = [_standing(event, concern) for event, concern in done]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE onboarding_webhookevent AS event SET woke = told.woke, "
            "standing = told.standing, applied_at = %s "
            "FROM unnest(%s::bigint[], %s::int[], %s::text[]) AS told (id, woke, standing) "
            "WHERE event.id = told.id",
            [
                timezone.now(), [event.pk for event, _ in done],
                [woke for woke, _ in became], [standing for _, standing in became],
            ],
        )  # fmt: skip


def _standing(event: WebhookEvent, concern: Concern | None) -> tuple[int, str]:
    """How many rows it woke, and whose it was."""
    if concern is None:
        return 0, str(events.standing_without(event))
    woke = len(concern.onboardings) + len(concern.numbers)
    return woke, str(events.Standing.OURS if woke else events.Standing.NOBODY)
