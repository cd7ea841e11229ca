"""The journal: calls to the providers and YCloud's webhook events, to look things up."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from onboarding import services
from onboarding.admin.base import ReadOnlyAdmin
from onboarding.admin.desk_filters import CameFilter, QuotaFilter
from onboarding.models import ProviderCall, WebhookEvent, WebhookSecret


@admin.register(ProviderCall)
class ProviderCallAdmin(ReadOnlyAdmin):
    list_display = [
        "at",
        "kind",
        "lane",
        "target",
        "shown_outcome",
        "status",
        "code",
        "meta_code",
        "took_ms",
    ]
    list_filter = ["kind", "outcome", "lane", "code", "meta_code", QuotaFilter]
    search_fields = ["target", "request_id", "onboarding__public_id"]
    ordering = ["-at"]

    @display(
        description=_("outcome"),
        label={"done": "success", "refused": "danger", "lost": "warning", "not_sent": "warning"},
        ordering="outcome",
    )
    def shown_outcome(self, row: ProviderCall) -> tuple[str, str]:
        return row.outcome, row.get_outcome_display()


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin):
    list_display = [
        "received_at", "type", "shown_standing", "waba_id", "phone_number_id", "woke", "applied_at",
    ]  # fmt: skip
    list_filter = ["standing", "type", CameFilter]
    search_fields = ["event_id", "waba_id", "phone_number_id"]
    actions = ["replay_selected"]

    @display(
        description=_("standing"),
        label={"ours": "success", "waiting": "warning", "unknown": "warning"},
        ordering="standing",
    )
    def shown_standing(self, row: WebhookEvent) -> tuple[str, str]:
        return row.standing, row.get_standing_display()

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Whoever may decide on onboardings may have them looked at again."""
        return request.user.has_perm("onboarding.change_onboarding")

    @admin.action(description=_("Apply again"), permissions=["replay"])
    def replay_selected(self, request: HttpRequest, events: QuerySet[WebhookEvent]) -> None:
        for event in events:
            services.replay_event(event, request.user.get_username())
        self.message_user(request, gettext("They are being applied again."), messages.SUCCESS)


@admin.register(WebhookSecret)
class WebhookSecretAdmin(ReadOnlyAdmin):
    """The endpoints that `doctor --install-webhook` made; the secrets themselves are not shown."""

    list_display = ["url", "endpoint_id", "installed_at"]
    exclude = ["secret"]
