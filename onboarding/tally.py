"""Figures that take long to count: counted once a minute by a worker, kept in Redis.

Whoever shows them shows when they were counted. Where nothing is kept (Redis is away, no worker
runs) they are counted on the spot, and that is kept for the next who asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import redis
from django.core.cache import cache
from django.utils import timezone

from onboarding import figures
from onboarding.figures import Stage, Took
from onboarding.states import State

_KEY = "desk-tally-2"
"""A new number for each new shape: releases run beside each other."""

KEPT_SECONDS = 300
"""Older ones are counted anew: no worker has counted for several minutes."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Each by the days of its window. `states`: how many stand in each; the desk shows of it those
    in which nothing is under way.
    """

    at: datetime
    states: dict[State, int]
    funnels: dict[int, list[Stage]]
    lost_steps: dict[int, dict[str, int]]
    took: dict[int, Took]


def count() -> Tally:
    """Count them now."""
    return Tally(
        at=timezone.now(),
        states=figures.by_state(),
        funnels=figures.funnels(),
        lost_steps=figures.lost_steps(),
        took=figures.time_to_connect(),
    )


def keep() -> Tally:
    """Count them and keep them for the desk."""
    counted = count()
    cache.set(_KEY, counted, KEPT_SECONDS)
    return counted


def latest() -> Tally:
    """As kept; counted now where nothing is."""
    try:
        kept = cache.get(_KEY)
        return kept if isinstance(kept, Tally) else keep()
    except redis.RedisError:
        return count()
