"""What is known of a WABA and its numbers, as YCloud told it last."""

from typing import ClassVar

from django.db import models
from django.db.models import Q, Value
from django.utils.translation import gettext_lazy as _

from onboarding.models.ycloud_account import YCloudAccount
from onboarding.reasons.standing import LABELS
from tenants.models import TenantOwned, TenantOwnedQuerySet

_STANDINGS = list(LABELS.items())
"""The worst of what holds of a row (`requirements.settled`); "" when nothing does."""


class Proof(models.TextChoices):
    """Why a tenant counts as the owner of what it holds."""

    NONE = "", _("nothing: read on a claim")
    GRANT = "grant", _("Meta's grant")
    STAFF = "staff", _("a decision of staff")


class AccountQuerySet(TenantOwnedQuerySet["WhatsAppBusinessAccount"]):
    pass


class WhatsAppBusinessAccount(TenantOwned):
    """A WABA. One tenant holds it; a transfer case moves it to another.

    Two proven rows of one WABA cannot be there: PostgreSQL refuses the second. A row without proof
    holds the WABA against other claims only, and gives way to a grant (docs/decisions/0008).
    """

    waba_id = models.CharField(_("WABA id"), max_length=40)
    # For its life: an attempt that comes for it later goes by this one too. None: environment's.
    ycloud_account = models.ForeignKey(
        YCloudAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        db_index=False, verbose_name=_("YCloud account"),
    )  # fmt: skip
    proof = models.CharField(
        _("proven by"), max_length=10, choices=Proof, blank=True, default="", db_default=""
    )
    proven_at = models.DateTimeField(_("proven"), null=True, blank=True)
    name = models.CharField(_("name"), max_length=255, blank=True)
    account_review_status = models.CharField(_("review status"), max_length=40, blank=True)
    payment_method_attached = models.BooleanField(_("payment method"), null=True, blank=True)
    business_verification_status = models.CharField(
        _("business verification"), max_length=40, blank=True
    )
    ban_state = models.CharField(_("ban"), max_length=40, blank=True)
    ban_date = models.CharField(_("ban date"), max_length=60, blank=True, default="", db_default="")
    restrictions = models.JSONField(_("restrictions"), default=list, blank=True)
    currency = models.CharField(_("currency"), max_length=10, blank=True)
    country = models.CharField(_("country"), max_length=10, blank=True)
    messaging_limit = models.CharField(_("messaging limit"), max_length=40, blank=True)
    created_at = models.DateTimeField(_("first seen"), auto_now_add=True)
    read_at = models.DateTimeField(_("read at YCloud"), null=True, blank=True)
    # An event or a person said that there is something new: the next look reads it too.
    asked_at = models.DateTimeField(_("to be read since"), null=True, blank=True)
    lost = models.CharField(_("lost"), max_length=40, blank=True, default="", db_default="")
    standing = models.CharField(
        _("standing"), max_length=10, choices=_STANDINGS, blank=True, default="", db_default=""
    )
    standing_since = models.JSONField(
        _("conditions, since"), default=dict, blank=True, db_default=Value({}, models.JSONField())
    )

    objects: ClassVar[AccountQuerySet] = AccountQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["waba_id", "tenant"], condition=~Q(waba_id=""), name="account_once_a_tenant"
            ),
            models.UniqueConstraint(
                fields=["waba_id"], condition=~Q(proof=""), name="account_one_proven_owner"
            ),
        ]
        indexes = [
            models.Index(fields=["country"], name="account_country"),
            models.Index(fields=["standing"], condition=~Q(standing=""), name="account_standing"),
            models.Index(fields=["created_at"], include=["tenant"], name="account_newest"),
        ]
        verbose_name = _("WhatsApp Business Account")
        verbose_name_plural = _("WhatsApp Business Accounts")

    def __str__(self) -> str:
        return f"{self.name or _('WABA')} ({self.waba_id})"


class PhoneNumber(TenantOwned):
    """A WhatsApp sender. `status` is YCloud's word, kept verbatim, unknown words included."""

    business_account = models.ForeignKey(
        WhatsAppBusinessAccount, on_delete=models.PROTECT, related_name="numbers"
    )
    phone_number_id = models.CharField(_("phone number id"), max_length=40)
    proof = models.CharField(
        _("proven by"), max_length=10, choices=Proof, blank=True, default="", db_default=""
    )
    e164 = models.CharField(_("number"), max_length=20, blank=True, db_index=True)
    verified_name = models.CharField(_("display name"), max_length=255, blank=True)
    status = models.CharField(_("status"), max_length=40, blank=True)
    code_verification_status = models.CharField(_("code"), max_length=40, blank=True)
    name_status = models.CharField(_("name status"), max_length=40, blank=True)
    new_name_status = models.CharField(
        _("new name status"), max_length=40, blank=True, default="", db_default=""
    )
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
    standing = models.CharField(
        _("standing"), max_length=10, choices=_STANDINGS, blank=True, default="", db_default=""
    )
    standing_since = models.JSONField(
        _("conditions, since"), default=dict, blank=True, db_default=Value({}, models.JSONField())
    )

    objects: ClassVar[TenantOwnedQuerySet["PhoneNumber"]] = TenantOwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["phone_number_id", "tenant"],
                condition=~Q(phone_number_id=""),
                name="number_once_a_tenant",
            ),
            models.UniqueConstraint(
                fields=["phone_number_id"], condition=~Q(proof=""), name="number_one_proven_owner"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_look_at"],
                condition=Q(next_look_at__isnull=False),
                name="number_due",
            ),
            models.Index(fields=["standing"], condition=~Q(standing=""), name="number_standing"),
            models.Index(
                fields=["health"],
                condition=~Q(health=""),
                include=["tenant"],
                name="number_unwell",
            ),
        ]
        verbose_name = _("phone number")
        verbose_name_plural = _("phone numbers")

    def __str__(self) -> str:
        return self.e164 or self.phone_number_id
