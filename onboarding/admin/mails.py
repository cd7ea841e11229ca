"""What was told to whom, and a preview of every letter in every language, with made-up data."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from csp.constants import SELF
from csp.decorators import csp_update
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe
from unfold.decorators import display

from onboarding import reasons, tasks
from onboarding.admin.base import ReadOnlyAdmin, TenantFilter
from onboarding.messages import samples
from onboarding.models import MailAddress, Notice, StaffLetter
from tenants import throttle

TESTS = "10/hour"
_STANDING = {"waiting": "info", "sending": "info", "mailed": "success", "failed": "danger"}


class StandingShown(ReadOnlyAdmin):
    """A letter's standing as a label."""

    @display(description=_("standing"), label=_STANDING, ordering="standing")
    def shown_standing(self, row: Any) -> tuple[str, str]:
        return row.standing, row.get_standing_display()


@admin.register(Notice)
class NoticeAdmin(StandingShown):
    """What was told to tenants and staff, and whether its letter went out."""

    list_display = [
        "created_at", "tenant", "kind", "shown_recipient", "shown_reason", "shown_standing",
        "due_at", "mailed_at",
    ]  # fmt: skip
    list_filter = ["kind", "standing", "audience", "reason", ("tenant", TenantFilter)]
    list_select_related = ["tenant", "number", "user", "address"]
    search_fields = [
        "number__e164", "number__phone_number_id", "tenant__name", "tenant__slug", "user__email",
        "address__email",
    ]  # fmt: skip
    search_help_text = _("Number, tenant or address.")

    @display(description=_("to"))
    def shown_recipient(self, row: Notice) -> str:
        return row.recipient

    @display(description=_("reason"), ordering="reason")
    def shown_reason(self, row: Notice) -> str:
        return reasons.for_staff(row.reason) or "–"


@admin.register(MailAddress)
class MailAddressAdmin(ReadOnlyAdmin):
    """Addresses without a login."""

    list_display = ["email", "tenant", "created_at", "confirmed_at", "off_at"]
    list_filter = [("tenant", TenantFilter), "confirmed_at", "off_at"]
    list_select_related = ["tenant"]
    search_fields = ["email", "tenant__name", "tenant__slug"]
    exclude = ["token_hash", "token_expires_at"]


@admin.register(StaffLetter)
class StaffLetterAdmin(StandingShown):
    """Digests and alerts; an alert is open as long as its trouble lasts."""

    list_display = ["began_at", "kind", "trouble", "detail", "shown_standing", "ended_at"]
    list_filter = ["kind", "standing", "trouble"]


# --- The preview ----------------------------------------------------------------------------------


def _chosen(request: HttpRequest, kind: str, language: str) -> None:
    """Raises PermissionDenied, or Http404 for a kind or language that is not there."""
    if not request.user.has_perm("onboarding.view_notice"):
        raise PermissionDenied
    if kind not in samples.KINDS or language not in dict(settings.LANGUAGES):
        raise Http404


@require_safe
@never_cache
@csp_update({"frame-src": [SELF]})
def page(request: HttpRequest) -> HttpResponse:
    """One letter: subject, HTML and text; the others to choose from."""
    kind = request.GET.get("kind", next(iter(samples.KINDS)))
    language = request.GET.get("language", settings.LANGUAGE_CODE)
    _chosen(request, kind, language)
    made = samples.sample(kind, language)
    shown = {
        **admin.site.each_context(request),
        "title": gettext("Letters"),
        "kinds": [(key, name) for key, (name, _made) in samples.KINDS.items()],
        "languages": settings.LANGUAGES,
        "kind": kind,
        "language": language,
        "subject": made.subject,
        "text": made.body,
        "headers": sorted((k, v) for k, v in made.extra_headers.items() if k != "Message-ID"),
        "html_url": reverse("admin-mail-html", args=[kind, language]),
        "test_url": reverse("admin-mail-test", args=[kind, language]),
        "own_address": getattr(request.user, "email", ""),
    }
    return render(request, "admin/mails.html", shown)


@require_safe
@never_cache
@xframe_options_sameorigin
def html(request: HttpRequest, kind: str, language: str) -> HttpResponse:
    """The letter's HTML for the preview's frame: it may show its styles and the logo, no more."""
    _chosen(request, kind, language)
    body, _type = samples.sample(kind, language).alternatives[0]
    response = HttpResponse(str(body), content_type="text/html; charset=utf-8")
    response["Content-Security-Policy"] = "; ".join(
        (
            "default-src 'none'", "style-src 'unsafe-inline'", f"img-src 'self' {_logo_origin()}",
            "base-uri 'none'", "form-action 'none'", "frame-ancestors 'self'", "sandbox",
        )
    )  # fmt: skip
    return response


def _logo_origin() -> str:
    parts = urlsplit(settings.PARTNER_LOGO)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""


@require_POST
@never_cache
def test(request: HttpRequest, kind: str, language: str) -> HttpResponse:
    """Mail the sample to whoever asks, at their own address."""
    _chosen(request, kind, language)
    standing = throttle.hit("test-letter", str(request.user.pk), TESTS)
    if not standing.allowed:
        messages.error(request, gettext("Ten tests an hour are the most. Try again later."))
    elif tasks.request_sample(kind, language, int(str(request.user.pk))):
        messages.success(request, gettext("The letter is on its way to you."))
    else:
        messages.error(request, gettext("No worker took it. Try again in a moment."))
    return redirect(f"{reverse('admin-mails')}?kind={kind}&language={language}")


test.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for one of its own

urlpatterns = [
    path("", admin.site.admin_view(page), name="admin-mails"),
    path("<slug:kind>/<slug:language>/html/", admin.site.admin_view(html), name="admin-mail-html"),
    path("<slug:kind>/<slug:language>/test/", admin.site.admin_view(test), name="admin-mail-test"),
]
