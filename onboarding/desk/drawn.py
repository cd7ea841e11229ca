"""What the template draws: each thing a figure in words, its length, and the rows behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that leads to its rows. `tone`: quiet, good, act or stop; never by colour alone."""

    label: Text
    count: int
    link: str
    tone: str = "quiet"
    icon: str = ""
    more: tuple[Figure, ...] = ()
    """Smaller ones beside it."""

    @property
    def shown(self) -> str:
        """With the language's thousands separator."""
        return number_format(self.count, force_grouping=True)


@dataclass(frozen=True, slots=True)
class Bar:
    """One horizontal bar; `percent` of the longest one."""

    label: Text
    count: int
    link: str
    percent: float
    detail: Text = ""
    lost: Figure | None = None
    """What fell away before the next bar."""

    @property
    def shown(self) -> str:
        """With the language's thousands separator."""
        return number_format(self.count, force_grouping=True)


@dataclass(frozen=True, slots=True)
class Row:
    """One state in the table of states by age."""

    label: Text
    tone: str
    total: Figure
    cells: tuple[Figure, ...] = ()
    percent: float = 0.0


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign of how the machine is. `tone`: good, act, stop, or quiet for not known."""

    label: Text
    value: Text
    detail: Text
    tone: str
    link: str = ""
    percent: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What a new product needs first."""

    title: Text
    why: Text
    action: Text
    link: str
    done: bool = False


@dataclass(frozen=True, slots=True)
class Tab:
    """One window of the funnel."""

    label: Text
    link: str
    is_current: bool = field(default=False)


_UNITS = ((86_400 * 2, 86_400), (3_600 * 2, 3_600), (90, 60))


def duration(seconds: float) -> str:
    """In one unit: 40 seconds, 12 minutes, 5 hours, 3 days."""
    for least, unit in _UNITS:
        if seconds >= least:
            return _counted(round(seconds / unit), unit)
    return _counted(round(seconds), 1)


def age(span: timedelta) -> str:
    """How long something has lasted."""
    return duration(span.total_seconds())


def _counted(number: int, unit: int) -> str:
    if unit == 86_400:
        words = ngettext("%(n)s day", "%(n)s days", number)
    elif unit == 3_600:
        words = ngettext("%(n)s hour", "%(n)s hours", number)
    elif unit == 60:
        words = ngettext("%(n)s minute", "%(n)s minutes", number)
    else:
        words = ngettext("%(n)s second", "%(n)s seconds", number)
    return words % {"n": number}


def ago(span: timedelta) -> str:
    """When something was."""
    return gettext("%(span)s ago") % {"span": age(span)}


def percent(part: float, whole: float) -> float:
    """Of a bar's length, to a tenth."""
    return round(100 * part / whole, 1) if whole else 0.0
