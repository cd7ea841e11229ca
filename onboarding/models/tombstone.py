"""What is left of an erased tenant's WABAs and numbers: keyed hashes of their ids."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from onboarding.models.fields import SealedTextField


class Tombstone(models.Model):
    """One id that was erased. It tells that YCloud's later events about it are not ours."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("erased"), auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("tombstone")
        verbose_name_plural = _("tombstones")

    def __str__(self) -> str:
        return self.digest[:12]


class TombstoneKey(models.Model):
    """The one random key of all digests, encrypted: an id has few digits, so a hash alone hides
    nothing. Rotating FIELD_ENCRYPTION_KEYS leaves the key, and with it the digests, as they are.
    """

    key = SealedTextField(editable=False)
    created_at = models.DateTimeField(_("made"), auto_now_add=True)

    class Meta:
        verbose_name = _("tombstone key")
        verbose_name_plural = _("tombstone keys")

    def __str__(self) -> str:
        return str(_("tombstone key"))
