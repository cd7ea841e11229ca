"""What is told to a tenant and to staff when something changes that nobody watches."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from onboarding.models.account import PhoneNumber
from tenants.models import TenantOwned, TenantOwnedQuerySet


class Notice(TenantOwned):
    """One thing to tell, once: `key` is unique, so an event that comes twice tells once.

    `claimed_at` is set before the mail goes out and `mailed_at` after it. A notice that was
    claimed and not mailed may have been sent, so it is never sent again.
    """

    class Audience(models.TextChoices):
        OWNERS = "owners", _("the tenant's owners")
        STAFF = "staff", _("staff")

    key = models.CharField(max_length=200, unique=True)
    audience = models.CharField(_("audience"), max_length=10, choices=Audience)
    number = models.ForeignKey(PhoneNumber, on_delete=models.CASCADE, related_name="notices")
    reason = models.CharField(_("reason"), max_length=40)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    claimed_at = models.DateTimeField(_("being mailed"), null=True, blank=True)
    mailed_at = models.DateTimeField(_("mailed"), null=True, blank=True)

    objects: ClassVar[TenantOwnedQuerySet["Notice"]] = TenantOwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=models.Q(claimed_at__isnull=True),
                name="notice_unmailed",
            ),
        ]
        verbose_name = _("notice")
        verbose_name_plural = _("notices")

    def __str__(self) -> str:
        return f"{self.tenant}: {self.reason}"
