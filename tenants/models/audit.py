"""What staff, keys and owners did: one row an act, written once and never changed."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """Append-only: PostgreSQL refuses UPDATE and DELETE for every role (migration 0002).

    It has no foreign keys, so that erasing a tenant or a user leaves it as it was written; it
    names them by keys and slugs, never by a person's or a company's name.
    """

    actor = models.CharField(_("who"), max_length=150)
    act = models.CharField(_("act"), max_length=60)
    tenant_slug = models.CharField(_("tenant"), max_length=80, blank=True)
    target_type = models.CharField(_("kind"), max_length=60, blank=True)
    target_id = models.CharField(_("target"), max_length=80, blank=True)
    before = models.JSONField(_("before"), default=dict, blank=True)
    after = models.JSONField(_("after"), default=dict, blank=True)
    request_id = models.CharField(_("request id"), max_length=64, blank=True)
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["target_type", "target_id", "-at"], name="audit_of_target"),
            models.Index(fields=["tenant_slug", "-at"], name="audit_of_tenant"),
        ]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")

    def __str__(self) -> str:
        return f"{self.actor}: {self.act} {self.target_type} {self.target_id}"
