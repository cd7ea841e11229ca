"""YCloud calls of one onboarding: on the happy path, and for each day that a number takes.

The happy path is the product's own signup, steps and client against the sandbox, each call slowed
down so that what goes at the same time shows. The days are the same code under a clock of ours.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from benchmarks.loaded import site
from benchmarks.report import Goal, Row

SLOWED = 0.05
"""Seconds of each call on the happy path: calls that overlap are one round trip."""

GOAL_CALLS, GOAL_TRIPS = 3, 2
DAY = 86_400.0
DAYS = (1, 10)
SEVERAL = 5
"""So many numbers has the account with several."""

DEPTHS: dict[str, int] = {"one number": 1, f"{SEVERAL} numbers of an account": SEVERAL}


def happy(seconds: float = 0.0) -> tuple[float, float]:
    """Calls and round trips from the posted ids to `connected`."""
    from benchmarks.simulated import signups
    from benchmarks.simulated.product import product
    from onboarding.models import Onboarding

    with product() as made:
        made.wire.latency = SLOWED
        waba_id, (number_id,) = signups.account(made.world, connect_after=seconds)
        row = signups.sign_up(signups.tenant("calls"), waba_id, number_id)
        made.run(made.clock.now + 2 * seconds + 5)
        assert Onboarding.objects.get(pk=row.pk).state == "connected"
        return made.wire.calls, made.wire.round_trips


def bare_happy(poller: Callable[..., None], seconds: float = 0.0) -> tuple[float, float]:
    """The same by one of the usual loops: the brief's two calls, then it watches."""
    from benchmarks.simulated import signups
    from benchmarks.simulated.clock import simulated
    from benchmarks.simulated.pollers import Watch
    from benchmarks.simulated.wire import NearWorld, NearYCloud, Wire
    from sandbox.world import KEYS

    with simulated() as clock:
        world = NearWorld(clock)
        wire = Wire(NearYCloud(world, lambda kind, payload: None))
        waba_id, (number_id,) = signups.account(world, connect_after=seconds)
        wire.ask("GET", f"/whatsapp/businessAccounts/{waba_id}", {}, {}, KEYS[0])
        path = f"/whatsapp/phoneNumbers/{waba_id}/{number_id}/register"
        wire.ask("POST", path, {}, {}, KEYS[0])
        watch = Watch(clock, world, number_id)
        poller(watch, clock.now + 2 * seconds + 1200)
        calls = wire.calls + len(watch.calls)
        return calls, calls  # one after the other


def waiting(numbers: int, seed: int) -> dict[int, float]:
    """Calls on each of DAYS for an account whose numbers never connect."""
    from benchmarks.simulated import signups
    from benchmarks.simulated.product import product

    rng = random.Random(seed)  # noqa: S311 - the same rounds again
    with product() as made:
        whose = signups.tenant(f"calls-{numbers}")
        waba_id, ids = signups.account(made.world, numbers=numbers, connect_after=100 * DAY)
        for number_id in ids:
            made.clock.pass_by(rng.uniform(1, 60))  # one after the other, through the window
            signups.sign_up(whose, waba_id, number_id)
            made.run(made.clock.now + 1)
        began, found = made.clock.now, {}
        for day in DAYS:
            made.run(began + (day - 1) * DAY)
            made.wire.forget()
            made.run(began + day * DAY)
            found[day] = float(made.wire.calls)
        return found


def bare_waiting(poller: Callable[..., None], numbers: int) -> dict[int, float]:
    """The same by one of the usual loops, one for each number."""
    from benchmarks.simulated import signups
    from benchmarks.simulated.clock import simulated
    from benchmarks.simulated.pollers import Watch
    from benchmarks.simulated.wire import NearWorld

    found = dict.fromkeys(DAYS, 0.0)
    for _ in range(numbers):
        with simulated() as clock:
            world = NearWorld(clock)
            _, (number_id,) = signups.account(world)
            began, watch = clock.now, Watch(clock, world, number_id)
            poller(watch, began + max(DAYS) * DAY)
        for day in DAYS:
            ends = began + day * DAY
            found[day] += sum(ends - DAY <= at < ends for at in watch.calls)
    return found


def measure(rounds: int) -> list[Row]:
    """The happy path first, then the days, each against each of the usual loops."""
    with site(fast=True):
        return [*_happy_rows(rounds), *_waiting_rows(rounds)]


def _happy_rows(rounds: int) -> list[Row]:
    from benchmarks.simulated.pollers import POLLERS

    mine = [happy() for _ in range(rounds)]
    loops = {name: [bare_happy(loop) for _ in range(rounds)] for name, loop in POLLERS.items()}
    told = "; ".join(f"{name} {_pair(found[0])}" for name, found in loops.items())
    first = loops[next(iter(loops))]
    bounds = ((0, "calls", GOAL_CALLS), (1, "round trips", GOAL_TRIPS))
    return [
        Row(
            part="Calls", name=f"happy path, {what}", unit=what,
            ours=[each[at] for each in mine], other=[each[at] for each in first],
            against=next(iter(loops)), goal=Goal("ours", bound),
            aside=f"calls and round trips: {told}",
        )
        for at, what, bound in bounds
    ]  # fmt: skip


def _pair(found: tuple[float, float]) -> str:
    return f"{found[0]:.0f} and {found[1]:.0f}"


def _waiting_rows(rounds: int) -> list[Row]:
    from benchmarks.simulated.pollers import POLLERS

    rows = []
    for depth, numbers in DEPTHS.items():
        mine = [waiting(numbers, seed) for seed in range(rounds)]
        # The loops do the same in each round, but for the chain's jitter.
        loops = {name: [bare_waiting(loop, numbers)] for name, loop in POLLERS.items()}
        for day in DAYS:
            told = "; ".join(f"{name} {found[0][day]:,.0f}" for name, found in loops.items())
            rows.append(
                Row(
                    part="Calls",
                    name=f"day {day} of waiting, {depth}",
                    unit="calls",
                    ours=[each[day] for each in mine],
                    other=[each[day] for each in loops["a Celery retry chain"]],
                    against="a Celery retry chain for each number",
                    aside=told,
                )
            )
    return rows
