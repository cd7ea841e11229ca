"""The second factor: its secrets encrypted at rest, and the gate before the admin."""

from __future__ import annotations

import base64
import logging
import secrets
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from allauth.usersessions.internal.flows.sessions import end_other_sessions
from django.conf import settings
from django.contrib import messages
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext

from tenants import access, rotation
from tenants.cipher import seal, unseal
from tenants.models import User

logger = logging.getLogger(__name__)

FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
SEALED = ("secret", "seed", "migrated_codes")
"""What allauth passes through the cipher, by its name in `Authenticator.data`."""


class MFAAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """What no key opens becomes a secret that nobody knows: an empty one would let anybody
        compute its codes."""
        text = unseal(encrypted_text)
        if text:
            return text
        logger.error("a second factor cannot be decrypted: is a key of FIELD_ENCRYPTION_KEYS gone?")
        return base64.b32encode(secrets.token_bytes(20)).decode()

    def _get_site_name(self) -> str:
        """What phones and browsers show beside the key."""
        return str(settings.PARTNER_NAME)

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return gettext("Passkey %(number)s") % {"number": number}


def rotate(count: rotation.Count) -> None:
    """The part of `rotate_keys`: the secrets inside the authenticators' JSON."""
    for row in Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN):
        name = f"{row.pk}"
        data = {key: _rotated(row.data[key], name, count) for key in SEALED if key in row.data}
        changed = {**row.data, **data}
        if changed != row.data:
            same = Authenticator.objects.filter(pk=row.pk, data=row.data)
            count.rotated += same.update(data=changed)


def _rotated(value: Any, name: str, count: rotation.Count) -> Any:
    if isinstance(value, list):
        return [_rotated(each, name, count) for each in value]
    return rotation.fresh(value, name, count) or value


rotation.register("mfa.Authenticator.data", rotate)


def has_second_factor(user: User) -> bool:
    """Whether the user has an authenticator app or a passkey."""
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def used_second_factor(request: HttpRequest) -> bool:
    """Whether this very session was opened, or confirmed, with a second factor."""
    records = get_authentication_records(request, request.user)
    return any(record.get("method") == "mfa" for record in records)


def passes(request: HttpRequest) -> bool:
    """Whether nothing is missing that staff need for the admin's pages."""
    user = request.user
    if not (settings.STAFF_MFA_REQUIRED and user.is_authenticated and user.is_staff):
        return True
    return has_second_factor(user) and used_second_factor(request)


def gate(request: HttpRequest) -> HttpResponseBase | None:
    """Where a staff user has to go before the admin's pages; None: go on.

    A session from the time before the second factor has to confirm it once, too.
    """
    if passes(request):
        return None
    if not has_second_factor(access.signed_in(request)):
        messages.warning(request, gettext("Staff need a second factor here. Set one up first."))
        return redirect("mfa_index")
    after = urlencode({"next": request.get_full_path()})
    return redirect(f"{reverse('mfa_reauthenticate')}?{after}")


@receiver(authenticator_added)
def _set_up(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    """Setting a factor up proves it; the first one ends the sessions that were opened without."""
    if authenticator.type not in FACTORS:
        return
    record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type)
    others = Authenticator.objects.filter(user=user, type__in=FACTORS).exclude(pk=authenticator.pk)
    if not others.exists():
        end_other_sessions(request, user)
