"""The partner's accounts at YCloud, and which tenant's numbers are to live in which one.

Never "account" alone: that is a WABA here (`business_account`). A row that names no YCloud account
belongs to the environment's.
"""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from onboarding.models.fields import SealedTextField
from tenants.models import Tenant, TenantOwnedQuerySet

ENVIRONMENT = "environment"
"""The slug of the row that stands for YCLOUD_API_KEY and its neighbours."""

PER_SECOND, PER_HOUR = 180, 9_000
"""Our share of what YCloud allows one account (200 and 10,000), unless staff say otherwise."""

END = 4
MOST_SECRETS = 5
"""Each signature is tried against all of them: more would make a forged one dear to refuse."""


def few_secrets(text: str) -> None:
    """A validator: one secret a line, and not many. Raises ValidationError."""
    if len(text.split()) > MOST_SECRETS:
        raise ValidationError(_("At most %(n)d secrets.") % {"n": MOST_SECRETS})


class YCloudAccount(models.Model):
    """One account of the partner's at YCloud: its key, its secrets, its own quota. Of no tenant.

    The environment's row holds neither key nor quota: those are read from the settings at each
    call, so that there is one place to change them (docs/decisions/0017). Rows are never deleted,
    because calls, events and WABAs name them; one that is out of use is ended.
    """

    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(
        _("slug"), max_length=40, unique=True,
        help_text=_("In the address of its webhook, in figures and in the API; it never changes."),
    )  # fmt: skip
    from_environment = models.BooleanField(default=False, editable=False)
    api_key = SealedTextField(_("API key"), blank=True, default="", editable=False)
    webhook_secrets = SealedTextField(
        _("webhook secrets"), blank=True, default="", editable=False, validators=[few_secrets]
    )
    per_second = models.PositiveIntegerField(
        _("calls a second"), default=PER_SECOND, validators=[MinValueValidator(1)],
        help_text=_("Our share of the 200 that YCloud allows this account."),
    )  # fmt: skip
    per_hour = models.PositiveIntegerField(
        _("calls an hour"), default=PER_HOUR, validators=[MinValueValidator(1)],
        help_text=_("Our share of the 10,000 that YCloud allows this account."),
    )  # fmt: skip
    is_default = models.BooleanField(_("for tenants without one"), default=False, editable=False)
    takes_new = models.BooleanField(
        _("takes new onboardings"), default=True,
        help_text=_("Off: what it has goes on; tenants assigned to it begin at the default one."),
    )  # fmt: skip
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True, editable=False)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("YCloud account")
        verbose_name_plural = _("YCloud accounts")
        permissions = [
            ("operate_ycloudaccount", _("Can add, change, end and assign YCloud accounts")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="ycloud_account_default"
            ),
            models.UniqueConstraint(
                fields=["from_environment"], condition=Q(from_environment=True),
                name="ycloud_account_of_environment",
            ),
            models.CheckConstraint(
                condition=Q(is_default=False) | Q(takes_new=True, ended_at__isnull=True),
                name="ycloud_account_default_takes_new",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name

    @property
    def key_end(self) -> str:
        """The last signs of the key: enough to tell two keys apart, too few to use one."""
        return f"…{self.api_key[-END:]}" if len(self.api_key) > 3 * END else ""

    @property
    def secrets(self) -> list[str]:
        """The secrets that staff entered for its webhook."""
        return self.webhook_secrets.split()


class YCloudAssignment(models.Model):
    """Where a tenant's new onboardings begin; without one at the default YCloud account.

    A row of its own, and not a column of the tenant: `tenants` knows nothing of WhatsApp.
    """

    tenant = models.OneToOneField(
        Tenant, on_delete=models.CASCADE, related_name="ycloud_assignment", verbose_name=_("tenant")
    )
    ycloud_account = models.ForeignKey(
        YCloudAccount, on_delete=models.PROTECT, verbose_name=_("YCloud account")
    )
    assigned_at = models.DateTimeField(_("assigned"), auto_now=True)

    objects: ClassVar[TenantOwnedQuerySet[YCloudAssignment]] = TenantOwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("YCloud assignment")
        verbose_name_plural = _("YCloud assignments")

    def __str__(self) -> str:
        return f"{self.tenant}: {self.ycloud_account}"
