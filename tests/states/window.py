"""What the page says of Meta's window: held back, left, closed, silent, and the way past it.

The window is a planted one: an SDK that opens it and keeps its answer, and a handle that a case
closes. The page's own clock is moved on, so nobody waits.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, expect

from onboarding.models import Onboarding
from tests.states.base import Case
from tests.states.question import (
    SILENT_SDK,
    answers,
    finds_an_error,
    guest,
    launches,
    left_open,
    owner,
    plays,
    sees_an_error,
    trouble,
)  # fmt: skip
from tests.states.world import NUMBER, S, World

HELD_SDK = (
    "window.FB = {init() {}, login() { window.held = window.open('', 'meta'); }};"
    " window.fbAsyncInit();"
)
FAR = """window.open = () => ({ closed: false, focus() {},
  location: { get href() { throw new Error("far"); } } });"""
SHUT_AT_ONCE = "window.open = () => ({closed: true, focus() {}, location: {href: 'about:blank'}});"
BLOCKED = "window.open = () => null;"


def left_an_hour_ago(world: World) -> str:
    """Meta's window was opened long ago, and nothing was heard of it."""
    world.owner()
    row = world.attempt(S.STARTED, ago=timedelta(hours=1))
    return f"/connect/?onboarding={row.public_id}"


def left_a_number(world: World) -> str:
    """The same, where the number is agreed."""
    address = left_an_hour_ago(world)
    Onboarding.objects.filter(tenant=world.tenant).update(expected_number=NUMBER)
    return address


def begun_again(world: World) -> str:
    """Ended, begun again, and read anew before the click."""
    address = left_an_hour_ago(world)
    Onboarding.objects.filter(tenant=world.tenant).update(state_changed_at=timezone.now())
    return address


def ended(world: World) -> str:
    """The window was closed, and nothing came back."""
    world.owner()
    row = world.attempt(S.CANCELLED, "no_confirmation")
    return f"/connect/?onboarding={row.public_id}"


def sees_an_error_after(page: Page, _: World) -> None:
    page.click("#ended-help button")
    page.fill("#error-text", "4563015")


def window(script: str, sdk: str = HELD_SDK, clock: bool = False) -> Callable[[Page], None]:
    """The page's browser opens windows as `script` says."""

    def before(page: Page) -> None:
        plays(page, sdk)
        if clock:
            page.clock.install()
        page.add_init_script(script)

    return before


def opens(page: Page, world: World) -> None:
    answers("new")(page, world)
    page.click("#launch")


def opens_and_closes(page: Page, world: World) -> None:
    opens(page, world)
    expect(page.locator("#front")).to_be_visible()
    page.evaluate("held.closed = true")
    page.clock.run_for(4_000)


def opens_and_waits(page: Page, world: World) -> None:
    opens(page, world)
    page.clock.fast_forward("04:01")


def nothing_opens(page: Page, world: World) -> None:
    opens(page, world)
    page.bring_to_front()
    page.clock.run_for(6_000)


def explains(page: Page, world: World) -> None:
    """What happens in the window, for one who leaves another provider."""
    answers("other")(page, world)
    page.click("#launch")
    page.click("#window .inside > summary")


CASES = (
    Case("window-open", owner, "#front:visible", launches),
    Case("window-guest", guest, "#window-open:visible", opens, window(FAR)),
    Case("window-explained", owner, "#window .inside[open] .note:visible", explains, window(FAR)),
    Case("window-error", owner, "#error-form:visible", sees_an_error),
    Case("window-error-found", owner, ".fault[open]:visible", finds_an_error),
    Case("window-shut", owner, "#window-shut:visible", opens_and_closes, window(FAR, clock=True)),
    Case("window-still", owner, "#still:visible", opens_and_waits, window(FAR, clock=True)),
    Case("window-reloaded", left_open, "#window-left:visible", once=True),
    Case("window-maybe", owner, "#window-maybe:visible", nothing_opens,
         window("", SILENT_SDK, clock=True)),
    Case("window-begun-again", begun_again, "#launch:enabled", once=True),
    Case("window-ended-error", ended, "#progress .fault[open]:visible", sees_an_error_after),
    Case("window-silent", owner, trouble("unseen"), nothing_opens,
         window("", SILENT_SDK, clock=True)),
    Case("window-left", left_an_hour_ago, "#ready-left:visible", once=True),
    Case("window-left-number", left_a_number, "#ready-number:visible", once=True),
    Case("trouble-unseen", owner, trouble("unseen"), opens, window(SHUT_AT_ONCE)),
    Case("trouble-popup", owner, trouble("popup"), opens, window(BLOCKED)),
    Case("trouble-popup-guest", guest, trouble("popup"), opens, window(BLOCKED)),
)  # fmt: skip
