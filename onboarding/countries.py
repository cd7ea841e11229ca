"""Where Meta does not connect a number that stays in the WhatsApp Business app.

Meta publishes no list; it only refuses (error 3441042). YCloud's help centre and other providers
name Nigeria and South Africa (read Nov 2026), so the list is a setting: it warns, never blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
from babel import Locale
from babel.lists import format_list
from django.conf import settings
from django.utils.translation import get_language, gettext, to_locale


@dataclass(frozen=True, slots=True)
class Notice:
    """What the page says of these countries; `is_certain`: the agreed number is from one."""

    text: str
    is_certain: bool = False


def notice(expected_number: str = "") -> Notice | None:
    """The notice for the language of the request; None where no country is left out."""
    left_out = settings.COEXISTENCE_COUNTRIES_OUT
    if not left_out:
        return None
    region = region_of(expected_number)
    if region in left_out:
        said = gettext(
            "The agreed number is from %(country)s. As far as we know Meta does not connect a "
            "number of the WhatsApp Business app there. You can try; if Meta refuses, ask your "
            "partner for another way."
        )
        return Notice(said % {"country": name(region)}, is_certain=True)
    if region:
        return None  # one certain number, from somewhere else
    said = gettext(
        "Meta does not connect a number of the WhatsApp Business app in every country. As far as "
        "we know it leaves out: %(countries)s. You can try all the same."
    )
    return Notice(said % {"countries": names(left_out)})


def region_of(e164: str) -> str:
    """The country of a number, "" when there is none or nobody can tell."""
    try:
        found = phonenumbers.region_code_for_number(phonenumbers.parse(e164))
    except phonenumbers.NumberParseException:
        return ""
    return found or ""


def name(region: str) -> str:
    """A country's name in the language of the request, with its calling code."""
    known = _locale().territories.get(region, region)
    return gettext("%(country)s (+%(code)s)") % {
        "country": known,
        "code": phonenumbers.country_code_for_region(region),
    }


def names(regions: list[str]) -> str:
    """Several countries as the language lists them."""
    return str(format_list([name(each) for each in regions], locale=_locale()))


def _locale() -> Locale:
    return Locale.parse(to_locale(get_language() or "en"))
