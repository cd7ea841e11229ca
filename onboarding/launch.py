"""What the page hands to Meta's SDK: one table for the signup versions, a setting over it."""

from typing import Any

from django.conf import settings

from onboarding.models import Onboarding
from onboarding.models.onboarding import ConnectionMode

SESSION_INFO = "3"
"""A string in Meta's samples; only v2 needs it, later versions always send session info."""

MARKETING_MESSAGES: dict[str, list[dict[str, str]]] = {
    # Meta, versions page, 21 May 2026: v4 takes its products from the configuration instead.
    "v2": [{"name": "marketing_messages_lite"}],
    "v3": [{"name": "marketing_messages_lite"}],
    "v4": [],
}


def extras(connection_mode: str) -> dict[str, Any]:
    """`extras` of FB.login for a connection mode."""
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
        "extras": extras(row.connection_mode),
    }


def missing_settings() -> list[str]:
    """Names of the settings without which Meta's window cannot be opened."""
    needed = {
        "META_APP_ID": settings.META_APP_ID,
        "META_CONFIG_ID": settings.META_CONFIG_ID[ConnectionMode.BUSINESS_PLATFORM],
        "YCLOUD_API_KEY": settings.YCLOUD_API_KEY,
    }
    return [name for name, value in needed.items() if not value]
