"""Ways back in a real Chromium: reconnect a number that was lost, look for a lost account."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from onboarding import transitions
from onboarding.models import Onboarding, PhoneNumber
from tests.browser.conftest import Signup
from tests.browser.test_accessibility import faults as violations
from tests.conftest import Sandbox


@pytest.fixture
def lost(signup: Signup) -> PhoneNumber:
    """A number that was connected and then offboarded, on its page."""
    signup.goes_through()
    signup.sees("connected")
    number = PhoneNumber.objects.get()
    number.health, number.health_since = "number_offboarded", timezone.now()
    number.save()
    transitions.facts_changed(number=number)
    return number


def test_a_lost_number_is_reconnected_through_the_window(
    signup: Signup, sandbox: Sandbox, lost: PhoneNumber
) -> None:
    page = signup.page
    sandbox.act("offboard", phone_number_id=lost.phone_number_id)
    page.reload()
    expect(page.locator("#card-title")).to_have_text("This number is no longer connected to us")
    assert violations(page) == []
    sandbox.next("second_tenant")
    page.click("[data-act=reconnect]")
    expect(page.locator("#ready-number")).to_contain_text("+34")
    expect(page.locator("#launch-ready")).to_be_enabled()
    assert violations(page) == []
    with page.expect_popup() as popup:
        page.click("#launch-ready")
    signup.finishes(popup.value)
    signup.sees("connected")
    expect(page.locator("#card-title")).to_have_text("Your number is connected")
    assert Onboarding.objects.filter(state="connected", number=lost).count() == 2
    assert page.faults == []  # type: ignore[attr-defined]


@pytest.mark.usefixtures("lost")
def test_a_reconnection_whose_window_was_closed_is_begun_again_for_the_same_number(
    signup: Signup, sandbox: Sandbox
) -> None:
    page = signup.page
    page.reload()
    page.click("[data-act=reconnect]")
    sandbox.next("cancel")
    with page.expect_popup() as popup:
        page.click("#launch-ready")
    window = popup.value
    signup.ends(window, "cancel")
    signup.sees("cancelled")
    page.click("[data-act=launch]")
    expect(page.locator("#launch-ready")).to_be_enabled()
    expect(page.locator("#ready-number")).to_contain_text("+34")
    row = Onboarding.objects.exclude(expected_number="").get()
    assert row.state == "started"


def test_a_customer_whose_confirmation_was_lost_can_look_for_the_account(
    signup: Signup, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onboarding.steps.gates.JOIN", timedelta(seconds=1))
    sandbox.next("nothing")
    page = signup.page
    signup.finishes(signup.launches())
    signup.sees("cancelled")
    page.click("[data-act=search]")
    expect(page.locator("#card[data-reason=account_not_found]")).to_be_visible()
    expect(page.locator("[data-act=launch]")).to_be_visible()
    assert violations(page) == []
