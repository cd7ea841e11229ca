"""What Meta's window is filled in with: `extras.setup.business` and `.phone`, where a tenant's flag
says so (Meta, pre-filled-data page, Nov 2026). The customer sees all of it and can change it there.
"""

from __future__ import annotations

from typing import Any

from babel import Locale
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _

from tenants.models import Tenant
from tenants.models.prefill import PREFILL

NEEDED = ("name", "email", "website", "country")
"""Meta fills a new portfolio in only where all of these are there; so nothing less is sent."""

_ADDRESS = {
    "streetAddress1": "street_1", "streetAddress2": "street_2", "city": "city", "state": "state",
    "zipPostal": "postal_code", "country": "country",
}  # fmt: skip
_PHONE = {"displayName": "display_name", "category": "category", "description": "description"}


def setup_of(tenant: Tenant) -> dict[str, Any]:
    """The keys of `extras.setup` for this tenant; {} where its flag is off."""
    if not tenant.prefill:
        return {}
    found = {"business": _business(tenant), "phone": _picked(tenant, _PHONE)}
    return {name: told for name, told in found.items() if told}


def shown(tenant: Tenant) -> list[dict[str, Any]]:
    """What is filled in, for the customer to read: `label`, `value`, and whether it runs ltr."""
    setup = setup_of(tenant)
    labels = {field.name: field.verbose_name for field in Tenant._meta.concrete_fields}
    names = [name for name in PREFILL if getattr(tenant, name) and _is_sent(name, setup)]
    return [
        {
            "label": _("phone") if name == "prefill_phone_number" else labels[name],
            "value": _words(tenant, name),
            "ltr": name in _LTR,
        }
        for name in names
    ]


_LTR = ("prefill_email", "prefill_website", "prefill_phone_number")


def _is_sent(name: str, setup: dict[str, Any]) -> bool:
    """The phone's country code stands with its number."""
    if name.removeprefix("prefill_") in _PHONE.values():
        return "phone" in setup
    business = setup.get("business", {})
    if name in ("prefill_phone_code", "prefill_phone_number"):
        return name == "prefill_phone_number" and "phone" in business
    return bool(business)


def _words(tenant: Tenant, name: str) -> str:
    if name == "prefill_category":
        return str(tenant.get_prefill_category_display())
    if name == "prefill_country":
        names = Locale.parse(to_locale(get_language() or "en")).territories
        return str(names.get(tenant.prefill_country, tenant.prefill_country))
    if name == "prefill_phone_number":
        return f"+{tenant.prefill_phone_code} {tenant.prefill_phone_number}"
    return str(getattr(tenant, name))


def _business(tenant: Tenant) -> dict[str, Any]:
    if not all(getattr(tenant, f"prefill_{name}") for name in NEEDED):
        return {}
    told: dict[str, Any] = {
        **_picked(tenant, {"name": "name", "email": "email", "website": "website"}),
        "address": _picked(tenant, _ADDRESS),
        **_picked(tenant, {"timezone": "timezone"}),
    }
    if tenant.prefill_phone_code and tenant.prefill_phone_number:
        # The code is a number in Meta's sample, the number a text.
        code = int(tenant.prefill_phone_code)
        told["phone"] = {"code": code, "number": tenant.prefill_phone_number}
    return told


def _picked(tenant: Tenant, names: dict[str, str]) -> dict[str, str]:
    found = {key: getattr(tenant, f"prefill_{name}") for key, name in names.items()}
    return {key: value for key, value in found.items() if value}
