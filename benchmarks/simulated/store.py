"""Valkey whose keys end by our clock: it keeps real time itself, and an hour of ours is a minute.

The windows of `limits` carry the client's time in their entries; only the ends of keys are moved.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import redis
from limits.storage import RedisStorage

from benchmarks.simulated.clock import Clock

_ENDS = "redis.call('expire', KEYS[1], expiry)"


class Ends:
    """When which key ends."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._heap: list[tuple[float, str]] = []
        self._last: dict[str, float] = {}
        self.forget: Any = None

    def note(self, key: str, seconds: float) -> None:
        """The key ends so many seconds from now, whatever was noted before."""
        self._last[key] = self.clock.now + seconds
        heapq.heappush(self._heap, (self._last[key], key))

    def come(self) -> list[str]:
        """The keys whose end has come by now."""
        ended = []
        while self._heap and self._heap[0][0] <= self.clock.now:
            at, key = heapq.heappop(self._heap)
            if self._last.get(key) == at:
                del self._last[key]
                ended.append(key)
        return ended


@contextmanager
def ending_by(clock: Clock) -> Iterator[None]:
    """`SET … ex` of this process ends by the clock; the windows of `limits` need no end."""
    ends, plain_set, plain_command = Ends(clock), redis.Redis.set, redis.Redis.execute_command

    def set_(self: Any, name: str, value: Any, ex: Any = None, **more: Any) -> Any:
        if ex is not None:
            ends.note(str(name), float(ex))
        return plain_set(self, name, value, **more)

    def command(self: Any, *args: Any, **options: Any) -> Any:
        if ended := ends.come():
            plain_command(self, "DEL", *ended)
        return plain_command(self, *args, **options)

    script = RedisStorage.SCRIPT_ACQUIRE_MOVING_WINDOW
    text = script.decode() if isinstance(script, bytes) else script
    assert _ENDS in text, "another version of limits: look how its window ends"
    with ExitStack() as undone:
        undone.enter_context(mock.patch.object(redis.Redis, "set", set_))
        undone.enter_context(mock.patch.object(redis.Redis, "execute_command", command))
        without = text.replace(_ENDS, "")
        undone.enter_context(
            mock.patch.object(RedisStorage, "SCRIPT_ACQUIRE_MOVING_WINDOW", without)
        )
        yield
