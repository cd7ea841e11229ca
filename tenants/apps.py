"""The tenants app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = _("tenants")

    def ready(self) -> None:
        from tenants import checks, second_factor  # noqa: F401 - they register themselves
