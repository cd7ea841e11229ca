"""Hours of a busy deployment, second by second: its sweep, its queue, its lanes, its pressure.

The product's own tasks, claims, quota, schedule and journal decide what is called and when, against
a sandbox that keeps YCloud's limits. Only what a step does between its calls is left out (rows 2
and 3 run that): `look` asks for the permits of the row's calls, makes them and writes what is next.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from unittest import mock

from benchmarks.simulated import crowd
from benchmarks.simulated.product import Product
from sandbox.world import KEYS

if TYPE_CHECKING:
    from onboarding.models import Onboarding

POOLS = {"default": 2, "waiting": 2}
"""Processes at each queue, as `make run` starts them; what names no queue goes to the first."""

OWN_SECONDS = 0.02
"""What a look costs a worker beside its calls, refused ones too (profiled: 15 to 20 ms)."""

CALL_SECONDS = 0.1
PRESSURE_EACH = 15.0
SWEEP_EACH = 1.0
PAGE_EACH = 5.0
"""The page asks so often while nothing changes."""

VISITS_AN_HOUR = 120
"""People who open the page of a number that waits for days, and stay for a minute."""

STAY = 60.0


@dataclass
class Told:
    """What one stretch of time came to."""

    calls: int = 0
    refused_by_ycloud: int = 0
    refused_by_us: int = 0
    page_waits: list[float] = field(default_factory=list)
    visits: list[float] = field(default_factory=list)
    due_waits: dict[int, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))
    """By tenant: in which minute a row was looked at, and how long after it was due."""

    seconds: float = 0.0


class Hours:
    """One deployment under load. `naive`: a due queue without lanes, stretch and admission."""

    def __init__(self, made: Product, signups_an_hour: float, *, naive: bool, seed: int) -> None:
        self.made, self.clock, self.naive = made, made.clock, naive
        self.rate = signups_an_hour / 3600
        self.rng = random.Random(seed)  # noqa: S311 - the same hours again
        self.tenants = [0]
        self.waiting: list[int] = []
        self.told = Told()
        self.free_at = {queue: [self.clock.now] * count for queue, count in POOLS.items()}
        self.arrived: dict[int, float] = {}
        self.visited: dict[int, tuple[float, float]] = {}
        self.journal: list[tuple[float, str]] = []
        self._busy = 0.0
        self._seen_next: list[tuple[float, int]] = []
        start = math.ceil(self.clock.now)
        self.next = {
            "arrive": self._after(self.rate), "visit": self._after(VISITS_AN_HOUR / 3600),
            "sweep": start, "pressure": start - 0.5,
        }  # fmt: skip

    def _after(self, rate: float) -> float:
        return self.clock.now + (self.rng.expovariate(rate) if rate else math.inf)

    # --- What happens when -----------------------------------------------------------------------

    def run(self, seconds: float) -> Told:
        """So long; what it came to."""
        self.told, wire = Told(seconds=seconds), self.made.wire
        wire.forget()
        until = self.clock.now + seconds
        with self._thin():
            while (at := min(*self.next.values(), self._worker_at(), self._page_at())) <= until:
                self.clock.move_to(at)
                self._happen()
        self.clock.move_to(until)
        # Who still stands there has waited so long at least.
        self.told.page_waits += [until - at for at in self.arrived.values() if until - at > 2]
        self.told.calls = wire.calls
        self.told.refused_by_ycloud = wire.statuses[429]
        return self.told

    def _worker_at(self) -> float:
        return min(map(self._pool_at, POOLS))

    def _pool_at(self, queue: str) -> float:
        """When the next of its messages and a worker come together."""
        return max(self.free_at[queue][0], self.made.broker.next_due(queue))

    def _page_at(self) -> float:
        return self._seen_next[0][0] if self._seen_next else math.inf

    def _happen(self) -> None:
        now = self.clock.now
        if self.next["arrive"] <= now:
            self.next["arrive"] = self._after(self.rate)
            self._arrive()
        if self.next["visit"] <= now:
            self.next["visit"] = self._after(VISITS_AN_HOUR / 3600)
            self._visit()
        while self._page_at() <= now:
            self._page_asks(heapq.heappop(self._seen_next)[1])
        if self.next["pressure"] <= now:
            self.next["pressure"] += PRESSURE_EACH
            self.measure_pressure()
        if self.next["sweep"] <= now:
            self.next["sweep"] += SWEEP_EACH
            self._sweep()
        for queue in POOLS:
            while self._pool_at(queue) <= now:
                self._work(queue)

    def _arrive(self) -> None:
        """Somebody comes back from Meta's window and waits at the page."""
        from django.utils import timezone

        from onboarding import quota, tasks
        from onboarding.models import Onboarding

        row = Onboarding.objects.create(
            tenant_id=self.rng.choice(self.tenants), connection_mode="business_platform",
            state="signed_up", next_look_at=timezone.now(), state_changed_at=timezone.now(),
        )  # fmt: skip
        self.arrived[row.pk] = self.clock.now
        quota.seen_at_page(row.pk)
        heapq.heappush(self._seen_next, (self.clock.now + PAGE_EACH, row.pk))
        tasks.nudge(row.pk)

    def _visit(self) -> None:
        """Somebody opens the page of a number that has waited for long."""
        key = self.rng.choice(self.waiting)
        self.visited[key] = (self.clock.now, self.clock.now + STAY)
        self._page_asks(key)

    def _page_asks(self, key: int) -> None:
        from onboarding import quota

        stays = key in self.arrived or self.visited.get(key, (0, 0))[1] > self.clock.now
        if stays:
            quota.seen_at_page(key)
            heapq.heappush(self._seen_next, (self.clock.now + PAGE_EACH, key))
        else:
            self.visited.pop(key, None)

    def measure_pressure(self) -> None:
        """Beat's quarter of a minute."""
        from onboarding import tasks

        self._keep_journal()
        if not self.naive:
            tasks.measure_pressure()

    def _keep_journal(self) -> None:
        """The calls since the last time, as `ycloud` notes each after its answer."""
        from onboarding.models import ProviderCall

        ProviderCall.objects.bulk_create(
            ProviderCall(kind="list_numbers", lane=lane, outcome="done", target="")
            for _, lane in self.journal
        )
        self.journal.clear()

    def _sweep(self) -> None:
        from onboarding import tasks, transitions

        if not self.naive:
            tasks.sweep_due()
            return
        for key, fence in transitions.claim_due(tasks.SWEEP_LIMIT):
            tasks.advance_onboarding.apply_async(
                kwargs={"onboarding_id": key, "fence": fence},
                expires=transitions.LEASE.total_seconds(),
            )

    def _work(self, queue: str) -> None:
        """A worker that is free takes the queue's next message."""
        message = self.made.broker.take(queue)
        if message is None:
            return
        self._busy = 0.0
        message.task.run(**message.kwargs)
        heapq.heapreplace(self.free_at[queue], self.clock.now + self._busy)

    @contextmanager
    def _thin(self) -> Iterator[None]:
        from onboarding import quota, steps

        with mock.patch.object(steps, "run", self.look):
            if not self.naive:
                yield
                return
            one_line = dict.fromkeys(quota.Lane, 1.0)
            with (
                mock.patch.dict(quota.LINES, one_line),
                mock.patch.object(quota, "pressure", return_value=1.0),
            ):
                yield

    # --- One look --------------------------------------------------------------------------------

    def look(self, row: Onboarding) -> None:
        """In the place of `steps.run`: permits, calls, and when to look again."""
        from onboarding import quota, schedule

        due = row.next_look_at
        assert due is not None
        lane, wanted = quota.lane_of(row), crowd.CALLS[row.state]
        self._busy = OWN_SECONDS
        try:
            for together in (2, 1) if wanted > 2 else (wanted,):
                for _ in range(together):
                    quota.take(lane)
                for _ in range(together):
                    self._call(lane)
        except quota.QuotaFullError as error:
            self.told.refused_by_us += 1
            self._write(row, schedule.after_fault(row, error, "quota_full"), "quota_full")
            return
        self._busy += CALL_SECONDS * (2 if wanted > 2 else 1)
        self._count(row, due.timestamp())
        if row.state == "signed_up":
            self._write(row, None, "", "connected")
        else:
            self._write(row, schedule.next_look(row), "")

    def _call(self, lane: str) -> None:
        self.made.wire.ask("GET", "/whatsapp/phoneNumbers", {"filter.wabaId": "9"}, {}, KEYS[0])
        self.journal.append((self.clock.now, lane))

    def _count(self, row: Onboarding, due: float) -> None:
        ready = self.clock.now + self._busy
        if row.pk in self.arrived:
            self.told.page_waits.append(ready - self.arrived.pop(row.pk))
            return
        if row.pk in self.visited:
            self.told.visits.append(ready - self.visited[row.pk][0])
            return
        wait = max(self.clock.now - due, 0.0)
        self.told.due_waits[row.tenant_id].append((int(self.clock.now // 60), wait))

    def _write(self, row: Onboarding, due: object, reason: str, state: str = "") -> None:
        from django.utils import timezone

        from onboarding.models import Onboarding

        rows = Onboarding.objects.filter(pk=row.pk, fence=row.fence)
        rows.update(
            next_look_at=due, lease_until=None, reason=reason, state=state or row.state, faults=0,
            looks=row.looks + 1 if reason == row.reason else 0, updated_at=timezone.now(),
        )  # fmt: skip
        if row.state == "connecting" and not reason:
            beside = Onboarding.objects.filter(
                business_account=row.business_account_id, state="connecting", lease_until=None
            )
            beside.exclude(pk=row.pk).update(next_look_at=due, updated_at=timezone.now())
