"""The desk in a browser: no faults for axe, nothing wider than the screen, right to left too."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect

from tenants.models import User
from tests.browser.conftest import sign_in, watched
from tests.browser.test_accessibility import faults


@pytest.fixture
def rows(site: str) -> None:
    cache.clear()
    call_command("generate_onboardings", "--yes-really", "--count=300", stdout=StringIO())


def opened(browser: Browser, site: str, user: User, client: Any, **options: Any) -> Iterator[Page]:
    context = browser.new_context(base_url=site, **options)
    context.set_default_timeout(15_000)
    sign_in(context, user, client)
    yield watched(context.new_page())
    context.close()


SCREENS = {
    "light-wide": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "dark-wide": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "light-phone": {"viewport": {"width": 360, "height": 640}, "color_scheme": "light"},
    "dark-phone": {"viewport": {"width": 360, "height": 640}, "color_scheme": "dark"},
}


@pytest.fixture(params=SCREENS)
def screen(
    request: pytest.FixtureRequest, browser: Browser, site: str, reviewer: User, client: Any
) -> Iterator[Page]:
    yield from opened(browser, site, reviewer, client, **SCREENS[request.param])


def test_the_full_desk_has_no_faults(screen: Page, rows: None) -> None:
    screen.goto("/admin/")
    expect(screen.get_by_text("To do next")).to_be_visible()
    assert not (found := faults(screen)), "\n".join(found)
    assert screen.faults == []  # type: ignore[attr-defined]


def test_the_empty_desk_has_no_faults(screen: Page) -> None:
    screen.goto("/admin/")
    expect(screen.get_by_text("Nobody has begun yet")).to_be_visible()
    assert not (found := faults(screen)), "\n".join(found)


@pytest.fixture(params=[1280, 360])
def width(
    request: pytest.FixtureRequest, browser: Browser, site: str, reviewer: User, client: Any
) -> Iterator[Page]:
    size = {"width": request.param, "height": 700}
    yield from opened(browser, site, reviewer, client, viewport=size)


def test_no_page_is_wider_than_the_screen(width: Page, rows: None, reviewer: User) -> None:
    for address in (
        "/admin/",
        "/admin/onboarding/providercall/",
        "/admin/onboarding/onboarding/",
        f"/admin/tenants/user/{reviewer.pk}/change/",
    ):
        width.goto(address)
        width.wait_for_load_state("networkidle")
        inside = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        assert width.evaluate(inside), address


def test_labels_on_a_phone_have_one_capital(
    browser: Browser, site: str, reviewer: User, client: Any
) -> None:
    for page in opened(browser, site, reviewer, client, viewport={"width": 360, "height": 640}):
        page.goto("/admin/tenants/user/")
        labels = page.eval_on_selector_all("[data-label]", "all => all.map(e => e.dataset.label)")
        assert "Staff status" in labels
        shown = "getComputedStyle(document.querySelector('[data-label]'), '::before').textTransform"
        assert page.evaluate(shown) == "none"


def test_an_arabic_browser_gets_the_desk_in_english(
    browser: Browser, site: str, reviewer: User, client: Any
) -> None:
    for page in opened(browser, site, reviewer, client, locale="ar"):
        page.goto("/admin/")
        assert page.get_attribute("html", "lang") == "en"
        assert page.get_attribute("html", "dir") == "ltr"


def test_from_right_to_left_the_bars_begin_at_the_right(
    browser: Browser, site: str, reviewer: User, client: Any, rows: None
) -> None:
    """Staff read English; the style is ready for a desk that is translated."""
    for page in opened(browser, site, reviewer, client):
        page.goto("/admin/")
        page.evaluate("document.documentElement.dir = 'rtl'")
        gaps = page.eval_on_selector_all(
            ".desk-track",
            "all => all.map(track => Math.round(track.getBoundingClientRect().right"
            " - track.firstElementChild.getBoundingClientRect().right))",
        )
        assert gaps
        assert set(gaps) == {0}
        icon, count = (
            page.locator(f".desk-tile {name}").first.bounding_box()
            for name in (".desk-tile-icon", ".desk-tile-count")
        )
        assert icon
        assert count
        assert icon["x"] < count["x"]
