"""Onboardings: which are stuck, why, since when; approve, reject, resume, read again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from onboarding import progress, proof, requirements, services
from onboarding.admin.base import ReadOnlyAdmin
from onboarding.admin.desk_filters import DESK_FILTERS
from onboarding.admin.filters import AgeFilter, ReasonFilter
from onboarding.admin.proof import ProofColumn, ProvenFilter
from onboarding.admin.transfers import may_decide
from onboarding.models import Onboarding
from onboarding.reasons import REASONS
from onboarding.states import FINAL, State
from onboarding.timeline import timeline

S = State


FRESH_PASS = _("A fresh pass is under way.")
READ_AGAIN = _("It is being read again.")
SEARCHED = _("The account is being looked for.")
ACT_LABELS = {
    "approve": _("Approve"),
    "reject": _("Reject"),
    "resume": _("Resume"),
    "reread": _("Read again at YCloud"),
    "search": _("Look for the account"),
    "transfer": _("Open a transfer case"),
}


def acts_now(row: Onboarding) -> list[tuple[str, Any]]:
    """The decisions that fit the row's state, with their labels."""
    fits = {
        "approve": row.state == S.IN_REVIEW,
        "reject": row.state in (S.IN_REVIEW, S.NEEDS_ATTENTION),
        "resume": "resume" in requirements.acts(row),
        "reread": row.state not in FINAL | {S.STARTED, S.CANCELLED},
        "search": "search" in requirements.acts(row),
        "transfer": row.reason == "account_held",
    }
    return [(act, ACT_LABELS[act]) for act, fit in fits.items() if fit]


TONES = {
    S.CONNECTED: "success",
    S.NEEDS_ATTENTION: "danger",
    S.REJECTED: "danger",
    S.IN_REVIEW: "warning",
    S.AWAITING_ACCOUNT: "warning",
    S.AWAITING_NUMBER: "warning",
    S.AWAITING_PAYMENT: "warning",
}


