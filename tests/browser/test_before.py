"""The signup page before Meta's window: the question, what to have ready, the countries."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from onboarding import services
from tenants.models import Tenant, User
from tests.browser.conftest import Signup, sign_in, watched
from tests.browser.test_accessibility import faults as violations


@pytest.fixture
def phone(browser: Browser, site: str, owner: User, client: Any) -> Any:
    context = browser.new_context(
        base_url=site, viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True
    )
    sign_in(context, owner, client)
    yield watched(context.new_page())
    context.close()


LISTS = {
    "new": ["create a new WhatsApp account", "admin of your business", "phone of this number",
            "legal business name", "pop-up"],
    "app": ["create a new WhatsApp account", "2.24.17", "computer screen",
            "admin of your business", "pop-up"],
    "other": ["two-step PIN off", "create a new WhatsApp account", "admin of your business",
              "phone of this number", "legal business name", "pop-up"],
}  # fmt: skip


@pytest.mark.parametrize("use", LISTS)
def test_each_answer_has_its_own_list_of_what_to_have_ready(signup: Signup, use: str) -> None:
    signup.chooses(use)
    items = signup.page.locator(".checklist li:visible")
    expect(items).to_have_count(len(LISTS[use]))
    for item, words in zip(items.all(), LISTS[use], strict=True):
        expect(item).to_contain_text(words)
    assert violations(signup.page) == []


def test_the_reason_of_an_item_is_folded_and_opens_by_keyboard(signup: Signup) -> None:
    signup.chooses("other")
    item = signup.page.locator(".checklist li:visible").first
    expect(item.locator("p")).to_be_hidden()
    item.locator("summary").focus()
    signup.page.keyboard.press("Enter")
    expect(item.locator("p")).to_contain_text("A PIN that only the old provider knows")


def test_the_button_says_that_it_opens_a_window(signup: Signup) -> None:
    signup.chooses()
    button = signup.page.locator("#launch")
    expect(button).to_contain_text("Launch Embedded Signup")
    expect(button).to_have_accessible_description("Opens a window of Meta's own, "
                                                  "which Meta calls Embedded Signup.")  # fmt: skip


OVERLAPS = """() => {
  const bar = document.querySelector("#then .go").getBoundingClientRect();
  return [...document.querySelectorAll(".choice")].some((each) => {
    const box = each.getBoundingClientRect();
    return box.bottom > bar.top && box.top < bar.bottom;
  });
}"""


@pytest.mark.parametrize("width", [320, 360])
@pytest.mark.parametrize("use", LISTS)
def test_the_button_held_at_the_edge_of_a_phone_never_covers_the_choices(
    phone: Page, width: int, use: str
) -> None:
    phone.set_viewport_size({"width": width, "height": 640})
    Signup(phone).chooses(use)
    height = phone.evaluate("document.documentElement.scrollHeight")
    for y in range(0, height, 60):
        phone.evaluate("(y) => scrollTo({top: y, behavior: 'instant'})", y)
        assert not phone.evaluate(OVERLAPS), y


@pytest.mark.parametrize("use", LISTS)
def test_the_next_step_is_in_view_on_a_phone_without_scrolling(phone: Page, use: str) -> None:
    phone.goto("/connect/?new")
    for each in LISTS:
        expect(phone.locator(f"input[value={each}]")).to_be_in_viewport()
    phone.tap(f".choice:has(input[value={use}])")
    expect(phone.locator("#launch")).to_be_enabled()
    expect(phone.locator("#launch")).to_be_in_viewport(ratio=1)


def test_the_countries_left_out_are_named_for_a_number_of_the_app_and_stop_nothing(
    signup: Signup,
) -> None:
    signup.chooses("new")
    expect(signup.page.locator("#country")).to_be_hidden()
    signup.chooses("app")
    expect(signup.page.locator("#country")).to_contain_text("Nigeria (+234) and South Africa (+27)")
    expect(signup.page.locator("#launch")).to_be_enabled()


def test_an_agreed_number_of_such_a_country_is_told_more_strongly(
    context: BrowserContext, site: str, tenant: Tenant
) -> None:
    _, token = services.create_link(tenant, expected_number="+2348031234567")
    page = context.new_page()
    page.goto(f"{site}/s/{token}/")
    page.check("input[value=app]")
    notice = page.locator("#country.act")
    expect(notice).to_contain_text("The agreed number is from Nigeria")
    expect(page.locator("#launch")).to_be_enabled()


FIRST = ("#question", ".lead strong", "#launch")
"""What somebody has to see before they touch anything: whose number, the question, the button."""


@pytest.mark.parametrize("part", FIRST)
def test_a_member_sees_the_question_and_the_button_on_a_phone(phone: Page, part: str) -> None:
    phone.goto("/connect/?new")
    expect(phone.locator(part)).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("part", [*FIRST, ".acting"])
def test_a_guest_sees_them_on_a_phone_and_who_they_act_for(
    browser: Browser, link_address: str, part: str
) -> None:
    context = browser.new_context(
        viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(link_address)
    expect(page.locator(part)).to_be_in_viewport(ratio=1)
    context.close()


@pytest.mark.usefixtures("everywhere")
def test_a_phone_can_hand_over_to_a_computer_for_the_square_code(phone: Page) -> None:
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.post_data or "")
        route.fulfill(body="<p>https://there.example/x</p>", content_type="text/html")

    phone.route("**/connect/elsewhere/", answer)
    Signup(phone).chooses("app")
    button = phone.locator(".on-phone [data-do=elsewhere]")
    button.click()
    expect(phone.locator("#elsewhere")).to_contain_text("there.example")
    assert asked[0].startswith("onboarding=")
    button.click()
    expect(phone.locator("#elsewhere")).to_be_hidden()


@pytest.mark.usefixtures("everywhere")
def test_without_javascript_the_answer_goes_on_in_this_tab(
    browser: Browser, site: str, owner: User, client: Any
) -> None:
    context = browser.new_context(base_url=site, java_script_enabled=False)
    sign_in(context, owner, client)
    page = context.new_page()
    posted: list[str] = []

    def answer(route: Route) -> None:
        posted.append(route.request.post_data or "")
        route.fulfill(body="on", content_type="text/html")

    page.route("**/connect/dialog/", answer)
    page.goto("/connect/?new")
    expect(page.locator("#choose")).to_be_hidden()
    page.check("noscript input[value=app]")
    page.click("noscript button")
    expect(page.locator("body")).to_have_text("on")
    assert "use=app" in posted[0]
    assert "csrfmiddlewaretoken=" in posted[0]
    context.close()
