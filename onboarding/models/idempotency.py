"""The answer to a POST that came with an `Idempotency-Key`, kept for a day."""

from datetime import timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from onboarding.models.fields import SealedTextField

LIFE = timedelta(hours=24)


class IdempotentAnswer(models.Model):
    """Written in the transaction of the act itself: neither is there without the other.

    The body is sealed, because an answer may hold a secret that is shown once (a signup link).
    """

    asker = models.CharField(_("asker"), max_length=40)
    key = models.CharField(_("key"), max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(_("status"))
    body = SealedTextField(editable=False)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["asker", "key"], name="idempotent_answer_once"),
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotent_answer_old")]
        verbose_name = _("kept answer")
        verbose_name_plural = _("kept answers")

    def __str__(self) -> str:
        return f"{self.asker}: {self.key}"
