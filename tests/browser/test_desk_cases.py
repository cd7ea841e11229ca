"""Stuck cases of ten kinds and more, each found from the desk and acted on by hands alone.

Planted by real signups through the sandbox; whoever acts is in both groups and is no superuser.
What the customer, Meta or YCloud has to do first is done at the sandbox, as they would.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from onboarding import groups
from onboarding.models import Onboarding, SignupLink, TransferCase
from tenants.models import Tenant, User
from tests.browser.conftest import sign_in, watched
from tests.conftest import Sandbox, api_of, person
from tests.test_journey import API

SOON = 15.0


class Planted:
    """A signup as the customer's page makes it, up to where it stands still."""

    def __init__(self, owner: User, sandbox: Sandbox) -> None:
        self.api, self.sandbox = api_of(owner), sandbox

    def through(self, scenario: str, reason: str, **params: Any) -> Onboarding:
        """From the click to where it stands for this reason ("": connected)."""
        self.start()
        window = self.sandbox.finish("business_platform", scenario, **params)
        if window["messages"]:
            names = ("waba_id", "phone_number_id", "business_id", "event")
            self.posts(**{name: window[name] for name in names if window[name]})
        code = {"code": window["code"], "login_status": "connected"}
        self.posts(**(code if window["code"] else {"login_status": "unknown"}))
        return self.stands(reason)

    def start(self) -> None:
        self.id = self.api.post(API, {"connection_mode": "business_platform"}).json()["id"]
        self.posts(event="LAUNCHED")

    def posts(self, **part: str) -> None:
        assert self.api.post(f"{API}{self.id}/signup/", part).status_code == 202

    def stands(self, reason: str) -> Onboarding:
        wanted = {"reason": reason} if reason else {"state": "connected"}
        return until(lambda: Onboarding.objects.filter(public_id=self.id, **wanted).first())


def until(look: Callable[[], Any]) -> Any:
    """What it finds, as soon as it finds something."""
    over = time.monotonic() + SOON
    while not (found := look()):
        assert time.monotonic() < over, Onboarding.objects.values("state", "reason")
        time.sleep(0.05)
    return found


