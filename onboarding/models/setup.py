"""What only a person can see in the consoles of Meta and YCloud, ticked off by hand."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class SetupTick(models.Model):
    """One thing of `doctor`'s list that somebody looked at and found right; of no tenant."""

    code = models.CharField(_("what"), max_length=60, unique=True)
    ticked_at = models.DateTimeField(_("ticked"), auto_now_add=True)
    ticked_by = models.CharField(_("by"), max_length=150)

    class Meta:
        default_permissions = ()
        permissions = [
            ("view_setup", _("Can see how the installation is set up")),
            ("change_setup", _("Can tick off the set-up and install the webhook")),
        ]
        verbose_name = _("set-up tick")
        verbose_name_plural = _("set-up ticks")

    def __str__(self) -> str:
        return self.code
