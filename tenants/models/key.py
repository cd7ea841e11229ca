"""ApiKey: how the partner's own backend signs in."""

from __future__ import annotations

import hashlib
import re
import secrets
import string

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tenants.models.base import User

_PREFIX_ALPHABET = string.ascii_lowercase + string.digits
_PREFIX_SIZE = 8
KEY = re.compile(r"(onb_[a-z0-9]{8})_([A-Za-z0-9_-]{43})")
"""A whole key: the prefix, which is shown, and the secret. What redacts logs looks for this."""


def new_key() -> tuple[str, str]:
    """A prefix and a secret of 256 random bits; the key is `PREFIX_SECRET`."""
    tail = "".join(secrets.choice(_PREFIX_ALPHABET) for _ in range(_PREFIX_SIZE))
    return f"onb_{tail}", secrets.token_urlsafe(32)


def secret_hash(secret: str) -> str:
    """What the row keeps.

    A slow hash protects what people make up; nobody guesses 256 random bits, and a slow hash on
    each request would be an easy way to keep the server busy.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiKey(models.Model):
    """It is no tenant's: it sees all tenants, and does what its scopes allow."""

    class Scope(models.TextChoices):
        TENANTS_READ = "tenants:read", _("read tenants")
        TENANTS_WRITE = "tenants:write", _("create and change tenants")
        LINKS_READ = "links:read", _("read signup links")
        LINKS_WRITE = "links:write", _("create and revoke signup links")
        ONBOARDINGS_READ = "onboardings:read", _("read onboardings")
        ONBOARDINGS_WRITE = "onboardings:write", _("start, resume and withdraw onboardings")
        ACCOUNTS_READ = "accounts:read", _("read business accounts")
        NUMBERS_READ = "numbers:read", _("read phone numbers")

    name = models.CharField(
        _("name"), max_length=100, help_text=_("Which of your systems uses it.")
    )
    prefix = models.CharField(_("key"), max_length=12, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=30, choices=Scope), verbose_name=_("scopes"), default=list
    )
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("created by")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(
        _("expires"), null=True, blank=True, help_text=_("Empty: it does not expire.")
    )
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return self.prefix

    @property
    def is_revoked(self) -> bool:
        return self.revoked_at is not None

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()
