"""What is usually written instead, to watch a number until it says CONNECTED.

Each runs against the same sandbox under the same clock, one for each number, and knows of no quota.
A wait that may still be long is cut off at `give_up_at`, so that a number that never connects ends
the measurement.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from celery import Celery

from benchmarks.simulated.broker import Broker
from benchmarks.simulated.clock import Clock
from benchmarks.simulated.wire import NearWorld

LATENCY = 0.1
"""Seconds of a call, as for ours."""

POLL = 2.0
TRIES, TRY_EACH = 60, 10.0
BACKOFF_MOST = 600


class NotYetError(Exception):
    """The number does not say CONNECTED."""


@dataclass
class Watch:
    """One number under the clock: each look is a call, and a call takes its time."""

    clock: Clock
    world: NearWorld
    number_id: str
    calls: list[float] = field(default_factory=list)
    noticed_at: float | None = None

    def is_connected(self) -> bool:
        """Ask for the number's status."""
        number = self.world.settled(self.world.numbers[self.number_id])
        self.calls.append(self.clock.now)
        self.clock.pass_by(LATENCY)
        if number["answer"]["status"] == "CONNECTED":
            self.noticed_at = self.clock.now
            return True
        return False


def poll(watch: Watch, give_up_at: float) -> None:
    """Every two seconds, for as long as it takes."""
    while watch.clock.now < give_up_at:
        watch.clock.pass_by(POLL)
        if watch.is_connected():
            return


def tries(watch: Watch, give_up_at: float) -> None:
    """Sixty times, ten seconds apart; then it is called failed."""
    for _ in range(TRIES):
        if watch.clock.now >= give_up_at:
            return
        watch.clock.pass_by(TRY_EACH)
        if watch.is_connected():
            return


app = Celery("pollers", set_as_current=False)
_watched: dict[str, Watch] = {}


@app.task(
    name="watch_number", autoretry_for=(NotYetError,), retry_backoff=True,
    retry_backoff_max=BACKOFF_MOST, retry_jitter=True, max_retries=None,
)  # fmt: skip
def watch_number(*, number_id: str) -> None:
    """A retry chain of Celery's own: 1, 2, 4 ... up to 600 s, with its jitter, without an end."""
    if not _watched[number_id].is_connected():
        raise NotYetError


def chain(watch: Watch, give_up_at: float) -> None:
    """The task above, with its messages kept and run as a worker does."""
    broker = Broker(watch.clock, watch_number.name)
    _watched[watch.number_id] = watch
    try:
        with broker.connected():
            watch_number.apply_async(kwargs={"number_id": watch.number_id})
            while (due := broker.next_due()) < give_up_at:
                watch.clock.move_to(due)
                while message := broker.take():
                    _run(message.task, message.kwargs, message.retries)
    finally:
        del _watched[watch.number_id]


def _run(task: Any, kwargs: dict[str, Any], retries: int) -> None:
    """One message, as a worker runs it: `retry` publishes the next one and raises."""
    from celery.exceptions import Retry

    task.push_request(
        id=str(uuid.uuid4()), args=(), kwargs=kwargs, retries=retries, called_directly=False,
        delivery_info={},
    )  # fmt: skip
    try:
        task.run(**kwargs)
    except Retry:
        pass
    finally:
        task.pop_request()


Poller = Callable[[Watch, float], None]
POLLERS: dict[str, Poller] = {
    "a poll each 2 s": poll,
    "10 s x 60": tries,
    "a Celery retry chain": chain,
}
