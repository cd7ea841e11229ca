"""The tenant's dashboard: what each state shows, to whom, and in how many queries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from onboarding import overview, services
from onboarding.models import Onboarding, PhoneNumber, WhatsAppBusinessAccount
from tenants import invitations
from tenants.models import Membership, Tenant, User
from tests.conftest import pages_of

PAGE = "/company/cakes/"


@pytest.fixture
def account(tenant: Tenant) -> WhatsAppBusinessAccount:
    return WhatsAppBusinessAccount.objects.create(
        tenant=tenant, waba_id="400000000000001", name="Cakes on WhatsApp",
        account_review_status="APPROVED", business_verification_status="VERIFIED",
    )  # fmt: skip


def number(account: WhatsAppBusinessAccount, last: int = 1, **facts: Any) -> PhoneNumber:
    """A connected number, well unless `facts` say otherwise."""
    told = {
        "e164": f"+3461234{last:04}", "phone_number_id": f"5000000{last:05}", "quality": "GREEN",
        "verified_name": "John's Cakes", "status": "CONNECTED", "messaging_limit": "TIER_1K",
        "connected_at": timezone.now(), **facts,
    }  # fmt: skip
    return PhoneNumber.objects.create(tenant=account.tenant, business_account=account, **told)


def attempt(tenant: Tenant, state: str, **facts: Any) -> Onboarding:
    """An attempt in this state, Meta's window opened."""
    told = {"connection_mode": "business_platform", "launched_at": timezone.now(), **facts}
    return Onboarding.objects.create(tenant=tenant, state=state, **told)


def connected(account: WhatsAppBusinessAccount, last: int = 1, **facts: Any) -> Onboarding:
    row = number(account, last, **facts)
    return attempt(account.tenant, "connected", number=row, business_account=account)


# --- What is shown --------------------------------------------------------------------------------


def test_who_has_no_number_yet_finds_one_button_to_the_first(owner: User) -> None:
    page = pages_of(owner).get(PAGE).content.decode()
    assert "No number is connected yet" in page
    assert page.count("/connect/?new&amp;tenant=cakes") == 1


def test_a_mode_that_was_chosen_and_nothing_more_is_no_number(owner: User, tenant: Tenant) -> None:
    attempt(tenant, "started", launched_at=None)
    assert "No number is connected yet" in pages_of(owner).get(PAGE).content.decode()


def test_a_connected_number_says_what_it_is_and_leads_to_its_card(
    owner: User, account: WhatsAppBusinessAccount
) -> None:
    row = connected(account)
    page = pages_of(owner).get(PAGE).content.decode()
    for told in ("+34 612 34 00 01", "John&#x27;s Cakes", "Quality: high",
                 "Limit: 1,000 customers a day", "Used through your partner",
                 f"/connect/?onboarding={row.public_id}"):  # fmt: skip
        assert told in page
    (shown,) = overview.of(account.tenant).connected
    assert (shown.tone, str(shown.word)) == ("done", "Connected")


@pytest.mark.parametrize(
    ("state", "facts", "tone", "word"),
    [
        ("started", {}, "act", "Needs you"),
        ("awaiting_number", {"reason": "number_not_verified"}, "act", "Needs you"),
        ("awaiting_account", {"reason": "account_choice"}, "act", "Needs you"),
        ("awaiting_payment", {"reason": "payment_missing"}, "wait", "Waiting for YCloud"),
        ("in_review", {"reason": "approval_needed"}, "wait", "Waiting for your partner"),
        ("registering", {}, "wait", "Under way"),
        ("connecting", {}, "wait", "Under way"),
        ("needs_attention", {"reason": "ids_missing"}, "act", "Needs you"),
    ],
)
def test_each_attempt_says_who_moves_next(
    tenant: Tenant, state: str, facts: dict[str, str], tone: str, word: str
) -> None:
    attempt(tenant, state, **facts)
    shown = overview.of(tenant)
    (row,) = shown.needed if tone == "act" else shown.under_way
    assert (row.tone, str(row.word)) == (tone, word)


