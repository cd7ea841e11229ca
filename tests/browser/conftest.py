"""A real Chromium, a live server, the sandbox's window, and a worker in a thread."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import connections
from django.test.client import ClientHandler
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from onboarding import meta, services, steps, transitions, views
from onboarding.models import Onboarding
from onboarding.models.onboarding import Grant
from tenants import walls
from tenants.models import Tenant, User
from tests.conftest import BACKEND, Sandbox

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SOON = 15.0  # s
UNUSED = (
    # What Playwright switches off: the last list alone counts.
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding",
    "ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints",
    "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch",
    # Processes for a page that might come next and for the browser's own menus: two a test.
    "SpareRendererForSitePerProcess", "PreloadTopChromeWebUI",
)  # fmt: skip
"""Features of Chromium that no page of ours can tell."""
expect.set_options(timeout=SOON * 1000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    assert path, "no Chromium: install one or set CHROMIUM=/path/to/chromium"
    with sync_playwright() as playwright:
        switches = ["--no-sandbox", f"--disable-features={','.join(UNUSED)}"]
        chromium = playwright.chromium.launch(executable_path=path, args=switches)
        yield chromium
        chromium.close()


class TestIsOverError(Exception):
    """A closed page had asked for this; it would meet a database that is being emptied."""


class InFlight:
    """The live server's requests: let in while a test runs, and all answered when it ends."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.is_open = False
        self.count = 0
        request_started.connect(self.began)
        request_finished.connect(self.ended)

    def began(self, sender: type, **_: Any) -> None:
        if sender is ClientHandler:  # a test's own client
            return
        with self.changed:
            if not self.is_open:
                raise TestIsOverError
            self.count += 1

    def ended(self, sender: type, **_: Any) -> None:
        if sender is ClientHandler:
            return
        with self.changed:
            self.count -= 1
            self.changed.notify_all()

    def opens(self) -> None:
        """Another test begins."""
        with self.changed:
            self.is_open, self.count = True, 0

    def closes(self) -> None:
        """Let nothing in any more, and wait until the rest is answered."""
        with self.changed:
            self.is_open = False
            assert self.changed.wait_for(lambda: self.count <= 0, timeout=20)


@pytest.fixture(scope="session")
def in_flight() -> InFlight:
    return InFlight()


@pytest.fixture
def site(live_server: Any, sandbox: Sandbox, settings: Any, in_flight: InFlight) -> Iterator[str]:
    """The live server's address, the one that Meta knows; the sandbox's window posts to it.

    Pages are closed before this ends, but what they had asked for may still be under way.
    """
    settings.SITE_URL = live_server.url
    sandbox.server.app_origins = (live_server.url,)
    in_flight.opens()
    yield str(live_server.url)
    in_flight.closes()


@pytest.fixture
def context(browser: Browser, site: str) -> Iterator[BrowserContext]:
    made = browser.new_context(base_url=site, viewport={"width": 1280, "height": 800})
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, owner: User, client: Any) -> Page:
    """The owner's browser, signed in."""
    sign_in(context, owner, client)
    return watched(context.new_page())


def sign_in(context: BrowserContext, user: User, client: Any) -> None:
    client.force_login(user, backend=BACKEND)
    value = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": value, "domain": "localhost", "path": "/"}])


def watched(page: Page) -> Page:
    """A page whose script faults and policy violations are kept in `page.faults`."""
    faults: list[str] = []
    page.faults = faults  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None,
    )
    return page


def until(page: Page, look: str | Callable[[], Any]) -> Any:
    """What an expression of the page's, or a function here, gives as soon as it is something.

    `Page.wait_for_function` evaluates text again with each frame, where the page's own policy
    applies and forbids it: it would only pass where the first look already finds something.
    """
    over = time.monotonic() + SOON
    while not (found := page.evaluate(look) if isinstance(look, str) else look()):
        assert time.monotonic() < over, f"nothing within {SOON} s: {look}"
        page.wait_for_timeout(20)
    return found


@pytest.fixture
def link_address(site: str, tenant: Tenant) -> str:
    _, token = services.create_link(tenant)
    return f"{site}/s/{token}/"


class BackgroundWorker:
    """Sweeps in a thread until it is stopped; its faults fail the test."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.faults: list[BaseException] = []
        self.thread = threading.Thread(target=self._run, name="test-worker")

    def _run(self) -> None:
        try:
            walls.current.set(walls.EVERYTHING)
            while not self.ended.wait(0.05):
                self._sweep()
        except BaseException as fault:
            self.faults.append(fault)
        finally:
            connections.close_all()

    def _sweep(self) -> None:
        for row in Onboarding.objects.filter(grant=Grant.WAITING):
            meta.exchange_code(row.pk)
        for onboarding_id, fence in transitions.claim_due(10):
            row = transitions.take_over(onboarding_id, fence)
            if row is not None:
                steps.run(row)


@pytest.fixture(autouse=True)
def _worker(site: str, transactional_db: None) -> Iterator[None]:
    worker = BackgroundWorker()
    worker.thread.start()
    yield
    worker.ended.set()
    worker.thread.join()
    assert not worker.faults


class Signup:
    """The customer's hands: choose, launch, go through the window."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def chooses(self, use: str = "new") -> None:
        self.page.goto("/connect/?new")
        self.page.check(f"input[value={use}]")
        expect(self.page.locator("#launch")).to_be_enabled()

    def launches(self, use: str = "new") -> Page:
        self.chooses(use)
        with self.page.expect_popup() as popup:
            self.page.click("#launch")
        window = popup.value
        expect(window.locator("h1")).not_to_be_empty()
        return window

    def finishes(self, window: Page) -> None:
        """Walk through all screens; the window closes itself after the last one."""
        expect(window.locator("h1")).not_to_be_empty()
        while window.locator("[data-test=next]").count():
            window.click("[data-test=next]")
        self.ends(window, "finish")

    def ends(self, window: Page, button: str) -> None:
        """Press the button that closes the window: it may be gone before the press has returned."""
        with window.expect_event("close"), contextlib.suppress(PlaywrightError):
            window.click(f"[data-test={button}]")

    def goes_through(self, use: str = "new") -> None:
        self.finishes(self.launches(use))

    def sees(self, state: str) -> None:
        expect(self.page.locator(f"#card[data-state={state}]")).to_be_visible()


@pytest.fixture
def signup(page: Page) -> Signup:
    return Signup(page)


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page has the full-page dialog and another device to offer."""
    plain = views._page_config

    def offering(*given: Any) -> dict[str, Any]:
        there = {"dialog_url": "/connect/dialog/", "elsewhere_url": "/connect/elsewhere/"}
        return {**plain(*given), **there}

    monkeypatch.setattr(views, "_page_config", offering)


@pytest.fixture
def say(page: Page) -> Callable[[str, Any], None]:
    """A message event as a window of that origin would cause it."""

    def said(origin: str, data: Any) -> None:
        page.evaluate(
            "([origin, data]) => dispatchEvent(new MessageEvent('message', {origin, data}))",
            [origin, data],
        )

    return said
