"""The partner's desk: users, tenants and memberships."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from tenants import (
    admin_keys,  # noqa: F401 - registers the admin of API keys
    audit,
)
from tenants.models import Invitation, Membership, Tenant, User

admin.site.unregister(Group)
admin.site.unregister(UserSession)  # its keys open other people's sessions
admin.site.unregister(Authenticator)


class MembershipInline(TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ["user"]
    tab = True


@admin.register(Tenant)
class TenantAdmin(ModelAdmin):
    list_display = ["name", "slug", "external_id", "approval", "unproven", "created_at"]
    list_filter = ["approval", "unproven"]
    search_fields = ["name", "slug", "external_id"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [MembershipInline]


@admin.register(Membership)
class MembershipAdmin(ModelAdmin):
    list_display = ["user", "tenant", "role", "created_at"]
    list_filter = ["role"]
    search_fields = ["user__email", "tenant__name", "tenant__slug"]
    autocomplete_fields = ["user", "tenant"]
    list_select_related = ["user", "tenant"]


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["email", "username", "is_staff", "is_active", "last_login"]
    ordering = ["email"]

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """An address that staff change is proven anew; the old one opens nothing any more."""
        super().save_model(request, obj, form, change)
        if "email" in form.changed_data:
            EmailAddress.objects.filter(user=obj).exclude(email__iexact=obj.email).delete()


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    pass


@admin.register(Invitation)
class InvitationAdmin(ModelAdmin):
    """To look at; owners make and end them."""

    list_display = ["email", "tenant", "role", "sent_at", "expires_at", "accepted_at", "revoked_at"]
    search_fields = ["email", "tenant__name", "tenant__slug"]
    list_select_related = ["tenant"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Authenticator)
class AuthenticatorAdmin(ModelAdmin):
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

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        _audit_lost_factor(request, obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for each in queryset:
            _audit_lost_factor(request, each)
        super().delete_queryset(request, queryset)


def _audit_lost_factor(request: HttpRequest, row: Any) -> None:
    before = {"user": row.user_id, "type": row.type}
    audit.record(request.user.get_username(), "second_factor.removed", row, before=before)