@pytest.fixture
def planted(owner: User, sandbox: Sandbox) -> Planted:
    return Planted(owner, sandbox)


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[BrowserContext]:
    """One browser for all cases: each signs in anew."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    yield context
    context.close()


class Hands:
    """A member of staff who begins at /admin/ and follows links from there."""

    def __init__(self, page: Page, site: str) -> None:
        self.page, self.site = page, site

    def opens_the_desk(self) -> None:
        self.page.goto(f"{self.site}/admin/")

    def finds(self, name: str, says: str) -> None:
        """In the table of the longest stuck, with what to do; then the record."""
        self.opens_the_desk()
        row = self.page.locator(".desk-stuck tbody tr", has_text=name)
        expect(row).to_contain_text(says)
        row.locator("a.desk-button").click()
        self.reads(says)

    def reads(self, says: str) -> None:
        expect(self.page.locator(".record-side .requirement").first).to_contain_text(says)
        text = self.page.locator(".record-side").first.inner_text()
        assert "Your partner" not in text
        assert "Check again" not in text
        assert "You need not" not in text

    def presses(self, act: str) -> None:
        self.page.locator(".record-acts").get_by_text(act, exact=True).click()

    def confirms(self, act: str) -> None:
        self.page.locator(".record-ask").get_by_role("button", name=act).click()

    def sees(self, state: str) -> None:
        """The record says so, when the worker is done: people reload until then."""
        until(lambda: self._is(state))

    def _is(self, state: str) -> bool:
        if self.page.inner_text(".record-title .pill") == state:
            return True
        self.page.reload()
        return False


@pytest.fixture
def hands(window: BrowserContext, site: str) -> Iterator[Hands]:
    groups.ship(apps)
    user = person("staff@partner.example", staff=True)
    user.groups.set(Group.objects.filter(name__in=groups.GROUPS))
    sign_in(window, user, Client())
    page = watched(window.new_page())
    errors: list[str] = page.faults  # type: ignore[attr-defined]
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    yield Hands(page, site)
    page.close()
    assert errors == []


# --- Goes on when the others have done their part -------------------------------------------------

GOES_ON = {
    "the payment method is missing: YCloud attaches it, we resume": (
        "payment_missing", "payment_missing", "Ask YCloud to attach the payment method.",
        "attach_payment", "Resume",
    ),
    "a foreign PIN: the customer clears it, we register again": (
        "pin_mismatch", "pin_mismatch", "Ask them to switch two-step verification off.",
        "clear_pin", "Register again",
    ),
    "the display name is in review: Meta approves it, we look": (
        "name_review", "display_name_review", "Nothing to do: we keep looking.",
        "approve_name", "Register again",
    ),
    "the number is not verified: the customer enters the code, we resume": (
        "number_unverified", "number_not_verified", "Ask them to enter Meta's code.",
        "verify_number", "Resume",
    ),
    "Meta reviews the account: it approves it, we resume": (
        "review_pending", "account_in_review", "Meta is reviewing the WhatsApp account",
        "approve_review", "Resume",
    ),
    "the account is banned: Meta lifts the ban, we resume": (
        "banned", "account_banned", "Ask them to appeal to Meta, or reject it.",
        "reinstate", "Resume",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GOES_ON.values(), ids=GOES_ON)
def test_it_goes_on_to_connected_when(
    case: tuple[str, ...], planted: Planted, sandbox: Sandbox, hands: Hands, tenant: Tenant
) -> None:
    scenario, reason, says, others, act = case
    row = planted.through(scenario, reason)
    hands.finds(tenant.name, says)
    sandbox.act(
        others, waba_id=row.claimed_waba_id, phone_number_id=row.claimed_phone_number_id
    )  # fmt: skip
    hands.presses(act)
    if act == "Register again":
        expect(hands.page.locator(".budget")).to_contain_text("Registered 1 of 10 times")
        hands.confirms(act)
    hands.sees("connected")


# --- Ours to decide -------------------------------------------------------------------------------


def test_a_review_by_policy_is_approved(
    planted: Planted, hands: Hands, tenant: Tenant, settings: Any
) -> None:
    settings.ONBOARDING_APPROVAL = "always"
    planted.through("approve", "approval_needed")
    hands.finds(tenant.name, "Approve or reject it.")
    hands.presses("Approve")
    hands.sees("connected")


def test_an_unproven_grant_shows_its_waba_and_is_approved(
    planted: Planted, hands: Hands, tenant: Tenant
) -> None:
    row = planted.through("ids_only", "unproven")
    hands.finds(tenant.name, "Make sure that it is theirs, then approve or reject.")
    expect(hands.page.locator(".record-head")).to_contain_text(row.claimed_waba_id)
    expect(hands.page.locator(".record-head")).to_contain_text("owner@cakes.example")
    hands.presses("Approve")
    hands.sees("connected")


def test_an_account_of_another_tenant_is_moved_by_its_transfer_case(
    planted: Planted, sandbox: Sandbox, hands: Hands, tenant: Tenant, stranger: User
) -> None:
    held = planted.through("approve", "")
    asker = Planted(stranger, sandbox)
    row = asker.through("second_tenant", "account_held")
    hands.finds("Other Company", "Open and decide its transfer case.")
    hands.presses("Open a transfer case")
    expect(hands.page.locator("#content, main").first).to_contain_text("Asks for it: Other Company")
    hands.page.check("input[name=confirmed]")
    hands.page.get_by_role("button", name="Accept").click()
    case = TransferCase.objects.get()
    assert case.standing in ("moving", "accepted")
    hands.page.get_by_role("link", name=row.reference).first.click()
    expect(hands.page.locator(".record-title")).to_contain_text("Other Company")
    assert held.tenant == tenant


def test_a_banned_account_is_rejected_and_the_customer_reads_why(
    planted: Planted, hands: Hands, tenant: Tenant
) -> None:
    planted.through("banned", "account_banned")
    hands.finds(tenant.name, "Meta has disabled the WhatsApp account")
    hands.presses("Reject")
    hands.page.fill("textarea[name=note]", "Meta has closed this account.")
    hands.confirms("Reject")
    hands.sees("rejected")
    assert planted.api.get(f"{API}{planted.id}/").json()["state"] == "rejected"


# --- Theirs: a new link ---------------------------------------------------------------------------


def test_who_went_away_before_choosing_a_number_gets_a_new_link(
    planted: Planted, hands: Hands, tenant: Tenant
) -> None:
    planted.through("several_numbers", "number_choice")
    hands.finds(tenant.name, "The customer has to choose a number")
    hands.presses("Send a new link")
    hands.confirms("Send a new link")
    expect(hands.page.locator("#timeline")).to_contain_text("owner@cakes.example")
    assert SignupLink.objects.get().email == "owner@cakes.example"


def test_a_window_from_which_nothing_came_is_found_among_the_cancelled(
    planted: Planted, sandbox: Sandbox, hands: Hands
) -> None:
    planted.start()
    planted.posts(login_status="unknown")
    planted.stands("no_confirmation")
    hands.opens_the_desk()
    if hands.page.locator(".desk-others").count():
        hands.page.click(".desk-others >> text=cancelled")
    hands.page.click("#result_list tbody th a")
    hands.reads("Look for the account; else send a new link.")
    hands.presses("Look for the account")
    expect(hands.page.locator("#timeline")).to_contain_text("searched")
    until(lambda: Onboarding.objects.exclude(reason="no_confirmation").first())


def test_a_used_up_budget_is_not_registered_in_vain(
    planted: Planted, sandbox: Sandbox, hands: Hands, tenant: Tenant, settings: Any
) -> None:
    settings.REGISTER_BUDGET, settings.REGISTER_RESERVE = 3, 2
    planted.through("pin_mismatch", "pin_mismatch")
    planted.api.post(f"{API}{planted.id}/resume/")
    planted.stands("register_budget")
    hands.finds(tenant.name, "Have the cause mended; it goes on by itself.")
    expect(hands.page.locator(".record-side")).to_contain_text("we look again")
    expect(hands.page.locator(".record-acts")).not_to_contain_text("Register again")
    hands.presses("Assign to me")
    expect(hands.page.locator(".record-head")).not_to_contain_text("nobody")
    assert sandbox.registers == 1


def test_a_number_that_was_lost_is_found_by_its_tile_and_gets_a_link_of_its_own(
    planted: Planted, sandbox: Sandbox, hands: Hands, owner: User
) -> None:
    row = planted.through("approve", "")
    assert row.number is not None
    row.number.health, row.number.status = "number_offboarded", "DISCONNECTED"
    row.number.save()
    hands.opens_the_desk()
    hands.page.click(".desk-tile:has-text('Health dropped') a")
    hands.page.click("#result_list tbody th a")
    expect(hands.page.locator("#requirements")).to_contain_text("Send a new link")
    hands.page.get_by_role("link", name=row.reference).click()
    hands.reads("Send a new link: it is for this number.")
    hands.presses("Send a new link")
    hands.page.fill("input[name=email]", owner.email)
    hands.confirms("Send a new link")
    expect(hands.page.locator("#timeline")).to_contain_text("A new signup link was mailed")
    assert SignupLink.objects.get().expected_number == row.number.e164


def test_the_search_finds_what_is_not_among_the_ten(
    planted: Planted, hands: Hands, tenant: Tenant
) -> None:
    row = planted.through("only_waba", "number_missing")
    hands.opens_the_desk()
    hands.page.get_by_role("link", name="Onboardings").first.click()
    hands.page.fill("#searchbar", row.reference)
    hands.page.press("#searchbar", "Enter")
    hands.page.click("#result_list tbody th a")
    hands.reads("The WhatsApp account has no number yet")
    hands.presses("Withdraw")
    hands.confirms("Withdraw")
    hands.sees("cancelled")
