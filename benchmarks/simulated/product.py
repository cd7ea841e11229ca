"""The product as one simulated worker and beat: its own tasks, at their own times."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.simulated.broker import Broker
from benchmarks.simulated.clock import Clock, simulated
from benchmarks.simulated.store import ending_by
from benchmarks.simulated.wire import BASE, NearWorld, NearYCloud, Wire

ADVANCE = "onboarding.tasks.advance_onboarding"


@dataclass
class Product:
    """One deployment. What is due is taken by the sweep of each second, as beat sends it."""

    clock: Clock
    wire: Wire
    broker: Broker

    @property
    def world(self) -> NearWorld:
        world = self.wire.ycloud.world
        assert isinstance(world, NearWorld)
        return world

    def next_sweep(self) -> float:
        """The second of the first sweep that finds a row due; infinite when nobody looks again."""
        from django.db.models import Min

        from onboarding.models import Onboarding

        due = Onboarding.objects.aggregate(due=Min("next_look_at"))["due"]
        return math.ceil(due.timestamp()) if due else math.inf

    def step(self, until: float) -> bool:
        """What happens next, a message or a sweep, before `until`; whether there was any."""
        sweep = max(self.next_sweep(), self.clock.now)
        at = max(min(sweep, self.broker.next_due()), self.clock.now)
        if at > until:
            return False
        self.clock.move_to(at)
        if self.broker.next_due() <= self.clock.now:
            self.run_messages()
        else:
            self.sweep()
        return True

    def sweep(self) -> None:
        """Beat's second: what is due is handed out."""
        from onboarding import tasks

        tasks.sweep_due()

    def run_messages(self) -> None:
        """The worker takes every message that may run now."""
        while message := self.broker.take():
            message.task.run(**message.kwargs)

    def run(self, until: float) -> None:
        """Everything up to this time."""
        while self.step(until):
            pass
        self.clock.move_to(until)


@contextmanager
def product(begin: float | None = None, **settings: Any) -> Iterator[Product]:
    """The product under a clock of ours; inside `loaded.site()`. `settings`: of Django, for it."""
    from django.core.cache import cache
    from django.test import override_settings

    from onboarding import ycloud
    from sandbox.world import KEYS

    with ExitStack() as undone:
        clock = undone.enter_context(simulated(*(() if begin is None else (begin,))))
        world = NearWorld(clock)
        wire = Wire(NearYCloud(world, lambda kind, payload: None))
        broker = Broker(clock, ADVANCE)
        given: dict[str, Any] = {
            "YCLOUD_API_BASE_URL": BASE, "YCLOUD_API_KEY": KEYS[0], "META_APP_SECRET": "",
            "ONBOARDING_UNPROVEN": "continue",
        }  # fmt: skip
        undone.enter_context(override_settings(**given | settings))
        undone.enter_context(ending_by(clock))
        undone.enter_context(wire.connected())
        undone.enter_context(broker.connected())
        ycloud.close()
        cache.clear()
        logging.disable(logging.WARNING)  # two lines for each look of a week
        try:
            yield Product(clock, wire, broker)
        finally:
            logging.disable(logging.NOTSET)
            ycloud.close()
