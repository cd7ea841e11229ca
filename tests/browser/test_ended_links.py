"""A guest whose link is ended, or replaced, while Meta's window is open: told, and nothing lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import APIResponse, BrowserContext, Page, Route, expect

from onboarding import services
from onboarding.models import Onboarding, SignupLink
from tenants.models import Tenant
from tests.browser.conftest import Signup, until, watched
from tests.browser.test_accessibility import faults as violations

LOOK = "dispatchEvent(new Event('online'))"


@pytest.fixture
def guest(context: BrowserContext, link_address: str) -> Page:
    page = watched(context.new_page())
    page.goto(link_address)
    page.check("input[value=new]")
    expect(page.locator("#launch")).to_be_enabled()
    return page


def launches(page: Page) -> Page:
    """Meta's window, open, of which the server knows."""
    with page.expect_response("**/signup/"), page.expect_popup() as popup:
        page.click("#launch")
    expect(popup.value.locator("h1")).not_to_be_empty()
    return popup.value


def launches_and_is_ended(guest: Page) -> Page:
    """Meta's window, whose guest's link was ended while it was open, and who was told so."""
    window = launches(guest)
    services.revoke_link(SignupLink.objects.get())
    guest.evaluate(LOOK)
    told(guest, "leave it so")
    return window


def told(page: Page, text: str) -> None:
    expect(page.locator("#trouble[data-kind=link-ended]")).to_contain_text(text)


def opens_a_newer_link(page: Page, tenant: Tenant) -> None:
    """In another tab; then this one is looked at again."""
    newer = page.context.new_page()
    newer.goto(f"/s/{services.create_link(tenant)[1]}/")
    expect(newer.locator(".acting").first).to_be_visible()
    newer.close()
    page.evaluate("dispatchEvent(new Event('focus'))")


def test_the_page_says_so_in_place_of_the_windows_card_and_moves_the_focus_there(
    guest: Page,
) -> None:
    launches(guest)
    services.revoke_link(SignupLink.objects.get())
    guest.evaluate(LOOK)
    told(guest, "Ask whoever sent you the link for a new one")
    told(guest, "If Meta's window is open, leave it so")
    expect(guest.locator("#trouble h2")).to_be_focused()
    expect(guest.locator("#window")).to_be_hidden()
    assert violations(guest) == []
    assert guest.faults == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("noticed", ["by the press of a button", "by itself"])
def test_it_asks_no_more_until_somebody_comes_back(
    guest: Page, tenant: Tenant, noticed: str
) -> None:
    guest.clock.install()
    launches(guest)
    services.revoke_link(SignupLink.objects.get())
    if noticed == "by itself":
        guest.clock.run_for(15_000)
    else:
        guest.click("#closed")
    told(guest, "This link has been ended")
    asked: list[str] = []
    guest.on("request", lambda request: asked.append(request.url))
    guest.clock.run_for(10 * 60_000)
    assert asked == []
    if noticed == "by itself":
        guest.click("#trouble [data-do=try-now]")
        until(guest, lambda: len(asked) == 1)
        return
    opens_a_newer_link(guest, tenant)
    expect(guest.locator("#trouble")).to_be_hidden()
    expect(guest.locator("#card[data-state=cancelled]")).to_be_visible()


def test_what_the_window_gives_after_the_end_is_kept_told_and_handed_over_later(
    guest: Page, tenant: Tenant
) -> None:
    window = launches_and_is_ended(guest)
    Signup(guest).finishes(window)
    told(guest, "What it gave is kept in this tab")
    expect(guest.locator("#trouble")).not_to_contain_text("leave it so")
    assert violations(guest) == []
    assert Onboarding.objects.get().state == "started"
    opens_a_newer_link(guest, tenant)
    expect(guest.locator("#card[data-state=connected]")).to_be_visible()
    expect(guest.locator("#trouble")).to_be_hidden()


Held = list[tuple[Route, APIResponse]]


def hold(page: Page, address: str) -> Held:
    """The first request there is answered at once, and its answer comes late."""
    held: Held = []

    def holds(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append((route, route.fetch()))

    page.route(address, holds)
    return held


def comes(page: Page, address: str, held: Held) -> None:
    route, answer = held[0]
    with page.expect_response(address):
        route.fulfill(response=answer)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 300)))")


def test_a_post_from_before_the_end_does_not_hide_what_was_told(guest: Page) -> None:
    held = hold(guest, "**/signup/")
    with guest.expect_popup():
        guest.click("#launch")
    until(guest, lambda: held)
    services.revoke_link(SignupLink.objects.get())
    guest.evaluate(LOOK)
    told(guest, "This link has been ended")
    comes(guest, "**/signup/", held)
    expect(guest.locator("#trouble[data-kind=link-ended]")).to_be_visible()


def test_a_newer_link_is_named_where_there_is_one(guest: Page, tenant: Tenant) -> None:
    launches(guest)
    services.create_link(tenant)
    guest.click("#closed")
    told(guest, "A newer signup link has taken its place")
    expect(guest.locator("#trouble")).not_to_contain_text("Ask whoever sent you the link")


def test_who_finishes_after_a_newer_link_was_opened_loses_nothing(
    guest: Page, tenant: Tenant
) -> None:
    window = launches_and_is_ended(guest)
    opens_a_newer_link(guest, tenant)
    expect(guest.locator("#window")).to_be_visible()
    Signup(guest).finishes(window)
    expect(guest.locator("#card[data-state=connected]")).to_be_visible()
    assert Onboarding.objects.get().proven is True


def test_a_question_that_was_answered_too_late_is_gone_on_with_by_a_newer_link(
    context: BrowserContext, link_address: str, tenant: Tenant
) -> None:
    page = watched(context.new_page())
    page.goto(link_address)
    services.revoke_link(SignupLink.objects.get())
    page.check("input[value=new]")
    told(page, "This link has been ended")
    expect(page.locator("#choose")).to_be_hidden()
    opens_a_newer_link(page, tenant)
    expect(page.locator("#launch")).to_be_enabled()
    expect(page.locator("input[value=new]")).to_be_checked()
