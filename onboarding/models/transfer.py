"""TransferCase: one tenant holds a WABA, another can prove it or asks for it; staff decide."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from onboarding.models.account import WhatsAppBusinessAccount
from onboarding.models.onboarding import Onboarding
from tenants.models import Tenant


class TransferCase(models.Model):
    """For staff only: it knows both sides, so no tenant ever sees one (it is not `TenantOwned`).

    `moving`: accepted, the workers were overtaken, and what is theirs is waited for.
    """

    class Standing(models.TextChoices):
        OPEN = "open", _("open")
        MOVING = "moving", _("accepted, moving")
        ACCEPTED = "accepted", _("accepted and moved")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    UNDER_WAY = (Standing.OPEN, Standing.MOVING)

    business_account = models.ForeignKey(
        WhatsAppBusinessAccount, on_delete=models.CASCADE, related_name="transfer_cases",
        verbose_name=_("account"),
    )  # fmt: skip
    from_tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, related_name="+", verbose_name=_("holder")
    )
    to_tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, related_name="+", verbose_name=_("asks for it")
    )
    onboarding = models.ForeignKey(
        Onboarding, on_delete=models.CASCADE, related_name="transfer_cases",
        verbose_name=_("attempt that asked"),
    )  # fmt: skip
    standing = models.CharField(
        _("standing"), max_length=10, choices=Standing, default=Standing.OPEN
    )
    opened_by = models.CharField(_("opened by"), max_length=150)
    opened_at = models.DateTimeField(_("opened"), auto_now_add=True)
    decided_by = models.CharField(_("decided by"), max_length=150, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    moved_at = models.DateTimeField(_("moved"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=1000, blank=True)

    class Meta:
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["business_account", "to_tenant"],
                condition=Q(standing__in=("open", "moving")),
                name="transfer_one_open_case",
            ),
            # Two moves of one account at once would undo each other.
            models.UniqueConstraint(
                fields=["business_account"],
                condition=Q(standing="moving"),
                name="transfer_one_move_at_a_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["opened_at"],
                condition=Q(standing__in=("open", "moving")),
                name="transfer_under_way",
            ),
        ]
        permissions = [("decide_transfer", _("Can decide on transfers of accounts"))]
        verbose_name = _("transfer case")
        verbose_name_plural = _("transfer cases")

    def __str__(self) -> str:
        return f"{self.business_account}: {self.from_tenant} → {self.to_tenant}"
