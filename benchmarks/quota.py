"""A hundred thousand numbers that wait, and people who sign up at 80 % of what the quota allows.

The product's lanes, pressure, sweep and schedule second by second under a clock of ours
(`simulated/hours.py`), on real PostgreSQL and Valkey, against a sandbox that counts as YCloud does.
The comparator is the same as a plain queue of due rows: oldest first, one line, nothing stretched.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from benchmarks.loaded import site
from benchmarks.noticing import percentile
from benchmarks.report import Goal, Row

if TYPE_CHECKING:
    from benchmarks.simulated.hours import Told

COUNT = 100_000
PER_SECOND, PER_HOUR = 200, 10_000
"""The whole account's: the sandbox refuses what is beyond, so a slip of ours shows."""

SHARE = 0.8
SECONDS, NAIVE_SECONDS, OUTAGE_SECONDS = 1800.0, 40.0, 240.0
"""Of one round; the rounds follow each other. The plain queue stands still at once: short is
enough, and its refusals take long to simulate."""

OUTAGE = timedelta(hours=6)
LEAST_USED, MOST_WAIT, MOST_SPREAD = 95.0, 2.0, 60.0
NAIVE = "a plain queue of due rows: one line, no stretch"


def rounds_of(
    rounds: int, seconds: float, *, naive: bool = False, outage: bool = False
) -> list[Told]:
    """So many stretches of the same busy day, one after the other."""
    from benchmarks.simulated import busy, crowd
    from benchmarks.simulated.product import product

    limits = {"YCLOUD_QUOTA_PER_SECOND": PER_SECOND, "YCLOUD_QUOTA_PER_HOUR": PER_HOUR}
    with product(**limits) as made:
        hours = busy.at_work(made, naive=naive, seed=rounds, share=SHARE, count=COUNT)
        if outage:
            crowd.make_due(OUTAGE, overdue=True)
        return [hours.run(seconds) for _ in range(rounds)]


def used(told: Told) -> float:
    """Percent of what the waiting lane's line allows in that time; the page may go beyond."""
    from onboarding.quota import LINES, Lane

    return 100 * told.calls / (PER_HOUR * LINES[Lane.WAITING] * told.seconds / 3600)


def spread(told: Told) -> float:
    """By how many seconds the slowest tenant's due rows waited longer, on average, than those that
    were looked at in the same minute.
    """
    together: dict[int, list[float]] = defaultdict(list)
    for waited in told.due_waits.values():
        for minute, wait in waited:
            together[minute].append(wait)
    usual = {minute: statistics.median(waits) for minute, waits in together.items()}
    beyond = [
        statistics.mean(wait - usual[minute] for minute, wait in waited)
        for waited in told.due_waits.values()
    ]
    return max(beyond, default=0.0)


def measure(rounds: int) -> list[Row]:
    """Refusals of YCloud's, use, the page, the tenants; then the page after an outage."""
    from benchmarks.simulated import crowd
    from benchmarks.simulated.product import product

    with site(fast=True):
        with product():
            crowd.load(COUNT)
        mine = rounds_of(rounds, SECONDS)
        after = rounds_of(rounds, OUTAGE_SECONDS, outage=True)
        naive = rounds_of(rounds, NAIVE_SECONDS, naive=True)
    return [*_busy(mine, naive), *_outage(after, naive)]


def _row(name: str, unit: str, mine: list[float], other: list[float], **more: Any) -> Row:
    return Row("Quota", name, unit, mine, other, against=NAIVE, **more)


def _busy(mine: list[Told], naive: list[Told]) -> list[Row]:
    hours = sum(told.seconds for told in mine) / 3600
    waiting = sum(len(waited) for told in mine for waited in told.due_waits.values())
    calls = sum(told.calls for told in mine)
    return [
        _row(
            "calls that YCloud refused (429)", "calls",
            [told.refused_by_ycloud for told in mine], [told.refused_by_ycloud for told in naive],
            goal=Goal("ours", 0),
            aside=f"{calls:,} calls in {hours:g} simulated hours, {COUNT:,} numbers waiting",
        ),
        _row(
            "used of what the lanes may use", "%", [used(told) for told in mine],
            [min(used(told), 100) for told in naive], goal=Goal("ours", LEAST_USED, "at least"),
            aside=f"looks at waiting numbers: {waiting:,}; looks refused by our own lanes: "
            f"{sum(told.refused_by_us for told in mine):,}",
        ),
        _row(
            "at the page until served, p95", "s", [_page(told) for told in mine],
            [_page(told) for told in naive], goal=Goal("ours", MOST_WAIT),
            aside=f"who opens the page of a number that waits for days, p95: {_visits(mine)}",
        ),
        _row(
            "slowest tenant waits longer by", "s", [spread(told) for told in mine],
            [spread(told) for told in naive], goal=Goal("ours", MOST_SPREAD),
            aside=f"median wait past the due time: ours {_waited(mine)}, theirs {_waited(naive)}",
        ),
    ]  # fmt: skip


def _outage(after: list[Told], naive: list[Told]) -> list[Row]:
    return [
        _row(
            "all due at once: at the page, p95", "s", [_page(told) for told in after],
            [_page(told) for told in naive], goal=Goal("ours", MOST_WAIT),
            aside=f"the same after {OUTAGE} h in which no worker ran; used "
            f"{statistics.median(used(told) for told in after):.0f} % of what the lanes may use",
        )
    ]  # fmt: skip


def _page(told: Told) -> float:
    return percentile(told.page_waits, 0.95) if told.page_waits else 0.0


def _visits(mine: list[Told]) -> str:
    waits = [each for told in mine for each in told.visits]
    return f"{percentile(waits, 0.95):.1f} s of {len(waits)}" if waits else "nobody came"


def _waited(rounds: list[Told]) -> str:
    by_tenant = (waited for told in rounds for waited in told.due_waits.values())
    waits = [wait for waited in by_tenant for _, wait in waited]
    return f"{statistics.median(waits):,.0f} s" if waits else "nothing was looked at"
