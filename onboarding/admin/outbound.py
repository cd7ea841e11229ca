"""The partner's webhooks: endpoints, what happened, and each try to deliver it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from onboarding import outbound, outbound_events, services
from onboarding.admin.base import ReadOnlyAdmin, TenantFilter
from onboarding.models import Delivery, DeliveryAttempt, OutboundEvent, WebhookEndpoint
from tenants.admin_once import ShowsOnce

EDITED = ["url", "description", "event_types", "only_tenant"]


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    event_types = forms.MultipleChoiceField(
        label=_("events"),
        required=False,
        choices=list(outbound_events.EVENTS.items()),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None chosen: all of them, new ones included."),
    )

    class Meta:
        model = WebhookEndpoint
        fields = EDITED

    def clean_url(self) -> str:
        try:
            return outbound.check(self.cleaned_data["url"])
        except outbound.RefusedAddressError as refused:
            raise forms.ValidationError(str(refused)) from None


def may_operate(request: HttpRequest) -> bool:
    """Switch endpoints on and off, test them, send again; who may change them may do that too."""
    rights = ("onboarding.operate_webhookendpoint", "onboarding.change_webhookendpoint")
    return any(request.user.has_perm(right) for right in rights)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ShowsOnce, ReadOnlyAdmin):
    made_template = "admin/onboarding/webhookendpoint/made.html"
    change_form_template = "admin/onboarding/webhookendpoint/change_form.html"
    form = EndpointForm
    list_display = ["url", "description", "shown_state", "failing_since", "waiting", "created_at"]
    list_filter = ["enabled", "disabled_reason", ("only_tenant", TenantFilter)]
    search_fields = ["url", "description", "public_id"]
    exclude = ["secret", "previous_secret", "enabled"]
    actions = ["test", "rotate", "end_old", "enable", "enable_all", "disable"]

    @display(
        description=_("state"),
        label={"on": "success", "failing": "warning", "off": "danger"},
    )
    def shown_state(self, row: WebhookEndpoint) -> tuple[str, Any]:
        if not row.enabled:
            return "off", row.get_disabled_reason_display()
        return ("failing", _("failing")) if row.failing_since else ("on", _("on"))

    @display(description=_("state"))
    def state_now(self, row: WebhookEndpoint) -> str:
        return str(self.shown_state(row)[1])

    @display(description=_("waiting"))
    def waiting(self, row: WebhookEndpoint) -> int:
        return row.deliveries.filter(standing=Delivery.Standing.WAITING).count()

    # The list's actions, on the page of one too: its buttons post to the list.

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is not None and self.has_operate_permission(request):
            extra_context = (extra_context or {}) | {"may_act": self._acts_of(request, row)}
        shown: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        return shown

    def _acts_of(self, request: HttpRequest, row: WebhookEndpoint) -> list[tuple[str, Any]]:
        """Name and label of those that fit."""
        vain = {"enable", "enable_all"} if row.enabled else {"disable", "test"}
        vain |= set() if row.previous_until else {"end_old"}
        known = self.get_actions(request)
        fits = [str(name) for name in self.actions if name not in vain]
        return [(name, act[2]) for name in fits if (act := known.get(name))]

    # Who may do what: Django's own rights, which ReadOnlyAdmin takes away.

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("onboarding.add_webhookendpoint")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("onboarding.change_webhookendpoint")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("onboarding.delete_webhookendpoint")

    def has_operate_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Switching is not changing: who may do this alone cannot send events elsewhere."""
        return may_operate(request)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        if obj is None:
            return EDITED
        told = ["public_id", "state_now", "disabled_at", "failing_since", "quiet_until"]
        return [*EDITED, *told, "previous_until", "created_by", "created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        fields = self.get_fields(request, obj)
        return [name for name in fields if name not in EDITED]

    def save_model(
        self, request: HttpRequest, obj: WebhookEndpoint, form: forms.ModelForm[Any], change: bool
    ) -> None:
        """Through the services."""
        wanted = {name: form.cleaned_data[name] for name in EDITED}
        if change:
            services.change_endpoint(obj, request.user.get_username(), **wanted)
            return
        made, secret = services.create_endpoint(
            **wanted,
            actor=request.user.get_username(),
            created_by=request.user,  # type: ignore[arg-type]
        )
        obj.pk = made.pk
        obj.refresh_from_db()
        request.made_secrets = [(str(obj), secret)]  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: WebhookEndpoint, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self.made(request, secrets=request.made_secrets)  # type: ignore[attr-defined]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Its deliveries go with it, thousands perhaps: they are not listed one by one."""
        return [str(each) for each in objs], {}, set(), []

    def delete_model(self, request: HttpRequest, obj: WebhookEndpoint) -> None:
        services.delete_endpoint(obj, request.user.get_username())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in queryset:
            services.delete_endpoint(endpoint, request.user.get_username())

    @admin.action(description=_("Send a test event"), permissions=["operate"])
    def test(self, request: HttpRequest, rows: QuerySet[WebhookEndpoint]) -> None:
        each(self, request, rows, services.send_test, gettext("A test event is on its way."))

    @admin.action(description=_("Rotate the secret"), permissions=["change"])
    def rotate(self, request: HttpRequest, rows: QuerySet[WebhookEndpoint]) -> HttpResponse:
        actor = request.user.get_username()
        secrets = [(str(endpoint), services.rotate_secret(endpoint, actor)) for endpoint in rows]
        return self.made(request, secrets=secrets, rotated=True)

    @admin.action(description=_("End the old secret now"), permissions=["change"])
    def end_old(self, request: HttpRequest, rows: QuerySet[WebhookEndpoint]) -> None:
        each(self, request, rows, services.end_old_secret, gettext("Only the new secret signs."))

    @admin.action(description=_("Switch on"), permissions=["operate"])
    def enable(self, request: HttpRequest, rows: QuerySet[WebhookEndpoint]) -> None:
        each(self, request, rows, services.enable_endpoint, gettext("Switched on."))

    @admin.action(description=_("Switch on, with what it missed"), permissions=["operate"])
    def enable_all(self, request: HttpRequest, rows: QuerySet[WebhookEndpoint]) -> None:
        enable = partial(services.enable_endpoint, with_missed=True)
        each(self, request, rows, enable, gettext("Switched on; it gets what it missed."))

    @admin.action(description=_("Switch off"), permissions=["operate"])
    def disable(self, request: HttpRequest, rows: QuerySet[WebhookEndpoint]) -> None:
        each(self, request, rows, services.disable_endpoint, gettext("Switched off."))


def each(
    desk: ReadOnlyAdmin,
    request: HttpRequest,
    rows: QuerySet[Any],
    act: Callable[[Any, str], object],
    done: str,
) -> None:
    """Do it to each row; those that do not fit are named, the others go on."""
    for row in rows:
        try:
            act(row, request.user.get_username())
        except services.RefusedError as refused:
            desk.message_user(request, f"{row}: {refused}", messages.WARNING)
        else:
            desk.message_user(request, f"{row}: {done}", messages.SUCCESS)


class _ReadOnlyInline(TabularInline):
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AttemptInline(_ReadOnlyInline):
    model = DeliveryAttempt
    fields = ["number", "at", "status", "error", "answer", "address", "took_ms"]
    readonly_fields = fields


class DeliveryInline(_ReadOnlyInline):
    model = Delivery
    fields = ["endpoint", "standing", "attempts", "last_status", "last_error", "delivered_at"]
    readonly_fields = fields
    show_change_link = True


@admin.register(OutboundEvent)
class OutboundEventAdmin(ReadOnlyAdmin):
    """What happened, as it is told to the endpoints."""

    list_display = ["at", "type", "tenant", "public_id", "shared_at"]
    list_filter = ["type", ("tenant", TenantFilter)]
    list_select_related = ["tenant"]
    search_fields = ["public_id", "onboarding__public_id", "tenant__slug", "tenant__name"]
    inlines = [DeliveryInline]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Each event on its way to each endpoint, with all its tries."""

    list_display = [
        "created_at", "event_type", "tenant", "endpoint", "shown_standing", "attempts",
        "last_status", "last_error", "next_try",
    ]  # fmt: skip
    list_filter = [
        "standing",
        "endpoint",
        "event__type",
        "last_status",
        ("event__tenant", TenantFilter),
    ]
    list_select_related = ["event__tenant", "endpoint"]
    search_fields = ["event__public_id", "event__onboarding__public_id", "event__tenant__slug"]
    exclude = ["claimed_until", "tries"]
    inlines = [AttemptInline]
    actions = ["resend_selected"]

    @display(description=_("event"), ordering="event__type")
    def event_type(self, row: Delivery) -> str:
        return row.event.type

    @display(description=_("tenant"), ordering="event__tenant__name")
    def tenant(self, row: Delivery) -> str:
        return str(row.event.tenant or "–")

    @display(
        description=_("standing"),
        label={"delivered": "success", "waiting": "warning", "given_up": "danger"},
        ordering="standing",
    )
    def shown_standing(self, row: Delivery) -> tuple[str, str]:
        return row.standing, row.get_standing_display()

    @display(description=_("next try"), ordering="next_try_at")
    def next_try(self, row: Delivery) -> Any:
        return row.next_try_at if row.standing == Delivery.Standing.WAITING else None

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Whoever may run endpoints may have things sent to them again."""
        return may_operate(request)

    @admin.action(description=_("Send again"), permissions=["resend"])
    def resend_selected(self, request: HttpRequest, rows: QuerySet[Delivery]) -> None:
        each(self, request, rows, services.resend, gettext("It is sent again at once."))
