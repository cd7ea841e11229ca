"""The menu of the admin, grouped by use; nobody sees an entry that would give them a 403."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Entry = tuple[str | Promise, str, str]
"""Label, icon, and `app.model` of a list or `url:NAME` of a page of its own."""

GROUPS: tuple[tuple[str | Promise, tuple[Entry, ...]], ...] = (
    (
        _("Today"),
        (
            (_("Desk"), "space_dashboard", "url:admin:index"),
            (_("Onboardings"), "inbox", "onboarding.onboarding"),
            (_("Transfers"), "swap_horiz", "onboarding.transfercase"),
        ),
    ),
    (
        _("Customers"),
        (
            (_("Tenants"), "domain", "tenants.tenant"),
            (_("Signup links"), "link", "onboarding.signuplink"),
            (_("Business accounts"), "storefront", "onboarding.whatsappbusinessaccount"),
            (_("Phone numbers"), "call", "onboarding.phonenumber"),
            (_("Members"), "group", "tenants.membership"),
            (_("Invitations"), "mail", "tenants.invitation"),
        ),
    ),
    (
        _("Partner"),
        (
            (_("Set-up"), "checklist", "url:admin-setup"),
            (_("Mails"), "drafts", "url:admin-mails"),
            (_("API keys"), "key", "tenants.apikey"),
            (_("Webhook endpoints"), "webhook", "onboarding.webhookendpoint"),
            (_("Events for them"), "outbox", "onboarding.outboundevent"),
            (_("Deliveries"), "local_shipping", "onboarding.delivery"),
            (_("YCloud accounts"), "account_balance", "onboarding.ycloudaccount"),
            (_("Assigned tenants"), "alt_route", "onboarding.ycloudassignment"),
            (_("YCloud's endpoints"), "vpn_key", "onboarding.webhooksecret"),
        ),
    ),
    (
        _("Journal"),
        (
            (_("YCloud's events"), "bolt", "onboarding.webhookevent"),
            (_("Provider calls"), "swap_vert", "onboarding.providercall"),
            (_("Notices"), "notifications", "onboarding.notice"),
            (_("Letters to staff"), "mark_email_read", "onboarding.staffletter"),
            (_("Guests' addresses"), "contact_mail", "onboarding.mailaddress"),
            (_("What staff did"), "history", "tenants.auditentry"),
            (_("Tombstones"), "delete_history", "onboarding.tombstone"),
        ),
    ),
    (
        _("People"),
        (
            (_("Users"), "person", "tenants.user"),
            (_("Groups"), "groups", "auth.group"),
            (_("E-mail addresses"), "alternate_email", "account.emailaddress"),
            (_("Authenticators"), "phonelink_lock", "mfa.authenticator"),
        ),
    ),
)

PAGES = {
    "admin:index": "",
    "admin-setup": "onboarding.view_setup",
    "admin-mails": "onboarding.view_notice",
}
"""Pages that are no list: the permission that each asks for."""


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """UNFOLD's SIDEBAR navigation: groups with what this person may open."""
    groups = [
        {"title": title, "items": [item for each in entries if (item := _item(request, each))]}
        for title, entries in GROUPS
    ]
    return [group for group in groups if group["items"]]


def _item(request: HttpRequest, entry: Entry) -> dict[str, Any] | None:
    label, icon, target = entry
    is_page = target.startswith("url:")
    link = _page(request, target[4:]) if is_page else _list(request, target)
    return {"title": label, "icon": icon, "link": link} if link else None


def _page(request: HttpRequest, name: str) -> str:
    permission = PAGES[name]
    if permission and not request.user.has_perm(permission):
        return ""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _list(request: HttpRequest, label: str) -> str:
    model = apps.get_model(label)
    if not admin.site.is_registered(model):
        return ""
    if not admin.site.get_model_admin(model).has_view_or_change_permission(request):
        return ""
    return reverse(f"admin:{label.replace('.', '_')}_changelist")
