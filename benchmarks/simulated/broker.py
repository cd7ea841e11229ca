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

DEFAULT = "default"
"""The queue of what names none."""


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
        self.queues: dict[str, list[Message]] = {}
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
        heapq.heappush(self.queues.setdefault(options.get("queue") or DEFAULT, []), message)

    def next_due(self, queue: str = "") -> float:
        """When the next message, of any queue or of one, may run."""
        heaps = [self.queues.get(queue, [])] if queue else self.queues.values()
        return min((heap[0].due for heap in heaps if heap), default=float("inf"))

    def take(self, queue: str = "") -> Message | None:
        """The next message that may run now; those that expired are dropped."""
        for name in [queue] if queue else list(self.queues):
            heap = self.queues.get(name, [])
            while heap and heap[0].due <= self.clock.now:
                message = heapq.heappop(heap)
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
