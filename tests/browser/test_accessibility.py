"""axe finds nothing on any page, in light and dark, on a phone and on a desk."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect

from tenants.models import User
from tests.browser.conftest import Signup, sign_in
from tests.conftest import Sandbox

# A button that has just been allowed has, for a moment, neither the old colour nor the new one.
SETTLED = """async () => { await Promise.allSettled(document.getAnimations()
  .filter((each) => Number.isFinite(each.effect.getComputedTiming().endTime))
  .map((each) => each.finished)) }"""


# All rules that axe has switched on; what is right of a page is not carried over here to be read.
RUN = """async () => (await axe.run({resultTypes: ["violations"]})).violations.flatMap(
  (found) => found.nodes.map((node) => `${found.id}: ${node.html}`))"""


def faults(page: Page) -> list[str]:
    """What axe finds, once nothing changes its colour any more."""
    page.evaluate(SETTLED)
    if page.evaluate("!window.axe"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(RUN)
    return found


@pytest.fixture(params=[("light", 1280), ("dark", 360)], ids=["desk-light", "phone-dark"])
def page(
    request: pytest.FixtureRequest, browser: Browser, site: str, owner: User, client: Any
) -> Any:
    scheme, width = request.param
    context = browser.new_context(
        base_url=site, viewport={"width": width, "height": 640}, color_scheme=scheme
    )
    sign_in(context, owner, client)
    # The policy would keep axe's own script out.
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def test_the_question_and_the_open_window_have_no_faults(page: Page) -> None:
    signup = Signup(page)
    signup.chooses()
    assert faults(page) == []
    with page.expect_popup() as popup:
        page.click("#launch")
    expect(page.locator("#window")).to_be_visible()
    assert faults(page) == []
    expect(popup.value.locator("h1")).not_to_be_empty()
    assert faults(popup.value) == []


@pytest.mark.parametrize("scenario", ["approve", "payment_missing", "several_numbers", "banned"])
def test_each_kind_of_card_has_no_faults(page: Page, sandbox: Sandbox, scenario: str) -> None:
    sandbox.next(scenario)
    Signup(page).goes_through()
    expect(page.locator("#card[data-stop], #card[data-state=connected]")).to_be_visible()
    assert faults(page) == []


@pytest.mark.parametrize("address", ["/accounts/login/", "/s/unknown/", "/nowhere/", "/"])
def test_the_other_pages_have_no_faults(page: Page, address: str) -> None:
    page.context.clear_cookies()
    page.goto(address)
    assert faults(page) == []


@pytest.mark.parametrize("address", ["/connect/?new", "/accounts/login/"])
def test_nothing_is_wider_than_a_phone(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
