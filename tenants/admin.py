"""The partner's desk: users, tenants and memberships, and what staff did."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from tenants import (
    admin_keys,  # noqa: F401 - registers the admin of API keys
    audit,
)
from tenants.admin_audit import CHANGED, AuditedAdmin, audit_registered
from tenants.admin_members import (
    KeepsTheirTenants,
    KeepsTheLastOwner,
    MembershipForm,
    MembershipFormSet,
)
from tenants.admin_sheet import TenantSheets
from tenants.models import AuditEntry, Invitation, Membership, Tenant, User
from tenants.models.prefill import PREFILL

admin.site.unregister(Group)
admin.site.unregister(UserSession)  # its keys open other people's sessions
admin.site.unregister(Authenticator)
audit_registered("account")


class MembershipInline(TabularInline):
    model = Membership
    formset = MembershipFormSet
    extra = 0
    autocomplete_fields = ["user"]
    tab = True


@admin.register(Tenant)
class TenantAdmin(TenantSheets, AuditedAdmin, ModelAdmin):
    hidden_fields = ("name", *PREFILL)
    fieldsets = (
        (
            None,
            {"fields": ["name", "slug", "external_id", "language", "approval", "unproven"]},
        ),
        (
            _("Meta's window, filled in"),
            {
                "fields": ["prefill", *PREFILL],
                "description": _(
                    "Saves the customer typing. It is personal data: it is sent to the customer's "
                    "browser and to Meta, whoever opens the sign-up of this tenant sees it, and "
                    "the tenant's export has it. The company's part is sent only where legal "
                    "name, e-mail, website and country are all there."
                ),
            },
        ),
    )
    list_display = ["name", "slug", "external_id", "approval", "unproven", "created_at"]
    list_filter = ["approval", "unproven"]
    search_fields = ["name", "slug", "external_id"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [MembershipInline]


@admin.register(Membership)
class MembershipAdmin(KeepsTheLastOwner, AuditedAdmin, ModelAdmin):
    form = MembershipForm
    list_display = ["user", "tenant", "role", "created_at"]
    list_filter = ["role"]
    search_fields = ["user__email", "tenant__name", "tenant__slug"]
    autocomplete_fields = ["user", "tenant"]
    list_select_related = ["user", "tenant"]


RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


@admin.register(User)
class UserAdmin(KeepsTheirTenants, AuditedAdmin, DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["email", "username", "is_staff", "is_active", "last_login"]
    ordering = ["email"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Rights are given by a superuser: who may change users could take any for themselves."""
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else [*fields, *RIGHTS]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A superuser's record, and password, are a superuser's to change."""
        allowed = bool(super().has_change_permission(request, obj))
        return allowed and (obj is None or not obj.is_superuser or request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = bool(super().has_delete_permission(request, obj))
        return allowed and (obj is None or not obj.is_superuser or request.user.is_superuser)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """An address that staff change is proven anew; the old one opens nothing any more."""
        super().save_model(request, obj, form, change)
        if "email" in form.changed_data:
            EmailAddress.objects.filter(user=obj).exclude(email__iexact=obj.email).delete()

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """A new password: that it was set, and by whom."""
        with transaction.atomic():
            before = User.objects.filter(pk=id).values_list("password", flat=True).first()
            shown: HttpResponse = super().user_change_password(request, id, form_url)
            user = User.objects.filter(pk=id).exclude(password=before or "").first()
            if user is not None:
                actor = request.user.get_username()
                audit.record(actor, "user.password_changed", user, after={"password": CHANGED})
        return shown


@admin.register(Group)
class GroupAdmin(AuditedAdmin, DjangoGroupAdmin, ModelAdmin):
    """What a group may is decided by superusers, or its members could give themselves more."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


@admin.register(Invitation)
class InvitationAdmin(AuditedAdmin, ModelAdmin):
    """To look at; owners make and end them."""

    list_display = ["email", "tenant", "role", "sent_at", "expires_at", "accepted_at", "revoked_at"]
    search_fields = ["email", "tenant__name", "tenant__slug"]
    list_select_related = ["tenant"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Authenticator)
class AuthenticatorAdmin(AuditedAdmin, ModelAdmin):
    """Second factors, without their secrets: staff delete those of a person who lost theirs."""

    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type"]
    search_fields = ["user__email"]
    fields = ["user", "type", "created_at", "last_used_at"]
    list_select_related = ["user"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(ModelAdmin):
    """Read only, for everybody: the database refuses anything else."""

    list_display = ["at", "actor", "act", "tenant_slug", "target_type", "target_id"]
    list_filter = ["act", "actor", "tenant_slug", ("at", admin.DateFieldListFilter)]
    search_fields = ["target_id", "target_type", "actor", "request_id"]
    search_help_text = "Target, actor, request id."
    date_hierarchy = "at"
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