def test_what_needs_the_customer_comes_first_then_what_is_under_way(
    owner: User, account: WhatsAppBusinessAccount
) -> None:
    connected(account, 1)
    connected(account, 2, health="health_disconnected")
    attempt(account.tenant, "registering")
    attempt(account.tenant, "awaiting_number", reason="number_not_verified")
    page = pages_of(owner).get(PAGE).content.decode()
    titles = [page.index(f"<h3>{title}</h3>") for title in
              ("Waiting for you", "Under way", "Connected")]  # fmt: skip
    assert titles == sorted(titles)
    shown = overview.of(account.tenant)
    assert [len(each) for each in (shown.needed, shown.under_way, shown.connected)] == [2, 1, 1]


def test_a_number_that_waits_for_others_is_not_the_customers_to_do(
    account: WhatsAppBusinessAccount,
) -> None:
    connected(account, name_status="PENDING_REVIEW")
    (row,) = overview.of(account.tenant).connected
    assert row.what == "Meta is checking the display name of your number"


def test_a_number_that_is_being_connected_again_is_shown_once(
    account: WhatsAppBusinessAccount,
) -> None:
    lost = connected(account, health="health_disconnected")
    assert lost.number
    attempt(account.tenant, "registering", expected_number=lost.number.e164)
    shown = overview.of(account.tenant)
    assert [row.title for row in shown.under_way] == ["+34 612 34 00 01"]
    assert not shown.connected
    assert not shown.needed


def test_a_number_that_came_by_a_transfer_has_no_card_to_lead_to(
    owner: User, account: WhatsAppBusinessAccount
) -> None:
    number(account)
    page = pages_of(owner).get(PAGE).content.decode()
    assert "+34 612 34 00 01" in page
    assert "?onboarding=" not in page


def test_attempts_that_ended_are_folded_away_and_replaced_ones_left_out(
    owner: User, account: WhatsAppBusinessAccount
) -> None:
    connected(account)
    attempt(account.tenant, "cancelled", reason="meta_cancelled")
    attempt(account.tenant, "cancelled", reason="superseded")
    shown = overview.of(account.tenant)
    assert len(shown.ended) == 1
    page = pages_of(owner).get(PAGE).content.decode()
    assert '<details class="ended"><summary>' in page


def test_an_account_says_what_is_due_and_what_to_do(
    owner: User, account: WhatsAppBusinessAccount
) -> None:
    WhatsAppBusinessAccount.objects.update(payment_method_attached=False)
    attempt(account.tenant, "awaiting_payment", business_account=account)
    page = pages_of(owner).get(PAGE).content.decode()
    assert "Cakes on WhatsApp" in page
    assert "The payment method is not attached yet" in page
    assert "Next move: YCloud" in page


def test_nobody_is_waited_for_where_the_account_s_attempt_was_withdrawn(
    owner: User, account: WhatsAppBusinessAccount
) -> None:
    WhatsAppBusinessAccount.objects.update(payment_method_attached=False)
    attempt(account.tenant, "cancelled", reason="withdrawn", business_account=account)
    page = pages_of(owner).get(PAGE).content.decode()
    assert "Not in use" in page
    assert "Waiting for YCloud" not in page
    assert "The payment method is not attached yet" not in page


def test_numbers_are_paged_and_attempts_stand_on_the_first_page(
    owner: User, account: WhatsAppBusinessAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "PAGE", 2)
    for last in range(1, 4):
        connected(account, last)
    attempt(account.tenant, "registering")
    first, second = (pages_of(owner).get(f"{PAGE}?page={n}").content.decode() for n in (1, 2))
    assert "Page 1 of 2" in first
    assert "Under way" in first
    assert "+34 612 34 00 03" in second
    assert "Under way" not in second


def test_a_page_that_is_not_there_is_the_last_one(
    owner: User, account: WhatsAppBusinessAccount
) -> None:
    connected(account)
    for asked in ("99", "x", "-1", ""):
        assert "+34 612 34 00 01" in pages_of(owner).get(f"{PAGE}?page={asked}").content.decode()


