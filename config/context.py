"""What every template knows: whose pages these are."""

from django.conf import settings
from django.http import HttpRequest

from onboarding.doctor.partner import NOBODYS


def partner(request: HttpRequest) -> dict[str, object]:
    """The partner's name and logo, and whether strangers may create an account."""
    return {
        "partner": {
            "name": settings.PARTNER_NAME,
            "logo": settings.PARTNER_LOGO,
            "is_named": settings.PARTNER_NAME != NOBODYS,
        },
        "signup_is_open": settings.TENANT_SELF_SIGNUP,
    }
