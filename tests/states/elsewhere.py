"""Going on in this tab by Meta's page, in another browser, and without JavaScript."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

from django.core import signing
from django.utils import timezone
from playwright.sync_api import Page, expect

from onboarding import guests, views_dialog
from onboarding.models import Onboarding, SignupLink
from onboarding.services.dialog import PREFIX
from tenants.tokens import new_token, token_hash
from tests.states.access import page as plain_page
from tests.states.base import Case
from tests.states.question import (
    IN_APP,
    chooses,
    guest,
    guest_of_an_expired_link,
    owner,
)  # fmt: skip
from tests.states.world import S, World

# --- In another browser ------------------------------


def asks_for_the_address(page: Page, world: World) -> None:
    """In another app: the address to copy, and the code to scan."""
    chooses(page, world)
    shows_the_address(page, world)


def shows_the_address(page: Page, _: World) -> None:
    page.click("#trouble [data-do=elsewhere]")
    expect(page.locator("#elsewhere")).to_be_visible()


def handover_that_ended(world: World) -> str:
    """An hour old, where a quarter of an hour is the most."""
    link = world.guest()
    world.guest_token = ""
    told = guests.handover_of(link).removeprefix(guests.HANDOVER).rsplit(":", 2)[0]
    begun = signing.b62_encode(int(time.time()) - 3600)
    aged = signing.Signer.sign(guests._HANDOVERS, f"{told}:{begun}")
    return f"/s/{guests.HANDOVER}{aged}/"


# --- Back from Meta's page ------------------------------


def back_from_meta(**said: str) -> Callable[[World], str]:
    """Left for Meta's page in this browser, and now led back with this."""

    def plants(world: World) -> str:
        world.owner()
        row = world.attempt(S.STARTED)
        state = f"{PREFIX}{new_token()}"
        Onboarding.objects.filter(pk=row.pk).update(
            dialog_hash=token_hash(state), dialog_at=timezone.now()
        )
        world.more_cookies[views_dialog._cookie_of(state)] = state
        return f"/connect/return/?{urlencode({'state': state, **said})}"

    return plants


def back_without_a_way(world: World) -> str:
    """An answer that no sign-up of this browser waits for."""
    world.owner()
    return "/connect/return/?state=unknown&code=unknown"


CANCELLED = "#card[data-state=cancelled][data-reason={}]"
DENIED = {"error": "access_denied", "error_code": "200", "error_reason": "user_denied"}
FAULT = {"error_code": "3441030", "error_message": "Something went wrong"}

# --- Without JavaScript ------------------------------


def waiting(world: World) -> str:
    world.owner()
    row = world.attempt(S.AWAITING_PAYMENT, "payment_missing")
    return f"/connect/?onboarding={row.public_id}"


def link_ends_before_the_answer(page: Page, world: World) -> None:
    """Refused by the server, which has only a page to say it on."""
    links = SignupLink.objects.filter(tenant=world.tenant)
    links.update(expires_at=timezone.now() - timedelta(hours=1))
    page.check("noscript input[value=new]")
    with page.expect_navigation():
        page.click("noscript form button")


SCRIPTLESS = {"java_script_enabled": False}
AS_APP = {"user_agent": IN_APP}
FORM = "noscript form:has(fieldset legend):has(input[value=new]) button:visible"
QR = "#elsewhere svg.qr-code:visible"

CASES = (
    Case("elsewhere-member", owner, QR, asks_for_the_address, browser=AS_APP),
    Case("elsewhere-guest", guest, QR, asks_for_the_address, browser=AS_APP),
    Case("elsewhere-expired", guest_of_an_expired_link, "#elsewhere-title:visible + p:last-child",
         shows_the_address, browser=AS_APP),
    plain_page("elsewhere-ended", handover_that_ended, sees="main .card .remedy li:nth-child(2)"),
    plain_page("return-lost", back_without_a_way, sees="h1 ~ p > a.button[href^='/connect/']"),
    plain_page("return-cancel", back_from_meta(**DENIED), sees=CANCELLED.format("meta_cancelled"),
               once=True),
    plain_page("return-error", back_from_meta(**FAULT), sees=CANCELLED.format("meta_error"),
               once=True),
    Case("scriptless-question", owner, FORM, browser=SCRIPTLESS),
    Case("scriptless-guest", guest, FORM, browser=SCRIPTLESS),
    Case("scriptless-card", waiting, "#card[data-state=awaiting_payment]", browser=SCRIPTLESS),
    Case("scriptless-refused", guest, "main [role=status] .note", link_ends_before_the_answer,
         browser=SCRIPTLESS),
)  # fmt: skip
