"""What is known of a WABA and its numbers, as YCloud told it last."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tenants.models import TenantOwned, TenantOwnedQuerySet


class AccountQuerySet(TenantOwnedQuerySet["WhatsAppBusinessAccount"]):
    pass


class WhatsAppBusinessAccount(TenantOwned):
    """A WABA. One tenant holds it; only staff move it to another."""

    waba_id = models.CharField(_("WABA id"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=255, blank=True)
    account_review_status = models.CharField(_("review status"), max_length=40, blank=True)
    payment_method_attached = models.BooleanField(_("payment method"), null=True, blank=True)
    business_verification_status = models.CharField(
        _("business verification"), max_length=40, blank=True
    )
    ban_state = models.CharField(_("ban"), max_length=40, blank=True)
    restrictions = models.JSONField(_("restrictions"), default=list, blank=True)
    currency = models.CharField(_("currency"), max_length=10, blank=True)
    country = models.CharField(_("country"), max_length=10, blank=True)
    messaging_limit = models.CharField(_("messaging limit"), max_length=40, blank=True)
    created_at = models.DateTimeField(_("first seen"), auto_now_add=True)
    read_at = models.DateTimeField(_("read at YCloud"), null=True, blank=True)

    objects: ClassVar[AccountQuerySet] = AccountQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("WhatsApp Business Account")
        verbose_name_plural = _("WhatsApp Business Accounts")

    def __str__(self) -> str:
        return f"{self.name or _('WABA')} ({self.waba_id})"


class PhoneNumber(TenantOwned):
    """A WhatsApp sender. `status` is YCloud's word, kept verbatim, unknown words included."""

    business_account = models.ForeignKey(
        WhatsAppBusinessAccount, on_delete=models.PROTECT, related_name="numbers"
    )
    phone_number_id = models.CharField(_("phone number id"), max_length=40, unique=True)
    e164 = models.CharField(_("number"), max_length=20, blank=True, db_index=True)
    verified_name = models.CharField(_("display name"), max_length=255, blank=True)
    status = models.CharField(_("status"), max_length=40, blank=True)
    code_verification_status = models.CharField(_("code"), max_length=40, blank=True)
    name_status = models.CharField(_("name status"), max_length=40, blank=True)
    quality = models.CharField(_("quality"), max_length=40, blank=True)
    messaging_limit = models.CharField(_("messaging limit"), max_length=40, blank=True)
    is_on_biz_app = models.BooleanField(_("in the WhatsApp Business app"), null=True, blank=True)
    created_at = models.DateTimeField(_("first seen"), auto_now_add=True)
    connected_at = models.DateTimeField(_("connected"), null=True, blank=True)
    read_at = models.DateTimeField(_("read at YCloud"), null=True, blank=True)

    # After `connected`: a reason of the catalogue, "" while all is well; what one reading alone
    # has found and a second one has to confirm; and when to look next.
    health = models.CharField(_("health"), max_length=40, blank=True, default="", db_default="")
    suspected = models.CharField(
        _("suspected"), max_length=40, blank=True, default="", db_default=""
    )
    health_since = models.DateTimeField(_("health since"), null=True, blank=True)
    next_look_at = models.DateTimeField(_("next look"), null=True, blank=True)

    objects: ClassVar[TenantOwnedQuerySet["PhoneNumber"]] = TenantOwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [
            models.Index(
                fields=["next_look_at"],
                condition=Q(next_look_at__isnull=False),
                name="number_due",
            ),
        ]
        verbose_name = _("phone number")
        verbose_name_plural = _("phone numbers")

    def __str__(self) -> str:
        return self.e164 or self.phone_number_id
