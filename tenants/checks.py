"""System checks of accounts, tenants.W001 and on: each names the setting and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.utils.translation import to_locale


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


@register(Tags.translation)
def languages_are_compiled(**_: Any) -> list[CheckMessage]:
    """E001: without its compiled catalogue a language that is offered would speak English."""
    codes = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
    return [
        Error(
            f"The translations of {code} are not compiled: its pages would be English.",
            hint="Run `python -m devstack.translations compile`; the Dockerfile does.",
            id="tenants.E001",
        )
        for code in codes
        if not any(
            (Path(place) / to_locale(code) / "LC_MESSAGES" / "django.mo").is_file()
            for place in settings.LOCALE_PATHS
        )
    ]
