"""The question, the window, and what may stand in their way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from onboarding import services
from onboarding.models import Onboarding, SignupLink
from tenants.models import Tenant
from tests.states.base import Case
from tests.states.world import NUMBER, S, World

FRESH = "/connect/?new"
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


def guest_of_an_ended_link(world: World) -> str:
    """Let in before, and the link was ended since."""
    link = world.guest()
    world.cookies = _kept(world.cookies())  # type: ignore[method-assign]
    type(link).objects.filter(pk=link.pk).update(revoked_at=timezone.now())
    return "/connect/"


def guest_of_a_replaced_link(world: World) -> str:
    """Let in before, and a newer link for the same number was made since."""
    world.guest()
    world.cookies = _kept(world.cookies())  # type: ignore[method-assign]
    services.create_link(world.tenant)
    return "/connect/"


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
    page.fill("#error-text", "3441030")  # a whole number of Meta's: the page opens what it means


def chooses(page: Page, _: World) -> None:
    page.check("input[name=use][value=new]")


def chooses_and_launches(page: Page, world: World) -> None:
    answers("new")(page, world)
    page.click("#launch")


def chooses_signed_out(page: Page, _: World) -> None:
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    chooses(page, _)


def chooses_after_the_end(page: Page, world: World) -> None:
    SignupLink.objects.filter(tenant=world.tenant).update(revoked_at=timezone.now())
    chooses(page, world)


def chooses_after_a_newer_one(page: Page, world: World) -> None:
    services.create_link(world.tenant)
    chooses(page, world)


def link_ends_beside_the_window(page: Page, world: World) -> None:
    launches(page, world)
    SignupLink.objects.filter(tenant=world.tenant).update(revoked_at=timezone.now())
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#window")).to_be_hidden()


FINISHES = """() => {
  const { sandbox_origin: origin } = JSON.parse(document.querySelector("#page-config").textContent);
  const data = { waba_id: "770000000000009", phone_number_id: "780000000000009" };
  const said = { type: "WA_EMBEDDED_SIGNUP", event: "FINISH", data };
  dispatchEvent(new MessageEvent("message", { origin, data: JSON.stringify(said) }));
}"""


def finishes_after_the_end(page: Page, world: World) -> None:
    """Meta's window says that it is done, and the link was ended a moment before."""
    link_ends_beside_the_window(page, world)
    page.evaluate(FINISHES)


def goes_on_here_unanswered(page: Page, _: World) -> None:
    page.click("#trouble [data-this-tab] button")


def asks_too_late(page: Page, world: World) -> None:
    """The attempt has come to its end meanwhile, so what is asked for is refused."""
    Onboarding.objects.filter(tenant=world.tenant).update(state=S.REJECTED, reason="rejected")
    page.click("#end > summary")
    page.click("#end [data-act=withdraw]")


def chooses_the_link(page: Page, _: World) -> None:
    page.click("button[value=link]")


# --- What stands in the way ------------------------------


def plays(page: Page, script: str) -> None:
    """This script in place of Meta's."""

    def fulfil(route: Route) -> None:
        allowed = {"Access-Control-Allow-Origin": "*"}
        route.fulfill(body=script, content_type="text/javascript", headers=allowed)

    page.route(SDK, fulfil)


def sdk_blocked(page: Page) -> None:
    page.route(SDK, lambda route: route.abort())


def no_code(page: Page) -> None:
    plays(page, NO_CODE_SDK)


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


PREFILL = {
    "prefill": True, "prefill_name": "John's Cake Shop S.L.", "prefill_city": "Madrid",
    "prefill_email": "office@cakes.example", "prefill_website": "https://cakes.example/",
    "prefill_country": "ES", "prefill_display_name": "John's Cakes", "prefill_category": "RETAIL",
    "prefill_phone_code": "34", "prefill_phone_number": "612345678",
}  # fmt: skip


def prefilled(world: World) -> str:
    """A company of which the partner knows much, and has Meta's window filled in with it."""
    world.owner()
    Tenant.objects.filter(pk=world.tenant.pk).update(**PREFILL)
    return FRESH


def unfolds_the_prefilled(page: Page, world: World) -> None:
    answers("new")(page, world)
    page.click(".prefilled summary")


def wrong_domain(world: World) -> str:
    """An address of ours that is not the one Meta knows (SITE_URL)."""
    world.owner()
    return "http://127.0.0.1/connect/?new"


CHOICE = "#choose:visible"
READY = "#ready-list:visible"
NOTE = "#choose .note:visible"
BLOCKED = {"fails": ("sdk.js", "api/v1/onboardings", "/launch/", "/withdraw/", "/card/")}
AS_APP = {"user_agent": IN_APP}
UNSET: dict[str, Any] = {"META_CONFIG_ID": {"business_platform": "", "business_app": ""}}


def trouble(kind: str) -> str:
    """What is to be seen of it."""
    return f"#trouble[data-kind={kind}]:visible"


def part(tag: str, when: str) -> str:
    """A part of a trouble that is shown where it holds."""
    return f"#trouble {tag}[data-when={when}]:visible"


CASES = (
    Case("question-none", owner, CHOICE),
    Case("question-new", owner, READY, answers("new")),
    Case("question-app", owner, "#country:not(.act):visible", answers("app")),
    Case("question-other", owner, READY, answers("other")),
    Case("question-companies", several_companies, ".tenants [aria-current]"),
    Case("question-attempts", several_attempts, ".others"),
    Case("question-guest", guest, CHOICE),
    Case("question-guest-number", guest_of_a_number, NOTE),
    Case("question-guest-country", guest_of_a_country, "#country.act:visible", answers("app")),
    Case("question-guest-expired", guest_of_an_expired_link, "#choose .note.stop:visible"),
    Case(
        "question-guest-ended",
        guest_of_an_ended_link,
        "main .card .badge.act",
        fails=("/connect/",),
    ),
    Case(
        "question-guest-replaced",
        guest_of_a_replaced_link,
        "main .remedy li:nth-child(2)",
        fails=("/connect/",),
    ),
    Case("question-first", owner, "#first:visible", goes_on_here_unanswered, browser=AS_APP),
    Case("question-guest-and-member", guest_and_member, CHOICE, chooses_the_link),
    Case("question-prefilled", prefilled, ".prefilled [open] dl:visible", unfolds_the_prefilled),
    Case("question-setup", owner, "#unready:visible", settings=UNSET),
    Case("trouble-sdk", owner, trouble("sdk"), chooses, sdk_blocked, **BLOCKED),
    Case("trouble-in-app", owner, trouble("in-app"), chooses, browser=AS_APP),
    Case("trouble-domain", wrong_domain, trouble("domain"), chooses),
    Case("trouble-insecure", owner, trouble("insecure"), chooses, insecure),
    Case("trouble-offline", owner, trouble("offline"), chooses, offline, **BLOCKED),
    Case("trouble-signed-out", owner, trouble("signed-out"), chooses_signed_out, **BLOCKED),
    Case("trouble-link-ended", guest, trouble("link-ended"), chooses_after_the_end, **BLOCKED),
    Case(
        "trouble-link-replaced", guest, part("p", "replaced"), chooses_after_a_newer_one, **BLOCKED
    ),
    Case(
        "trouble-link-window", guest, part("li", "window"), link_ends_beside_the_window, **BLOCKED
    ),
    Case("trouble-link-kept", guest, part("p", "kept"), finishes_after_the_end, **BLOCKED),
    Case("trouble-no-code", owner, trouble("no-code"), chooses_and_launches, no_code),
    Case("trouble-refused", parked, trouble("failed"), asks_too_late, stale, **BLOCKED),
)
