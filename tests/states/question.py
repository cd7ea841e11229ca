"""The question, the window, and what may stand in their way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from onboarding.models import Onboarding
from tests.states.base import Case
from tests.states.world import NUMBER, S, World

FRESH = "/connect/?new"
TROUBLE = "#trouble:visible"
SDK = "**/sdk.js"
SILENT_SDK = "window.FB = {init() {}, login() {}}; window.fbAsyncInit();"
NO_CODE_SDK = """window.FB = {init() {}, login(done) {
  done({authResponse: {accessToken: "x"}, status: "connected"}) }}; window.fbAsyncInit();"""
IN_APP = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/22A3354 [FBAN/FBIOS;FBAV/480.0.0.0;FBDV/iPhone15,2]"
)


# --- Who asks ------------------------------


def owner(world: World) -> str:
    world.owner()
    return FRESH


def several_companies(world: World) -> str:
    user = world.owner()
    for name in ("Second Bakery", "A Company With a Rather Long Name That Has to Fit Somewhere"):
        world.joins(user, "owner", world.another_company(name))
    return f"{FRESH}&tenant={world.tenant.slug}"


def several_attempts(world: World) -> str:
    world.owner()
    world.attempt(S.CONNECTED, ago=timedelta(days=3))
    world.attempt(S.AWAITING_PAYMENT, "payment_missing", ago=timedelta(days=2))
    world.attempt(S.CANCELLED, "meta_cancelled", ago=timedelta(hours=3))
    return FRESH


def guest(world: World) -> str:
    world.guest()
    return "/connect/"


def guest_of_a_number(world: World) -> str:
    world.guest(expected_number=NUMBER, connection_mode="business_platform")
    return "/connect/"


def guest_of_a_country(world: World) -> str:
    """A number of a country in which Meta does not keep numbers in the app."""
    world.guest(expected_number="+2348031234567", connection_mode="business_app")
    return "/connect/"


def guest_of_an_expired_link(world: World) -> str:
    link = world.guest()
    world.cookies = _kept(world.cookies())  # type: ignore[method-assign]
    type(link).objects.filter(pk=link.pk).update(expires_at=timezone.now() - timedelta(hours=1))
    return "/connect/"


def _kept(cookies: dict[str, str]) -> Callable[[], dict[str, str]]:
    return lambda: cookies


def guest_and_member(world: World) -> str:
    """Signed in, and acting with a link all the same: chosen on the page before."""
    world.owner()
    world.guest()
    return "/s/choose/"


def left_open(world: World) -> str:
    """Reloaded while Meta's window is open."""
    world.owner()
    row = world.attempt(S.STARTED, ago=timedelta(seconds=50))
    return f"/connect/?onboarding={row.public_id}"


# --- What is done on the page ------------------------------


def answers(use: str) -> Callable[[Page, World], None]:
    def does(page: Page, _: World) -> None:
        page.check(f"input[name=use][value={use}]")
        expect(page.locator("#launch")).to_be_enabled()

    return does


def launches(page: Page, world: World) -> None:
    """Meta's window is open; it stays so until the page's browser is closed."""
    answers("new")(page, world)
    with page.expect_popup():
        page.click("#launch")


def sees_an_error(page: Page, world: World) -> None:
    launches(page, world)
    page.click("#saw-error")


def finds_an_error(page: Page, world: World) -> None:
    sees_an_error(page, world)
    page.fill("#error-text", "3441030")
    found = page.locator("details.fault:visible:not([open]) > summary")
    if found.count():
        found.first.click()


def asks_for_the_address(page: Page, world: World) -> None:
    """In another app: the address to copy, and the code to scan, where the page offers them."""
    chooses(page, world)
    expect(page.locator(TROUBLE).first).to_be_visible()
    offered = page.locator("[data-do=elsewhere]:visible")
    if offered.count():
        offered.first.click()
        expect(page.locator("#elsewhere")).to_be_visible()


def chooses(page: Page, _: World) -> None:
    page.check("input[name=use][value=new]")


def chooses_and_launches(page: Page, world: World) -> None:
    answers("new")(page, world)
    page.click("#launch")


def chooses_signed_out(page: Page, _: World) -> None:
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    chooses(page, _)


