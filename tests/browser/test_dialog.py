"""Continue in this tab, in a real Chromium: the sandbox's full-page dialog and the way back."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from onboarding.models import Onboarding, SignupEvent
from tenants.models import User
from tests.browser.conftest import sign_in, until, watched
from tests.conftest import Sandbox

FORM = """<form method="post" action="/connect/dialog/" id="test-form">
<input type="hidden" name="csrfmiddlewaretoken" value="{token}">
<input type="hidden" name="use" value="{use}"><button id="test-go">Go</button></form></main>"""


@pytest.fixture(autouse=True)
def _one_address(site: str, settings: Any) -> None:
    settings.SITE_URL = site


def offering(page: Page, use: str = "new") -> None:
    """The signup page, with the plain form of *Continue in this tab* for this answer."""

    def with_form(route: Route) -> None:
        answer = route.fetch()
        kept = {each["name"]: each["value"] for each in page.context.cookies()}
        given = re.search(r"csrftoken=([^;]+)", answer.headers.get("set-cookie", ""))
        token = given[1] if given else kept["csrftoken"]
        form = FORM.format(token=token, use=use)
        route.fulfill(response=answer, body=answer.text().replace("</main>", form))

    page.route(re.compile(r"/connect/\?new$"), with_form)
    page.goto("/connect/?new")
    page.unroute_all()


def leaves(page: Page, use: str = "new") -> None:
    offering(page, use)
    page.click("#test-go")
    page.wait_for_url(re.compile("/dialog/oauth"))


def finishes(page: Page) -> None:
    while page.locator("[data-test=next]").count():
        page.click("[data-test=next]")
    page.click("[data-test=finish]")


def sees(page: Page, state: str) -> None:
    expect(page.locator(f"#card[data-state={state}]")).to_be_visible()


@pytest.fixture
def as_guest(context: BrowserContext, link_address: str) -> Page:
    made = watched(context.new_page())
    made.goto(link_address)
    return made


@pytest.mark.parametrize("use", ["new", "app"])
@pytest.mark.parametrize("who", ["page", "as_guest"])
def test_both_variants_connect_in_one_tab(
    request: pytest.FixtureRequest, sandbox: Sandbox, use: str, who: str
) -> None:
    page: Page = request.getfixturevalue(who)
    leaves(page, use)
    finishes(page)
    sees(page, "connected")
    row = Onboarding.objects.get()
    assert (row.proven, row.code_by_dialog) == (True, True)
    assert row.connection_mode == ("business_app" if use == "app" else "business_platform")
    assert sandbox.registers == (1 if use == "new" else 0)
    assert len(page.context.pages) == 1
    assert page.url.endswith(f"/connect/?onboarding={row.public_id}#main")
    assert page.faults == []  # type: ignore[attr-defined]


def test_a_customer_who_cancels_is_told_that_meta_said_so(page: Page) -> None:
    leaves(page)
    page.click("[data-test=cancel]")
    sees(page, "cancelled")
    assert Onboarding.objects.get().reason == "meta_cancelled"


def test_an_error_of_metas_is_on_the_card(page: Page, sandbox: Sandbox) -> None:
    sandbox.next("report")
    leaves(page)
    finishes(page)
    sees(page, "cancelled")
    assert Onboarding.objects.get().error_code == "3441030"


def came_back(page: Page) -> str:
    """Goes through, and remembers the address that Meta's page led back to."""
    seen: list[str] = []
    page.on("request", lambda asked: seen.append(asked.url) if "/return/" in asked.url else None)
    leaves(page)
    finishes(page)
    sees(page, "connected")
    return seen[0]


def test_the_way_back_is_not_in_the_history_and_counts_no_second_time(page: Page) -> None:
    address = came_back(page)
    events = SignupEvent.objects.count()
    page.goto(address)
    expect(page.locator("h1")).to_have_text("Meta's answer could not be used")
    assert page.url.endswith("/connect/lost/")
    page.click("main a.button")
    sees(page, "connected")
    assert SignupEvent.objects.count() == events


def test_the_page_about_a_lost_answer_is_read_in_another_language(page: Page) -> None:
    page.goto("/connect/return/?state=dlg_old&code=old")
    page.click(".languages summary")
    page.click(".languages button[value=es]")
    expect(page.locator("html")).to_have_attribute("lang", "es")
    assert page.url.endswith("/connect/lost/")


def test_the_way_back_of_another_browser_counts_for_nothing(
    page: Page, browser: Browser, site: str, owner: User, client: Any
) -> None:
    leaves(page)
    sent = dict(parse_qsl(urlsplit(page.url).query))
    answer = httpx.post(page.url.partition("?")[0], data={**sent, "ending": "finish"})
    other = browser.new_context(base_url=site)
    sign_in(other, owner, client)
    opened = other.new_page()
    opened.goto(answer.headers["Location"])
    expect(opened.locator("h1")).to_have_text("Meta's answer could not be used")
    assert Onboarding.objects.get().state == "started"
    other.close()


@pytest.mark.parametrize("use", ["new", "app"])
def test_without_javascript_it_connects_too(
    browser: Browser, site: str, link_address: str, use: str
) -> None:
    context = browser.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto(link_address)
    leaves(page, use)
    page.click("#leave button[value=finish]")
    page.wait_for_url(re.compile(r"/connect/\?onboarding="))
    until(page, lambda: Onboarding.objects.get().state == "connected")
    page.reload()
    sees(page, "connected")
    context.close()
