"""Whatever comes between, the page goes on: nothing lost, nothing of another attempt, no blank."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from onboarding import services
from onboarding.models import Onboarding, SignupEvent, SignupLink
from tenants.models import Tenant
from tests.browser.conftest import Signup, until
from tests.browser.test_accessibility import faults as violations
from tests.conftest import Sandbox
from tests.onboarding.card_states import planted

BLOCKING = "window.opens = window.open; window.open = () => null;"
BEGIN = "**/api/v1/onboardings/"


def until_posted(page: Page) -> Any:
    return page.expect_response(lambda answer: answer.url.endswith("/signup/"))


# --- The window's answer -------------------------------------------------------------------------


@pytest.fixture
def _short_join(monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta

    monkeypatch.setattr("onboarding.steps.gates.JOIN", timedelta(seconds=1))


@pytest.mark.usefixtures("_short_join")
def test_the_window_counts_after_the_language_was_switched(signup: Signup, page: Page) -> None:
    with until_posted(page):
        window = signup.launches()
    page.wait_for_url("**onboarding=**")
    page.click(".languages summary")
    page.click(".languages button[value=es]")
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(page.locator("#window")).to_be_visible()
    signup.finishes(window)
    signup.sees("in_review")
    assert Onboarding.objects.get().claimed_waba_id


@pytest.mark.usefixtures("_short_join")
def test_the_window_counts_while_the_question_is_asked_again(signup: Signup, page: Page) -> None:
    with until_posted(page):
        window = signup.launches()
    page.wait_for_url("**onboarding=**")
    with page.expect_navigation():
        page.evaluate("void (location.href = '/connect/?new')")
    expect(page.locator("#choose")).to_be_visible()
    page.check("input[value=app]")
    expect(page.locator("#launch")).to_be_enabled()
    signup.finishes(window)
    signup.sees("in_review")
    row = Onboarding.objects.get(state="in_review")
    assert row.claimed_waba_id
    assert page.url.endswith(f"?onboarding={row.public_id}")


def test_what_was_kept_for_another_attempt_does_not_drag_the_page_along(
    signup: Signup, page: Page
) -> None:
    signup.launches()
    page.wait_for_url("**onboarding=**")
    page.route("**/signup/", lambda route: route.abort())
    page.click("#closed")
    until(page, "sessionStorage.getItem('signup-outbox')")
    page.unroute("**/signup/")
    with until_posted(page):
        page.goto("/connect/?new")
    page.check("input[value=app]")
    expect(page.locator("#launch")).to_be_enabled()
    expect(page.locator("#choose")).to_be_visible()
    assert page.url.endswith("/connect/?new")
    assert Onboarding.objects.filter(state="cancelled").count() == 1


def test_the_first_windows_code_leaves_the_second_ones_card_alone(
    signup: Signup, page: Page
) -> None:
    first = signup.launches()
    page.evaluate("document.querySelector('#choose').hidden = false")
    page.check("input[value=app]")
    expect(page.locator("#launch")).to_be_enabled()
    with page.expect_popup():
        page.click("#launch")
    with page.expect_response(lambda told: told.url.endswith("/signup/") and bool(
        "code" in (told.request.post_data or "")
    )):  # fmt: skip
        signup.finishes(first)
    expect(page.locator("#window")).to_be_visible()
    assert Onboarding.objects.get(connection_mode="business_app").state == "started"


def test_a_window_that_was_seen_by_nobody_but_open_for_long_has_an_end(
    signup: Signup, page: Page
) -> None:
    """On a phone Meta's window covers this page, whose timers stand still meanwhile."""
    page.add_init_script(
        "const every = window.setInterval;"
        "window.setInterval = (act, ms) => (ms === 50 ? 0 : every(act, ms));"
    )
    window = signup.launches()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    window.close()
    signup.sees("cancelled")
    assert SignupEvent.objects.filter(login_status="unknown").exists()


def test_the_answer_that_is_chosen_is_the_one_that_is_launched(
    signup: Signup, page: Page, sandbox: Sandbox
) -> None:
    held: list[Route] = []
    page.route(f"{sandbox.url}/sdk.js", lambda route: held.append(route))
    page.goto("/connect/?new")
    with page.expect_response(BEGIN), page.expect_request(f"{sandbox.url}/sdk.js"):
        page.check("input[value=new]")
    begun: list[Route] = []
    page.route(BEGIN, lambda route: begun.append(route))
    with page.expect_request(BEGIN):
        page.check("input[value=app]")
    held[0].continue_()
    until(page, "!!window.FB")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    expect(page.locator("#launch")).to_be_disabled()
    begun[0].continue_()
    expect(page.locator("#launch")).to_be_enabled()
    with page.expect_popup(), until_posted(page):
        page.click("#launch")
    assert SignupEvent.objects.get().onboarding.connection_mode == "business_app"


# --- Troubles that pass --------------------------------------------------------------------------


def test_a_passing_trouble_gives_its_place_back_to_the_one_it_hid(
    signup: Signup, page: Page
) -> None:
    page.add_init_script(BLOCKING)
    signup.chooses()
    page.route("**/signup/", lambda route: route.abort())
    page.click("#launch")
    expect(page.locator("#trouble[data-kind=offline]")).to_be_visible()
    page.unroute("**/signup/")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#trouble[data-kind=popup] [data-do=again]")).to_be_visible()


