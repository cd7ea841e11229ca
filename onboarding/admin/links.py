"""Signup links: made here (the address is shown once), revoked here, changed nowhere."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from onboarding import services
from onboarding.admin.base import ReadOnlyAdmin
from onboarding.models import SignupLink


@admin.register(SignupLink)
class SignupLinkAdmin(ReadOnlyAdmin):
    list_display = ["tenant", "created_at", "expires_at", "shown_state", "times_opened"]
    list_filter = ["tenant", "expires_at", "revoked_at"]
    list_select_related = ["tenant"]
    search_fields = ["tenant__name", "tenant__slug", "public_id", "created_by__email"]
    exclude = ["token_hash"]
    actions = ["revoke_selected"]

    @display(
        description=_("state"),
        label={"open": "success", "expired": "warning", "revoked": "danger"},
    )
    def shown_state(self, row: SignupLink) -> tuple[str, Any]:
        if row.is_revoked:
            return "revoked", _("revoked")
        return ("expired", _("expired")) if row.is_expired else ("open", _("open"))

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("onboarding.add_signuplink")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Who may make links may end them."""
        return self.has_add_permission(request)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        if obj is None:
            return ["tenant", "connection_mode", "expected_number"]
        return super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return [] if obj is None else super().get_readonly_fields(request, obj)

    def save_model(
        self, request: HttpRequest, obj: SignupLink, form: forms.ModelForm[Any], change: bool
    ) -> None:
        """Through the service; the address is told in a message, once."""
        link, token = services.create_link(
            obj.tenant,
            created_by=request.user,  # type: ignore[arg-type]
            connection_mode=obj.connection_mode,
            expected_number=obj.expected_number,
        )
        obj.pk = link.pk
        obj.refresh_from_db()
        address = f"{settings.SITE_URL}/s/{token}/"
        told = gettext("The link, shown only now: %(address)s") % {"address": address}
        self.message_user(request, told, messages.SUCCESS)

    @admin.action(description=_("Revoke"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, rows: QuerySet[SignupLink]) -> None:
        for link in rows:
            services.revoke_link(link)
        self.message_user(request, gettext("Revoked."), messages.SUCCESS)
