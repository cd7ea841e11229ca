"""Celery's messages without a broker: kept with the time at which they may run, run by hand."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from celery.app.task import Task

from benchmarks.simulated.clock import Clock


@dataclass(order=True)
class Message:
    """One task that was published."""

    due: float
    number: int
    task: Any = field(compare=False)
    kwargs: dict[str, Any] = field(compare=False)
    expires_at: float = field(compare=False, default=float("inf"))
    retries: int = field(compare=False, default=0)


class Broker:
    """Those of the named tasks; the others (letters, partner's webhooks) are nobody's here."""

    def __init__(self, clock: Clock, *wanted: str) -> None:
        self.clock = clock
        self.wanted = set(wanted)
        self.waiting: list[Message] = []
        self._numbers = itertools.count()

    def publish(self, task: Any, kwargs: dict[str, Any], options: dict[str, Any]) -> None:
        """Keep a message as the broker would."""
        if task.name not in self.wanted:
            return
        now = self.clock.now
        due = now + float(options.get("countdown") or 0)
        expires = options.get("expires")
        message = Message(
            due, next(self._numbers), task, dict(kwargs),
            now + float(expires) if expires else float("inf"), int(options.get("retries") or 0),
        )  # fmt: skip
        heapq.heappush(self.waiting, message)

    @property
    def next_due(self) -> float:
        """When the next message may run."""
        return self.waiting[0].due if self.waiting else float("inf")

    def take(self) -> Message | None:
        """The next message that may run now; those that expired are dropped."""
        while self.waiting and self.waiting[0].due <= self.clock.now:
            message = heapq.heappop(self.waiting)
            if message.expires_at >= self.clock.now:
                return message
        return None

    @contextmanager
    def connected(self) -> Iterator[Broker]:
        """Every task of this process is published here."""

        def apply_async(
            task: Any, args: Any = None, kwargs: Any = None, *_more: Any, **options: Any
        ) -> None:
            self.publish(task, kwargs or {}, options)

        with mock.patch.object(Task, "apply_async", apply_async):
            yield self
