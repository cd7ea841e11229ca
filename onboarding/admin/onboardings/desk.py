"""Onboardings: which are stuck, why, since when, who looks after them; and one record."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onboarding import cases, progress, proof, record, requirements, review, search
from onboarding.admin.onboardings import acts, asks, columns, movers
from onboarding.admin.onboardings.deciding import (
    Deciding,
    address_of,
    may_see_cases,
    seen,
)
from onboarding.admin.onboardings.filters import FILTERS
from onboarding.models import Onboarding
from onboarding.models.onboarding import WAITS_FOR_US
from onboarding.states import State
from tenants.models import Membership


@admin.register(Onboarding)
class OnboardingAdmin(columns.Columns, Deciding):
    list_display = ["who", "shown_state", "shown_reason", "shown_number", "age"]
    list_filter = FILTERS
    list_fullwidth = True
    # By queries of their own: behind the wall a join is planned as if it found next to nothing, and
    # then every row is read and sorted.
    shown_with = ("tenant", "number", "business_account", "assigned_to")
    search_fields = ["pk"]  # shows the field; `get_search_results` does it
    search_help_text = _(
        "Reference, number, WABA, Meta's session, YCloud's request id, tenant, account, e-mail."
    )
    # What stands until somebody of ours acts, then the others; each time the longest wait first.
    ordering = [WAITS_FOR_US.asc(), "state_changed_at", "-pk"]
    change_form_template = "admin/onboarding/onboarding/change_form.html"

    # --- The list ------------------------------------------------------------------------------

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*self.list_display, columns.links(request)]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(search.matching(search_term)), False

    # --- One record ----------------------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is not None:
            extra_context = (extra_context or {}) | self._shown(request, row)
        shown: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        return shown

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.prefetch_related(*self.shown_with)

    def _shown(self, request: HttpRequest, row: Onboarding) -> dict[str, Any]:
        fitting, helping = acts.now(request, row), acts.helping(row)[:1]
        mover = movers.of(row)
        e164 = row.number.e164 if row.number else row.expected_number
        return {
            "title": row.tenant.name,
            "row": row,
            "seen": seen(row),
            "tone": columns.TONES.get(State(row.state), "info"),
            "number": progress.display_number(e164) if e164 else "",
            "country": columns.country_of(row),
            "mover": movers.LABELS[mover] if mover else "",
            "assignee": asks.shown(row.assigned_to) if row.assigned_to else gettext("nobody"),
            "is_mine": row.assigned_to_id == request.user.pk,
            "had": row.assigned_to_id or asks.NOBODY,
            "proof": proof.of_row(row),
            "review": review.why(row),
            "helps": next((act.name for act in fitting if act.name in helping), ""),
            "waba": _waba_of(row),
            "contact": address_of(row) or _owners_of(row),
            "case": cases.of(row) if may_see_cases(request) else None,
            "acts": [act for act in fitting if act.name not in ("assign", "note")],
            "may": {act.name for act in fitting},
            "requirements": requirements.of(row, staff=True),
            "milestones": progress.milestones(row),
            "timeline": record.of(
                row, kind=request.GET.get("kind", ""), before=request.GET.get("before", "")
            ),
        }


def _waba_of(row: Onboarding) -> str:
    """The account that it is about, as YCloud's and Meta's people ask for it."""
    return row.business_account.waba_id if row.business_account else row.claimed_waba_id


def _owners_of(row: Onboarding) -> str:
    """Whom staff write to where the attempt itself names nobody."""
    owners = Membership.objects.filter(tenant=row.tenant_id, role=Membership.Role.OWNER)
    return ", ".join(owners.order_by("pk").values_list("user__email", flat=True)[:2])


__all__ = ["OnboardingAdmin"]
