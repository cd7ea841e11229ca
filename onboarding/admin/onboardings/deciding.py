"""The acts as addresses, as actions of the list, and as pages that ask first.

GET shows a page and decides nothing. Each act is one call of one service; what does not fit a row
is the service's to refuse, and is said with where the row stands now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.timesince import timesince
from django.utils.translation import gettext

from onboarding import cases, services
from onboarding.admin.base import ReadOnlyAdmin
from onboarding.admin.onboardings import acts, asks
from onboarding.admin.onboardings.acts import Act
from onboarding.models import Onboarding
from onboarding.reasons import REASONS

SUFFIX = "_selected"
MOST_AT_ONCE = 500


def seen(row: Onboarding) -> str:
    """What a page showed of the row; sent back with a decision, so that a stale page is noticed."""
    return f"{row.state}/{row.reason}"


def may_see_cases(request: HttpRequest) -> bool:
    """Transfer cases know both tenants."""
    return bool(request.user.has_perm("onboarding.view_transfercase"))


def stands(row: Onboarding) -> str:
    """Where it stands now, since when, and who brought it there."""
    row.refresh_from_db(fields=["state", "reason", "state_changed_at"])
    last = row.transitions.order_by("at", "pk").last()
    return gettext("It stands at “%(state)s” for %(age)s, by %(who)s.") % {
        "state": row.get_state_display(),
        "age": timesince(row.state_changed_at, depth=1),
        "who": last.actor if last else "–",
    }


class Deciding(ReadOnlyAdmin):
    """For the admin of onboardings."""

    # --- Addresses and actions -----------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        decide = self.admin_site.admin_view(self.decide_view)
        name = "onboarding_onboarding_decide"
        return [path("<int:object_id>/decide/<str:act>/", decide, name=name), *super().get_urls()]

    def decide_view(self, request: HttpRequest, object_id: int, act: str) -> HttpResponseBase:
        """One act on one row: GET asks, POST with the CSRF token does it."""
        wanted = acts.BY_NAME.get(act)
        if wanted is None:
            raise Http404
        if not (wanted.allowed(request) and self.has_view_permission(request)):
            raise PermissionDenied
        row: Onboarding | None = self.get_object(request, str(object_id))
        if row is None:
            raise Http404
        back = redirect("admin:onboarding_onboarding_change", object_id)
        answer = self._asked_or_done(request, wanted, [row], back)
        if wanted.name == "transfer" and request.method == "POST":
            return self._to_case(request, row) or answer
        return answer

    def _to_case(self, request: HttpRequest, row: Onboarding) -> HttpResponseBase | None:
        case = cases.of(row)
        if case is None or not may_see_cases(request):
            return None
        return redirect("admin:onboarding_transfercase_change", case.pk)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The acts that this member of staff may do; where they fit, the services know."""
        if not self.has_view_permission(request):
            return {}
        may = [act for act in acts.ALL if act.in_list and act.allowed(request)]
        return {act.name + SUFFIX: (_action(act), act.name + SUFFIX, act.label) for act in may}

    def act_on_list(
        self, request: HttpRequest, act: Act, rows: QuerySet[Onboarding]
    ) -> HttpResponseBase | None:
        """An action of the list. None: the list is shown again."""
        chosen = list(rows[: MOST_AT_ONCE + 1])
        if len(chosen) > MOST_AT_ONCE:
            told = gettext("Choose at most %(most)s at once.") % {"most": MOST_AT_ONCE}
            self.message_user(request, told, messages.WARNING)
            return None
        return self._asked_or_done(request, act, chosen, redirect(request.get_full_path()))

    # --- Asking and doing ----------------------------------------------------------------------

    def _asked_or_done(
        self, request: HttpRequest, act: Act, rows: list[Onboarding], back: HttpResponseBase
    ) -> HttpResponseBase:
        form = self._form(request, act, rows)
        told = form.is_valid() if form is not None else not act.confirm
        answered = request.method == "POST" and (told or _is_confirmed(request, form))
        if not answered:
            return self._ask(request, act, rows, form)
        self._each(request, act, rows, form.cleaned_data if form is not None else {})
        return back

    def _form(self, request: HttpRequest, act: Act, rows: list[Onboarding]) -> forms.Form | None:
        if act.form is None:
            return None
        first = next(iter(act.form.base_fields), "to")
        if request.method == "POST" and first in request.POST:
            return act.form(request.POST, request=request)
        initial = {"email": address_of(rows[0])} if len(rows) == 1 else {}
        if len(rows) == 1:
            initial["had"] = str(rows[0].assigned_to_id or asks.NOBODY)
        return act.form(initial=initial, request=request)

    def _ask(
        self, request: HttpRequest, act: Act, rows: list[Onboarding], form: forms.Form | None
    ) -> HttpResponse:
        is_list = "action" in request.POST
        context = {
            **self.admin_site.each_context(request),
            "title": act.label,
            "act": act,
            "form": form,
            "rows": [(row, seen(row), budget_for(act, row)) for row in rows],
            "shows_budget": act.name == "retry",
            "shows_preview": act.name == "reject",
            "preview": REASONS["rejected"],
            "selected": ACTION_CHECKBOX_NAME,
            "action": act.name + SUFFIX if is_list else "",
            "one": rows[0] if len(rows) == 1 and not is_list else None,
            "opts": self.opts,
        }
        return render(request, "admin/onboarding/onboarding/ask.html", context)

    def _each(
        self, request: HttpRequest, act: Act, rows: Iterable[Onboarding], told: dict[str, Any]
    ) -> None:
        """Do it to each row; those that do not fit are named, the others go on."""
        for row in rows:
            try:
                self._check_page(request, row)
                act.do(row, request.user, told)  # type: ignore[arg-type]
            except services.RefusedError as refused:
                text = f"{row}: {refused} {stands(row)}"
                self.message_user(request, text, messages.WARNING)
            else:
                self.message_user(request, f"{row}: {act.done}", messages.SUCCESS)

    def _check_page(self, request: HttpRequest, row: Onboarding) -> None:
        """A decision about what is not so any more is none."""
        page = request.POST.get(f"seen-{row.pk}")
        if page is not None and page != seen(row):
            raise services.RefusedError(
                "stale", gettext("It has moved on since your page was loaded: nothing was done.")
            )


def _action(act: Act) -> Callable[..., HttpResponseBase | None]:
    def do(desk: Deciding, request: HttpRequest, rows: QuerySet[Onboarding]) -> Any:
        return desk.act_on_list(request, act, rows)

    return do


def budget_for(act: Act, row: Onboarding) -> Any:
    """What is left of the number's registrations, where the act spends of it."""
    return services.budget_of(row) if act.name == "retry" else None


def _is_confirmed(request: HttpRequest, form: forms.Form | None) -> bool:
    return form is None and bool(request.POST.get("confirmed"))


def address_of(row: Onboarding) -> str:
    """Whom the last link went to, or who started it."""
    if row.link is not None and row.link.email:
        return row.link.email
    return row.started_by.email if row.started_by is not None else ""
