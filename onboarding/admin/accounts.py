"""WABAs and numbers, as YCloud told them last."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display

from onboarding import reasons, services
from onboarding.admin.base import ReadOnlyAdmin, TenantFilter
from onboarding.admin.desk_filters import NewCustomersFilter
from onboarding.admin.standing import StandingColumn, StandingFilter
from onboarding.models import Onboarding, PhoneNumber, WhatsAppBusinessAccount


class _Inline(TabularInline):
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return False


class NumberInline(_Inline):
    model = PhoneNumber
    fields = ["e164", "verified_name", "status", "name_status", "quality", "messaging_limit"]
    readonly_fields = fields
    tab = True


class OnboardingInline(_Inline):
    model = Onboarding
    fields = ["state", "reason", "connection_mode", "state_changed_at"]
    readonly_fields = fields
    tab = True


@admin.register(WhatsAppBusinessAccount)
class WhatsAppBusinessAccountAdmin(StandingColumn, ReadOnlyAdmin):
    list_display = [
        "waba_id", "name", "tenant", "shown_standing", "review", "payment", "ban_state", "read_at",
    ]  # fmt: skip
    list_filter = [
        StandingFilter, "account_review_status", "payment_method_attached", "ban_state",
        "business_verification_status", ("tenant", TenantFilter), NewCustomersFilter,
        "ycloud_account",
    ]  # fmt: skip
    list_select_related = ["tenant"]
    search_fields = [
        "waba_id", "name", "tenant__name", "tenant__slug", "numbers__e164",
        "numbers__phone_number_id",
    ]  # fmt: skip
    inlines = [NumberInline, OnboardingInline]
    reread = staticmethod(services.reread_account)

    @display(
        description=_("review"),
        label={"APPROVED": "success", "PENDING": "warning", "REJECTED": "danger"},
        ordering="account_review_status",
    )
    def review(self, row: WhatsAppBusinessAccount) -> str:
        return row.account_review_status

    @display(description=_("payment"), boolean=True, ordering="payment_method_attached")
    def payment(self, row: WhatsAppBusinessAccount) -> bool | None:
        return row.payment_method_attached


class HealthFilter(admin.SimpleListFilter):
    """What became of numbers after they were connected."""

    title = _("health")
    parameter_name = "health"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        used = PhoneNumber.objects.exclude(health="").order_by("health").values_list("health")
        known = [(code, reasons.for_staff(code)) for (code,) in used.distinct()]
        return [("any", _("any trouble")), *known]

    def queryset(self, request: Any, queryset: Any) -> Any:
        chosen = self.value()
        if chosen == "any":
            return queryset.exclude(health="")
        return queryset.filter(health=chosen) if chosen else queryset


@admin.register(PhoneNumber)
class PhoneNumberAdmin(StandingColumn, ReadOnlyAdmin):
    list_display = [
        "e164", "verified_name", "shown_standing", "shown_status", "shown_health", "tenant",
        "quality", "read_at",
    ]  # fmt: skip
    list_filter = [
        StandingFilter, "status", HealthFilter, "name_status", "quality", "is_on_biz_app",
        ("tenant", TenantFilter),
    ]  # fmt: skip
    list_select_related = ["tenant"]
    search_fields = [
        "e164", "phone_number_id", "verified_name", "business_account__waba_id", "tenant__name",
        "tenant__slug",
    ]  # fmt: skip
    inlines = [OnboardingInline]
    reread = staticmethod(services.reread_number)

    @display(
        description=_("status"),
        label={
            "CONNECTED": "success",
            "PENDING": "warning",
            "FLAGGED": "warning",
            "BANNED": "danger",
            "DISCONNECTED": "danger",
            "MIGRATED": "danger",
        },
        ordering="status",
    )
    def shown_status(self, row: PhoneNumber) -> str:
        return row.status

    @display(description=_("health"), ordering="health")
    def shown_health(self, row: PhoneNumber) -> str:
        return reasons.for_staff(row.health) or "–"
