"""What the page hands to Meta's SDK: one table for the signup versions, a setting over it."""

import json
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.urls import reverse

from onboarding import prefill
from onboarding.models import Onboarding
from onboarding.models.onboarding import ConnectionMode
from tenants.models import Tenant

SESSION_INFO = "3"
"""A string in Meta's samples; only v2 needs it, later versions always send session info."""

MARKETING_MESSAGES: dict[str, list[dict[str, str]]] = {
    # Meta, versions page, 21 May 2026: v4 takes its products from the configuration instead.
    "v2": [{"name": "marketing_messages_lite"}],
    "v3": [{"name": "marketing_messages_lite"}],
    "v4": [],
}


def extras(connection_mode: str, tenant: Tenant | None = None) -> dict[str, Any]:
    """`extras` of FB.login for a connection mode, filled in with what is known of the tenant.

    Keys that the partner's own setting has under `setup` stand.
    """
    told = _extras(connection_mode)
    known = prefill.setup_of(tenant) if tenant else {}
    own = told.get("setup", {})
    if known and isinstance(own, dict):
        told["setup"] = {**known, **own, **_both(known, own)}
    return told


def _both(known: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """An object that both have is put together, key by key."""
    names = [n for n in known if isinstance(own.get(n), dict)]
    return {name: {**known[name], **own[name]} for name in names}


def _extras(connection_mode: str) -> dict[str, Any]:
    replaced = settings.META_SIGNUP_EXTRAS[connection_mode]
    if replaced is not None:
        return dict(replaced)
    version = settings.META_SIGNUP_VERSION[connection_mode]
    built: dict[str, Any] = {
        "setup": {"solutionID": str(settings.META_SOLUTION_ID[connection_mode])},
        "sessionInfoVersion": SESSION_INFO,
        "version": version,
    }
    if not settings.META_SOLUTION_ID[connection_mode]:
        built["setup"] = {}
    if connection_mode == ConnectionMode.BUSINESS_APP:
        built["featureType"] = "whatsapp_business_app_onboarding"
    elif MARKETING_MESSAGES[version]:
        built["features"] = MARKETING_MESSAGES[version]
    return built


def launch(row: Onboarding) -> dict[str, Any]:
    """The `launch` object of the API: everything the page needs for FB.init and FB.login."""
    return {
        "launch_id": str(row.launch_id),
        "app_id": settings.META_APP_ID,
        "sdk_url": settings.META_SDK_URL,
        "sdk_version": settings.META_SDK_VERSION,
        "config_id": settings.META_CONFIG_ID[row.connection_mode],
        "extras": extras(row.connection_mode, row.tenant),
    }


RETURN_PATH = "/connect/return/"
_LOGIN_HOSTS = ("www", "m", "web", "business")
"""Of facebook.com: its dialog leads on to these, phones to `m` (public reports, Nov 2026)."""


def return_address() -> str:
    """Where Meta's full-page dialog leads back to; the exchange of its code names it again."""
    return f"{settings.SITE_URL}{RETURN_PATH}"


def dialog_address(row: Onboarding, state: str) -> str:
    """Meta's full-page dialog with what FB.login would be given, and the way back."""
    told = launch(row)
    asked = {
        "client_id": told["app_id"],
        "redirect_uri": return_address(),
        "config_id": told["config_id"],
        "response_type": "code",
        "override_default_response_type": "true",
        "state": state,
        "extras": json.dumps(told["extras"], separators=(",", ":")),
    }
    return f"{settings.META_DIALOG_URL}?{urlencode(asked)}"


def offers_dialog() -> bool:
    """Whether *Continue in this tab* can work: the dialog gives a code alone, and no ids."""
    return bool(settings.META_APP_SECRET) and not missing_settings()


def dialog_path() -> str | None:
    """Where the page posts to continue in this tab, or None."""
    return reverse("connect-dialog") if offers_dialog() else None


def dialog_origins() -> list[str]:
    """The origins that the form may lead to: Chromium holds its redirects to `form-action` too."""
    if not offers_dialog():
        return []
    parts = urlsplit(settings.META_DIALOG_URL)
    if parts.hostname != "www.facebook.com":
        return [f"{parts.scheme}://{parts.netloc}"]
    return [f"https://{name}.facebook.com" for name in _LOGIN_HOSTS]


def missing_settings() -> list[str]:
    """Names of the settings without which Meta's window cannot be opened."""
    needed = {
        "META_APP_ID": settings.META_APP_ID,
        "META_CONFIG_ID": settings.META_CONFIG_ID[ConnectionMode.BUSINESS_PLATFORM],
        "YCLOUD_API_KEY": settings.YCLOUD_API_KEY,
    }
    return [name for name, value in needed.items() if not value]
