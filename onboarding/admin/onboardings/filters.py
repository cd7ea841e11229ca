"""What the queue is narrowed by: conditions that an index or a short scan answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

import phonenumbers
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import (
    DropdownFilter,
    MultipleDropdownFilter,
)

from onboarding.admin.base import TenantFilter
from onboarding.admin.desk_filters import DESK_FILTERS
from onboarding.admin.onboardings import asks, movers
from onboarding.admin.proof import ProvenFilter
from onboarding.models import PhoneNumber, WhatsAppBusinessAccount
from onboarding.models.onboarding import ConnectionMode
from onboarding.reasons import REASONS
from onboarding.states import State

S = State

FEW = 500

ENDED = (S.CONNECTED, S.CANCELLED, S.REJECTED)


class ShowFilter(DropdownFilter):
    """What has ended is out of the way, until somebody searches or names a state."""

    title = _("what is shown")
    parameter_name = "show"
    all_option: ClassVar[list[Any]] = ["", _("What has not ended")]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("all", _("Everything")), ("ended", _("What has ended"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "ended":
            return queryset.filter(state__in=ENDED)
        if self.value() == "all" or hides_nothing(request):
            return queryset
        return queryset.filter(state__in=sorted(set(S) - set(ENDED)))


def hides_nothing(request: HttpRequest) -> bool:
    """Whoever searches, names a state, or comes from a figure of the desk means all of it."""
    of_desk = {each.parameter_name for each in DESK_FILTERS}
    named = any(
        value and (name in of_desk or name.split("__")[0] == "state")
        for name, value in request.GET.items()
    )
    return named or bool(request.GET.get("q", "").strip())


class StateFilter(MultipleDropdownFilter):
    """One or several."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(value, label) for value, label in State.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = [value for value in self.value() or [] if value in State.values]
        return queryset.filter(state__in=chosen) if chosen else queryset


class ReasonFilter(DropdownFilter):
    """Why it stands still."""

    title = _("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        known = [(each.code, str(each.staff_what)) for each in REASONS.values()]
        return sorted(known, key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(reason=self.value()) if self.value() in REASONS else queryset


class MoverFilter(DropdownFilter):
    """Who moves next."""

    title = _("next move")
    parameter_name = "mover"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(movers.LABELS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(movers.are(self.value())) if self.value() else queryset


class ModeFilter(DropdownFilter):
    title = _("mode")
    parameter_name = "mode"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(ConnectionMode.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(connection_mode=self.value()) if self.value() else queryset


class AgeFilter(DropdownFilter):
    """How long the row has been in its state."""

    title = _("in this state for")
    parameter_name = "age"
    spans: ClassVar[dict[str, timedelta]] = {
        "hour": timedelta(hours=1),
        "day": timedelta(days=1),
        "week": timedelta(days=7),
        "month": timedelta(days=30),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("hour", _("more than an hour")),
            ("day", _("more than a day")),
            ("week", _("more than a week")),
            ("month", _("more than a month")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        span = self.spans.get(self.value() or "")
        if span is None:
            return queryset
        return queryset.filter(state_changed_at__lt=timezone.now() - span)


class CountryFilter(DropdownFilter):
    """The account's country, or that of the number's code."""

    title = _("country")
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        known = sorted(phonenumbers.SUPPORTED_REGIONS)
        return [(r, f"{r} (+{phonenumbers.country_code_for_region(r)})") for r in known]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        region = self.value()
        if region not in phonenumbers.SUPPORTED_REGIONS:
            return queryset
        code = f"+{phonenumbers.country_code_for_region(region)}"
        accounts = WhatsAppBusinessAccount.objects.filter(country=region)
        numbers = PhoneNumber.objects.filter(e164__gte=code, e164__lt=f"{code}:")
        theirs = Q(business_account__in=_few(accounts)) | Q(number__in=_few(numbers))
        return queryset.filter(theirs)


def _few(rows: QuerySet[Any]) -> Any:
    """Their keys, where they are few: then an index finds what refers to them."""
    keys = list(rows.values_list("pk", flat=True)[: FEW + 1])
    return keys if len(keys) <= FEW else rows


class AssigneeFilter(DropdownFilter):
    """Me, nobody, or somebody."""

    title = _("assigned to")
    parameter_name = "assigned"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        people = [(str(user.pk), asks.shown(user)) for user in asks.staff()]
        return [
            (asks.ME, _("Me")),
            (asks.NOBODY, _("Nobody")),
            ("somebody", _("Somebody")),
            *people,
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value() or ""
        if value == asks.ME:
            return queryset.filter(assigned_to=request.user)
        if value in (asks.NOBODY, "somebody"):
            return queryset.filter(assigned_to__isnull=value == asks.NOBODY)
        return queryset.filter(assigned_to=int(value)) if value.isdecimal() else queryset


class ProofFilter(ProvenFilter, DropdownFilter):
    """See `ProvenFilter`."""


FILTERS: list[Any] = [
    ShowFilter, StateFilter, ReasonFilter, MoverFilter, AssigneeFilter, ("tenant", TenantFilter),
    AgeFilter, CountryFilter, ModeFilter, ProofFilter, *DESK_FILTERS,
]  # fmt: skip

__all__ = ["FILTERS", "hides_nothing"]
