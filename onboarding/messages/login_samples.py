"""The letters about a login (django-allauth's) with made-up data, for the preview in the admin."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from tenants.login_letters import letter_of

_LETTERS: dict[str, tuple[str, Any]] = {
    "login_code": ("account/email/email_confirmation", _("Login: the code for an address")),
    "login_known": ("account/email/account_already_exists", _("Login: has an account already")),
    "login_unknown": ("account/email/unknown_account", _("Login: no account for this address")),
    "login_reset": ("account/email/password_reset_key", _("Login: choose a new password")),
    "login_was_reset": ("account/email/password_reset", _("Login: the password was reset")),
    "login_changed": ("account/email/password_changed", _("Login: the password was changed")),
    "login_set": ("account/email/password_set", _("Login: a password was set")),
    "login_email": ("account/email/email_changed", _("Login: another address")),
    "login_confirmed": ("account/email/email_confirm", _("Login: the address is confirmed")),
    "login_removed": ("account/email/email_deleted", _("Login: an address was removed")),
    "login_app": ("mfa/email/totp_activated", _("Login: second factor on")),
    "login_app_off": ("mfa/email/totp_deactivated", _("Login: second factor off")),
    "login_passkey": ("mfa/email/webauthn_added", _("Login: a passkey was added")),
    "login_passkey_off": ("mfa/email/webauthn_removed", _("Login: a passkey was removed")),
    "login_codes": ("mfa/email/recovery_codes_generated", _("Login: new recovery codes")),
}


def _sample(prefix: str, language: str, to: str) -> EmailMultiAlternatives:
    told = {
        "email": to, "code": "ABC-DEF", "timestamp": timezone.now(), "ip": "192.0.2.1",
        "user_agent": "Firefox", "from_email": "old@cakes.example", "to_email": to,
        "deleted_email": "old@cakes.example",
        "password_reset_url": f"{settings.SITE_URL}/accounts/password/reset/key/sample/",
        "signup_url": f"{settings.SITE_URL}/accounts/signup/",
    }  # fmt: skip
    with translation.override(language):
        return letter_of(prefix, to, told)


KINDS: dict[str, tuple[Any, Callable[[str, str], EmailMultiAlternatives]]] = {
    kind: (name, partial(_sample, prefix)) for kind, (prefix, name) in _LETTERS.items()
}
"""As those of `samples`."""
