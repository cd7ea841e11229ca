"""Transfer cases with both sides, accepted or refused here; and what is left of erased tenants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from onboarding import cases, services
from onboarding.admin.base import ReadOnlyAdmin, TenantFilter
from onboarding.models import Onboarding, Tombstone, TombstoneKey, TransferCase
from onboarding.states import State
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at the account, and whether its grant names it."""

    row: Onboarding
    is_granted: bool


@dataclass(frozen=True, slots=True)
class Side:
    """What one of the two tenants has to show."""

    title: Any
    tenant: Tenant
    attempts: list[Attempt]
    holds: bool

    @property
    def is_granted(self) -> bool:
        return any(each.is_granted for each in self.attempts)

    @property
    def connected_since(self) -> Any:
        times = [a.row.connected_at for a in self.attempts if a.row.state == State.CONNECTED]
        return min(filter(None, times), default=None)


def sides(case: TransferCase) -> list[Side]:
    """The holder, and who asks."""
    account = case.business_account
    rows = cases.attempts(account).select_related("number").order_by("created_at")
    return [
        Side(
            title,
            tenant,
            [
                Attempt(row, account.waba_id in row.granted_waba_ids)
                for row in rows
                if row.tenant_id == tenant.pk
            ],
            account.tenant_id == tenant.pk,
        )
        for title, tenant in ((_("Holder"), case.from_tenant), (_("Asks for it"), case.to_tenant))
    ]


def may_decide(request: HttpRequest) -> bool:
    """Moving an account is a right of its own."""
    return bool(request.user.has_perm("onboarding.decide_transfer"))


@admin.register(TransferCase)
class TransferCaseAdmin(ReadOnlyAdmin):
    list_display = ["business_account", "from_tenant", "to_tenant", "shown_standing", "opened_at"]
    list_filter = ["standing", ("from_tenant", TenantFilter), ("to_tenant", TenantFilter)]
    list_select_related = ["business_account", "from_tenant", "to_tenant"]
    search_fields = [
        "business_account__waba_id", "business_account__name", "from_tenant__name",
        "from_tenant__slug", "to_tenant__name", "to_tenant__slug",
    ]  # fmt: skip
    change_form_template = "admin/onboarding/transfercase/change_form.html"

    @display(
        description=_("standing"),
        label={"open": "warning", "moving": "warning", "accepted": "success", "refused": "danger"},
        ordering="standing",
    )
    def shown_standing(self, case: TransferCase) -> tuple[str, str]:
        return case.standing, case.get_standing_display()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        case = self.get_object(request, object_id)
        if case is not None:
            extra_context = (extra_context or {}) | {
                "case": case,
                "sides": sides(case),
                "numbers": cases.numbers(case.business_account),
                "may_decide": case.standing == TransferCase.Standing.OPEN and may_decide(request),
            }
        shown: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        return shown

    def get_urls(self) -> list[Any]:
        decide = self.admin_site.admin_view(self.decide_view)
        name = "onboarding_transfercase_decide"
        return [path("<int:object_id>/decide/", decide, name=name), *super().get_urls()]

    def decide_view(self, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """Accept or refuse, by POST, with the box ticked that says what it does."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not may_decide(request):
            raise PermissionDenied
        case = self.get_object(request, str(object_id))
        decide = {"accept": services.accept, "refuse": services.refuse}.get(
            request.POST.get("decision", "")
        )
        if case is None or decide is None:
            raise Http404
        if not request.POST.get("confirmed"):
            self.message_user(request, gettext("Confirm the decision first."), messages.WARNING)
            return redirect("admin:onboarding_transfercase_change", object_id)
        note = request.POST.get("note", "").strip()[:1000]
        try:
            decide(case, request.user, note)  # type: ignore[arg-type]
        except services.RefusedError as refused:
            self.message_user(request, str(refused), messages.WARNING)
        else:
            self.message_user(request, gettext("Decided."), messages.SUCCESS)
        return redirect("admin:onboarding_transfercase_change", object_id)


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnlyAdmin):
    """When ids were erased; which ones, nobody can tell any more."""

    list_display = ["__str__", "created_at"]


@admin.register(TombstoneKey)
class TombstoneKeyAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "created_at"]
    exclude = ["key"]
