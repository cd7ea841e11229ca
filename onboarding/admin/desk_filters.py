"""What the desk's figures link to: lists narrowed by the very condition that was counted.

They are there for the links: each shows itself only while it narrows the list, so that the panel of
filters stays short.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from onboarding import figures, quota, vitals
from onboarding.reasons import STAFF_WHO_LABELS

Choices = list[tuple[str, Any]]


class Unobtrusive(admin.SimpleListFilter):
    """Only in the panel while it is used."""

    def has_output(self) -> bool:
        return bool(self.value())


class ConditionFilter(admin.SimpleListFilter):
    """A filter whose every choice is a condition that somebody counts by."""

    def conditions(self) -> list[tuple[str, str | Promise, Q]]:
        """Value, words and condition of each choice."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(value, words) for value, words, _condition in self.conditions()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = [each for value, _words, each in self.conditions() if value == self.value()]
        return queryset.filter(*chosen)


def _in_days(days: int) -> str:
    return ngettext("the last %(days)s day", "the last %(days)s days", days) % {"days": days}


class WaitsForFilter(Unobtrusive, ConditionFilter):
    """Who has to move next; what needs attention has stopped and is a state of its own."""

    title = _("waits for")
    parameter_name = "waits_for"

    def conditions(self) -> list[tuple[str, str | Promise, Q]]:
        return [(who, STAFF_WHO_LABELS[who], figures.waits_for(who)) for who in figures.WAITED_FOR]


class OpenForFilter(Unobtrusive, ConditionFilter):
    """Open ones, by how long they have been in their state."""

    title = _("open, in this state for")
    parameter_name = "open_for"

    def conditions(self) -> list[tuple[str, str | Promise, Q]]:
        words = {
            "any": _("any time"),
            "hour": _("less than an hour"),
            "day": _("an hour to a day"),
            "week": _("a day to a week"),
            "older": _("more than a week"),
        }
        return [(band, word, figures.open_for(band)) for band, word in words.items()]


class LaunchedFilter(Unobtrusive, ConditionFilter):
    """When Meta's window was opened."""

    title = _("launched in")
    parameter_name = "launched"

    def conditions(self) -> list[tuple[str, str | Promise, Q]]:
        return [
            (str(days), _in_days(days), figures.launched_within(days)) for days in figures.WINDOWS
        ]


class StageFilter(Unobtrusive, ConditionFilter):
    """How far they came on the way to connected, and where they stopped."""

    title = _("came as far as")
    parameter_name = "stage"

    def conditions(self) -> list[tuple[str, str | Promise, Q]]:
        came = [(key, label, figures.reached(key)) for key, label in figures.STAGES.items()]
        stopped = [
            (f"not-{key}", _("not: %(stage)s") % {"stage": label}, figures.stopped_before(key))
            for key, label in list(figures.STAGES.items())[1:]
        ]
        return [*came, *stopped]


class ConnectedFilter(Unobtrusive, ConditionFilter):
    """When they came online."""

    title = _("connected in")
    parameter_name = "connected"

    def conditions(self) -> list[tuple[str, str | Promise, Q]]:
        today = ("today", _("today"), figures.connected_since(figures.today()))
        within = [
            (str(days), _in_days(days), figures.connected_within(days)) for days in figures.WINDOWS
        ]
        return [today, *within]


class StepFilter(Unobtrusive):
    """Meta's step at which they were lost; only the desk's links set it."""

    title = _("Meta's step")
    parameter_name = "step"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        step = request.GET.get("step", "")
        return [(step, step)] if step else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(current_step=self.value()) if self.value() else queryset


class OverdueFilter(Unobtrusive, ConditionFilter):
    """Due, and taken by no worker."""

    title = _("overdue")
    parameter_name = "overdue"

    def conditions(self) -> list[tuple[str, str | Promise, Q]]:
        return [("yes", _("due and not taken"), vitals.is_overdue())]


class NewCustomersFilter(Unobtrusive, ConditionFilter):
    """Of accounts: those that Meta's cap counts."""

    title = _("new customers")
    parameter_name = "new"

    def conditions(self) -> list[tuple[str, str | Promise, Q]]:
        return [("yes", _in_days(vitals.CAP_SPAN.days), vitals.is_new())]


class CameFilter(Unobtrusive, ConditionFilter):
    """Of webhook events: those of the last hour."""

    title = _("came")
    parameter_name = "came"

    def conditions(self) -> list[tuple[str, str | Promise, Q]]:
        return [("hour", _("in the last hour"), vitals.came_lately())]


class QuotaFilter(Unobtrusive, ConditionFilter):
    """Of provider calls: those that the quota of the hour counts."""

    title = _("counts for the quota")
    parameter_name = "quota"

    def conditions(self) -> list[tuple[str, str | Promise, Q]]:
        return [("hour", _("in the last hour"), quota.counts_now())]


DESK_FILTERS = (
    WaitsForFilter, OpenForFilter, LaunchedFilter, StageFilter, ConnectedFilter, StepFilter,
    OverdueFilter,
)  # fmt: skip
"""For the list of onboardings."""
