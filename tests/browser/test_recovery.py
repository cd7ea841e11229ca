"""Ways back in a real Chromium: reconnect a number that was lost, look for a lost account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from onboarding import services, transitions
from onboarding.models import Onboarding, PhoneNumber
from onboarding.progress import words
from tenants.models import Tenant, User
from tests.browser.conftest import Signup, sign_in
from tests.browser.test_accessibility import faults as violations
from tests.conftest import Sandbox
from tests.onboarding.card_states import planted


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


def walks(window: Page, *, number: str = "", typed: str = "") -> None:
    """Through the window's screens, choosing a number that is there or typing one."""
    expect(window.locator("h1")).not_to_be_empty()
    while not window.locator("#which").is_visible():
        window.click("[data-test=next]")
    if number:
        window.select_option("[data-test=number]", number)
        expect(window.locator("[data-test=typed]")).to_be_hidden()
    else:
        window.fill("[data-test=typed]", typed)


def test_the_lost_number_is_chosen_in_the_window_among_those_that_are_there(
    signup: Signup, sandbox: Sandbox, lost: PhoneNumber
) -> None:
    page = signup.page
    sandbox.act("offboard", phone_number_id=lost.phone_number_id)
    page.reload()
    page.click("[data-act=reconnect]")
    expect(page.locator("#launch-ready")).to_be_enabled()
    with page.expect_popup() as popup:
        page.click("#launch-ready")
    walks(popup.value, number=lost.phone_number_id)
    signup.finishes(popup.value)
    signup.sees("connected")
    assert Onboarding.objects.filter(state="connected", number=lost).count() == 2


def test_the_agreed_number_is_brought_after_another_one_was_chosen(
    signup: Signup, owner: User, tenant: Tenant
) -> None:
    page = signup.page
    row = planted(tenant, "wrong_number", started_by=owner)
    page.goto(f"/connect/?onboarding={row.public_id}")
    page.click("button:has-text('Start again with the right number')")
    expect(page.locator("#launch-ready")).to_be_enabled()
    with page.expect_popup() as popup:
        page.click("#launch-ready")
    walks(popup.value, typed="+34 612 34 56 78")
    signup.finishes(popup.value)
    signup.sees("connected")
    row.refresh_from_db()
    assert (row.state, row.number and row.number.e164) == ("connected", "+34612345678")


def test_an_open_page_of_a_connected_number_learns_that_it_was_lost(
    signup: Signup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "CONNECTED_SECONDS", 1)
    signup.goes_through()
    signup.sees("connected")
    number = PhoneNumber.objects.get()
    number.health, number.health_since = "number_offboarded", timezone.now()
    number.save()
    transitions.facts_changed(number=number)
    expect(signup.page.locator("#card-title")).to_have_text(
        "This number is no longer connected to us"
    )


def test_without_javascript_the_card_is_read_anew_by_a_link(
    browser: Browser, site: str, owner: User, tenant: Tenant, client: Any
) -> None:
    context = browser.new_context(base_url=site, java_script_enabled=False)
    sign_in(context, owner, client)
    page = context.new_page()
    row = planted(tenant, "review", started_by=owner)
    page.goto(f"/connect/?onboarding={row.public_id}")
    expect(page.locator("noscript .note.act")).to_have_count(0)
    Onboarding.objects.filter(pk=row.pk).update(state="cancelled", reason="withdrawn")
    page.click("noscript a")
    expect(page.locator("#card[data-state=cancelled]")).to_be_visible()
    expect(page.locator("noscript .note.act")).to_be_visible()
    context.close()


def test_a_guest_whose_link_is_ended_on_the_way_is_told_so(
    page: Page, client: Any, tenant: Tenant
) -> None:
    link, token = services.create_link(tenant)
    page.context.clear_cookies()
    page.goto(f"/s/{token}/")
    row = planted(tenant, "payment", link=link)
    page.goto(f"/connect/?onboarding={row.public_id}")
    services.revoke_link(link)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#trouble[data-kind=link-ended]")).to_contain_text("Ask whoever sent you")
    expect(page.locator("#trouble h2")).to_be_focused()
    page.click("[data-act=resume]")
    expect(page.locator("#trouble[data-kind=link-ended]")).to_be_visible()
    expect(page.locator("#card-trouble")).to_be_empty()
    with page.expect_response(lambda answer: answer.url.endswith("/card/")):
        page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#trouble[data-kind=link-ended]")).to_be_visible()
    expect(page.locator("#card-trouble")).to_be_empty()
    page.reload()
    expect(page.locator("h1")).to_have_text("This link has been ended")
