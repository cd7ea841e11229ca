"""The sandbox's YCloud in place of the network: what httpx would send is answered in-process."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import httpx

from benchmarks.simulated.clock import Clock
from sandbox.envelope import Answer, Call, object_of
from sandbox.world import KEYS, Number, World
from sandbox.ycloud import YCloud

BASE = "http://ycloud.invalid/v2"
"""Nobody lives there: a call that is not answered here fails."""


class NearWorld(World):
    """The sandbox's world, which finds the numbers of an account without looking at all others."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock=clock)
        self.came_at: dict[str, float] = {}
        """When each number became CONNECTED, which nothing in an answer tells."""
        self._of: dict[str, list[str]] = {}

    def add_number(self, waba_id: str, traits: dict[str, Any]) -> Number:
        number = super().add_number(waba_id, traits)
        self._of.setdefault(waba_id, []).append(number["answer"]["id"])
        return number

    def settled(self, number: Number) -> Number:
        due = number["connect_at"]
        if due is not None and self.clock() >= due:
            self.came_at[number["answer"]["id"]] = due
        return super().settled(number)

    def numbers_of(self, waba_id: str) -> list[Number]:
        return [self.settled(self.numbers[each]) for each in self._of.get(waba_id, ())]


class NearYCloud(YCloud):
    """Answers as the sandbox does; a list of one account's numbers looks at that account only."""

    def count_earlier(self, times: Iterable[float]) -> None:
        """Calls that came before, oldest first: they fill the hour's window."""
        _, last_hour = self._windows.setdefault(KEYS[0], (deque(), deque()))
        last_hour.extend(times)

    def _list_numbers(self, call: Call) -> Answer:
        waba_id = call.query.get("filter.wabaId")
        if waba_id is None:
            return super()._list_numbers(call)
        every, self.world.numbers = self.world.numbers, {
            number["answer"]["id"]: number for number in self.world.numbers_of(waba_id)
        }  # fmt: skip
        try:
            return super()._list_numbers(call)
        finally:
            self.world.numbers = every


@dataclass
class Wire:
    """What goes over it is counted.

    `latency`: really slept, to see what goes at the same time; `passing`: a clock of ours and the
    seconds by which a call moves it.
    """

    ycloud: YCloud
    latency: float = 0.0
    passing: tuple[Clock, float] | None = None

    def __post_init__(self) -> None:
        self.spans: list[tuple[float, float]] = []
        self.statuses: Counter[int] = Counter()
        self.calls = 0
        self._lock = threading.Lock()

    def answer(self, request: httpx.Request) -> httpx.Response:
        """The answer to one request, as it would come over the network."""
        began = time.perf_counter()
        if self.latency:
            time.sleep(self.latency)
        answer = self.ask(
            request.method, request.url.path.removeprefix("/v2"), dict(request.url.params),
            object_of(request.content), request.headers.get("X-API-Key", ""),
        )  # fmt: skip
        with self._lock:
            self.spans.append((began, time.perf_counter()))
        return httpx.Response(
            answer.status, headers=answer.headers, request=request,
            content=json.dumps(answer.body).encode(),
        )  # fmt: skip

    def ask(
        self, method: str, path: str, query: dict[str, str], body: dict[str, Any], key: str
    ) -> Answer:
        """One call to YCloud, counted."""
        with self._lock:
            self.calls += 1
            if self.passing:
                clock, seconds = self.passing
                clock.pass_by(seconds)
        answer = self.ycloud.answer(Call(method, path, query, body, key))
        with self._lock:
            self.statuses[answer.status] += 1
        return answer

    @property
    def round_trips(self) -> int:
        """How many calls waited for the one before: those under way at the same time are one."""
        trips, until = 0, float("-inf")
        for began, ended in sorted(self.spans):
            if began >= until:
                trips += 1
                until = ended
            until = min(until, ended)
        return trips

    def forget(self) -> None:
        """Count from nothing."""
        self.spans.clear()
        self.statuses.clear()
        self.calls = 0

    @contextmanager
    def connected(self) -> Iterator[Wire]:
        """Every httpx client of this process speaks to this sandbox."""

        def handle(_transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
            return self.answer(request)

        with mock.patch.object(httpx.HTTPTransport, "handle_request", handle):
            yield self
