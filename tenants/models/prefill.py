"""What a partner knows of a company and may have filled in in Meta's window, where it says so.

It goes to the customer's browser and from there to Meta, so it is off unless the tenant's own flag
is on (docs/page.md, "Prefill").
"""

from __future__ import annotations

from typing import Any

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


def known_country(code: str) -> None:
    """A validator: a country's two letters (ISO 3166). Raises ValidationError."""
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise ValidationError(_("“%(code)s” is no country here."), params={"code": code})


COUNTRY_CODE = RegexValidator(r"\A[1-9][0-9]{0,2}\Z", _("Write the digits alone, such as 34."))
DIGITS = RegexValidator(r"\A[0-9]{4,14}\Z", _("Write the digits alone."))
OFFSET = RegexValidator(r"\AUTC[+-](0[0-9]|1[0-4]):(00|15|30|45)\Z", _("Write it like UTC-07:00."))
WEB = URLValidator(schemes=["http", "https"])


class Category(models.TextChoices):
    """Meta's own list (Business profile, `vertical`)."""

    AUTO = "AUTO", _("cars")
    BEAUTY = "BEAUTY", _("beauty and wellness")
    APPAREL = "APPAREL", _("clothing")
    EDU = "EDU", _("education")
    ENTERTAIN = "ENTERTAIN", _("entertainment")
    EVENT_PLAN = "EVENT_PLAN", _("event planning")
    FINANCE = "FINANCE", _("finance")
    GROCERY = "GROCERY", _("groceries")
    GOVT = "GOVT", _("public service")
    HOTEL = "HOTEL", _("hotels")
    HEALTH = "HEALTH", _("health")
    NONPROFIT = "NONPROFIT", _("non-profit")
    PROF_SERVICES = "PROF_SERVICES", _("professional services")
    RETAIL = "RETAIL", _("shops")
    TRAVEL = "TRAVEL", _("travel")
    RESTAURANT = "RESTAURANT", _("restaurants")
    OTHER = "OTHER", _("other")


def _text(label: Any, most: int, **more: Any) -> models.CharField[str, str]:
    return models.CharField(label, max_length=most, blank=True, default="", db_default="", **more)


class Prefilled(models.Model):
    """The columns of `Tenant` for it. Meta's limits: pre-filled-data page, Nov 2026."""

    prefill = models.BooleanField(
        _("fill Meta's window in"), default=False, db_default=False,
        help_text=_(
            "Sends what stands below to the customer's browser and to Meta, each time Meta's "
            "window is opened. Only with the customer's consent."
        ),
    )  # fmt: skip
    prefill_name = _text(_("legal name"), 100)
    prefill_email = models.EmailField(_("e-mail"), blank=True, default="", db_default="")
    prefill_website = _text(_("website"), 200, validators=[WEB])
    prefill_country = _text(
        _("country"), 2, validators=[known_country], help_text=_("Two letters, such as ES.")
    )
    prefill_street_1 = _text(_("street"), 200)
    prefill_street_2 = _text(_("street, second line"), 200)
    prefill_city = _text(_("city"), 100)
    prefill_state = _text(_("state or province"), 100)
    prefill_postal_code = _text(_("postal code"), 20)
    prefill_phone_code = _text(_("phone: country code"), 3, validators=[COUNTRY_CODE])
    prefill_phone_number = _text(_("phone: number"), 14, validators=[DIGITS])
    prefill_timezone = _text(
        _("time zone"), 9, validators=[OFFSET], help_text=_("Such as UTC-07:00.")
    )
    prefill_display_name = _text(_("name shown in WhatsApp"), 100)
    prefill_category = _text(_("line of business"), 20, choices=Category)
    prefill_description = _text(_("description"), 512)

    class Meta:
        abstract = True


PREFILL = tuple(
    field.name for field in Prefilled._meta.local_fields if field.name.startswith("prefill_")
)
"""The columns with data; each names the company or a person."""
