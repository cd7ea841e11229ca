"""API keys in the admin: made here (the key is shown once), revoked here, changed nowhere."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from tenants.admin_once import ShowsOnce
from tenants.keys import create_key, revoke_key
from tenants.models import ApiKey


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    """The form that makes a key."""

    scopes = forms.MultipleChoiceField(
        label=_("scopes"),
        choices=ApiKey.Scope.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = ApiKey
        fields = ["name", "scopes", "expires_at"]


@admin.register(ApiKey)
class ApiKeyAdmin(ShowsOnce, ModelAdmin):
    made_template = "admin/tenants/apikey/made.html"
    list_display = ["name", "prefix", "shown_scopes", "shown_state", "created_at", "last_used_at"]
    list_filter = ["revoked_at", "expires_at"]
    search_fields = ["name", "prefix"]
    actions = ["revoke_selected"]

    @display(description=_("scopes"))
    def shown_scopes(self, row: ApiKey) -> str:
        return ", ".join(row.scopes)

    @display(
        description=_("state"),
        label={"open": "success", "expired": "warning", "revoked": "danger"},
    )
    def shown_state(self, row: ApiKey) -> tuple[str, Any]:
        if row.is_revoked:
            return "revoked", _("revoked")
        return ("expired", _("expired")) if row.is_expired else ("open", _("in use"))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Who may make keys may end them."""
        return bool(self.has_add_permission(request))

    def get_form(self, request: HttpRequest, obj: Any = None, *args: Any, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = ApiKeyForm
        return super().get_form(request, obj, *args, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ["name", "scopes", "expires_at"]
        return [
            "name", "prefix", "shown_scopes", "created_by", "created_at", "expires_at",
            "revoked_at", "last_used_at",
        ]  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [] if obj is None else self.get_fields(request, obj)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Through `create_key`, which alone knows how."""
        row, key = create_key(
            obj.name,
            obj.scopes,
            actor=request.user.get_username(),
            created_by=request.user,  # type: ignore[arg-type]
            expires_at=obj.expires_at,
        )
        obj.pk = row.pk
        obj.refresh_from_db()
        request.made_key = key  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self.made(
            request,
            name=obj.name,
            pk=obj.pk,
            secret=request.made_key,  # type: ignore[attr-defined]
        )

    @admin.action(description=_("Revoke"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, rows: QuerySet[ApiKey]) -> None:
        for row in rows:
            revoke_key(row, actor=request.user.get_username())
        self.message_user(request, gettext("Revoked."), messages.SUCCESS)
