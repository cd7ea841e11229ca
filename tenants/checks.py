"""System checks of accounts, tenants.W001 and on: each names the setting and what to do."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register


@register(Tags.security, deploy=True)
def staff_need_a_second_factor(**_: Any) -> list[CheckMessage]:
    """W001: a guessed password of one staff user would open every tenant."""
    if settings.STAFF_MFA_REQUIRED:
        return []
    return [
        Warning(
            "STAFF_MFA_REQUIRED is off: a password alone opens the admin.",
            hint="Unset it (it is on by default where SITE_URL is https) or set it to true.",
            id="tenants.W001",
        )
    ]
