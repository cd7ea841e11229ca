"""*Continue in this tab* before the question is answered: said, read out, gone on with after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from onboarding.models import Onboarding
from tenants.models import User
from tests.browser.conftest import sign_in, watched
from tests.browser.test_accessibility import faults as violations
from tests.browser.test_troubles import IN_APP, dialog


@pytest.fixture
def in_app(browser: Browser, site: str, owner: User, client: Any) -> Iterator[Page]:
    """The page inside Instagram, with its question not answered yet."""
    context = browser.new_context(base_url=site, user_agent=IN_APP["Instagram"])
    sign_in(context, owner, client)
    page = watched(context.new_page())
    page.goto("/connect/?new")
    expect(page.locator("#trouble[data-kind=in-app]")).to_be_visible()
    yield page
    context.close()


def test_this_tab_says_that_the_question_comes_first_and_goes_on_once_it_is_answered(
    in_app: Page,
) -> None:
    posted = dialog(in_app)
    in_app.click("[data-this-tab] button")
    first = in_app.locator("#first")
    expect(first).to_contain_text("This question comes first")
    expect(in_app.locator("#announce")).to_have_text(first.text_content() or "-")
    expect(in_app.locator("#choose-form fieldset")).to_have_attribute("aria-describedby", "first")
    expect(in_app.locator("input[value=new]")).to_be_focused()
    assert violations(in_app) == []
    assert posted == []
    in_app.click("label:has(input[value=app])")
    expect(in_app.locator("body")).to_have_text("on")
    row = Onboarding.objects.get()
    assert row.connection_mode == "business_app"
    assert f"onboarding={row.public_id}" in posted[0]
    assert in_app.faults == []  # type: ignore[attr-defined]


def test_with_the_arrow_keys_nothing_goes_on_before_the_button_is_pressed(in_app: Page) -> None:
    posted = dialog(in_app)
    in_app.locator("[data-this-tab] button").press("Enter")
    expect(in_app.locator("input[value=new]")).to_be_focused()
    in_app.keyboard.press("ArrowDown")
    in_app.keyboard.press("ArrowDown")
    expect(in_app.locator("input[value=other]")).to_be_checked()
    assert posted == []
    assert not Onboarding.objects.exists()
    in_app.keyboard.press("Tab")
    expect(in_app.locator("[data-do=this-tab]")).to_be_focused()
    in_app.keyboard.press("Enter")
    expect(in_app.locator("body")).to_have_text("on")
    assert len(posted) == Onboarding.objects.count() == 1


def test_with_the_space_bar_the_answer_goes_on(in_app: Page) -> None:
    dialog(in_app)
    in_app.locator("[data-this-tab] button").press("Enter")
    expect(in_app.locator("input[value=new]")).to_be_focused()
    in_app.keyboard.press("Space")
    expect(in_app.locator("body")).to_have_text("on")


def test_an_answer_that_nobody_waits_for_goes_nowhere(in_app: Page) -> None:
    posted = dialog(in_app)
    in_app.click("label:has(input[value=app])")
    expect(in_app.locator("#ready-list")).to_be_visible()
    expect(in_app.locator("#first")).to_be_hidden()
    assert posted == []
