"""The switch of languages: by hand, by keyboard, without a script, on the smallest phone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tenants.models import User
from tests.browser.conftest import sign_in
from tests.browser.test_accessibility import faults

MENU = "details.languages"


def lang(page: Page) -> str | None:
    return page.locator("html").get_attribute("lang")


def test_it_changes_this_page_and_the_profile(page: Page, owner: User) -> None:
    page.goto("/accounts/")
    page.click(f"{MENU} summary")
    page.get_by_role("button", name="العربية").click()
    expect(page.locator("html[dir=rtl]")).to_be_visible()
    assert page.url.endswith("/accounts/")
    owner.refresh_from_db()
    assert owner.language == "ar"


def test_it_works_by_keyboard_alone(page: Page) -> None:
    page.goto("/accounts/")
    page.locator(f"{MENU} summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("html[lang=zh-Hans]")).to_be_visible()


def test_it_closes_by_escape_and_by_a_click_elsewhere(page: Page) -> None:
    page.goto("/accounts/")
    opened = page.locator(f"{MENU}[open]")
    page.click(f"{MENU} summary")
    page.keyboard.press("Escape")
    expect(opened).to_have_count(0)
    expect(page.locator(f"{MENU} summary")).to_be_focused()
    page.keyboard.press("Enter")
    expect(opened).to_have_count(1)
    page.click("h1", position={"x": 4, "y": 4})  # its middle may lie under the list
    expect(opened).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("width", [320, 1280])
def test_a_guest_without_a_script_has_it_too_and_it_fits(
    browser: Browser, link_address: str, width: int, language: str
) -> None:
    context = browser.new_context(
        java_script_enabled=False, viewport={"width": width, "height": 640}, locale=language
    )
    page = context.new_page()
    page.goto(link_address)
    assert lang(page) == language
    page.click(f"{MENU} summary")
    box = page.locator(f"{MENU} ul").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    page.get_by_role("button", name="Español").click()
    assert lang(page) == "es"
    context.close()


@pytest.mark.parametrize(("scheme", "width"), [("dark", 320), ("light", 1280)])
def test_the_open_switch_has_no_faults(
    browser: Browser, site: str, owner: User, client: Any, scheme: Any, width: int
) -> None:
    context = browser.new_context(
        base_url=site, viewport={"width": width, "height": 640}, color_scheme=scheme, locale="ar"
    )
    sign_in(context, owner, client)
    page = context.new_page()
    page.goto("/accounts/")
    brand, switch = (page.locator(part).bounding_box() for part in (".brand", MENU))
    assert brand
    assert switch
    assert switch["x"] + switch["width"] <= brand["x"]  # Arabic: the brand is on the right
    page.click(f"{MENU} summary")
    assert faults(page) == []
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide
    context.close()
