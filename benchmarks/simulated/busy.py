"""The middle of a busy day: a full hour behind it, a crowd that waits, and more who sign up."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from benchmarks.simulated import crowd
from benchmarks.simulated.hours import Hours
from benchmarks.simulated.product import Product
from benchmarks.simulated.wire import NearYCloud


def used_before(ycloud: NearYCloud, hour: int, shares: Counter[str], now: float) -> None:
    """An hour of calls in the journal, so that the window is as full as in any busy hour."""
    from django.db import connection

    from onboarding.models import ProviderCall

    ProviderCall.objects.bulk_create(
        [
            ProviderCall(kind="list_numbers", lane=lane, outcome="done", target="")
            for lane, share in shares.items()
            for _ in range(round(hour * share / shares.total()))
        ],
        batch_size=5000,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE onboarding_providercall SET at = to_timestamp(%s - 3600 * random())", [now]
        )
    # YCloud has counted them too.
    times = ProviderCall.objects.order_by("at").values_list("at", flat=True)
    ycloud.count_earlier(at.timestamp() for at in times)


def at_work(made: Product, *, naive: bool, seed: int, share: float, count: int) -> Hours:
    """A deployment in the middle of a busy day, its crowd loaded."""
    from django.conf import settings

    from onboarding.models import Onboarding, ProviderCall
    from onboarding.quota import LINES, Lane

    hour = settings.YCLOUD_QUOTA_PER_HOUR
    signups = share * hour / crowd.CALLS["signed_up"]
    Onboarding.objects.filter(state__in=("signed_up", "connected")).delete()
    ProviderCall.objects.all().delete()
    ycloud = made.wire.ycloud
    assert isinstance(ycloud, NearYCloud)
    used_before(
        ycloud, round(hour * LINES[Lane.WAITING]),
        Counter({Lane.PAGE: round(100 * share), Lane.WAITING: 90 - round(100 * share)}),
        made.clock.now,
    )  # fmt: skip
    hours = Hours(made, signups, naive=naive, seed=seed)
    rows = Onboarding.objects.filter(state__in=crowd.CALLS)
    hours.waiting = list(rows.values_list("pk", flat=True))
    hours.tenants = sorted(set(rows.values_list("tenant_id", flat=True).distinct()))
    if not naive:
        hours.measure_pressure()
    room = max(hour * (LINES[Lane.WAITING] - share), 1.0)
    per_look = sum(crowd.CALLS[s] / (crowd.SIBLINGS if s == "connecting" else 1)
                   for s, _ in crowd.STATES) / len(crowd.STATES)  # fmt: skip
    all_around = timedelta(hours=count * per_look / room)
    crowd.make_due(all_around, overdue=naive)
    return hours