@admin.register(Onboarding)
class OnboardingAdmin(ProofColumn, ReadOnlyAdmin):
    list_display = [
        "who", "shown_state", "shown_reason", "shown_proof", "number", "connection_mode", "age",
    ]  # fmt: skip
    list_filter = [
        "state", ReasonFilter, ProvenFilter, "connection_mode", AgeFilter, "tenant", *DESK_FILTERS,
    ]  # fmt: skip
    list_select_related = ["tenant", "number", "business_account"]
    search_fields = [
        "public_id", "claimed_waba_id", "claimed_phone_number_id", "claimed_business_id",
        "business_account__waba_id", "business_account__name", "number__e164",
        "number__phone_number_id", "meta_session_id", "calls__request_id", "tenant__name",
        "tenant__slug", "started_by__email",
    ]  # fmt: skip
    search_help_text = _("Any id: reference, WABA, number, Meta's session, YCloud's request id.")
    ordering = ["-state_changed_at"]
    change_form_template = "admin/onboarding/onboarding/change_form.html"
    actions = ["approve_selected", "reject_selected", "resume_selected", "reread_selected"]

    # --- The list ------------------------------------------------------------------------------

    @display(description=_("tenant"), header=True, ordering="tenant__name")
    def who(self, row: Onboarding) -> list[str]:
        account = row.business_account
        return [row.tenant.name, account.name if account else row.reference]

    @display(description=_("state"), label=TONES, ordering="state")
    def shown_state(self, row: Onboarding) -> tuple[str, str]:
        return row.state, str(State(row.state).label)

    @display(description=_("reason"))
    def shown_reason(self, row: Onboarding) -> str:
        return str(REASONS[row.reason].what) if row.reason else "–"

    @display(description=_("in this state"), ordering="state_changed_at")
    def age(self, row: Onboarding) -> str:
        return timesince(row.state_changed_at, depth=1)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """A reference is the beginning of the public id, without its hyphens."""
        term = search_term.strip()
        if len(term) == 12 and all(c in "0123456789abcdefABCDEF" for c in term):
            term = f"{term[:8]}-{term[8:]}".lower()
        found, many = super().get_search_results(request, queryset, term)
        return found, many

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
            extra_context = (extra_context or {}) | {
                "row": row,
                "proof": proof.of_row(row),
                "acts": self._acts(request, row),
                "requirements": requirements.of(row, staff=True),
                "timeline": timeline(row, staff=True),
                "calls": row.calls.order_by("-at")[:100],
                "milestones": progress.milestones(row),
            }
        shown: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        return shown

    def _acts(self, request: HttpRequest, row: Onboarding) -> list[tuple[str, Any]]:
        acts = acts_now(row) if self.has_decide_permission(request) else []
        return [each for each in acts if each[0] != "transfer" or may_decide(request)]

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deciding needs the right to change onboardings, which opens no field by itself."""
        return request.user.has_perm("onboarding.change_onboarding")

    # --- Decisions -----------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        decide = self.admin_site.admin_view(self.decide_view)
        name = "onboarding_onboarding_decide"
        return [path("<int:object_id>/decide/<str:act>/", decide, name=name), *super().get_urls()]

    def decide_view(self, request: HttpRequest, object_id: int, act: str) -> HttpResponseBase:
        """One decision on one row, by POST with the CSRF token: a link must decide nothing."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_decide_permission(request):
            raise PermissionDenied
        row = self._row(request, object_id)
        if act == "reject":
            return self._asked_why(request, [row])
        decide = {
            "approve": (self._approve, gettext("Approved.")),
            "resume": (self._resume, FRESH_PASS),
            "reread": (self._reread, READ_AGAIN),
            "search": (self._search, SEARCHED),
            "transfer": (self._transfer, gettext("It has a transfer case.")),
        }.get(act)
        if decide is None:
            raise Http404
        self._each(request, [row], *decide)
        return redirect("admin:onboarding_onboarding_change", object_id)

    def _approve(self, request: HttpRequest, row: Onboarding) -> None:
        services.approve(row, request.user)  # type: ignore[arg-type]

    def _resume(self, request: HttpRequest, row: Onboarding) -> None:
        services.resume(row, request.user.get_username())

    def _reread(self, request: HttpRequest, row: Onboarding) -> None:
        services.reread(row, request.user.get_username())

    def _search(self, request: HttpRequest, row: Onboarding) -> None:
        services.look_for_account(row, request.user.get_username())

    def _transfer(self, request: HttpRequest, row: Onboarding) -> None:
        if not may_decide(request):
            raise PermissionDenied
        services.open_case(row, request.user)  # type: ignore[arg-type]

    def _row(self, request: HttpRequest, object_id: int) -> Onboarding:
        row: Onboarding | None = self.get_object(request, str(object_id))
        if row is None:
            raise Http404
        return row

    def _each(
        self,
        request: HttpRequest,
        rows: Any,
        decide: Callable[[HttpRequest, Onboarding], None],
        done: Any,
    ) -> None:
        """Do it to each row; those that do not fit are named, the others go on."""
        for row in rows:
            try:
                decide(request, row)
            except services.RefusedError as refused:
                self.message_user(request, f"{row}: {refused}", messages.WARNING)
            else:
                self.message_user(request, f"{row}: {done}", messages.SUCCESS)

    @admin.action(description=_("Approve"), permissions=["decide"])
    def approve_selected(self, request: HttpRequest, rows: QuerySet[Onboarding]) -> None:
        self._each(request, rows, self._approve, gettext("Approved."))

    @admin.action(description=_("Reject"), permissions=["decide"])
    def reject_selected(
        self, request: HttpRequest, rows: QuerySet[Onboarding]
    ) -> HttpResponseBase | None:
        return self._asked_why(request, list(rows))

    @admin.action(description=_("Resume"), permissions=["decide"])
    def resume_selected(self, request: HttpRequest, rows: QuerySet[Onboarding]) -> None:
        self._each(request, rows, self._resume, FRESH_PASS)

    @admin.action(description=_("Read again at YCloud"), permissions=["decide"])
    def reread_selected(self, request: HttpRequest, rows: QuerySet[Onboarding]) -> None:
        self._each(request, rows, self._reread, READ_AGAIN)

    def _asked_why(self, request: HttpRequest, rows: list[Onboarding]) -> HttpResponseBase:
        """A rejection needs a reason, which the customer reads."""
        note = request.POST.get("note", "").strip()
        if request.method == "POST" and note:
            self._each(
                request,
                rows,
                lambda asked, row: _reject(asked, row, note),
                gettext("Rejected."),
            )
            return redirect("admin:onboarding_onboarding_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Reject"),
            "rows": rows,
            "selected": ACTION_CHECKBOX_NAME,
            "is_list": "action" in request.POST,
            "opts": self.opts,
        }
        return render(request, "admin/onboarding/onboarding/reject.html", context)


def _reject(request: HttpRequest, row: Onboarding, note: str) -> None:
    services.reject(row, request.user, note)  # type: ignore[arg-type]


__all__ = ["OnboardingAdmin"]
