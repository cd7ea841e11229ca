"""Signup links in a real Chromium: whom one acts as, and the owners' page."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from onboarding import services
from onboarding.models import SignupLink
from tenants.models import Tenant, User
from tests.browser.conftest import sign_in, watched
from tests.browser.test_accessibility import faults as violations


@pytest.fixture
def foreign_link(site: str, other_tenant: Tenant) -> str:
    """The address of another company's link."""
    return f"{site}/s/{services.create_link(other_tenant)[1]}/"


def test_who_is_signed_in_and_opens_a_link_chooses_and_changes_back(
    page: Page, foreign_link: str
) -> None:
    page.goto(foreign_link)
    expect(page.locator("h1")).to_have_text("Whom do you act as?")
    assert violations(page) == []
    page.click("button[value=link]")
    expect(page.locator(".acting")).to_contain_text("Other Company")
    expect(page.locator(".lead")).to_contain_text("Other Company")
    assert violations(page) == []
    page.click("button[value=self]")
    expect(page.locator(".acting")).to_contain_text("owner@cakes.example")
    expect(page.locator(".lead")).to_contain_text("John's Cake Shop")
    assert page.faults == []  # type: ignore[attr-defined]


def test_the_token_stays_in_no_address_of_the_history(
    context: BrowserContext, link_address: str
) -> None:
    page = watched(context.new_page())
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.headers.get("referer", "")))
    page.goto(link_address)
    expect(page.locator("#choose")).to_be_visible()
    token = link_address.rstrip("/").rpartition("/")[2]
    assert token not in page.url
    assert not [referer for referer in asked if token in referer]
    page.click(".acting button")
    expect(page.locator("h1")).to_have_text("Bring your number to WhatsApp")


def test_a_guest_who_signs_in_in_the_same_browser_is_asked(
    context: BrowserContext, foreign_link: str, owner: User, client: Any
) -> None:
    page = context.new_page()
    page.goto(foreign_link)
    expect(page.locator(".acting")).to_contain_text("Other Company")
    sign_in(context, owner, client)
    page.goto("/connect/")
    expect(page.locator("h1")).to_have_text("Whom do you act as?")


def test_an_owner_makes_copies_and_ends_a_link(page: Page, site: str, tenant: Tenant) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site)
    page.goto("/company/cakes/links/")
    page.fill("[name=expected_number]", "+34 612 345 678")
    page.click("text=Make the link")
    expect(page.locator("#made-title")).to_be_focused()
    address = page.input_value("#address")
    page.click("#copy-address")
    expect(page.locator("#copied")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == address
    assert violations(page) == []
    page.goto("/company/cakes/links/")
    expect(page.locator("#address")).to_have_count(0)
    page.click(".links li summary")
    page.click(".links li form button")
    expect(page.locator("[role=status]").first).to_contain_text("has been ended")
    assert SignupLink.objects.get().is_revoked
    assert page.faults == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_the_pages_of_links_have_no_faults_and_fit_a_phone(
    browser: Browser, site: str, owner: User, client: Any, foreign_link: str, tenant: Tenant,
    scheme: Any, width: int,
) -> None:  # fmt: skip
    context = browser.new_context(
        base_url=site, viewport={"width": width, "height": 640}, color_scheme=scheme
    )
    sign_in(context, owner, client)
    page = context.new_page()
    services.create_link(tenant, email="john.of.the.very.long.address@cakes.example")
    old, _ = services.create_link(tenant, expected_number="+34612345678")
    services.revoke_link(old)

    def is_fine() -> None:
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.goto("/company/cakes/links/")
    is_fine()
    page.click("main summary")
    page.click("text=Make the link")
    is_fine()
    page.goto(foreign_link)
    is_fine()
    page.click("button[value=link]")
    expect(page.locator("#choose")).to_be_visible()
    is_fine()
    for link in SignupLink.objects.all():
        services.revoke_link(link)
    page.goto(foreign_link)
    expect(page.locator("h1")).to_have_text("This link has been ended")
    is_fine()
    context.close()


def test_who_hands_over_by_an_ended_link_is_told_so_and_a_newer_one_goes_on(
    context: BrowserContext, link_address: str, tenant: Tenant
) -> None:
    page = watched(context.new_page())
    page.goto(link_address)
    page.check("input[value=new]")
    with page.expect_popup() as popup:
        page.click("#launch")
    services.revoke_link(SignupLink.objects.get())
    popup.value.close()  # not "I closed it": the page may have told already, in that one's place
    told = page.locator("#trouble[data-kind=link-ended]")
    expect(told).to_contain_text("This link has been ended")
    expect(told).to_contain_text("What you handed over goes on")
    expect(told).to_contain_text("Ask whoever sent you the link for a new one")
    assert violations(page) == []
    newer = context.new_page()
    newer.goto(f"/s/{services.create_link(tenant)[1]}/")
    newer.close()
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator("#card[data-state=cancelled]")).to_be_visible()
    expect(page.locator("#trouble")).to_be_hidden()
    assert page.faults == []  # type: ignore[attr-defined]
