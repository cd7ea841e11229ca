"""The company's dashboard, members and links in a real Chromium, with axe, on phones and desks."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from onboarding import services
from onboarding.models import Onboarding, WhatsAppBusinessAccount
from tenants import invitations
from tenants.colours import DARK, LIGHT, accent_on
from tenants.models import Membership, Tenant, User
from tests.browser.conftest import sign_in, watched
from tests.browser.test_accessibility import faults
from tests.onboarding.test_dashboard import attempt, connected

PAGE = "/company/cakes/"
TARGETS = """(least) => [...document.querySelectorAll("a, button, summary, input, select")]
  .filter((each) => each.checkVisibility() && !each.closest("p, .skip"))
  .filter((each) => each.type !== "hidden" && each.getBoundingClientRect().height < least)
  .map((each) => each.outerHTML)"""


@pytest.fixture
def full(tenant: Tenant, owner: User, member: User) -> Onboarding:
    """A company with one of everything that the dashboard shows; its connected number."""
    account = WhatsAppBusinessAccount.objects.create(
        tenant=tenant, waba_id="400000000000001", account_review_status="APPROVED",
        payment_method_attached=False, business_verification_status="NOT_VERIFIED",
        name="A cake shop with a name that is long enough to need a second line on a phone",
    )  # fmt: skip
    row = connected(account, 1)
    connected(account, 2, health="health_disconnected")
    connected(account, 3, name_status="PENDING_REVIEW", quality="YELLOW")
    attempt(tenant, "awaiting_number", reason="number_not_verified")
    attempt(tenant, "in_review", reason="approval_needed")
    attempt(tenant, "cancelled", reason="meta_cancelled")
    services.create_link(tenant, expected_number="+34612345678")
    invitations.invite(owner, tenant, "new.with.a.very.long.address@cakes.example", "member")
    return row


def is_fine(page: Page, width: int) -> None:
    """axe finds nothing, nothing is cut off, and what is pressed is large enough."""
    assert faults(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
    assert page.evaluate(TARGETS, 44 if width < 600 else 24) == [], page.url
    assert page.faults == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("scheme", "width", "turned"),
    [("light", 1280, False), ("dark", 360, False), ("light", 320, True), ("dark", 1280, True)],
)
def test_the_companys_pages_have_no_faults_and_fit(
    browser: Browser, site: str, owner: User, client: Any, full: Onboarding, scheme: Any,
    width: int, turned: bool,
) -> None:  # fmt: skip
    context = browser.new_context(
        base_url=site, viewport={"width": width, "height": 640}, color_scheme=scheme
    )
    if turned:  # as in a language that is written from right to left
        script = "document.addEventListener('DOMContentLoaded', () => {"
        context.add_init_script(f"{script} document.documentElement.dir = 'rtl' }})")
    sign_in(context, owner, client)
    page = watched(context.new_page())
    for address in (PAGE, f"{PAGE}members/", f"{PAGE}links/#make"):
        page.goto(address)
        page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
        is_fine(page, width)
    context.close()


def test_a_company_without_a_number_is_led_to_its_first(page: Page, tenant: Tenant) -> None:
    page.goto(PAGE)
    is_fine(page, 1280)
    page.click("text=Connect your first number")
    expect(page.locator("#choose")).to_be_visible()
    expect(page.locator(".lead")).to_contain_text("John's Cake Shop")


def test_a_number_leads_to_its_card_and_the_signup_page_back(page: Page, full: Onboarding) -> None:
    page.goto(PAGE)
    page.click("text=+34 612 34 00 01")
    expect(page.locator("#card")).to_have_attribute("data-id", str(full.public_id))
    page.click(".acting a")
    expect(page.locator("h1")).to_have_text("John's Cake Shop")


def test_a_role_is_changed_only_after_a_second_press(
    page: Page, full: Onboarding, member: User
) -> None:
    page.goto(f"{PAGE}members/")
    page.click("summary:has-text('Make an owner')")
    assert Membership.objects.get(user=member).role == "member"
    page.click("form button:has-text('Make an owner')")
    expect(page.locator("[role=status] .note.done")).to_have_text("The role was changed.")
    assert Membership.objects.get(user=member).role == "owner"


def test_make_a_link_opens_the_form(page: Page, full: Onboarding) -> None:
    page.goto(PAGE)
    page.click("text=Make a link")
    expect(page.locator("[name=expected_number]")).to_be_visible()
    page.click("button:has-text('Make the link')")
    expect(page.locator("#made-title")).to_be_focused()
    expect(page.locator("#made-title")).to_be_in_viewport()


def test_times_become_the_readers_own(
    browser: Browser, site: str, owner: User, client: Any, full: Onboarding
) -> None:
    assert full.number
    full.number.connected_at = "2026-11-24T23:30:00Z"
    full.number.save()
    context = browser.new_context(base_url=site, timezone_id="Asia/Tokyo")
    sign_in(context, owner, client)
    page = context.new_page()
    page.goto(PAGE)
    expect(page.locator("li:has-text('+34 612 34 00 01') time")).to_have_text("25 Nov 2026")
    context.close()


@pytest.mark.parametrize("accent", ["#ffff00", "#000000", "#ffffff", "#777777"])
def test_any_accent_is_readable_and_its_ring_is_seen(
    browser: Browser, site: str, owner: User, client: Any, full: Onboarding, settings: Any,
    accent: str,
) -> None:  # fmt: skip
    settings.PARTNER_ACCENT = accent
    for scheme in ("light", "dark"):
        context = browser.new_context(base_url=site, color_scheme=scheme)  # type: ignore[arg-type]
        page = watched(context.new_page())
        page.goto("/accounts/login/")
        assert faults(page) == [], scheme
        page.focus("#id_login")
        ring = page.evaluate("getComputedStyle(document.activeElement).outlineColor")
        shown = accent_on(accent, LIGHT if scheme == "light" else DARK).edge
        assert ring == f"rgb({', '.join(str(int(shown[i : i + 2], 16)) for i in (1, 3, 5))})"
        sign_in(context, owner, client)
        page.goto(PAGE)
        assert faults(page) == [], scheme
        context.close()


def test_with_windows_high_contrast_a_state_keeps_its_frame(page: Page, full: Onboarding) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(PAGE)
    for each in (".tag", ".card", ".button"):
        width = page.locator(each).first.evaluate("(it) => getComputedStyle(it).borderTopWidth")
        assert width == "1px", each
    assert faults(page) == []
