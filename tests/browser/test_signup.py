"""The signup page in a real Chromium with the sandbox's window."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from onboarding.models import Onboarding, SignupEvent
from tenants.models import User
from tests.browser.conftest import Signup, sign_in, watched
from tests.conftest import Sandbox

FINISH = json.dumps(
    {
        "type": "WA_EMBEDDED_SIGNUP",
        "event": "FINISH",
        "data": {"waba_id": "111222333", "phone_number_id": "444555666"},
    }
)
SILENT_SDK = "window.FB = {init() {}, login() {}}; window.fbAsyncInit();"


@pytest.mark.parametrize("scenario", ["approve", "code_first"])
@pytest.mark.parametrize("use", ["new", "app"])
def test_both_variants_connect_in_both_orders_of_code_and_message(
    signup: Signup, sandbox: Sandbox, use: str, scenario: str
) -> None:
    sandbox.next(scenario)
    signup.goes_through(use)
    signup.sees("connected")
    assert sandbox.registers == (1 if use == "new" else 0)
    assert Onboarding.objects.get(state="connected").proven is True
    assert signup.page.faults == []  # type: ignore[attr-defined]


def test_a_message_that_is_an_object_counts_too(signup: Signup, sandbox: Sandbox) -> None:
    sandbox.next("object_payload")
    signup.goes_through()
    signup.sees("connected")


@pytest.fixture
def short_join(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two halves of Meta's answer are waited for 2 s, not 10: these tests run in real time."""
    monkeypatch.setattr("onboarding.steps.gates.JOIN", timedelta(seconds=2))


@pytest.mark.usefixtures("short_join")
def test_a_code_without_a_message_connects(signup: Signup, sandbox: Sandbox) -> None:
    sandbox.next("code_only")
    signup.goes_through()
    signup.sees("connected")


def test_a_number_with_another_provider_is_a_platform_signup(signup: Signup) -> None:
    signup.goes_through("other")
    signup.sees("connected")
    assert Onboarding.objects.get(state="connected").connection_mode == "business_platform"


def test_the_click_is_noted_before_the_window_answers(signup: Signup) -> None:
    with signup.page.expect_response(lambda answer: answer.url.endswith("/signup/")):
        window = signup.launches()
    assert not window.is_closed()
    expect(signup.page.locator("#window")).to_be_visible()
    event = SignupEvent.objects.get(event="LAUNCHED")
    assert event.onboarding.launched_at is not None


HOSTILE = [
    "https://evilfacebook.com",
    "http://www.facebook.com",
    "https://facebook.com.evil.example",
    "https://www.facebook.com:8443",
    "https://facebook.com@evil.example",
    "null",
    "",
    "https://evil.example/?https://www.facebook.com",
    "http://127.0.0.1:9",
]


def test_messages_from_hostile_origins_are_dropped(
    signup: Signup, say: Callable[[str, Any], None]
) -> None:
    signup.launches()
    for origin in HOSTILE:
        say(origin, FINISH)
    say("https://business.facebook.com", FINISH.replace("111222333", "999"))
    signup.page.wait_for_selector("#card")
    assert not SignupEvent.objects.filter(waba_id="111222333").exists()
    assert SignupEvent.objects.filter(waba_id="999").exists(), "Meta's own message counts"


def test_a_message_before_any_launch_is_dropped(
    signup: Signup, say: Callable[[str, Any], None]
) -> None:
    signup.chooses()
    say("https://www.facebook.com", FINISH)
    with signup.page.expect_popup() as popup:
        signup.page.click("#launch")
    signup.finishes(popup.value)
    signup.sees("connected")
    assert not SignupEvent.objects.filter(waba_id="111222333").exists()


def test_strings_of_the_sdks_own_bridge_are_no_messages(
    signup: Signup, say: Callable[[str, Any], None]
) -> None:
    window = signup.launches()
    say("https://www.facebook.com", "cb=f1a2b3&code=not-for-us&frame=opener")
    say("https://www.facebook.com", {"type": "SOMETHING_ELSE", "event": "FINISH"})
    signup.finishes(window)
    signup.sees("connected")
    assert not SignupEvent.objects.filter(event="").exclude(with_code=True).exists()


