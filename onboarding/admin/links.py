"""Signup links: made here (the address is shown once), revoked here, changed nowhere."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from onboarding import services
from onboarding.admin.base import ReadOnlyAdmin, TenantFilter
from onboarding.link_forms import LinkForm
from onboarding.models import LinkOpening, SignupLink
from tenants.admin_once import ShowsOnce


class StaffLinkForm(LinkForm, forms.ModelForm):  # type: ignore[type-arg]
    """The owners' form, and the tenant."""

    class Meta:
        model = SignupLink
        fields: ClassVar[list[str]] = ["tenant"]

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for name, widget in (
            ("email", UnfoldAdminEmailInputWidget()),
            ("expected_number", UnfoldAdminTextInputWidget()),
            ("connection_mode", UnfoldAdminSelectWidget()),
            ("language", UnfoldAdminSelectWidget()),
            ("life_days", UnfoldAdminIntegerFieldWidget()),
        ):
            field = self.fields[name]
            choices = getattr(field, "choices", None)
            field.widget = widget
            if choices is not None:
                field.widget.choices = choices
        self.fields["expected_number"].help_text += " " + gettext(
            "For the same number a new link ends the earlier one, and whoever uses that is out."
        )


class OpeningInline(TabularInline):
    """What asked for the address, newest first: mail scanners do so before people."""

    model = LinkOpening
    extra = 0
    can_delete = False
    hide_title = True
    fields = ["at", "standing", "method", "agent", "agent_text", "network"]
    readonly_fields = fields

    def has_add_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return False


@admin.register(SignupLink)
class SignupLinkAdmin(ShowsOnce, ReadOnlyAdmin):
    made_template = "admin/onboarding/signuplink/made.html"
    list_display = [
        "tenant", "created_at", "expires_at", "shown_state", "expected_number", "shown_mail",
        "times_opened", "made_by",
    ]  # fmt: skip
    list_filter = [("tenant", TenantFilter), "expires_at", "revoked_at", "mail", "made_by"]
    list_select_related = ["tenant"]
    search_fields = [
        "tenant__name", "tenant__slug", "public_id", "created_by__email", "email",
        "expected_number",
    ]  # fmt: skip
    exclude = ["token_hash", "sealed_token"]
    actions = ["revoke_selected"]

    @display(
        description=_("state"),
        label={"open": "success", "expired": "warning", "revoked": "danger"},
    )
    def shown_state(self, row: SignupLink) -> tuple[str, Any]:
        labels = {"open": _("open"), "expired": _("expired"), "revoked": _("revoked")}
        return row.standing, labels[row.standing]

    @display(
        description=_("e-mail"),
        label={"waiting": "info", "sending": "info", "mailed": "success", "failed": "danger"},
        ordering="mail",
    )
    def shown_mail(self, row: SignupLink) -> tuple[str, Any] | str:
        return (row.mail, row.get_mail_display()) if row.mail else "–"

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("onboarding.add_signuplink")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Who may make links may end them."""
        return self.has_add_permission(request)

    def get_inlines(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return [OpeningInline] if obj is not None else []

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **more: Any
    ) -> Any:
        if obj is None:
            return super().get_form(request, obj, change, form=StaffLinkForm, fields=["tenant"])
        return super().get_form(request, obj, change, **more)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        if obj is None:
            return ["tenant", *LinkForm.base_fields]
        return super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return [] if obj is None else super().get_readonly_fields(request, obj)

    def save_model(
        self, request: HttpRequest, obj: SignupLink, form: StaffLinkForm, change: bool
    ) -> None:
        """Through the service, which alone knows how."""
        link, token = services.create_link(
            obj.tenant,
            actor=request.user.get_username(),
            created_by=request.user,  # type: ignore[arg-type]
            **form.asked(),
        )
        obj.pk = link.pk
        obj.refresh_from_db()
        request.made_address = f"{settings.SITE_URL}/s/{token}/"  # type: ignore[attr-defined]
        request.ended_links = [_ended(old) for old in link.ended]  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: SignupLink, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self.made(
            request,
            tenant=obj.tenant.name,
            pk=obj.pk,
            email=obj.email,
            expires_at=date_format(localtime(obj.expires_at), "DATETIME_FORMAT"),
            address=request.made_address,  # type: ignore[attr-defined]
            ended=request.ended_links,  # type: ignore[attr-defined]
        )

    @admin.action(description=_("Revoke"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, rows: QuerySet[SignupLink]) -> None:
        for link in rows:
            services.revoke_link(link, request.user.get_username())
        self.message_user(request, gettext("Revoked."), messages.SUCCESS)


def _ended(old: SignupLink) -> dict[str, Any]:
    """What staff are told of a link that the new one ended: whose it was, whether it is used."""
    return {
        "pk": old.pk,
        "made": date_format(localtime(old.created_at), "DATETIME_FORMAT"),
        "by": str(old.created_by or old.get_made_by_display() or "–"),
        "opened": date_format(localtime(old.opened_at), "DATETIME_FORMAT") if old.opened_at else "",
        "times": old.times_opened,
        "under_way": services.under_way(old),
    }