def asks_too_late(page: Page, world: World) -> None:
    """The attempt has come to its end meanwhile, so what is asked for is refused."""
    Onboarding.objects.filter(tenant=world.tenant).update(state=S.REJECTED, reason="rejected")
    page.click("#end > summary")
    page.click("#end [data-act=withdraw]")


def chooses_the_link(page: Page, _: World) -> None:
    page.click("button[value=link]")


# --- What stands in the way ------------------------------


def _sdk(page: Page, script: str) -> None:
    def fulfil(route: Route) -> None:
        allowed = {"Access-Control-Allow-Origin": "*"}
        route.fulfill(body=script, content_type="text/javascript", headers=allowed)

    page.route(SDK, fulfil)


def sdk_blocked(page: Page) -> None:
    page.route(SDK, lambda route: route.abort())


def silent_window(page: Page) -> None:
    _sdk(page, SILENT_SDK)


def no_code(page: Page) -> None:
    _sdk(page, NO_CODE_SDK)


def insecure(page: Page) -> None:
    page.add_init_script("Object.defineProperty(window, 'isSecureContext', {get: () => false})")


def offline(page: Page) -> None:
    page.route("**/api/v1/onboardings/**", lambda route: route.abort())


def stale(page: Page) -> None:
    """The card does not learn what has happened meanwhile."""
    page.route("**/card/", lambda route: route.abort())


def parked(world: World) -> str:
    world.owner()
    world.attempt(S.AWAITING_PAYMENT, "payment_missing")
    return "/connect/"


def wrong_domain(world: World) -> str:
    """An address of ours that is not the one Meta knows (SITE_URL)."""
    world.owner()
    return "http://127.0.0.1/connect/?new"


CHOICE = "#choose:visible"
OPEN = "#window:visible"
BLOCKED = {"fails": ("sdk.js", "api/v1/onboardings", "/launch/", "/withdraw/", "/card/")}
UNSET: dict[str, Any] = {"META_CONFIG_ID": {"business_platform": "", "business_app": ""}}

CASES = (
    Case("question-none", owner, CHOICE),
    Case("question-new", owner, "#ready-list:visible", answers("new")),
    Case("question-app", owner, "#ready-list:visible", answers("app")),
    Case("question-other", owner, "#ready-list:visible", answers("other")),
    Case("question-companies", several_companies, CHOICE),
    Case("question-attempts", several_attempts, ".others"),
    Case("question-guest", guest, CHOICE),
    Case("question-guest-number", guest_of_a_number, CHOICE),
    Case("question-guest-country", guest_of_a_country, CHOICE, answers("app")),
    Case("question-guest-expired", guest_of_an_expired_link, CHOICE),
    Case("question-guest-and-member", guest_and_member, CHOICE, chooses_the_link),
    Case("question-setup", owner, CHOICE, settings=UNSET),
    Case("window-open", owner, OPEN, launches),
    Case("window-error", owner, OPEN, sees_an_error),
    Case("window-error-found", owner, OPEN, finds_an_error),
    Case(
        "window-silent",
        owner,
        f"#help-blocked:visible, {TROUBLE}",
        chooses_and_launches,
        silent_window,
    ),
    Case("window-reloaded", left_open, f"{OPEN}, #ready:visible"),
    Case("trouble-sdk", owner, TROUBLE, chooses, sdk_blocked, **BLOCKED),
    Case("trouble-in-app", owner, TROUBLE, chooses, browser={"user_agent": IN_APP}),
    Case("trouble-elsewhere", owner, TROUBLE, asks_for_the_address, browser={"user_agent": IN_APP}),
    Case("trouble-domain", wrong_domain, f"{TROUBLE}, {CHOICE}", chooses),
    Case("trouble-insecure", owner, TROUBLE, chooses, insecure),
    Case("trouble-offline", owner, TROUBLE, chooses, offline, **BLOCKED),
    Case("trouble-signed-out", owner, TROUBLE, chooses_signed_out, **BLOCKED),
    Case("trouble-no-code", owner, TROUBLE, chooses_and_launches, no_code),
    Case("trouble-refused", parked, TROUBLE, asks_too_late, stale, **BLOCKED),
)
