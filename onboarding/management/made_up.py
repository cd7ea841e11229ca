"""Made-up onboardings: what happened to each, when, and why it stands where it stands.

Only for looking and measuring (`generate_onboardings`, `make bench-desk`); the same seed tells the
same stories. Nothing here is ever due: no worker takes these rows.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from onboarding.states import WORKING, State

S = State
Path = tuple[State, ...]

_TO_LINKED: Path = (S.STARTED, S.SIGNED_UP, S.LINKED)
_TO_REGISTERING: Path = (*_TO_LINKED, S.REGISTERING)
_TO_CONNECTING: Path = (*_TO_REGISTERING, S.CONNECTING)
_LATE: Path = (*_TO_LINKED, S.AWAITING_PAYMENT, S.REGISTERING, S.CONNECTING, S.CONNECTED)
_REVIEWED: Path = (*_TO_LINKED, S.IN_REVIEW, S.REGISTERING, S.CONNECTING, S.CONNECTED)


@dataclass(frozen=True, slots=True)
class Plot:
    """One way that an onboarding may go, how often it does, and the reasons that it ends with."""

    weight: float
    path: Path
    reasons: tuple[str, ...] = ("",)
    before: str = ""
    """The reason of the state before the last one, where it stood still there too."""


PLOTS = (
    Plot(40, (*_TO_CONNECTING, S.CONNECTED)),
    Plot(9, _LATE, before="payment_missing"),
    Plot(5, _REVIEWED, before="approval_needed"),
    Plot(
        14,
        (S.STARTED, S.CANCELLED),
        ("meta_cancelled", "meta_cancelled", "meta_cancelled", "meta_error", "no_confirmation"),
    ),
    Plot(3, (S.STARTED, S.CANCELLED), ("withdrawn", "superseded")),
    Plot(2, (S.STARTED,)),
    Plot(0.4, (S.STARTED, S.SIGNED_UP), ("", "waiting_for_confirmation", "ycloud_unavailable")),
    Plot(1.5, (S.STARTED, S.SIGNED_UP, S.AWAITING_ACCOUNT), ("account_choice",)),
    Plot(0.4, _TO_LINKED, ("", "account_in_review")),
    Plot(6, (*_TO_LINKED, S.AWAITING_PAYMENT), ("payment_missing",)),
    Plot(
        5,
        (*_TO_LINKED, S.AWAITING_NUMBER),
        ("number_choice", "number_missing", "number_not_verified", "number_not_listed"),
    ),
    Plot(2, (*_TO_LINKED, S.IN_REVIEW), ("approval_needed",)),
    Plot(1, (S.STARTED, S.SIGNED_UP, S.IN_REVIEW), ("unproven",)),
    Plot(1.6, _TO_REGISTERING, ("", "display_name_review", "display_name_review", "answer_lost")),
    Plot(1.2, _TO_CONNECTING, ("", "takes_longer")),
    Plot(
        2,
        (S.STARTED, S.SIGNED_UP, S.NEEDS_ATTENTION),
        ("ids_missing", "account_not_visible", "account_held", "account_not_granted"),
    ),
    Plot(1.2, (*_TO_LINKED, S.NEEDS_ATTENTION), ("account_rejected", "account_banned")),
    Plot(
        1.8,
        (*_TO_REGISTERING, S.NEEDS_ATTENTION),
        ("register_refused", "pin_mismatch", "number_banned", "number_migrated", "internal_fault"),
    ),
    Plot(1, (*_TO_LINKED, S.IN_REVIEW, S.REJECTED), ("rejected",)),
)

STEPS = (
    "PHONE_NUMBER_SETUP",
    "PHONE_NUMBER_SETUP",
    "PHONE_NUMBER_VERIFICATION",
    "BUSINESS_INFORMATION",
    "BUSINESS_INFORMATION",
    "WABA_SELECTION",
    "PERMISSIONS",
)
"""Meta's `current_step` of those who left its window; the first ones lose the most."""

