"""What else is due, on the card, in a real Chromium: folded, readable, kept open, no faults."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from onboarding import transitions
from onboarding.models import PhoneNumber
from tests.browser.conftest import Signup
from tests.browser.test_accessibility import faults
from tests.browser.test_accessibility import page as page_in_both_schemes
from tests.conftest import Sandbox

schemes = page_in_both_schemes


@pytest.fixture
def page(schemes: Page) -> Page:
    return schemes


@pytest.fixture
def restricted(page: Page, sandbox: Sandbox) -> Page:
    """A connected number whose account may not start conversations for a week."""
    sandbox.next("restricted")
    signup = Signup(page)
    signup.goes_through()
    signup.sees("connected")
    return page


def test_a_connected_card_tells_what_has_stopped_and_has_no_faults(restricted: Page) -> None:
    title = restricted.locator("#also-account_restricted_starting > summary")
    expect(restricted.locator("#card-title")).to_have_text("Your number is connected")
    expect(title).to_contain_text("stopped")
    title.click()
    expect(restricted.locator(".also .who")).to_contain_text("ends in 7 days")
    assert faults(restricted) == []
    restricted.set_viewport_size({"width": 320, "height": 640})
    assert restricted.evaluate("document.documentElement.scrollWidth") <= 320


def test_what_somebody_reads_stays_open_when_the_card_changes(restricted: Page) -> None:
    summary = restricted.locator("#also-account_restricted_starting > summary")
    summary.focus()
    restricted.keyboard.press("Enter")
    PhoneNumber.objects.update(name_status="DECLINED")
    transitions.facts_changed(number=PhoneNumber.objects.get())
    restricted.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(restricted.locator("#also-name_declined")).to_be_visible()
    expect(restricted.locator("#also-account_restricted_starting")).to_have_attribute("open", "")
    expect(summary).to_be_focused()


def test_a_waiting_card_tells_what_else_is_due(page: Page, sandbox: Sandbox) -> None:
    sandbox.next("payment_missing", number={"nameStatus": "DECLINED"})
    signup = Signup(page)
    signup.goes_through()
    signup.sees("awaiting_payment")
    expect(page.locator("#card-title")).to_have_text("The payment method is not attached yet")
    expect(page.locator("#also-name_declined > summary")).to_contain_text("to do")
    assert faults(page) == []
