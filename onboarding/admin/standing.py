"""What is due, pending or wrong, on the desk's lists and records of WABAs and numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from onboarding import requirements, services
from onboarding.models import Onboarding, PhoneNumber, WhatsAppBusinessAccount
from onboarding.reasons.standing import DUE, LABELS, NOTICE, PENDING, WRONG

Row = WhatsAppBusinessAccount | PhoneNumber

ICONS = {WRONG: "✕", DUE: "!", PENDING: "◐", NOTICE: "○"}
COLOURS = {WRONG: "danger", DUE: "warning", PENDING: "info"}
TO_ACT_ON = (WRONG, DUE)
MOST_ONBOARDINGS = 3


def requirements_of(row: Row) -> list[requirements.Requirement]:
    """Staff's view of either."""
    if isinstance(row, PhoneNumber):
        return requirements.of_number(row, staff=True)
    return requirements.of_account(row, staff=True)


class StandingFilter(admin.SimpleListFilter):
    """By the worst of what holds; asks one small column that has an index."""

    title = _("standing")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("act", _("something due or stopped")), *LABELS.items(), ("well", _("all is well"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen == "act":
            return queryset.filter(standing__in=TO_ACT_ON)
        if chosen == "well":
            return queryset.filter(standing="")
        return queryset.filter(standing=chosen) if chosen in LABELS else queryset


class StandingColumn:
    """The column, the cards on the record, and *Read again*; `reread`: the service that does it."""

    reread: Callable[[Any, str], None]
    change_form_template = "admin/onboarding/standing_form.html"
    actions = ["reread_selected"]

    @display(
        description=_("standing"),
        label={
            # The value decides the colour, the text beside its sign says what it is.
            word: COLOURS.get(word, "")
            for word in LABELS
        },
        ordering="standing",
    )
    def shown_standing(self, row: Row) -> tuple[str, str] | str:
        word = row.standing
        return (word, f"{ICONS[word]} {LABELS[word]}") if word in LABELS else "–"

    def change_view(
        self: Any,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is not None:
            extra_context = (extra_context or {}) | {
                "row": row,
                "cards": [(ICONS[each.standing], each) for each in requirements_of(row)],
                "onboardings": _onboardings_of(request, row),
                "of_account": _of_its_account(row),
                "reread_url": self._reread_url(row) if self.has_reread_permission(request) else "",
            }
        shown: HttpResponse = super().change_view(  # type: ignore[misc]
            request, object_id, form_url, extra_context
        )
        return shown

    # --- Read again ------------------------------------------------------------------------------

    def has_reread_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("onboarding.reread_onboarding"))

    def _reread_url(self: Any, row: Row) -> str:
        return reverse(f"admin:onboarding_{self.opts.model_name}_reread", args=[row.pk])

    def get_urls(self: Any) -> list[Any]:
        view = self.admin_site.admin_view(self.reread_view)
        name = f"onboarding_{self.opts.model_name}_reread"
        inherited = super().get_urls()  # type: ignore[misc]
        return [path("<int:object_id>/reread/", view, name=name), *inherited]

    def reread_view(self: Any, request: HttpRequest, object_id: int) -> HttpResponseBase:
        """By POST with the CSRF token: a link must start nothing."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_reread_permission(request):
            raise PermissionDenied
        row = self.get_object(request, str(object_id))
        if row is None:
            raise Http404
        self._read_again(request, [row])
        return redirect(f"admin:onboarding_{self.opts.model_name}_change", object_id)

    @admin.action(description=_("Read again at YCloud"), permissions=["reread"])
    def reread_selected(self: Any, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self._read_again(request, rows)

    def _read_again(self: Any, request: HttpRequest, rows: Any) -> None:
        for row in rows:
            try:
                self.reread(row, request.user.get_username())
            except services.RefusedError as refused:
                self.message_user(request, f"{row}: {refused}", messages.WARNING)
            else:
                again = gettext("It is being read again.")
                self.message_user(request, f"{row}: {again}", messages.SUCCESS)


def _onboardings_of(request: HttpRequest, row: Row) -> list[Any]:
    """Where staff act on it: the newest of its onboardings."""
    if not request.user.has_perm("onboarding.view_onboarding"):
        return []
    of_row = {"number": row} if isinstance(row, PhoneNumber) else {"business_account": row}
    return list(Onboarding.objects.filter(**of_row).order_by("-pk")[:MOST_ONBOARDINGS])


def _of_its_account(row: Row) -> list[requirements.Requirement]:
    """What a number has to share with its WABA."""
    if not isinstance(row, PhoneNumber):
        return []
    return requirements.of_account(row.business_account, staff=True)
