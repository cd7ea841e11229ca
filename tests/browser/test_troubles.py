"""What keeps Meta's window from working: each recognised, explained, and never "you cancelled"."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from onboarding.models import Onboarding, SignupEvent
from tenants.models import User
from tests.browser.conftest import Signup, sign_in, until
from tests.browser.test_accessibility import faults as violations
from tests.conftest import Sandbox

BLOCKING = "window.opens = window.open; window.open = () => null;"
CLOSING = "window.open = () => ({closed: true, location: {href: 'about:blank'}, focus() {}});"


def trouble(page: Page, kind: str) -> Locator:
    """The card of this trouble, whole: a sign, a title, a cause, a remedy; no blame."""
    card = page.locator(f"#trouble[data-kind={kind}]:visible")
    expect(card.locator(".sign svg")).to_be_visible()
    expect(card.locator("h2")).not_to_be_empty()
    expect(card.locator("p").first).not_to_be_empty()
    expect(card.locator(".remedy li").first).not_to_be_empty()
    expect(page.locator("body")).not_to_contain_text("You cancelled")
    assert page.locator("#trouble").get_attribute("role") == "alert"
    assert violations(page) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    return card


def test_a_window_that_the_browser_blocked_is_told_at_once_and_opens_after_that(
    signup: Signup, page: Page
) -> None:
    page.add_init_script(BLOCKING)
    signup.chooses()
    page.click("#launch")
    card = trouble(page, "popup")
    expect(card).to_contain_text("allow windows for this site")
    expect(card.locator("h2")).to_be_focused()
    expect(page.locator("#window")).to_be_hidden()
    page.wait_for_timeout(2_500)  # the SDK's own answer comes after 2 s and must change nothing
    assert Onboarding.objects.get().state == "started"
    assert not SignupEvent.objects.filter(login_status="unknown").exists()
    page.evaluate("void (window.open = window.opens)")
    with page.expect_popup() as popup:
        card.locator("[data-do=again]").click()
    expect(page.locator("#trouble")).to_be_hidden()
    signup.finishes(popup.value)
    signup.sees("connected")


def test_a_window_that_is_closed_at_once_counts_as_held_back(signup: Signup, page: Page) -> None:
    page.add_init_script(CLOSING)
    signup.chooses()
    page.click("#launch")
    trouble(page, "unseen")
    expect(page.locator("#front")).to_be_hidden()
    expect(page.locator("#window-maybe")).to_be_visible()
    assert Onboarding.objects.get().state == "started"


@pytest.mark.usefixtures("everywhere")
def test_a_blocked_script_of_metas_can_be_tried_again_or_done_without(
    signup: Signup, page: Page, sandbox: Sandbox
) -> None:
    page.route(f"{sandbox.url}/sdk.js", lambda route: route.abort())
    posted = dialog(page)
    page.goto("/connect/?new")
    page.check("input[value=new]")
    card = trouble(page, "sdk")
    expect(card).to_contain_text("content blocker")
    expect(page.locator("#launch")).to_be_disabled()
    card.locator("[data-this-tab] button").click()
    expect(page.locator("body")).to_have_text("on")
    assert f"onboarding={Onboarding.objects.get().public_id}" in posted[0]
    page.unroute(f"{sandbox.url}/sdk.js")
    page.goto("/connect/?new")
    page.check("input[value=new]")
    expect(page.locator("#launch")).to_be_enabled()


def dialog(page: Page) -> list[str]:
    """Stands in for the full-page dialog; the bodies that were posted to it."""
    posted: list[str] = []

    def answer(route: Route) -> None:
        posted.append(route.request.post_data or "")
        route.fulfill(body="on", content_type="text/html")

    page.route("**/connect/dialog/", answer)
    return posted


def test_a_script_that_loads_later_is_used_after_trying_again(
    signup: Signup, page: Page, sandbox: Sandbox
) -> None:
    page.route(f"{sandbox.url}/sdk.js", lambda route: route.abort())
    page.goto("/connect/?new")
    page.check("input[value=app]")
    expect(page.locator("#trouble[data-kind=sdk]")).to_be_visible()
    page.unroute(f"{sandbox.url}/sdk.js")
    page.click("[data-do=retry]")
    expect(page.locator("#launch")).to_be_enabled()
    expect(page.locator("#trouble")).to_be_hidden()


def test_a_script_that_stays_silent_counts_as_blocked(
    page: Page, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onboarding import views

    plain = views._page_config
    monkeypatch.setattr(
        views, "_page_config", lambda *given: {**plain(*given), "sdk_timeout_seconds": 1}
    )
    page.route(f"{sandbox.url}/sdk.js", lambda route: route.fulfill(
        body="", content_type="text/javascript", headers={"Access-Control-Allow-Origin": "*"},
    ))  # fmt: skip
    page.goto("/connect/?new")
    page.check("input[value=new]")
    trouble(page, "sdk")


IN_APP = {
    "Facebook": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/440.0]",
    "Instagram": "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 Mobile/15E148 Instagram 300.0",
    "WeChat": "Mozilla/5.0 (Linux; Android 13; wv) AppleWebKit/537.36 Chrome/116 Mobile "
    "Safari/537.36 MicroMessenger/8.0",
    "LINE": "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1 Line/13.0",
    "TikTok": "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 musical_ly_2023 BytedanceWebview",
    "LinkedIn": "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 Mobile/15E148 [LinkedInApp]",
    "WhatsApp": "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 WhatsApp/2.23",
    "another app": "Mozilla/5.0 (Linux; Android 13; Pixel 7; wv) AppleWebKit/537.36 Chrome/116",
}


@pytest.mark.parametrize("app", IN_APP)
def test_a_page_inside_another_app_says_so_by_its_name(
    browser: Browser, site: str, owner: User, client: Any, app: str
) -> None:
    context = browser.new_context(base_url=site, user_agent=IN_APP[app])
    sign_in(context, owner, client)
    page = context.new_page()
    page.goto("/connect/?new")
    expect(trouble(page, "in-app").locator("h2")).to_contain_text(app)
    page.check("input[value=new]")
    expect(page.locator("#trouble[data-kind=in-app]")).to_be_visible()
    expect(page.locator("#launch")).to_be_disabled()
    context.close()


def test_inside_an_app_without_a_clipboard_the_address_is_selected(
    browser: Browser, site: str, owner: User, client: Any
) -> None:
    context = browser.new_context(base_url=site, user_agent=IN_APP["Instagram"])
    sign_in(context, owner, client)
    page = context.new_page()
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.goto("/connect/?new")
    page.click("#trouble [data-do=elsewhere]")
    page.click("#elsewhere [data-copy]")
    until(page, "getSelection().toString()")
    assert page.evaluate("getSelection().toString()") == f"{site}/connect/"
    context.close()


REAL = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/17.0 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 CriOS/120.0 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 SamsungBrowser/23.0 Chrome/115 Mobile "
    "Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.0 Safari/605",
    "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
]


def test_no_real_browser_is_taken_for_an_app(page: Page) -> None:
    page.goto("/connect/?new")
    found = page.evaluate(
        "async (all) => { const {appAround} = await import('/static/troubles.js');"
        " return all.map(appAround); }",
        REAL,
    )
    assert found == [None] * len(REAL)


@pytest.mark.usefixtures("everywhere")
def test_inside_an_app_the_address_is_given_and_this_tab_begins_the_attempt(
    browser: Browser, site: str, owner: User, client: Any
) -> None:
    context = browser.new_context(base_url=site, user_agent=IN_APP["Facebook"])
    sign_in(context, owner, client)
    page = context.new_page()
    page.route("**/connect/elsewhere/", lambda route: route.fulfill(body="<p>there</p>"))
    posted = dialog(page)
    page.goto("/connect/?new")
    page.click("#trouble [data-do=elsewhere]")
    expect(page.locator("#elsewhere")).to_have_text("there")
    page.click("[data-this-tab] button")
    expect(page.locator("input[value=new]")).to_be_focused()
    page.check("input[value=app]")
    expect(page.locator("body")).to_have_text("on")
    row = Onboarding.objects.get()
    assert row.connection_mode == "business_app"
    assert f"onboarding={row.public_id}" in posted[0]
    context.close()


def test_an_http_page_gives_its_https_address(page: Page, settings: Any) -> None:
    settings.SITE_URL = "https://signup.example.com"
    page.add_init_script("Object.defineProperty(window, 'isSecureContext', {value: false})")
    page.goto("/connect/?new")
    link = trouble(page, "insecure").locator("a")
    expect(link).to_have_attribute("href", "https://signup.example.com/connect/?new")
    expect(link).to_have_text("https://signup.example.com/connect/?new")


def test_a_page_at_another_address_gives_the_right_one(page: Page, settings: Any) -> None:
    settings.SITE_URL = "https://signup.example.com"
    page.goto("/connect/?new")
    link = trouble(page, "domain").locator("a")
    expect(link).to_have_attribute("href", "https://signup.example.com/connect/?new")
    page.check("input[value=new]")
    expect(page.locator("#launch")).to_be_disabled()


def test_a_page_without_a_network_says_that_nothing_is_lost_and_goes_on_by_itself(
    signup: Signup, page: Page
) -> None:
    signup.launches()
    page.route("**/signup/", lambda route: route.abort())
    page.click("#closed")
    expect(trouble(page, "offline")).to_contain_text("sent again by itself")
    page.unroute("**/signup/")
    page.evaluate("dispatchEvent(new Event('online'))")
    signup.sees("cancelled")
    expect(page.locator("#trouble")).to_be_hidden()


def test_an_ended_session_is_told_with_the_way_back_in(signup: Signup, page: Page) -> None:
    signup.launches()
    page.context.clear_cookies(name="sessionid")
    page.click("#closed")
    link = trouble(page, "signed-out").locator("a")
    expect(link).to_have_attribute("href", "/accounts/login/?next=/connect/")


def test_an_answer_without_a_code_is_the_partners_to_mend(
    signup: Signup, page: Page, sandbox: Sandbox
) -> None:
    sdk = (
        "window.FB = {init() {}, login(done) {"
        " done({authResponse: {accessToken: 'x'}, status: 'connected'}) }}; window.fbAsyncInit();"
    )
    page.route(f"{sandbox.url}/sdk.js", lambda route: route.fulfill(
        body=sdk, content_type="text/javascript", headers={"Access-Control-Allow-Origin": "*"},
    ))  # fmt: skip
    signup.chooses()
    page.click("#launch")
    signup.sees("cancelled")
    expect(trouble(page, "no-code")).to_contain_text("configuration")
