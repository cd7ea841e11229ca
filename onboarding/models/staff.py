"""What is there for the partner's staff alone: notes, and the words that the desk searches by."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from onboarding.models.account import PhoneNumber, WhatsAppBusinessAccount
from onboarding.models.onboarding import Onboarding
from tenants.models import Tenant


class StaffNote(models.Model):
    """What one member of staff tells the others. No tenant ever sees one (it is not `TenantOwned`).

    It is erased with its onboarding.
    """

    onboarding = models.ForeignKey(Onboarding, on_delete=models.CASCADE, related_name="staff_notes")
    author = models.CharField(_("author"), max_length=150)
    text = models.CharField(_("text"), max_length=2000)
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["onboarding", "at"], name="staff_note_timeline")]
        verbose_name = _("staff note")
        verbose_name_plural = _("staff notes")

    def __str__(self) -> str:
        return f"{self.author}, {self.at:%Y-%m-%d}"


class SearchWord(models.Model):
    """One word of a name, in lower case; written by triggers (migration 0011), read by `search.py`.

    Of a tenant (neither account nor number), of an account, or of a number's display name.

    Behind the wall PostgreSQL uses an index only for comparisons that can leak nothing: `=`, `<`
    and `>=`, but neither LIKE nor `lower()`. So the words are kept as they are compared, and in the
    collation "C", where a prefix is a range.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(
        WhatsAppBusinessAccount, on_delete=models.CASCADE, null=True, related_name="+"
    )
    number = models.ForeignKey(PhoneNumber, on_delete=models.CASCADE, null=True, related_name="+")
    word = models.CharField(max_length=100, db_collation="C")

    class Meta:
        indexes = [models.Index(fields=["word"], name="search_word")]
        verbose_name = _("search word")
        verbose_name_plural = _("search words")

    def __str__(self) -> str:
        return self.word
