"""The journal: calls to the providers and YCloud's webhook events, to look things up."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from onboarding import services
from onboarding.admin.base import ReadOnlyAdmin
from onboarding.admin.desk_filters import CameFilter, QuotaFilter
from onboarding.models import ProviderCall, WebhookEvent, WebhookSecret


@admin.register(ProviderCall)
class ProviderCallAdmin(ReadOnlyAdmin):
    list_display = ["at", "call", "shown_outcome", "answer", "took_ms"]
    list_filter = [
        "kind", "outcome", "lane", "code", "meta_code", QuotaFilter, "ycloud_account"
    ]  # fmt: skip
    search_fields = ["target", "request_id", "onboarding__public_id"]
    ordering = ["-at"]

    @display(description=_("call"), header=True, ordering="kind")
    def call(self, row: ProviderCall) -> list[str]:
        return [row.get_kind_display(), " · ".join(filter(None, (row.target, row.lane)))]

    @display(description=_("answer"), header=True, ordering="status")
    def answer(self, row: ProviderCall) -> list[str]:
        codes = " / ".join(filter(None, (row.code, row.meta_code)))
        return [" ".join(filter(None, (str(row.status or ""), codes))) or "–", row.request_id]

    @display(
        description=_("outcome"),
        label={"done": "success", "refused": "danger", "lost": "warning", "not_sent": "warning"},
        ordering="outcome",
    )
    def shown_outcome(self, row: ProviderCall) -> tuple[str, str]:
        return row.outcome, row.get_outcome_display()


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "event", "shown_standing", "about", "applied"]
    list_filter = ["standing", "type", CameFilter, "ycloud_account"]
    search_fields = ["event_id", "waba_id", "phone_number_id"]
    actions = ["replay_selected"]

    @display(description=_("event"), header=True, ordering="type")
    def event(self, row: WebhookEvent) -> list[str]:
        return [row.type, row.event_id]

    @display(description=_("about"), header=True)
    def about(self, row: WebhookEvent) -> list[str]:
        return [row.waba_id or "–", row.phone_number_id]

    @display(description=_("applied"), header=True, ordering="applied_at")
    def applied(self, row: WebhookEvent) -> list[str]:
        at = (
            date_format(localtime(row.applied_at), "SHORT_DATETIME_FORMAT")
            if row.applied_at
            else "–"
        )
        return [at, ngettext("%(n)s row woken", "%(n)s rows woken", row.woke) % {"n": row.woke}]

    @display(
        description=_("standing"),
        label={"ours": "success", "waiting": "warning", "unknown": "warning"},
        ordering="standing",
    )
    def shown_standing(self, row: WebhookEvent) -> tuple[str, str]:
        return row.standing, row.get_standing_display()

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Whoever may have onboardings read again may have what wakes them applied again."""
        return request.user.has_perm("onboarding.reread_onboarding")

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
