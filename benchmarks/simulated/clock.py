"""Time that stands still until it is moved: everything that asks for the time is told this one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import time_machine

BEGIN = datetime(2026, 11, 24, 10, tzinfo=UTC).timestamp()


class Clock:
    """Seconds since the epoch; a call of it is the time, as the sandbox asks for it."""

    def __init__(self, traveller: time_machine.Traveller, begin: float) -> None:
        self._traveller = traveller
        self.now = begin

    def __call__(self) -> float:
        return self.now

    def move_to(self, at: float) -> None:
        """Never back: what is overdue happens now."""
        if at > self.now:
            self.now = at
            self._traveller.move_to(at)

    def pass_by(self, seconds: float) -> None:
        """So many seconds go by."""
        self.move_to(self.now + seconds)


@contextmanager
def simulated(begin: float = BEGIN) -> Iterator[Clock]:
    """A clock of ours, for this whole process."""
    with time_machine.travel(begin, tick=False) as traveller:
        yield Clock(traveller, begin)
