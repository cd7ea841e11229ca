"""How long CONNECTED at YCloud goes unnoticed, as a share of the time that it took to come.

One number at a time under a clock of ours, from a second to a week, evenly on a logarithmic scale;
each round takes other times. Ours are the real signup, steps, schedule, sweep and messages.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.loaded import site
from benchmarks.report import Goal, Row

SHORTEST, LONGEST = 1.0, 7 * 86_400.0
AT_LEAST_SECONDS = 20.0
"""A tenth of this is the 2 s that every watch may take: shares are of so much at least."""

SAMPLES = 20
MOST = 10.0
MISSED = 100.0
"""Percent, of one that was given up: it was never noticed, and any bound is passed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One number: when it said CONNECTED, when that was known (None: never), what it cost."""

    took: float
    delay: float | None
    calls: int

    @property
    def share(self) -> float:
        """Percent."""
        if self.delay is None:
            return MISSED
        return 100 * self.delay / max(self.took, AT_LEAST_SECONDS)


def times(count: int, seed: int) -> list[float]:
    """So many times to connect, one in each part of the logarithmic scale."""
    rng = random.Random(seed)  # noqa: S311 - the same rounds again
    way = math.log(LONGEST / SHORTEST)
    return [SHORTEST * math.exp(way * (n + rng.random()) / count) for n in range(count)]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so many of them do not pass (the nearest one above)."""
    ordered = sorted(values)
    return ordered[min(math.ceil(share * len(ordered)), len(ordered)) - 1]


def ours(took: Sequence[float], seed: int) -> list[Seen]:
    """Each by the product's own code: what the API shows is what the row says."""
    from benchmarks.simulated import signups
    from benchmarks.simulated.pollers import LATENCY
    from benchmarks.simulated.product import product
    from onboarding.models import Onboarding

    seen, rng = [], random.Random(seed)  # noqa: S311
    whose = signups.tenant("noticing")
    with product() as made:
        made.wire.passing = made.clock, LATENCY
        for seconds in took:
            made.wire.forget()
            made.clock.pass_by(rng.random())  # the sweep's second is not the customer's
            waba_id, (number_id,) = signups.account(made.world, connect_after=seconds)
            row = signups.sign_up(whose, waba_id, number_id)
            until = made.clock.now + 2 * seconds + 60
            while made.step(until) and not _is_connected(row.pk):
                pass
            row = Onboarding.objects.get(pk=row.pk)
            came = made.world.came_at[number_id]
            delay = row.connected_at.timestamp() - came if row.connected_at else None
            seen.append(Seen(seconds, delay, made.wire.calls))
    return seen


def _is_connected(key: int) -> bool:
    from onboarding.models import Onboarding

    return Onboarding.objects.filter(pk=key, connected_at__isnull=False).exists()


def theirs(name: str, took: Sequence[float]) -> list[Seen]:
    """Each by one of the usual loops."""
    from benchmarks.simulated import signups
    from benchmarks.simulated.clock import simulated
    from benchmarks.simulated.pollers import POLLERS, Watch
    from benchmarks.simulated.wire import NearWorld

    seen = []
    with simulated() as clock:
        world = NearWorld(clock)
        for seconds in took:
            _, (number_id,) = signups.account(world)
            came = clock.now + seconds
            world.numbers[number_id]["connect_at"] = came
            watch = Watch(clock, world, number_id)
            POLLERS[name](watch, clock.now + 2 * seconds + 1200)
            # The two calls that any of them makes before: read the account, register.
            delay = watch.noticed_at - came if watch.noticed_at else None
            seen.append(Seen(seconds, delay, 2 + len(watch.calls)))
    return seen


def measure(rounds: int) -> list[Row]:
    """A row for each comparator, and a row for each one's calls."""
    from benchmarks.simulated.pollers import POLLERS

    shares: dict[str, list[float]] = {name: [] for name in ("ours", *POLLERS)}
    calls: dict[str, list[float]] = {name: [] for name in shares}
    missed = dict.fromkeys(shares, 0)
    with site(fast=True):
        for number in range(rounds):
            took = times(SAMPLES, number)
            found = {"ours": ours(took, number)}
            found |= {name: theirs(name, took) for name in POLLERS}
            for name, seen in found.items():
                shares[name].append(percentile([each.share for each in seen], 0.95))
                calls[name].append(sum(each.calls for each in seen) / len(seen))
                missed[name] += sum(each.delay is None for each in seen)
    return [_row(name, shares, calls, missed, rounds) for name in POLLERS]


def _row(
    name: str, shares: dict[str, list[float]], calls: dict[str, list[float]],
    missed: dict[str, int], rounds: int,
) -> Row:  # fmt: skip
    many = rounds * SAMPLES
    cost = f"calls a number: ours {_mean(calls['ours']):,.0f}, theirs {_mean(calls[name]):,.0f}"
    given_up = f"; never noticed: ours {missed['ours']}, theirs {missed[name]} of {many}"
    return Row(
        part="Noticing", name="delay, p95, of the time it took", unit="%",
        ours=shares["ours"], other=shares[name], against=name,
        goal=Goal("ours", MOST), aside=cost + given_up,
        why="" if _mean(shares["ours"]) <= MOST else "see the rounds in the JSON file",
        more={"calls": {"ours": calls["ours"], "other": calls[name]}, "samples": many},
    )  # fmt: skip


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
