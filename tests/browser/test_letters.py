"""News by e-mail in a real browser: asked for on the card, confirmed and ended by a button."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from playwright.sync_api import Browser, Page, expect

from onboarding import mail_addresses, tasks, transitions
from onboarding.models import MailAddress, Onboarding
from onboarding.states import State
from tenants.models import User
from tests.browser.conftest import sign_in, watched
from tests.browser.test_accessibility import faults as violations

EMAIL = "guest@cakes.example"
WINDOWS = [("light", 1280), ("dark", 360)]


@pytest.fixture(params=WINDOWS, ids=["desk-light", "phone-dark"])
def guest(request: pytest.FixtureRequest, browser: Browser, site: str, link_address: str) -> Any:
    """A guest's browser, in which the link was opened."""
    scheme, width = request.param
    context = browser.new_context(
        base_url=site, viewport={"width": width, "height": 800}, color_scheme=scheme
    )
    page = watched(context.new_page())
    page.goto(link_address)
    yield page
    context.close()


@pytest.fixture
def waits(guest: Page) -> Onboarding:
    """The guest's attempt waits for a number, and its card is shown."""
    token = guest.context.request.get("/api/v1/csrf/").json()["csrfToken"]
    made = guest.context.request.post(
        "/api/v1/onboardings/", data={"connection_mode": "business_platform"},
        headers={"X-CSRFToken": token},
    ).json()  # fmt: skip
    row = Onboarding.objects.get(public_id=made["id"])
    transitions.move(row, State.SIGNED_UP, actor="link")
    transitions.move(row, State.AWAITING_NUMBER, actor="worker", reason="number_not_verified")
    guest.goto(f"/connect/?onboarding={row.public_id}")
    expect(guest.locator("#tell-email")).to_be_visible()
    return row


def faults(page: Page) -> list[str]:
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return violations(page) + ([f"{wide} px too wide"] if wide > 0 else [])


def link_of(word: str) -> str:
    address = rf"{re.escape(settings.SITE_URL)}(/mail/{word}/\S+)"
    found = re.search(address, str(mail.outbox[-1].body))
    assert found
    return found[1]


def test_a_guest_asks_confirms_and_ends_it_again(guest: Page, waits: Onboarding) -> None:
    assert faults(guest) == []
    guest.fill("#tell-email", EMAIL)
    guest.press("#tell-email", "Enter")
    expect(guest.locator("[data-told=asked]")).to_contain_text("g•••@cakes.example")
    expect(guest.locator("#announce")).to_contain_text("A letter is on its way")
    expect(guest.locator("#tell-email")).to_have_value("")
    assert tasks.send_notices() == 1
    expect(guest.locator("[data-told=sent]")).to_be_visible()
    assert faults(guest) == []
    other = watched(guest.context.new_page())
    other.goto(link_of("confirm"))
    assert other.url.endswith("/mail/confirm/")
    assert faults(other) == []
    other.click("text=Confirm this address")
    expect(other.locator("h1")).to_have_text("Your address is confirmed")
    expect(guest.locator("[data-told=confirmed]")).to_be_visible()
    other.goto(link_of("stop"))
    assert faults(other) == []
    other.click("text=Send no more")
    expect(other.locator("h1")).to_have_text("We write no more")
    expect(guest.locator("[data-told=off]")).to_be_visible()
    assert guest.faults + other.faults == []  # type: ignore[attr-defined]


def test_what_is_being_typed_outlives_a_fresh_card(guest: Page, waits: Onboarding) -> None:
    guest.fill("#tell-email", "half@typ")
    MailAddress.objects.create(tenant=waits.tenant, onboarding=waits, email="other@x.example")
    mail_addresses.shown_anew(waits.pk)
    expect(guest.locator("[data-told=asked]")).to_be_visible()
    expect(guest.locator("#tell-email")).to_have_value("half@typ")
    expect(guest.locator("#tell-email")).to_be_focused()


def test_a_refusal_is_told_and_the_address_stays_in_the_field(
    guest: Page, waits: Onboarding
) -> None:
    guest.fill("#tell-email", "a@b")  # good enough for the browser
    guest.click(".tell-form button")
    expect(guest.locator("#tell-wrong")).to_contain_text("valid email address")
    expect(guest.locator("#tell-email")).to_have_value("a@b")
    assert mail.outbox == []


@pytest.mark.parametrize(("scheme", "width"), WINDOWS)
def test_the_page_of_ones_letters_and_the_preview_have_no_faults(
    browser: Browser, site: str, reviewer: User, client: Any, scheme: Any, width: int
) -> None:
    context = browser.new_context(
        base_url=site, viewport={"width": width, "height": 800}, color_scheme=scheme
    )
    sign_in(context, reviewer, client)
    page = watched(context.new_page())
    page.goto("/accounts/letters/")
    assert faults(page) == []
    page.goto("/admin/mails/?kind=several&language=ar")
    letter = page.frame_locator("iframe").locator("html")
    expect(letter).to_have_attribute("dir", "rtl")
    expect(letter.locator("h1")).to_be_visible()
    assert page.faults == []  # type: ignore[attr-defined]
    context.close()
