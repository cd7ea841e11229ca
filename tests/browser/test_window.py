"""The page while Meta's window is open: to the front, closed, silent, an error seen, a reload."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from onboarding import codes, services
from onboarding.models import Onboarding, SignupEvent
from onboarding.reasons import REASONS
from tests.browser.conftest import Signup, until
from tests.browser.test_accessibility import faults as violations
from tests.conftest import Sandbox

SDK = "window.FB = {init() {}, login(done) { (window.ends ??= []).push(done); %s }};fbAsyncInit();"
OPENING = "window.held = window.open('', 'meta');"
FRAME = """
window.open = () => {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  document.body.append(frame);
  return frame.contentWindow;
};
"""
CANCELS = """
dispatchEvent(new MessageEvent("message", {
  origin: "https://www.facebook.com", source: held[0],
  data: JSON.stringify({type: "WA_EMBEDDED_SIGNUP", event: "CANCEL", data: {current_step: "X"}}),
}));
"""
HANDLE = """
window.fronts = 0;
window.open = () => ({
  closed: false, focus() { fronts += 1; }, location: {get href() { throw new Error("far"); }},
});
"""


@pytest.fixture
def silent(page: Page, sandbox: Sandbox) -> Callable[[str], None]:
    """An SDK that does what it is told in the click and then keeps its answer for `ends`."""

    def replace(body: str = OPENING) -> None:
        page.route(f"{sandbox.url}/sdk.js", lambda route: route.fulfill(
            body=SDK % body, content_type="text/javascript",
            headers={"Access-Control-Allow-Origin": "*"},
        ))  # fmt: skip

    return replace


def reload_unseen(page: Page) -> None:
    """The page looks at the server, as it does every few seconds."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_the_window_is_brought_to_the_front_by_its_handle(
    signup: Signup, page: Page, silent: Callable[[str], None]
) -> None:
    silent(OPENING)
    page.add_init_script(HANDLE)
    signup.chooses()
    page.click("#launch")
    page.click("#front")
    assert page.evaluate("fronts") == 1
    page.evaluate("held.closed = true")
    expect(page.locator("#front")).to_be_hidden()


def test_the_browsers_own_open_is_back_after_the_click(signup: Signup, page: Page) -> None:
    signup.chooses()
    page.evaluate("void (window.own = window.open)")
    with page.expect_popup():
        page.click("#launch")
    assert page.evaluate("window.open === window.own")
    expect(page.locator("#front")).to_be_visible()


def test_where_the_browser_gives_no_handle_there_is_no_such_button(
    signup: Signup, page: Page
) -> None:
    page.add_init_script(
        "Object.defineProperty(window, 'open', {value: window.open, writable: false})"
    )
    window = signup.launches()
    expect(page.locator("#window")).to_be_visible()
    expect(page.locator("#front")).to_be_hidden()
    signup.finishes(window)
    signup.sees("connected")
    assert page.faults == []  # type: ignore[attr-defined]


def test_the_card_says_what_happens_and_since_when(signup: Signup, page: Page) -> None:
    signup.launches("other")
    expect(page.locator("#window-open")).to_be_visible()
    expect(page.locator("#window-since time")).to_have_attribute("datetime", re.compile("^20"))
    expect(page.locator("#window-title")).to_be_focused()
    page.click(".inside summary")
    expect(page.locator(".inside .note")).to_contain_text("Create a new WhatsApp account there")
    assert violations(page) == []


def test_a_window_closed_without_an_answer_is_told_after_a_moment(
    signup: Signup, page: Page, silent: Callable[[str], None]
) -> None:
    silent(OPENING)
    page.add_init_script(HANDLE)
    signup.chooses()
    page.click("#launch")
    expect(page.locator("#front")).to_be_visible()
    page.evaluate("held.closed = true")
    expect(page.locator("#window-shut")).to_be_visible()
    expect(page.locator("#announce")).to_contain_text("Meta's window is closed")
    expect(page.locator("#trouble")).to_be_hidden()
    assert Onboarding.objects.get().state == "started"


def test_after_minutes_of_silence_the_page_asks_and_offers_its_acts(
    signup: Signup, page: Page, silent: Callable[[str], None]
) -> None:
    silent(OPENING)
    page.clock.install()
    page.add_init_script(HANDLE)
    signup.chooses()
    page.click("#launch")
    expect(page.locator("#still")).to_be_hidden()
    page.clock.fast_forward("04:01")
    expect(page.locator("#still")).to_contain_text("Are you still in Meta's window?")
    expect(page.locator("#announce")).to_contain_text("Are you still in Meta's window?")
    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.locator("#closed")).to_be_visible()
    assert violations(page) == []


