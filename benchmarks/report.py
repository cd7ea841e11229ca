"""A row of `make bench`: ours beside its comparator, both of the same run, and what it should be.

`measure(rounds)` of each part gives rows; here is how a row is judged, printed and kept.
"""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Goal:
    """What has to hold: the ratio to the comparator, or ours, at most or at least `bound`."""

    of: Literal["ratio", "ours"]
    bound: float
    way: Literal["at most", "at least"] = "at most"

    def is_met(self, value: float) -> bool:
        return value <= self.bound if self.way == "at most" else value >= self.bound

    def __str__(self) -> str:
        sign = "≤" if self.way == "at most" else "≥"
        return f"{sign} {self.bound:g}{'x' if self.of == 'ratio' else ''}"


@dataclass(frozen=True, slots=True)
class Row:
    """Each round measures ours and the comparator in turns; the medians are compared.

    `against` says what the comparator is. `why` says what stands in the way of a goal not met, and
    is shown only then; `aside` is always shown.
    """

    part: str
    name: str
    unit: str
    ours: Sequence[float]
    other: Sequence[float] = ()
    against: str = ""
    goal: Goal | None = None
    why: str = ""
    aside: str = ""
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> float:
        return statistics.median(self.ours)

    @property
    def compared(self) -> float | None:
        return statistics.median(self.other) if self.other else None

    @property
    def ratio(self) -> float | None:
        return self.value / self.compared if self.compared else None

    @property
    def spread(self) -> float:
        """Half of the way from the least to the most of ours, as a share of the median."""
        return (max(self.ours) - min(self.ours)) / 2 / self.value if self.value else 0.0

    @property
    def is_met(self) -> bool | None:
        if self.goal is None:
            return None
        measured = self.ratio if self.goal.of == "ratio" else self.value
        return measured is not None and self.goal.is_met(measured)

    def kept(self) -> dict[str, Any]:
        """As it stands in the JSON file."""
        derived = {
            "median": self.value, "compared": self.compared, "ratio": self.ratio,
            "spread": self.spread, "met": self.is_met,
        }  # fmt: skip
        return asdict(self) | derived | {"goal": str(self.goal) if self.goal else None}


def machine() -> dict[str, Any]:
    """On what it was measured: a number without it says little."""
    return {
        "cores": os.cpu_count(),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def _number(value: float | None) -> str:
    if value is None:
        return ""
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 4
    return f"{value:,.{digits}f}"


def table(rows: Sequence[Row]) -> str:
    """One line a row, the parts one under the other; below it why each goal was not met."""
    head = f"{'':46} {'ours':>10} {'±':>5} {'other':>10} {'ratio':>6}  {'goal':<10} "
    lines, part = [head], ""
    for row in rows:
        if row.part != part:
            part = row.part
            lines += ["", part]
        ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
        met = {True: "met", False: "NOT MET", None: ""}[row.is_met]
        name = f"  {row.name} [{row.unit}]"
        lines.append(
            f"{name:46} {_number(row.value):>10} {row.spread:>5.0%} {_number(row.compared):>10} "
            f"{ratio:>6}  {row.goal or ''!s:<10} {met}"
        )
        lines += [f"      {said}" for said in _said(row)]
    return "\n".join(lines)


def _said(row: Row) -> list[str]:
    said = [f"against {row.against}"] if row.against else []
    said += [row.aside] if row.aside else []
    return said + ([f"why not: {row.why}"] if row.is_met is False and row.why else [])
