"""Kombu's Redis channel, made to survive the loss of Redis.

With kombu 5.7.0 a worker that holds messages while Redis goes away acknowledges or restores them
over a channel that was closed meanwhile, and ends with "Unrecoverable error: 'NoneType' object has
no attribute 'client'" (found by our fault run, Nov 2026). Nothing hangs on a message here: the row
is the queue, and a message that is delivered once more finds its row claimed or not due.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kombu.transport import redis
from kombu.utils.scheduling import priority_cycle


class SteadyQoS(redis.QoS):
    """Lets go of messages whose connection is gone."""

    def ack(self, delivery_tag: str) -> None:
        """As kombu's, but only over a channel that is open."""
        if not self.channel.closed:
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """As kombu's, but only over a channel that is open."""
        if not self.channel.closed:
            super().reject(delivery_tag, requeue=requeue)

    def restore_unacked_once(self, stderr: Any = None) -> None:
        """Nothing is put back: what is due is found by the sweep."""
        self._on_collect.cancel()  # type: ignore[attr-defined]


class InOrder(priority_cycle):  # type: ignore[type-arg]
    """A worker of several queues empties the more urgent one first; kombu would take turns."""

    order: tuple[str, ...] = ()

    def update(self, it: Iterable[str]) -> None:
        """The queues to read, the most urgent first; answers to questions before all of them."""
        place = {name: index for index, name in enumerate(self.order)}
        self.items = sorted(it, key=lambda name: place.get(name, -1))


def install(queues: tuple[str, ...]) -> None:
    """Use both for every channel of this process; `queues`: the most urgent first."""
    InOrder.order = queues
    redis.Channel.QoS = SteadyQoS