EVENTS = [
    ("FINISH", "signed_up"),
    ("FINISH_ONLY_WABA", "signed_up"),
    ("FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING", "signed_up"),
    ("FINISH_GRANT_ONLY_API_ACCESS", "signed_up"),
    ("FINISH_OBO_MIGRATION", "signed_up"),
    ("FINISH_SOMETHING_NEW", "signed_up"),
    ("error", "cancelled"),
]


@pytest.mark.parametrize(("event", "state"), EVENTS)
def test_each_documented_event_is_handed_over(
    signup: Signup, say: Callable[[str, Any], None], event: str, state: str
) -> None:
    signup.launches()
    data = {"waba_id": 111222333} if event.startswith("FINISH") else {}
    said = {"type": "WA_EMBEDDED_SIGNUP", "event": event, "data": data}
    say("https://www.facebook.com", json.dumps({**said, "error_message": "Oh."}))
    signup.page.wait_for_selector("#card")
    row = Onboarding.objects.get()
    assert row.transitions.filter(to_state=state).exists()
    assert row.claimed_waba_id == ("111222333" if event.startswith("FINISH") else "")


def test_an_unknown_event_changes_nothing_and_is_kept(
    signup: Signup, say: Callable[[str, Any], None]
) -> None:
    window = signup.launches()
    say("https://www.facebook.com", {"type": "WA_EMBEDDED_SIGNUP", "event": "PONDER"})
    signup.finishes(window)
    signup.sees("connected")
    assert SignupEvent.objects.filter(event="PONDER").exists()


def test_a_cancelled_window_can_be_launched_again(signup: Signup) -> None:
    window = signup.launches()
    window.click("[data-test=next]")
    signup.ends(window, "cancel")
    signup.sees("cancelled")
    expect(signup.page.locator("#card-title")).to_have_text(
        "Meta's window was closed before the end"
    )
    signup.page.click("[data-act=launch]")
    expect(signup.page.locator("#launch")).to_be_enabled()
    with signup.page.expect_popup() as popup:
        signup.page.click("#launch")
    signup.finishes(popup.value)
    signup.sees("connected")
    assert Onboarding.objects.count() == 1


def test_a_reported_problem_shows_metas_code(signup: Signup) -> None:
    window = signup.launches()
    signup.ends(window, "report")
    signup.sees("cancelled")
    expect(signup.page.locator("#card")).to_contain_text("3441030")


def test_a_window_that_said_nothing_is_not_blamed_on_the_customer(
    signup: Signup, sandbox: Sandbox
) -> None:
    sandbox.next("nothing")
    window = signup.launches()
    window.close()
    signup.sees("cancelled")
    expect(signup.page.locator("#card-title")).to_have_text(
        "We did not get a confirmation from Meta's window"
    )
    expect(signup.page.locator("#card")).not_to_contain_text("You cancelled")


def test_the_customer_can_say_that_the_window_was_closed(signup: Signup) -> None:
    signup.launches()
    signup.page.click("#closed")
    signup.sees("cancelled")


def test_an_error_seen_in_the_window_can_be_told(signup: Signup) -> None:
    signup.launches()
    signup.page.click("#saw-error")
    signup.page.fill("#error-text", "It said: it snows (#9999999)")
    signup.page.click("#error-send")
    signup.sees("cancelled")
    assert Onboarding.objects.get().error_code == "9999999"


def test_a_window_that_nobody_has_seen_gets_a_hint(
    signup: Signup, page: Page, sandbox: Sandbox
) -> None:
    page.route(f"{sandbox.url}/sdk.js", lambda route: route.fulfill(
        body=SILENT_SDK, content_type="text/javascript",
        headers={"Access-Control-Allow-Origin": "*"},
    ))  # fmt: skip
    signup.chooses()
    page.click("#launch")
    trouble = page.locator("#trouble[data-kind=unseen]:visible")
    expect(trouble).to_contain_text("allow windows for this site")


def test_a_blocked_sdk_gets_a_text_and_no_dead_button(page: Page, sandbox: Sandbox) -> None:
    page.route(f"{sandbox.url}/sdk.js", lambda route: route.abort())
    page.goto("/connect/?new")
    page.check("input[value=new]")
    expect(page.locator("#trouble:visible")).to_contain_text("content blocker")
    expect(page.locator("#launch")).to_be_disabled()


