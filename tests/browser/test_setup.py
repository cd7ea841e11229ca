"""The pages of the set-up and of tenants' files in a real browser: axe, a phone, the buttons."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tenants.models import User
from tests.browser.conftest import sign_in
from tests.browser.test_accessibility import faults

SETUP, IMPORT = "/admin/setup/", "/admin/tenants/tenant/import/"
OURS = ".setup, .sheet"


@pytest.fixture(params=[("light", 1280), ("dark", 360)], ids=["desk-light", "phone-dark"])
def page(
    request: pytest.FixtureRequest, browser: Browser, site: str, reviewer: User, client: Any
) -> Any:
    scheme, width = request.param
    context = browser.new_context(
        base_url=site, viewport={"width": width, "height": 740}, color_scheme=scheme
    )
    sign_in(context, reviewer, client)
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def ours(page: Page) -> list[str]:
    """What axe finds in our part of the page; the rest is the theme's."""
    inside = page.locator(OURS).inner_html()
    return [fault for fault in faults(page) if fault.partition(": ")[2][:40] in inside]


def test_the_setup_is_checked_ticked_and_fits(page: Page) -> None:
    page.goto(SETUP)
    page.click("text=Check now")
    expect(page.locator(".setup-counts")).to_be_visible()
    tick = page.locator("#item-app_live .setup-tick")
    expect(tick).to_have_attribute("aria-pressed", "false")
    tick.click()
    expect(tick).to_have_attribute("aria-pressed", "true")
    assert ours(page) == []
    width = page.viewport_size["width"]  # type: ignore[index]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_value_is_copied_by_its_button(page: Page, site: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site)
    page.goto(SETUP)
    button = page.locator("#item-redirect_return .setup-copy")
    button.click()
    expect(button).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#item-redirect_return code").inner_text()


def test_a_file_is_looked_at_and_fits(page: Page) -> None:
    page.goto(IMPORT)
    assert ours(page) == []
    text = b"slug,name,language\nnew-one,New One,en\nbad slug,A long name of a company,xx\n"
    page.set_input_files(
        "input[type=file]", {"name": "t.csv", "mimeType": "text/csv", "buffer": text}
    )
    page.select_option("select[name=format]", "0")
    page.click(".sheet-card .sheet-first")
    expect(page.locator(".sheet-refused").first).to_be_visible()
    expect(page.locator("text=is no language here")).to_be_in_viewport()
    assert ours(page) == []
    width = page.viewport_size["width"]  # type: ignore[index]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
