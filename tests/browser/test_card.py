"""The card in a real Chromium: what it says in each state, and what a fresh one leaves alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from onboarding import transitions
from onboarding.models import Onboarding, PhoneNumber
from tenants.models import Tenant, User
from tests.browser.conftest import Signup, sign_in, until, watched
from tests.browser.test_accessibility import faults as violations
from tests.onboarding.card_states import planted

KINDS = [
    "payment", "choose_number", "wrong_number", "review", "budget", "pin", "rejected",
    "connected_app", "lost",
]  # fmt: skip
CARD = re.compile(r"/card/$")

Opens = Callable[..., Onboarding]


@pytest.fixture
def opens(page: Page, tenant: Tenant, owner: User) -> Opens:
    """Plant an attempt of the owner's and show its card."""

    def opened(name: str, **more: Any) -> Onboarding:
        row = planted(tenant, name, started_by=owner, **more)
        with page.expect_response(CARD):  # the page asks once more for the card that it came with
            page.goto(f"/connect/?onboarding={row.public_id}")
        expect(page.locator("#card")).to_be_visible()
        return row

    return opened


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
def test_the_card_has_no_faults_and_fits_in_each_kind_of_state(
    browser: Browser, site: str, owner: User, tenant: Tenant, client: Any, scheme: Any, width: int
) -> None:
    context = browser.new_context(
        base_url=site, viewport={"width": width, "height": 640}, color_scheme=scheme
    )
    sign_in(context, owner, client)
    page = watched(context.new_page())
    for name in KINDS:
        row = planted(tenant, name, started_by=owner)
        page.goto(f"/connect/?onboarding={row.public_id}")
        expect(page.locator("#card")).to_be_visible()
        assert violations(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    assert page.faults == []  # type: ignore[attr-defined]
    context.close()


def test_whose_number_it_is_and_the_main_button_stay_in_sight_on_a_phone(
    opens: Opens, page: Page
) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    opens("pin")
    expect(page.locator(".main-act .button")).to_be_in_viewport(ratio=1)
    page.locator(".milestones").scroll_into_view_if_needed()
    page.mouse.wheel(0, 300)
    expect(page.locator(".whose")).to_be_in_viewport(ratio=0.9)
    expect(page.locator(".whose")).to_contain_text("John's Cake Shop")


def test_times_are_relative_and_have_the_exact_one_with_its_zone(opens: Opens, page: Page) -> None:
    opens("budget")
    waits = page.locator(".when time")
    expect(waits).to_have_text("30 minutes ago")
    expect(waits).to_have_attribute("title", re.compile(r"20\d\d.*(UTC|GMT)"))
    expect(page.locator(".clock")).to_contain_text(re.compile(r"tomorrow.*20\d\d.*(UTC|GMT)"))


def test_nothing_moves_for_who_asks_for_less_motion(opens: Opens, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    opens("connecting")
    assert page.evaluate("document.getAnimations().length") == 0
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(
        "document.getAnimations().every((each) => each.effect.getComputedTiming().endTime < 5000)"
    )


# --- Acts ----------------------------------------------------------------------------------------


def test_stopping_is_asked_for_in_the_page_and_can_be_thought_over(
    opens: Opens, page: Page
) -> None:
    row = opens("no_number")
    page.click("#end > summary")
    page.click("[data-close=end]")
    expect(page.locator("#end")).not_to_have_attribute("open", "")
    expect(page.locator("#end > summary")).to_be_focused()
    page.keyboard.press("Enter")
    page.click("[data-act=withdraw]")
    expect(page.locator("#card[data-state=cancelled]")).to_be_visible()
    expect(page.locator("#card-title")).to_be_focused()
    row.refresh_from_db()
    assert row.reason == "withdrawn"


def test_a_wrong_number_is_begun_again_for_the_right_one(opens: Opens, page: Page) -> None:
    row = opens("wrong_number")
    page.click("button:has-text('Start again with the right number')")
    expect(page.locator("#ready-number")).to_contain_text("+34 612 34 56 78")
    row.refresh_from_db()
    assert (row.state, row.expected_number) == ("started", "+34612345678")


def test_a_number_that_is_missing_is_added_by_the_same_attempt(opens: Opens, page: Page) -> None:
    row = opens("no_number")
    page.click('button:has-text("Add a number in Meta\'s window")')
    expect(page.locator("#launch-ready")).to_be_enabled()
    expect(page.locator("#ready-left")).to_be_hidden()
    assert list(Onboarding.objects.values_list("pk", "state")) == [(row.pk, "started")]


def test_starting_again_ends_nothing_where_it_is_refused(
    opens: Opens, page: Page, settings: Any
) -> None:
    settings.LAUNCHES_PER_MINUTE = 0
    row = opens("no_number")
    page.click('button:has-text("Add a number in Meta\'s window")')
    expect(page.locator("#trouble")).to_be_visible()
    row.refresh_from_db()
    assert (row.state, row.reason) == ("awaiting_number", "number_missing")
    expect(page.locator("#card[data-state=awaiting_number]")).to_be_visible()


def test_a_rejected_one_can_be_begun_anew(opens: Opens, page: Page) -> None:
    opens("rejected")
    page.click("[data-act=anew]")
    expect(page.locator("#launch")).to_be_enabled()
    assert set(Onboarding.objects.values_list("state", flat=True)) == {"rejected", "started"}


def test_checking_again_says_that_we_look_and_what_came_of_it(signup: Signup, sandbox: Any) -> None:
    sandbox.next("payment_missing")
    signup.goes_through()
    signup.sees("awaiting_payment")
    signup.page.click("[data-act=resume]")
    expect(signup.page.locator("#asked")).to_contain_text("it still stands as you see it")


def test_what_came_of_looking_stands_above_the_button(opens: Opens, page: Page) -> None:
    opens("payment")
    assert page.evaluate(
        "document.querySelector('#asked').compareDocumentPosition("
        "document.querySelector('[data-act=resume]')) & Node.DOCUMENT_POSITION_FOLLOWING"
    )


def test_the_next_look_is_never_told_as_past(opens: Opens, page: Page) -> None:
    page.clock.install(time=datetime.now() + timedelta(hours=6))
    opens("payment")
    expect(page.locator(".when time[data-due]")).to_have_text("in a moment")


def test_a_reference_is_said_to_be_copied_when_it_is(opens: Opens, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    row = opens("payment")
    page.click(".copy")
    expect(page.locator(".copy")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == row.reference


def test_without_a_clipboard_the_reference_is_selected_and_not_said_to_be_copied(
    opens: Opens, page: Page
) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    row = opens("payment")
    page.click(".copy")
    until(page, "getSelection().toString()")
    assert page.evaluate("getSelection().toString()") == row.reference
    expect(page.locator(".copy")).not_to_contain_text("Copied")
    expect(page.locator("#announce")).not_to_contain_text("Copied")


# --- What a fresh card leaves alone --------------------------------------------------------------


def test_a_choice_and_an_open_fold_outlive_a_fresh_card(opens: Opens, page: Page) -> None:
    row = opens("choose_number")
    page.locator("form.choices input").nth(1).check()
    page.click("#history > summary")
    transitions.wake([row.pk])
    Onboarding.objects.filter(pk=row.pk).update(next_look_at=None, looks=7)
    with page.expect_response(CARD):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("form.choices input").nth(1)).to_be_checked()
    expect(page.locator("#history")).to_have_attribute("open", "")
    expect(page.locator("#history > summary")).to_be_focused()


def test_coming_back_to_the_tab_looks_at_once(opens: Opens, page: Page) -> None:
    opens("pin")  # asked for every 10 s by itself
    with page.expect_request(CARD, timeout=2_000):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


# --- When the server is slow or away -------------------------------------------------------------


def test_a_server_that_is_away_is_told_calmly_and_the_last_card_stays(
    opens: Opens, page: Page
) -> None:
    opens("payment")
    page.route(CARD, lambda route: route.abort())
    for _ in range(2):
        with page.expect_event("requestfailed"):
            page.evaluate("dispatchEvent(new Event('online'))")
    note = page.locator("#card-trouble")
    expect(note).to_contain_text("What you see is how it stood at")
    expect(page.locator("#card-title")).to_have_text("The payment method is not attached yet")
    assert violations(page) == []
    page.unroute(CARD)
    page.click("#card-trouble button")
    expect(note).to_be_empty()
    expect(page.locator("#announce")).to_have_text("The server answers again.")


def test_a_session_that_has_ended_is_told(opens: Opens, page: Page) -> None:
    opens("payment")
    page.context.clear_cookies()
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#card-trouble")).to_contain_text("Your session has ended")


def test_the_first_card_is_waited_for_with_a_sentence(signup: Signup) -> None:
    page, held = signup.page, list[Route]()
    with page.expect_response(CARD):  # read beside the window, and old when the window is done
        window = signup.launches()
    page.route(CARD, lambda route: held.append(route))
    signup.finishes(window)
    expect(page.locator(".skeleton h2")).to_have_text("One moment: we look how it stands")
    expect(page.locator(".skeleton")).to_contain_text("John's Cake Shop")
    assert held
    page.unroute(CARD)  # lets go of what was held
    signup.sees("connected")
    expect(page.locator("#card-title")).to_be_focused()


def test_a_number_that_is_lost_while_its_page_is_open_takes_the_focus(
    opens: Opens, page: Page
) -> None:
    row = opens("connected")
    PhoneNumber.objects.update(health="number_offboarded")
    transitions.facts_changed(number=PhoneNumber.objects.get(pk=row.number_id))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#card-title")).to_have_text("This number is no longer connected to us")
    expect(page.locator("#card-title")).to_be_focused()
    expect(page.locator("#alarm")).to_contain_text("no longer connected")