def test_what_the_server_learns_elsewhere_ends_the_wait(
    signup: Signup, page: Page, silent: Callable[[str], None]
) -> None:
    silent(OPENING)
    page.add_init_script(HANDLE)
    signup.chooses()
    with page.expect_response(lambda answer: answer.url.endswith("/signup/")):
        page.click("#launch")
    row = Onboarding.objects.get()
    services.withdraw(row, "customer")
    reload_unseen(page)
    signup.sees("cancelled")


def test_the_first_windows_end_says_nothing_after_a_second_was_opened(
    signup: Signup, page: Page, silent: Callable[[str], None]
) -> None:
    silent(OPENING)
    page.add_init_script(HANDLE)
    signup.chooses()
    page.click("#launch")
    page.click("#again")
    assert page.evaluate("ends.length") == 2
    page.evaluate("ends[0]({authResponse: null, status: 'unknown'})")
    expect(page.locator("#window")).to_be_visible()
    page.evaluate("ends[1]({authResponse: null, status: 'unknown'})")
    signup.sees("cancelled")
    assert SignupEvent.objects.filter(login_status="unknown").count() == 1


def test_the_older_windows_end_says_nothing_of_the_launch_that_was_prepared_since(
    signup: Signup, page: Page, silent: Callable[[str], None]
) -> None:
    silent("(window.held ??= []).push(window.open('', 'meta'));")
    page.add_init_script(FRAME)
    signup.chooses()
    page.click("#launch")
    page.click("#saw-error")
    page.fill("#error-text", "4563015")
    page.click(".fault[open] [data-do=saw-this]")
    signup.sees("cancelled")
    page.click("[data-act=launch]")
    expect(page.locator("#launch")).to_be_enabled()
    page.evaluate("ends[0]({status: 'unknown'})")
    page.evaluate(CANCELS)  # what Meta's window posts when it is closed
    page.click("#launch")
    expect(page.locator("#window-open")).to_be_visible()
    page.evaluate("ends[0]({status: 'unknown'})")
    reload_unseen(page)
    page.wait_for_load_state("networkidle")
    expect(page.locator("#window-open")).to_be_visible()
    assert Onboarding.objects.get().state == "started"
    assert set(SignupEvent.objects.values_list("event", flat=True)) == {"LAUNCHED", "ERROR"}
    page.evaluate("ends[0]({authResponse: {code: 'late'}, status: 'connected'})")
    page.wait_for_selector("#card")
    assert SignupEvent.objects.filter(with_code=True).exists()


# --- I saw an error ------------------------------------------------------------------------------


def test_a_number_of_metas_shows_cause_and_remedy_and_starts_again(
    signup: Signup, page: Page
) -> None:
    signup.launches("app")
    page.click("#saw-error")
    expect(page.locator("#error-text")).to_be_focused()
    assert violations(page) == []
    page.fill("#error-text", "Error 4563015")
    entry = page.locator(".fault:visible")
    expect(entry).to_have_count(1)
    expect(entry).to_contain_text("Meta needs a newer version of the app")
    expect(entry.locator(".remedy li").first).to_contain_text("Update the app")
    assert violations(page) == []
    entry.locator("[data-do=start-again]").click()
    expect(page.locator("#choose")).to_be_visible()
    expect(page.locator("#launch")).to_be_enabled()
    assert SignupEvent.objects.get(event="ERROR").error_code == "4563015"
    assert Onboarding.objects.get().state == "started"
    with page.expect_popup() as popup:
        page.click("#launch")
    signup.finishes(popup.value)
    signup.sees("connected")
    assert Onboarding.objects.count() == 1


def test_reading_about_errors_ends_nothing(signup: Signup, page: Page) -> None:
    window = signup.launches()
    page.click("#saw-error")
    for entry in page.locator(".fault summary").all():
        entry.click()
    page.fill("#error-text", "2655091")
    expect(page.locator(".fault[open]")).to_have_count(1)
    page.click("#saw-error")
    expect(page.locator("#window-open")).to_be_visible()
    signup.finishes(window)
    signup.sees("connected")
    assert not SignupEvent.objects.filter(event="ERROR").exists()


@pytest.mark.parametrize("button", [".fault[open] [data-do=saw-this]", "#closed"])
def test_who_says_that_they_saw_it_and_closed_the_window_sees_it_on_the_card(
    signup: Signup, page: Page, button: str
) -> None:
    signup.launches()
    page.click("#saw-error")
    page.fill("#error-text", "2655091")
    page.click(button)
    signup.sees("cancelled")
    expect(page.locator("#card")).to_contain_text("2655091")
    row = Onboarding.objects.get()
    assert (row.state, row.reason, row.error_code) == ("cancelled", "meta_error", "2655091")


