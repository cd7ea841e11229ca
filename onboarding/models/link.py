"""SignupLink: a mailed, expiring, revocable link to one tenant's signup."""

import hashlib
import secrets
import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tenants.models import TenantOwned, TenantOwnedQuerySet, User

LIFE_DAYS = 7


def new_token() -> str:
    """A token for the address; only its hash is kept."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What the row keeps. A long random token needs no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


class SignupLink(TenantOwned):
    """Opening it by GET consumes nothing, because mail scanners open links too."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    connection_mode = models.CharField(_("mode"), max_length=20, blank=True)
    expected_number = models.CharField(_("expected number"), max_length=20, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    opened_at = models.DateTimeField(_("last opened"), null=True, blank=True)
    times_opened = models.PositiveIntegerField(_("opened"), default=0)

    objects: ClassVar[TenantOwnedQuerySet["SignupLink"]] = TenantOwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("signup link")
        verbose_name_plural = _("signup links")

    def __str__(self) -> str:
        return f"{self.tenant}, {self.created_at:%Y-%m-%d}"

    @property
    def is_revoked(self) -> bool:
        return self.revoked_at is not None

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()