def test_an_answer_without_a_code_is_told_as_a_configuration_problem(
    signup: Signup, page: Page, sandbox: Sandbox
) -> None:
    sdk = SILENT_SDK.replace(
        "login() {}",
        "login(done) { done({authResponse: {accessToken: 'x'}, status: 'connected'}) }",
    )
    page.route(f"{sandbox.url}/sdk.js", lambda route: route.fulfill(
        body=sdk, content_type="text/javascript", headers={"Access-Control-Allow-Origin": "*"},
    ))  # fmt: skip
    signup.chooses()
    page.click("#launch")
    signup.sees("cancelled")
    expect(page.locator("#trouble:visible")).to_contain_text("configuration")


@pytest.mark.usefixtures("short_join")
def test_a_reload_while_the_window_is_open_still_hears_its_message(
    signup: Signup, sandbox: Sandbox
) -> None:
    with signup.page.expect_response(lambda answer: answer.url.endswith("/signup/")):
        window = signup.launches()
    signup.page.wait_for_url("**onboarding=**")
    signup.page.reload()
    expect(signup.page.locator("#window")).to_be_visible()
    signup.finishes(window)
    # The code went down with the old page's SDK, so a person looks at what was posted.
    signup.sees("in_review")
    assert Onboarding.objects.get().claimed_waba_id


def test_a_reload_on_the_way_shows_the_same_card(signup: Signup, sandbox: Sandbox) -> None:
    sandbox.next("payment_missing")
    signup.goes_through()
    signup.sees("awaiting_payment")
    signup.page.reload()
    signup.sees("awaiting_payment")
    (account,) = sandbox.server.world.accounts
    sandbox.act("attach_payment", waba_id=account)
    signup.page.click("[data-act=resume]")
    signup.sees("connected")


def test_another_device_shows_the_same_onboarding(
    signup: Signup, sandbox: Sandbox, browser: Browser, site: str, owner: User, client: Any
) -> None:
    sandbox.next("payment_missing")
    signup.goes_through()
    signup.sees("awaiting_payment")
    phone = browser.new_context(base_url=site, viewport={"width": 360, "height": 640})
    sign_in(phone, owner, client)
    other = phone.new_page()
    other.goto("/connect/")
    expect(other.locator("#card[data-state=awaiting_payment]")).to_be_visible()
    phone.close()


def test_the_customer_chooses_one_of_several_numbers(signup: Signup, sandbox: Sandbox) -> None:
    sandbox.next("several_numbers")
    signup.goes_through()
    signup.sees("awaiting_number")
    signup.page.locator("form.choices input").nth(1).check()
    signup.page.click("form.choices button")
    signup.sees("connected")


def test_what_the_window_gave_survives_a_failing_network(signup: Signup, page: Page) -> None:
    failed = []

    def fail_twice(route: Any) -> None:
        if len(failed) < 2:
            failed.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    window = signup.launches()
    page.route("**/signup/", fail_twice)
    signup.finishes(window)
    signup.sees("connected")
    assert len(failed) == 2


def test_a_stale_csrf_token_is_renewed_by_itself(signup: Signup, context: BrowserContext) -> None:
    window = signup.launches()
    context.clear_cookies(name="csrftoken")
    signup.finishes(window)
    signup.sees("connected")


def test_a_guest_connects_by_a_link_whose_token_leaves_the_address_at_once(
    context: BrowserContext, link_address: str
) -> None:
    page = watched(context.new_page())
    page.goto(link_address)
    assert page.url.endswith("/connect/")
    expect(page.locator(".lead")).to_contain_text("John's Cake Shop")
    signup = Signup(page)
    signup.goes_through()
    signup.sees("connected")
    assert Onboarding.objects.get(state="connected").link is not None


def test_the_whole_way_works_by_keyboard(signup: Signup, page: Page) -> None:
    page.goto("/connect/?new")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("input[value=new]").focus()
    page.keyboard.press("Space")
    expect(page.locator("#launch")).to_be_enabled()
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "launch":
            break
    with page.expect_popup() as popup:
        page.keyboard.press("Enter")
    signup.finishes(popup.value)
    signup.sees("connected")
    expect(page.locator("#card-title")).to_be_focused()


def test_a_change_is_told_to_screen_readers(signup: Signup, sandbox: Sandbox) -> None:
    sandbox.next("payment_missing")
    signup.goes_through()
    expect(signup.page.locator("#announce")).to_contain_text("payment method is not attached")
