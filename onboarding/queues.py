"""By which of Celery's queues a row's nudge goes, and for how long the oldest work of each waits.

Each queue has workers of its own, so that a customer who is looking never waits behind the others:

    default   lanes `page` and `working`, the sweep, events: short work that somebody waits for
    exchange  codes of Meta's, which live 30 s
    outbound  webhooks to the partner, whose servers may be slow
    waiting   lanes `waiting` and `health`, letters, figures, tidying up: nobody looks

A nudge in the wrong queue does no harm: the row is the queue, and a step takes its lane anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from onboarding import quota
from onboarding.models import Delivery, Onboarding, PhoneNumber
from onboarding.models.onboarding import Grant
from onboarding.quota import Lane
from onboarding.states import PARKED, WORKING

DEFAULT, EXCHANGE, OUTBOUND, WAITING = "default", "exchange", "outbound", "waiting"
OF_LANE = {Lane.PAGE: DEFAULT, Lane.WORKING: DEFAULT, Lane.WAITING: WAITING, Lane.HEALTH: WAITING}


def of(onboardings: Iterable[int]) -> dict[int, str]:
    """The queue of each of these rows at this moment; rows that are gone are left out."""
    rows = Onboarding.objects.filter(pk__in=list(onboardings)).only("state", "state_changed_at")
    return {row.pk: OF_LANE[quota.lane_of(row)] for row in rows}


def lags() -> dict[str, float]:
    """Seconds for which the oldest due work of each queue waits or is being done; 0.0: none is.

    By due times, not by messages, which may be lost. A worker that has it ends the wait by writing
    the next due time, so what takes long counts too.
    """
    oldest = {
        DEFAULT: [_young()],
        EXCHANGE: [_codes().aggregate(at=Min("code_received_at"))["at"]],
        OUTBOUND: [_due_deliveries().aggregate(at=Min("next_try_at"))["at"]],
        WAITING: [_first(_not_young()), _first(PhoneNumber.objects.all())],
    }
    now = timezone.now()
    return {
        name: max((max((now - at).total_seconds(), 0.0) for at in times if at), default=0.0)
        for name, times in oldest.items()
    }


def _begun_lately() -> Q:
    """What `quota.is_young` says of one row."""
    return Q(state__in=WORKING | PARKED, state_changed_at__gt=timezone.now() - quota.YOUNG)


def _young() -> object:
    # FILTER, so that it reads the few that are young and not all that are due.
    due = Min("next_look_at", filter=Q(next_look_at__lte=timezone.now()))
    return Onboarding.objects.filter(_begun_lately()).aggregate(at=due)["at"]


def _not_young() -> QuerySet[Onboarding]:
    return Onboarding.objects.exclude(_begun_lately())


def _first(rows: QuerySet) -> object:  # type: ignore[type-arg]
    """The oldest due time among them, from the head of the partial index on it."""
    due = rows.filter(next_look_at__lte=timezone.now()).order_by("next_look_at")
    return due.values_list("next_look_at", flat=True).first()


def _codes() -> QuerySet[Onboarding]:
    return Onboarding.objects.filter(grant=Grant.WAITING)


def _due_deliveries() -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        standing=Delivery.Standing.WAITING, endpoint__enabled=True, next_try_at__lte=timezone.now()
    )
