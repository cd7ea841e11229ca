"""The onboarding app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OnboardingConfig(AppConfig):
    name = "onboarding"
    verbose_name = _("onboarding")

    def ready(self) -> None:
        from onboarding import checks  # noqa: F401
