"""What the queue is narrowed by: age in the state, reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onboarding.models import Onboarding
from onboarding.reasons import REASONS


class AgeFilter(admin.SimpleListFilter):
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


class ReasonFilter(admin.SimpleListFilter):
    """Why it stands still: only reasons that rows have."""

    title = _("reason")
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        used = Onboarding.objects.exclude(reason="").order_by("reason").values_list("reason")
        return [(code, str(REASONS[code].what)) for (code,) in used.distinct() if code in REASONS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(reason=self.value()) if self.value() else queryset