def test_who_closed_a_window_with_an_error_finds_it_beside_the_ended_card(
    signup: Signup, page: Page
) -> None:
    signup.launches().close()
    signup.sees("cancelled")
    page.click("#ended-help button")
    expect(page.locator("#error-text")).to_be_focused()
    assert violations(page) == []
    page.fill("#error-text", "4563015")
    expect(page.locator(".fault[open] .remedy li").first).to_contain_text("Update the app")
    page.click(".fault[open] [data-do=saw-this]")
    expect(page.locator("#card")).to_contain_text("Meta needs a newer version of the app")
    expect(page.locator("#error-form")).to_be_hidden()
    expect(page.locator("#ended-help")).to_be_hidden()
    page.click("[data-act=launch]")
    with page.expect_popup():
        page.click("#launch")
    page.click("#saw-error")
    expect(page.locator("#window #error-text")).to_be_focused()


def test_from_the_ended_card_an_error_starts_again(signup: Signup, page: Page) -> None:
    signup.launches().close()
    signup.sees("cancelled")
    page.reload()
    page.click("#ended-help button")
    page.fill("#error-text", "4563015")
    page.click(".fault[open] [data-do=start-again]")
    expect(page.locator("#launch")).to_be_enabled()
    expect(page.locator("#ended-help")).to_be_hidden()
    assert SignupEvent.objects.get(event="ERROR").error_code == "4563015"


def test_who_reads_on_while_the_attempt_ends_sees_it_when_they_put_the_picker_away(
    signup: Signup, page: Page
) -> None:
    window = signup.launches()
    page.click("#saw-error")
    page.fill("#error-text", "2655091")
    with page.expect_response(lambda answer: answer.url.endswith("/signup/")):
        window.close()
    reload_unseen(page)
    expect(page.locator("#card")).to_have_attribute("data-state", "cancelled")
    expect(page.locator("#error-form")).to_be_visible()  # reading goes on
    page.click("#saw-error")
    signup.sees("cancelled")


def test_opening_the_window_again_after_the_attempt_ended_begins_anew(
    signup: Signup, page: Page
) -> None:
    window = signup.launches()
    page.click("#saw-error")
    page.fill("#error-text", "2655091")
    with page.expect_response(lambda answer: answer.url.endswith("/signup/")):
        window.close()
    reload_unseen(page)
    expect(page.locator("#card")).to_have_attribute("data-state", "cancelled")
    page.click("#again")
    expect(page.locator("#launch")).to_be_enabled()
    with page.expect_popup() as popup:
        page.click("#launch")
    expect(page.locator("#window-open")).to_be_visible()
    reload_unseen(page)
    signup.finishes(popup.value)
    signup.sees("connected")


def test_each_known_code_and_each_of_metas_words_leads_to_one_cause_and_remedy(
    signup: Signup, page: Page
) -> None:
    signup.launches()
    page.click("#saw-error")
    page.route("**/signup/", lambda route: route.fulfill(json={}))
    for code, reason in codes.WINDOW.items():
        page.fill("#error-text", code)
        entry = page.locator(".fault:visible")
        assert entry.count() == 1, code
        if not code.isdigit():
            page.keyboard.press("Enter")
        expect(entry.locator("summary")).to_have_text(str(REASONS[reason].what))
        expect(entry.locator(".remedy li").first).to_be_visible()


SAID = {
    "This phone number is registered to an existing WhatsApp account": "window_number_in_use",
    "JSSDK Unknown Host domain": "window_page_unknown",
    "URL Blocked: This redirect failed": "window_return_unknown",
    "Feature Unavailable": "window_login_off",
    "insecure login": "window_insecure",
    "portfolio is greyed out": "window_business_grey",
    "qr invalid": "window_qr_invalid",
}


@pytest.mark.parametrize("said", SAID)
def test_what_the_window_said_is_found_by_its_words(signup: Signup, page: Page, said: str) -> None:
    signup.launches()
    page.click("#saw-error")
    page.fill("#error-text", said)
    expect(page.locator(".fault:visible").first.locator("summary")).to_have_text(
        str(REASONS[SAID[said]].what)
    )


def test_two_letters_narrow_the_list(signup: Signup, page: Page) -> None:
    signup.launches()
    page.click("#saw-error")
    page.fill("#error-text", "QR")
    expect(page.locator("#error-found")).to_have_text("One fits.")
    expect(page.locator(".fault:visible summary")).to_have_text(
        str(REASONS["window_qr_invalid"].what)
    )


