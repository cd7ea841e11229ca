"""What Meta's grant left with us, where META_KEEP_TOKEN says that it is kept."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from onboarding.models.fields import SealedTextField
from onboarding.models.onboarding import Onboarding
from tenants.models import TenantOwned, TenantOwnedQuerySet


class MetaToken(TenantOwned):
    """The business token that an attempt's code became. Never shown, never exported.

    It is gone with its attempt, with an attempt that ended without a number, and when the setting
    is switched off (`forget_old`).
    """

    onboarding = models.OneToOneField(
        Onboarding, on_delete=models.CASCADE, related_name="meta_token"
    )
    token = SealedTextField(editable=False)
    obtained_at = models.DateTimeField(_("obtained"))

    objects: ClassVar[TenantOwnedQuerySet["MetaToken"]] = TenantOwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("Meta's token")
        verbose_name_plural = _("Meta's tokens")

    def __str__(self) -> str:
        return f"{self.onboarding_id}, {self.obtained_at:%Y-%m-%d}"