# --- To whom --------------------------------------------------------------------------------------


def test_owners_make_links_and_members_are_told_who_does(
    owner: User, member: User, tenant: Tenant
) -> None:
    services.create_link(tenant, expected_number="+34612345678")
    theirs, mine = (pages_of(user).get(PAGE).content.decode() for user in (owner, member))
    assert "Make a link" in theirs
    assert "Make a link" not in mine
    assert "Owners make and end links." in mine
    for page in (theirs, mine):
        assert "+34 612 34 56 78" in page
        assert f"{PAGE}links/" in page


def test_ended_and_expired_links_are_not_counted(owner: User, tenant: Tenant) -> None:
    for digits in ("+34612345678", "+34612345679"):
        services.create_link(tenant, expected_number=digits)
    rows = list(tenant.signuplink_set.all())
    services.revoke_link(rows[0])
    rows[1].expires_at = timezone.now() - timedelta(minutes=1)
    rows[1].save()
    assert overview.links(tenant).count == 0
    assert "No link is open." in pages_of(owner).get(PAGE).content.decode()


def test_members_are_counted_and_only_owners_hear_of_invitations(
    owner: User, member: User, tenant: Tenant
) -> None:
    invitations.invite(owner, tenant, "new@cakes.example", "member")
    theirs, mine = (pages_of(user).get(PAGE).content.decode() for user in (owner, member))
    assert "2 people belong to this company." in theirs
    assert "1 invitation is open." in theirs
    assert "invitation" not in mine.lower()


def test_a_stranger_a_guest_and_nobody_see_nothing(
    stranger: User, tenant: Tenant, client: Client, account: WhatsAppBusinessAccount
) -> None:
    connected(account)
    assert pages_of(stranger).get(PAGE).status_code == 404
    assert client.get(PAGE)["Location"] == f"/accounts/login/?next={PAGE}"
    _, token = services.create_link(tenant)
    client.get(f"/s/{token}/")
    assert client.get(PAGE)["Location"] == f"/accounts/login/?next={PAGE}"


def test_another_companys_rows_are_not_among_ones_own(
    stranger: User, account: WhatsAppBusinessAccount
) -> None:
    connected(account)
    page = pages_of(stranger).get("/company/other/").content.decode()
    assert "No number is connected yet" in page
    assert "Cakes" not in page


def test_who_joined_by_an_invitation_is_told_so_on_the_dashboard(
    owner: User, other_tenant: Tenant, stranger: User, client: Client, tenant: Tenant
) -> None:
    invitations.invite(owner, tenant, stranger.email, "member")
    pages = pages_of(stranger)
    session = pages.session
    session[invitations.SESSION_KEY] = tenant.invitation_set.get().token_hash
    session.save()
    page = pages.post("/invitation/", follow=True).content.decode()
    assert "You joined John&#x27;s Cake Shop." in page
    assert Membership.objects.filter(user=stranger, tenant=tenant).exists()


# --- In how many queries --------------------------------------------------------------------------


def queries_of(pages: Client) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert pages.get(PAGE).status_code == 200
    return len(caught)


def test_more_rows_ask_no_more_questions(owner: User, account: WhatsAppBusinessAccount) -> None:
    pages = pages_of(owner)

    def rows(last: int) -> None:
        connected(account, last, name_status="PENDING_REVIEW")
        tenant = account.tenant
        another = WhatsAppBusinessAccount.objects.create(tenant=tenant, waba_id=f"40000{last:05}")
        known = {
            "business_account": another,
            "number": number(another, last + 50, connected_at=None),
        }
        attempt(tenant, "registering", **known)
        attempt(tenant, "cancelled", reason="meta_cancelled", **known)
        services.create_link(tenant, expected_number=f"+3461234{last:04}")

    rows(1)
    few = queries_of(pages)
    for last in range(2, 12):
        rows(last)
    assert queries_of(pages) == few
    assert few <= 22