WINDOW_ERRORS = ("524126", "131000", "4")
HEALTH = (
    ("health_banned", "BANNED"),
    ("health_disconnected", "DISCONNECTED"),
    ("removed_primary_inactivity", "DISCONNECTED"),
    ("removed_change_number", "DISCONNECTED"),
    ("number_offboarded", "DISCONNECTED"),
    ("health_migrated", "MIGRATED"),
    ("health_unverified", "UNVERIFIED"),
)
UNWELL = 0.04
"""The share of connected numbers whose health got worse."""

COUNTRIES = (
    ("ES", "34", "EUR"), ("DE", "49", "EUR"), ("BR", "55", "BRL"), ("IN", "91", "INR"),
    ("MX", "52", "MXN"), ("US", "1", "USD"), ("GB", "44", "GBP"), ("NG", "234", "NGN"),
    ("ID", "62", "IDR"), ("AE", "971", "AED"), ("FR", "33", "EUR"), ("CO", "57", "COP"),
)  # fmt: skip
_FIRST = (
    "Blue", "Corner", "Green", "Harbour", "Hill", "Little", "Maple", "North", "Old Town", "Orange",
    "Quiet", "River", "Sunny", "Three", "Union", "Velvet", "West", "Yellow",
)  # fmt: skip
_SECOND = (
    "Bakery", "Bikes", "Books", "Clinic", "Dental", "Fitness", "Flowers", "Foods", "Garage",
    "Garden", "Hotel", "Kitchen", "Legal", "Logistics", "Optics", "Pharmacy", "Studio", "Travel",
)  # fmt: skip


def name_of(rng: random.Random, index: int) -> str:
    """A company's name; each index gets another one."""
    first, second = rng.choice(_FIRST), rng.choice(_SECOND)
    return f"{first} {second} {index}"


@dataclass(frozen=True, slots=True)
class Move:
    """One line of the story: into which state, when, with which reason."""

    at: datetime
    state: State
    reason: str


@dataclass(frozen=True, slots=True)
class Story:
    """A whole onboarding; the last move is where it stands."""

    moves: tuple[Move, ...]

    @property
    def end(self) -> Move:
        return self.moves[-1]

    @property
    def begin(self) -> datetime:
        return self.moves[0].at

    def came_to(self, state: State) -> bool:
        """Whether it was ever in that state."""
        return any(move.state == state for move in self.moves)


def tell(rng: random.Random, now: datetime) -> Story:
    """One story, ending before `now`."""
    (plot,) = rng.choices(PLOTS, [each.weight for each in PLOTS])
    reason = rng.choice(plot.reasons)
    gaps = [_gap(rng, waited=bool(plot.before) and i == 3) for i in range(1, len(plot.path))]
    at = now - _age(rng, plot.path[-1], reason) - sum(gaps, timedelta())
    moves = [Move(at, plot.path[0], "")]
    for index, (state, gap) in enumerate(zip(plot.path[1:], gaps, strict=True), start=1):
        at += gap
        is_last = index == len(plot.path) - 1
        stood = plot.before if index == 3 and not is_last else ""
        moves.append(Move(at, state, reason if is_last else stood))
    return Story(tuple(moves))


def _gap(rng: random.Random, *, waited: bool) -> timedelta:
    """Seconds to minutes between two moves; hours to days where somebody had to act."""
    if waited:
        return timedelta(hours=rng.lognormvariate(2, 1.2))
    return timedelta(seconds=min(rng.lognormvariate(4, 1.1), 7200))


def _age(rng: random.Random, state: State, reason: str) -> timedelta:
    """How long it has been there: what is over may be old, what works is young."""
    if state in (S.CONNECTED, S.CANCELLED, S.REJECTED):
        return timedelta(days=120 * rng.random() ** 1.5)
    if state in WORKING and not reason:
        return timedelta(seconds=rng.uniform(1, 240))
    most = {S.STARTED: 600.0}.get(state, 30_000.0)  # minutes: ten hours, three weeks
    return timedelta(minutes=math.exp(rng.uniform(math.log(2), math.log(most))))
