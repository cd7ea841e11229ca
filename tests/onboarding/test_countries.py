"""The countries where a number of the WhatsApp Business app cannot stay in it: a warning only."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import override

from onboarding import countries, services
from onboarding.models import SignupLink
from tenants.models import Tenant, User
from tests.conftest import pages_of

ALL = "Nigeria (+234) and South Africa (+27)"


def text(number: str = "") -> str:
    found = countries.notice(number)
    return found.text if found else ""


def test_the_countries_are_named_with_their_codes(settings: Any) -> None:
    settings.COEXISTENCE_COUNTRIES_OUT = ["NG", "ZA"]
    assert ALL in text()
    notice = countries.notice()
    assert notice is not None
    assert not notice.is_certain


@pytest.mark.parametrize(
    ("language", "named"),
    [
        ("zh-hans", "尼日利亚 (+234)和南非 (+27)"),
        ("es", "Nigeria (+234) y Sudáfrica (+27)"),
        ("pt-br", "Nigéria (+234) e África do Sul (+27)"),
        ("id", "Nigeria (+234) dan Afrika Selatan (+27)"),
        ("ar", "نيجيريا"),
    ],
)
def test_the_names_are_those_of_the_readers_language(language: str, named: str) -> None:
    with override(language):
        assert named in countries.names(["NG", "ZA"])


def test_the_agreed_number_of_such_a_country_is_told_with_its_name(settings: Any) -> None:
    settings.COEXISTENCE_COUNTRIES_OUT = ["NG", "ZA"]
    notice = countries.notice("+27821234567")
    assert notice is not None
    assert notice.is_certain
    assert "South Africa" in notice.text
    assert "Nigeria" not in notice.text


def test_an_agreed_number_from_elsewhere_is_not_warned_about(settings: Any) -> None:
    settings.COEXISTENCE_COUNTRIES_OUT = ["NG", "ZA"]
    assert text("+34612345678") == ""


@pytest.mark.parametrize("number", ["", "nonsense", "+999"])
def test_a_number_of_no_country_is_warned_in_general(settings: Any, number: str) -> None:
    settings.COEXISTENCE_COUNTRIES_OUT = ["NG"]
    assert "Nigeria (+234)" in text(number)


def test_an_empty_list_says_nothing(settings: Any) -> None:
    settings.COEXISTENCE_COUNTRIES_OUT = []
    assert countries.notice("+2348031234567") is None


def test_the_page_has_the_notice_for_numbers_of_the_app_only(owner: User, tenant: Tenant) -> None:
    page = pages_of(owner).get("/connect/").content.decode()
    assert ALL in page
    notice = page[page.index('id="country"') :]
    assert notice.startswith('id="country" data-for="app" hidden')


def test_a_guests_page_knows_the_agreed_number(client: Any, tenant: Tenant) -> None:
    _, token = services.create_link(tenant, expected_number="+2348031234567")
    assert SignupLink.objects.get().expected_number == "+2348031234567"
    client.get(f"/s/{token}/")
    assert "The agreed number is from Nigeria" in client.get("/connect/").content.decode()
