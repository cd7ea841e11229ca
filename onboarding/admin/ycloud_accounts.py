"""The partner's YCloud accounts, and which tenants were assigned to which. Keys are written here
and never shown again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextareaWidget

from onboarding import services, ycloud_accounts
from onboarding.admin.base import TenantFilter
from onboarding.models import YCloudAccount, YCloudAssignment
from onboarding.models.ycloud_account import few_secrets
from tenants.admin_audit import AuditedAdmin

RIGHT = "onboarding.operate_ycloudaccount"
SHORTEST_KEY = 12


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A key or secrets that are left empty stay as they are."""

    new_key = forms.CharField(
        label=_("API key"), required=False, strip=True, min_length=SHORTEST_KEY,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text=_("From YCloud's console (Developers). Shown to nobody again; empty: unchanged."),
    )  # fmt: skip
    new_secrets = forms.CharField(
        label=_("webhook secrets"), required=False, validators=[few_secrets],
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autocomplete": "off"}),
        help_text=_(
            "One a line: the new one and the old one while it is rotated. Not needed where the "
            "webhook is installed from the set-up page. Shown to nobody again; empty: unchanged."
        ),
    )  # fmt: skip

    class Meta:
        model = YCloudAccount
        fields = ["name", "slug", "per_second", "per_hour", "takes_new"]

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        row, is_new = self.instance, self.instance.pk is None
        if is_new and len(ycloud_accounts.active()) >= ycloud_accounts.MOST:
            raise forms.ValidationError(_("There are as many as can be used: end one first."))
        if is_new and not sent.get("new_key") and "new_key" not in self.errors:
            self.add_error("new_key", _("It cannot be called without a key."))
        if row.is_default and not sent.get("takes_new", True):
            self.add_error("takes_new", _("It is the default: make another one the default first."))
        if not row.from_environment:
            row.api_key = sent.get("new_key") or row.api_key
            row.webhook_secrets = sent.get("new_secrets") or row.webhook_secrets
        return sent


class ByRight(AuditedAdmin, ModelAdmin):
    """One right of its own for all of it; to look at for whoever may view."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(RIGHT)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm(RIGHT)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm(RIGHT)


@admin.register(YCloudAccount)
class YCloudAccountAdmin(ByRight):
    form = AccountForm
    list_display = ["name", "slug", "shown_key", "share", "shown_use", "created_at"]
    search_fields = ["name", "slug"]
    actions = ["make_default", "end", "take_up"]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Calls, events and WABAs name it: it is ended instead."""
        return False

    def get_fields(self, request: HttpRequest, obj: YCloudAccount | None = None) -> Any:
        edited = ["name", "slug", "new_key", "new_secrets", "per_second", "per_hour", "takes_new"]
        if not self.has_change_permission(request, obj):
            return ["name", "slug", "shown_key", "share", "shown_use", "created_at"]
        if obj is None:
            return edited
        told = ["shown_key", "shown_use", "created_at", "ended_at"]
        own = ["name", "slug", "share", "takes_new"] if obj.from_environment else edited
        return [*own, *told]

    def get_readonly_fields(self, request: HttpRequest, obj: YCloudAccount | None = None) -> Any:
        shown = ["shown_key", "share", "shown_use", "created_at", "ended_at"]
        return [*shown, "slug"] if obj is not None else shown

    @display(description=_("API key"))
    def shown_key(self, row: YCloudAccount) -> str:
        if row.from_environment:
            return gettext("from the environment")
        return row.key_end or gettext("none that can be read")

    @display(description=_("our share"))
    def share(self, row: YCloudAccount) -> str:
        now = ycloud_accounts.of(row.pk)
        told = {"second": now.per_second, "hour": now.per_hour}
        return gettext("%(second)s a second, %(hour)s an hour") % told

    @display(
        description=_("used for"),
        label={"default": "success", "new": "info", "ended": "danger"},
    )
    def shown_use(self, row: YCloudAccount) -> tuple[str, str]:
        if row.ended_at is not None:
            return "ended", gettext("nothing: ended")
        if row.is_default:
            return "default", gettext("new tenants")
        if row.takes_new:
            return "new", gettext("tenants assigned to it")
        return "old", gettext("what it has")

    @admin.action(description=_("Make it the default for new tenants"), permissions=["change"])
    def make_default(self, request: HttpRequest, rows: QuerySet[YCloudAccount]) -> None:
        self._each(request, rows, services.make_default_ycloud_account)

    @admin.action(description=_("End: call it no more"), permissions=["change"])
    def end(self, request: HttpRequest, rows: QuerySet[YCloudAccount]) -> None:
        self._each(request, rows, services.end_ycloud_account)

    @admin.action(description=_("Take an ended one up again"), permissions=["change"])
    def take_up(self, request: HttpRequest, rows: QuerySet[YCloudAccount]) -> None:
        self._each(request, rows, services.take_up_ycloud_account)

    def _each(
        self,
        request: HttpRequest,
        rows: QuerySet[YCloudAccount],
        act: Callable[[YCloudAccount], None],
    ) -> None:
        for row in rows:
            try:
                act(row)
            except services.NotPossibleError as why:
                self.message_user(request, str(why), messages.ERROR)
            else:
                self.message_user(request, gettext("Done: %s") % row, messages.SUCCESS)


@admin.register(YCloudAssignment)
class YCloudAssignmentAdmin(ByRight):
    """Deleting one leaves the tenant to the default account."""

    list_display = ["tenant", "ycloud_account", "assigned_at"]
    list_filter = ["ycloud_account", ("tenant", TenantFilter)]
    list_filter_submit = True
    list_select_related = ["tenant", "ycloud_account"]
    search_fields = ["tenant__name", "tenant__slug"]
    autocomplete_fields = ["tenant"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return ["tenant"] if obj is not None else []

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """One for each account that takes new onboardings: all chosen tenants go there."""
        actions: dict[str, Any] = super().get_actions(request)
        if self.has_change_permission(request):
            for account in YCloudAccount.objects.filter(takes_new=True, ended_at__isnull=True):
                name = f"assign_to_{account.slug}"
                label = gettext("Assign to %s") % account
                actions[name] = (partial(_assigned, account), name, label)
        return actions


def _assigned(
    account: YCloudAccount,
    desk: YCloudAssignmentAdmin,
    request: HttpRequest,
    rows: QuerySet[YCloudAssignment],
) -> None:
    """The mixin keeps the entries: what has changed of the chosen rows."""
    many = rows.update(ycloud_account=account)
    desk.message_user(request, gettext("%(n)s assigned.") % {"n": many}, messages.SUCCESS)
