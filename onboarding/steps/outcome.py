"""What comes of a step: where the row goes, why, and when to look again."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from onboarding.states import State


@dataclass(frozen=True, slots=True)
class Outcome:
    """`due` None: nobody looks until a person or an event wakes the row.

    `goes_on`: the worker owns the next move too and makes it in the same task.
    """

    to: State
    reason: str = ""
    due: datetime | None = None
    goes_on: bool = False
    note: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def go(to: State, **facts: Any) -> Outcome:
    """The gate or act was passed: the next step follows at once."""
    return Outcome(to, goes_on=True, facts=facts)


def wait(to: State, reason: str, due: datetime | None, **facts: Any) -> Outcome:
    """Look again at `due`."""
    return Outcome(to, reason, due, facts=facts)


def stop(reason: str, note: str = "", **facts: Any) -> Outcome:
    """A person must act; a fresh pass resumes."""
    return Outcome(State.NEEDS_ATTENTION, reason, note=note, facts=facts)
