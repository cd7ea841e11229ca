"""System checks, onboarding.E001 and on: each names the setting and what to do."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning, register

from onboarding import launch, proof


def _is_sandbox() -> bool:
    return bool(settings.SANDBOX_ORIGIN)


@register(Tags.security)
def encryption_keys_fit(**_: Any) -> list[CheckMessage]:
    """E001: every key of FIELD_ENCRYPTION_KEYS is a Fernet key."""
    faults: list[CheckMessage] = []
    for place, key in enumerate(settings.FIELD_ENCRYPTION_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            faults.append(
                Error(
                    f"Key {place} of FIELD_ENCRYPTION_KEYS is no Fernet key.",
                    hint="Make one: python -c 'from cryptography.fernet import Fernet; "
                    "print(Fernet.generate_key().decode())'",
                    id="onboarding.E001",
                )
            )
    return faults


@register(Tags.security, deploy=True)
def site_is_https(**_: Any) -> list[CheckMessage]:
    """E002: Meta's window opens from https pages only (localhost is the exception)."""
    if settings.HTTPS:
        return []
    return [
        Error(
            f"SITE_URL is {settings.SITE_URL}: Meta's SDK works on https pages only.",
            hint="Set SITE_URL to the public https address of the signup pages.",
            id="onboarding.E002",
        )
    ]


@register(deploy=True)
def ids_are_there(**_: Any) -> list[CheckMessage]:
    """E003: without these nobody can launch Meta's window or be read at YCloud."""
    return [
        Error(f"{name} is not set.", hint="See docs/setup.md.", id="onboarding.E003")
        for name in launch.missing_settings()
    ]


@register(Tags.security, deploy=True)
def unproven_is_decided(**_: Any) -> list[CheckMessage]:
    """E004: without Meta's app secret ids cannot be proven; somebody has to decide on that.

    I001 says what was decided, and fails nothing.
    """
    if settings.META_APP_SECRET:
        return []
    if settings.ONBOARDING_UNPROVEN_IS_SET:
        return [Info(proof.of_partner(), id="onboarding.I001")]
    return [
        Error(
            proof.of_partner(),
            hint="Set META_APP_SECRET, or decide with ONBOARDING_UNPROVEN=continue|review|stop.",
            id="onboarding.E004",
        )
    ]


@register(Tags.security, deploy=True)
def webhook_secret_is_there(**_: Any) -> list[CheckMessage]:
    """E005: without a secret every webhook of YCloud's is refused."""
    if settings.YCLOUD_WEBHOOK_SECRETS:
        return []
    return [
        Error(
            "YCLOUD_WEBHOOK_SECRETS is not set: /webhooks/ycloud/ refuses everything.",
            hint="Create the endpoint at YCloud and set the secret that it shows.",
            id="onboarding.E005",
        )
    ]


@register(Tags.security, deploy=True)
def sandbox_is_off(**_: Any) -> list[CheckMessage]:
    """E006: the stand-in for Meta and YCloud has no place in production."""
    if not _is_sandbox():
        return []
    return [
        Error(
            "The sandbox is in use.",
            hint="Set META_APP_ID and YCLOUD_API_KEY (or unset SANDBOX_ORIGIN).",
            id="onboarding.E006",
        )
    ]


@register(Tags.security, deploy=True)
def providers_are_https(**_: Any) -> list[CheckMessage]:
    """E007: keys and codes travel to these addresses."""
    return [
        Error(f"{name} is not https.", hint="Use the provider's own address.", id="onboarding.E007")
        for name in ("YCLOUD_API_BASE_URL", "META_GRAPH_BASE_URL", "META_SDK_URL")
        if urlsplit(getattr(settings, name)).scheme != "https"
    ]


@register(deploy=True)
def solution_is_there(**_: Any) -> list[CheckMessage]:
    """W001: without the solution id a customer's WABA is not shared with YCloud's solution."""
    if settings.META_SOLUTION_ID["business_platform"]:
        return []
    return [
        Warning(
            "META_SOLUTION_ID is not set: the WABA will not be shared with the partner solution.",
            hint="Copy the solution id from the App Dashboard (docs/setup.md).",
            id="onboarding.W001",
        )
    ]


@register(deploy=True)
def static_files_are_collected(**_: Any) -> list[CheckMessage]:
    """W002: else every page asks for its styles and scripts anew, and they are not compressed."""
    if settings.STATIC_COLLECTED:
        return []
    return [
        Warning(
            "STATIC_COLLECTED is off: static files are served one by one as they are.",
            hint="Run `manage.py collectstatic`, and set STATIC_COLLECTED=true for both.",
            id="onboarding.W002",
        )
    ]