def test_what_narrows_nothing_is_not_said_to_fit(signup: Signup, page: Page) -> None:
    signup.launches()
    page.click("#saw-error")
    page.fill("#error-text", "?")
    expect(page.locator(".fault:visible")).to_have_count(len(page.locator(".fault").all()))
    expect(page.locator("#error-found")).to_have_text("")


def test_what_was_found_before_closes_when_something_else_is_asked_for(
    signup: Signup, page: Page
) -> None:
    signup.launches()
    page.click("#saw-error")
    page.fill("#error-text", "2655091")
    expect(page.locator(".fault[open]")).to_have_count(1)
    page.fill("#error-text", "")
    expect(page.locator(".fault[open]")).to_have_count(0)


def test_what_nobody_knows_is_sent_as_it_was_said(signup: Signup, page: Page) -> None:
    signup.launches()
    page.click("#saw-error")
    page.fill("#error-text", "purple elephants danced")
    expect(page.locator(".fault:visible")).to_have_count(0)
    expect(page.locator("#error-found")).to_have_text("None fits.")
    page.keyboard.press("Enter")
    signup.sees("cancelled")
    assert Onboarding.objects.get().error_message == "purple elephants danced"
    expect(page.locator("#said")).to_have_text("purple elephants danced")


def test_a_finish_after_an_error_was_told_still_goes_on(signup: Signup, page: Page) -> None:
    window = signup.launches()
    page.click("#saw-error")
    page.fill("#error-text", "2593030")
    page.click(".fault[open] [data-do=saw-this]")
    signup.sees("cancelled")
    signup.finishes(window)
    signup.sees("connected")


# --- Back again ----------------------------------------------------------------------------------


def test_after_a_reload_the_page_does_not_claim_to_hold_the_window(
    signup: Signup, page: Page
) -> None:
    with page.expect_response(lambda answer: answer.url.endswith("/signup/")):
        signup.launches()
    page.wait_for_url("**onboarding=**")
    page.reload()
    expect(page.locator("#window-left")).to_contain_text("better close it and open it again")
    expect(page.locator("#front")).to_be_hidden()
    assert violations(page) == []
    before = Onboarding.objects.get()
    page.reload()
    until(page, "!!window.FB")
    row = Onboarding.objects.get()
    assert (row.launch_id, row.launched_at) == (before.launch_id, before.launched_at)
    with page.expect_popup() as popup:
        page.click("#again")
    signup.finishes(popup.value)
    signup.sees("connected")


def test_who_left_long_ago_finds_the_button_and_no_window(signup: Signup, page: Page) -> None:
    signup.launches().close()
    page.wait_for_url("**onboarding=**")
    signup.sees("cancelled")
    ago = timezone.now() - timedelta(hours=1)
    Onboarding.objects.update(state="started", reason="", launched_at=ago, state_changed_at=ago)
    before = Onboarding.objects.get().launch_id
    page.reload()
    expect(page.locator("#ready-left")).to_be_visible()
    expect(page.locator("#window")).to_be_hidden()
    expect(page.locator("#launch-ready")).to_be_enabled()
    assert Onboarding.objects.get().launch_id == before
    assert violations(page) == []
    with page.expect_popup() as popup:
        page.click("#launch-ready")
    signup.finishes(popup.value)
    signup.sees("connected")


def test_a_launch_that_was_prepared_anew_is_found_at_the_question_after_a_reload(
    signup: Signup, page: Page
) -> None:
    signup.launches("other").close()
    signup.sees("cancelled")
    clicked = Onboarding.objects.get().launched_at
    page.click("[data-act=launch]")
    expect(page.locator("#launch")).to_be_enabled()
    page.reload()
    expect(page.locator("#question")).to_be_visible()
    expect(page.locator("#launch")).to_be_enabled()
    expect(page.locator("#window")).to_be_hidden()
    assert Onboarding.objects.get().launched_at == clicked  # reading a page is no launch
    with page.expect_popup() as popup:
        page.click("#launch")
    page.wait_for_url("**onboarding=**")
    signup.finishes(popup.value)
    signup.sees("connected")


def test_a_message_of_an_older_window_counts_beside_a_newer_one(signup: Signup, page: Page) -> None:
    first = signup.launches()
    with page.expect_popup():
        page.click("#again")
    signup.finishes(first)
    page.wait_for_selector("#card")
    assert SignupEvent.objects.filter(event="FINISH").exists()