def test_a_refusal_after_a_blocked_window_leaves_something_to_go_on_with(
    signup: Signup, page: Page
) -> None:
    page.add_init_script(BLOCKING)
    signup.chooses()
    said = {"error": {"code": "throttled", "message": "Too often."}}
    page.route("**/signup/", lambda route: route.fulfill(status=400, json=said))
    page.click("#launch")
    expect(page.locator("#trouble[data-kind=failed]")).to_contain_text("Too often.")
    expect(page.locator("#launch")).to_be_visible()


AWAY: dict[str, dict[str, Any]] = {
    "offline": {"status": 502, "body": "Bad gateway"},
    "signed-out": {"status": 401, "body": json.dumps({"error": {"code": "not_authenticated"}})},
}


@pytest.mark.parametrize("kind", AWAY)
def test_an_attempt_that_could_not_be_begun_goes_on_by_itself(page: Page, kind: str) -> None:
    page.route(BEGIN, lambda route: route.fulfill(**AWAY[kind]))
    page.goto("/connect/?new")
    page.check("input[value=new]")
    expect(page.locator(f"#trouble[data-kind={kind}]")).to_be_visible()
    page.unroute(BEGIN)
    expect(page.locator("#launch")).to_be_enabled()
    expect(page.locator("#trouble")).to_be_hidden()


@pytest.mark.parametrize("kind", AWAY)
def test_who_does_not_want_to_wait_tries_again_at_once(page: Page, kind: str) -> None:
    page.clock.install()
    page.clock.pause_at("2030-01-01")
    page.route(BEGIN, lambda route: route.fulfill(**AWAY[kind]))
    page.goto("/connect/?new")
    page.check("input[value=new]")
    expect(page.locator(f"#trouble[data-kind={kind}]")).to_be_visible()
    page.unroute(BEGIN)
    with page.expect_response(BEGIN) as told:
        page.click("#trouble [data-do=try-now]")
    assert told.value.ok


def test_an_act_that_did_not_reach_the_server_is_not_said_to_be_repeated(
    signup: Signup, page: Page
) -> None:
    signup.launches().close()
    signup.sees("cancelled")
    page.route("**/search/", lambda route: route.abort())
    page.click("[data-act=search]")
    expect(page.locator("#trouble")).to_contain_text("Try again in a moment")
    expect(page.locator("#trouble")).not_to_contain_text("by itself")


def test_the_note_of_an_unreached_server_goes_when_the_card_is_read_again(
    signup: Signup, page: Page
) -> None:
    signup.launches().close()
    signup.sees("cancelled")
    page.route("**/search/", lambda route: route.abort())
    page.click("[data-act=search]")
    expect(page.locator("#trouble")).to_be_visible()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#trouble")).to_be_hidden()


# --- A guest -------------------------------------------------------------------------------------


def guest_of(page: Page, address: str, tenant: Tenant, name: str) -> Page:
    page.context.clear_cookies()
    page.goto(address)
    row = planted(tenant, name, link=SignupLink.objects.get())
    page.goto(f"/connect/?onboarding={row.public_id}")
    return page


def test_an_address_that_cannot_be_used_is_told_beside_its_field(
    page: Page, link_address: str, tenant: Tenant
) -> None:
    guest_of(page, link_address, tenant, "payment")
    page.fill("#tell-email", "rosa@bakery")
    page.click(".tell-form button")
    expect(page.locator("#tell-wrong")).to_contain_text("valid email")
    expect(page.locator("#tell-email")).to_be_focused()
    expect(page.locator("#tell-email")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#tell-email")).to_have_value("rosa@bakery")
    expect(page.locator("#trouble")).to_be_hidden()
    assert violations(page) == []
    page.locator("#tell-email").press_sequentially(".example")
    expect(page.locator("#tell-wrong")).to_have_text("")


def test_a_guest_whose_link_was_replaced_is_sent_to_the_newest_one(
    page: Page, link_address: str, tenant: Tenant
) -> None:
    guest_of(page, link_address, tenant, "payment")
    services.create_link(tenant)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    told = page.locator("#trouble[data-kind=link-ended]")
    expect(told).to_contain_text("A newer signup link has taken its place")
    expect(told.locator("li").first).to_contain_text("Open the newest signup link")
    expect(told.locator("h2")).to_be_focused()
    expect(page.locator("#card-trouble")).to_be_empty()


def test_a_guest_inside_an_app_is_not_sent_to_a_page_that_asks_for_a_password(
    browser: Browser, link_address: str
) -> None:
    context = browser.new_context(user_agent="Mozilla/5.0 (iPhone) AppleWebKit/605 Instagram 300.0")
    page = context.new_page()
    page.goto(link_address)
    trouble = page.locator("#trouble[data-kind=in-app]")
    expect(trouble.locator("li")).to_have_count(1)
    expect(trouble).not_to_contain_text("open the page in your browser")
    context.close()


def test_without_a_clipboard_the_hand_overs_address_is_selected(
    page: Page, link_address: str
) -> None:
    page.context.clear_cookies()
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(link_address)
    page.check("input[value=app]")
    page.click(".on-phone [data-do=elsewhere]")
    page.click(".elsewhere [data-copy]")
    until(page, "getSelection().toString().includes('/s/')")
    expect(page.locator(".elsewhere [data-copy]")).to_have_text("Copy the address")
