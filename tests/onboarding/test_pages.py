"""The pages' server side: headers, links, guests, what a page says when it cannot go on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from onboarding import services
from onboarding.models import Onboarding, SignupLink
from tenants.models import Membership, Tenant, User
from tests.conftest import pages_of
from tests.onboarding.card_states import planted


@pytest.fixture
def pages(owner: User) -> Client:
    return pages_of(owner)


def opened(client: Client, tenant: Tenant) -> Any:
    _, token = services.create_link(tenant)
    return client.get(f"/s/{token}/"), token


def test_only_the_signup_page_lets_metas_window_keep_its_opener(pages: Client) -> None:
    header = "Cross-Origin-Opener-Policy"
    assert pages.get("/connect/")[header] == "same-origin-allow-popups"
    assert pages.get("/accounts/password/reset/")[header] == "same-origin"
    assert pages.get("/api/docs/")[header] == "same-origin"


def test_the_policy_is_strict_and_opens_only_what_metas_sdk_needs(pages: Client) -> None:
    policy = pages.get("/connect/")["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "http://127.0.0.1:9" in policy
    assert "graph.facebook.com" in policy
    elsewhere = pages.get("/accounts/password/reset/")["Content-Security-Policy"]
    assert "facebook" not in elsewhere
    assert "unsafe" not in elsewhere


def test_only_the_admin_may_evaluate(pages: Client, reviewer: User) -> None:
    policy = pages_of(reviewer).get("/admin/")["Content-Security-Policy"]
    assert "'unsafe-eval'" in policy
    assert "facebook" not in policy


def test_the_page_names_the_tenant(pages: Client) -> None:
    assert "John&#x27;s Cake Shop" in pages.get("/connect/").content.decode()


def test_the_page_of_an_attempt_names_its_own_tenant(
    pages: Client, owner: User, other_tenant: Tenant
) -> None:
    Membership.objects.create(user=owner, tenant=other_tenant)
    row = Onboarding.objects.create(
        tenant=other_tenant, connection_mode="business_app", state="in_review"
    )
    lead = pages.get(f"/connect/?onboarding={row.public_id}").content.decode()
    assert "<strong>Other Company</strong>" in lead


def test_a_reconnected_number_stands_once_among_the_other_ones(
    pages: Client, tenant: Tenant
) -> None:
    first = planted(tenant, "connected")
    again = Onboarding.objects.create(
        tenant=tenant, connection_mode=first.connection_mode, state="connected",
        number=first.number, business_account=first.business_account, launched_at=timezone.now(),
    )  # fmt: skip
    page = pages.get("/connect/?new").content.decode()
    assert str(again.public_id) in page
    assert str(first.public_id) not in page
    assert (
        str(again.public_id)
        in pages.get(f"/connect/?onboarding={first.public_id}").content.decode()
    )


def test_nobody_is_sent_to_the_login(client: Client, db: None) -> None:
    answer = client.get("/connect/?onboarding=x")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=/connect/")
    said = "Did you come by a signup link?"
    assert said in client.get(answer["Location"]).content.decode()
    assert said not in client.get("/accounts/login/").content.decode()


def test_a_person_without_a_tenant_reads_what_to_do(client: Client, reviewer: User) -> None:
    answer = pages_of(reviewer).get("/connect/")
    assert answer.status_code == 403
    assert "do not belong to a company" in answer.content.decode()


def test_missing_settings_are_told_instead_of_a_dead_button(pages: Client, settings: Any) -> None:
    settings.META_CONFIG_ID = {"business_platform": "", "business_app": ""}
    answer = pages.get("/connect/")
    page = answer.content.decode()
    assert "This page is not ready yet" in page
    assert answer["X-Request-ID"] in page, "the reference"
    assert 'id="launch"' not in page


def test_the_name_of_a_missing_setting_is_for_staff_alone(
    pages: Client, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.META_CONFIG_ID = {"business_platform": "", "business_app": ""}
    assert "META_CONFIG_ID" not in pages.get("/connect/").content.decode()
    assert "set META_CONFIG_ID" in caplog.text


@pytest.mark.parametrize("address", ["?onboarding=nonsense", "?tenant=nobody"])
def test_an_address_that_means_nothing_is_a_404(pages: Client, address: str) -> None:
    assert pages.get(f"/connect/{address}").status_code == 404


# --- Links and guests ----------------------------------------------------------------------------


def test_a_link_lets_in_by_a_redirect_and_its_own_cookie(client: Client, tenant: Tenant) -> None:
    answer, token = opened(client, tenant)
    assert (answer.status_code, answer["Location"]) == (302, "/connect/")
    assert answer["Referrer-Policy"] == "no-referrer"
    cookie = answer.cookies["signup_guest"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert token not in cookie.value
    assert "sessionid" not in answer.cookies
    assert client.get("/connect/").status_code == 200


def test_a_links_token_is_kept_only_as_a_hash(tenant: Tenant) -> None:
    link, token = services.create_link(tenant)
    assert token not in str(SignupLink.objects.values().get(pk=link.pk))


def test_opening_a_link_by_get_uses_nothing_up(client: Client, tenant: Tenant) -> None:
    _, token = services.create_link(tenant)
    assert [Client().get(f"/s/{token}/").status_code for _ in range(3)] == [302, 302, 302]
    assert SignupLink.objects.get().times_opened == 3


def test_a_revoked_link_ends_its_guests_at_once(client: Client, tenant: Tenant) -> None:
    _, token = opened(client, tenant)
    services.revoke_link(SignupLink.objects.get())
    assert client.get("/connect/").status_code == 410
    assert client.get("/api/v1/onboardings/").status_code == 401
    ended = client.get(f"/s/{token}/")
    assert ended.status_code == 410
    assert "has been ended" in ended.content.decode()


def test_an_expired_link_says_so(client: Client, tenant: Tenant) -> None:
    _, token = services.create_link(tenant)
    SignupLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = client.get(f"/s/{token}/")
    assert answer.status_code == 410
    assert "expired" in answer.content.decode()


def test_an_unknown_link_is_neutral(client: Client, db: None) -> None:
    answer = client.get("/s/guessed/")
    assert answer.status_code == 404
    assert "signup_guest" not in answer.cookies


@pytest.mark.parametrize("cookie", ["", "nonsense", "abc:def:ghi", "x" * 5000])
def test_a_forged_guest_cookie_is_nobody(client: Client, db: None, cookie: str) -> None:
    client.cookies["signup_guest"] = cookie
    assert client.get("/connect/").status_code == 302


def test_a_guest_is_no_login(client: Client, tenant: Tenant) -> None:
    opened(client, tenant)
    assert client.get("/admin/").status_code == 302
    assert client.get("/accounts/password/change/").status_code == 302


def test_a_guest_can_leave(client: Client, tenant: Tenant) -> None:
    opened(client, tenant)
    client.post("/s/leave/")
    assert client.get("/connect/").status_code == 302


def test_a_links_expected_number_is_enforced_on_its_attempts(
    client: Client, tenant: Tenant
) -> None:
    _, token = services.create_link(tenant, expected_number="+34612345678")
    client.get(f"/s/{token}/")
    client.post(
        "/api/v1/onboardings/",
        {"connection_mode": "business_platform"},
        content_type="application/json",
    )
    assert Onboarding.objects.get().expected_number == "+34612345678"


def test_the_command_prints_a_link_that_works(
    client: Client, tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("create_signup_link", "cakes")
    address = capsys.readouterr().out.strip()
    assert address.startswith("http://localhost:8000/s/")
    assert client.get(address.removeprefix("http://localhost:8000")).status_code == 302


def test_the_command_names_the_tenants_when_there_is_no_such_one(tenant: Tenant) -> None:
    with pytest.raises(CommandError, match="cakes"):
        call_command("create_signup_link", "cake")


# --- Login ---------------------------------------------------------------------------------------


def test_a_person_signs_in_by_email_and_comes_to_the_signup(client: Client, owner: User) -> None:
    sent = {"login": "OWNER@cakes.example", "password": "secret-secret"}
    answer = client.post("/accounts/login/", sent)
    assert (answer.status_code, answer["Location"]) == (302, "/connect/")


def test_nobody_signs_up_alone(client: Client, db: None) -> None:
    page = client.get("/accounts/signup/").content.decode()
    assert "Accounts are made for you" in page


def test_the_demo_is_seeded_only_where_the_sandbox_is(db: None, settings: Any) -> None:
    settings.SANDBOX_ORIGIN = ""
    with pytest.raises(CommandError):
        call_command("seed_demo")
    assert not User.objects.exists()


def test_the_demo_may_be_seeded_again_and_keeps_its_people(
    client: Client, db: None, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.SANDBOX_ORIGIN = "http://127.0.0.1:9"
    for _ in range(2):
        call_command("seed_demo")
    assert Tenant.objects.filter(slug="demo").count() == 1
    sent = {"login": "customer@example.com", "password": "demo-demo-demo"}
    assert client.post("/accounts/login/", sent).status_code == 302
    assert client.get("/connect/").status_code == 200


def test_a_guest_of_a_new_link_begins_with_the_question_not_with_anothers_attempt(
    client: Client, tenant: Tenant
) -> None:
    first, _ = services.create_link(tenant, expected_number="+34612151487")
    Onboarding.objects.create(
        tenant=tenant, connection_mode="business_platform", state="awaiting_number", link=first
    )
    opened(client, tenant)
    page = client.get("/connect/")
    assert page.context["onboarding"] is None
    assert len(page.context["others"]) == 1, "it is listed, as the company's"


# --- What changes while one looks -----------------------------------------------------------------


def guest_of(tenant: Tenant) -> tuple[Client, SignupLink]:
    link, token = services.create_link(tenant)
    guest = Client()
    guest.get(f"/s/{token}/")
    return guest, link


def test_a_guest_whose_link_was_ended_on_the_way_reads_so_and_is_not_asked_to_sign_in(
    tenant: Tenant,
) -> None:
    guest, link = guest_of(tenant)
    row = planted(tenant, "payment", link=link)
    address = f"/connect/?onboarding={row.public_id}"
    assert guest.get(address).status_code == 200
    services.revoke_link(link)
    page = guest.get(address)
    assert page.status_code == 410
    assert "Open the newest link that you were sent" in page.content.decode()
    assert guest.get(f"/connect/{row.public_id}/card/").status_code == 410
    refused = guest.get(f"/api/v1/onboardings/{row.public_id}/")
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "link_ended")
    assert "newest link" in refused.json()["error"]["message"]


def test_a_guest_whose_link_was_replaced_reads_everywhere_that_a_newer_one_exists(
    tenant: Tenant,
) -> None:
    link, token = services.create_link(tenant)
    guest = Client()
    guest.get(f"/s/{token}/")
    row = planted(tenant, "payment", link=link)
    services.create_link(tenant)
    for address in (f"/s/{token}/", f"/connect/?onboarding={row.public_id}"):
        page = guest.get(address)
        assert page.status_code == 410
        assert "A newer signup link has taken its place" in page.content.decode(), address
    assert guest.get(f"/connect/{row.public_id}/card/")["X-Signup-Link"] == "replaced"
    refused = guest.get(f"/api/v1/onboardings/{row.public_id}/")
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "link_replaced")
    assert "newer signup link" in refused.json()["error"]["message"]


@pytest.mark.parametrize("newer", ["for another number", "of another company", "ended too"])
def test_a_link_that_no_open_one_follows_was_ended_and_not_replaced(
    tenant: Tenant, other_tenant: Tenant, newer: str
) -> None:
    guest, link = guest_of(tenant)
    row = planted(tenant, "payment", link=link)
    if newer == "for another number":
        services.create_link(tenant, expected_number="+34612345678")
    else:
        made, _ = services.create_link(tenant if newer == "ended too" else other_tenant)
        services.revoke_link(made if newer == "ended too" else link)
    services.revoke_link(link)
    assert guest.get(f"/connect/{row.public_id}/card/")["X-Signup-Link"] == "ended"
    assert "newer signup link" not in guest.get("/connect/").content.decode()


def test_who_holds_no_link_is_asked_to_sign_in_as_before(tenant: Tenant) -> None:
    row = planted(tenant, "payment")
    client = Client()
    assert client.get("/connect/").status_code == 302
    assert client.get(f"/connect/{row.public_id}/card/").status_code == 401
    refused = client.get(f"/api/v1/onboardings/{row.public_id}/")
    assert refused.json()["error"]["code"] == "not_authenticated"


def test_a_member_is_not_kept_out_by_an_ended_link_of_their_browser(
    tenant: Tenant, pages: Client
) -> None:
    guest, link = guest_of(tenant)
    services.revoke_link(link)
    pages.cookies["signup_guest"] = guest.cookies["signup_guest"].value
    assert pages.get("/connect/").status_code == 200


@pytest.mark.parametrize("name", ["name_review", "budget", "payment"])
def test_a_guest_is_offered_letters_at_once_in_a_wait_of_days(tenant: Tenant, name: str) -> None:
    guest, link = guest_of(tenant)
    row = planted(tenant, name, link=link, since=0)
    assert 'id="tell-email"' in guest.get(f"/connect/{row.public_id}/card/").content.decode()


def test_a_card_is_drawn_anew_when_time_alone_changes_what_it_offers(tenant: Tenant) -> None:
    guest, link = guest_of(tenant)
    row = planted(tenant, "connecting", link=link, since=0)
    address = f"/connect/{row.public_id}/card/"
    first = guest.get(address)
    assert 'id="tell-email"' not in first.content.decode()
    known = {"If-None-Match": first["ETag"]}
    assert guest.get(address, headers=known).status_code == 304
    Onboarding.objects.update(state_changed_at=timezone.now() - timedelta(seconds=61))
    later = guest.get(address, headers=known)
    assert later.status_code == 200
    assert 'id="tell-email"' in later.content.decode()


def test_an_unfinished_attempt_that_is_taken_up_is_not_among_the_other_numbers(
    pages: Client, owner: User, tenant: Tenant
) -> None:
    mine = planted(tenant, "withdrawn", started_by=owner)
    colleagues = planted(tenant, "withdrawn")
    page = pages.get("/connect/?new").content.decode()
    assert f"?onboarding={mine.public_id}" not in page
    assert f"?onboarding={colleagues.public_id}" in page


@pytest.mark.parametrize(
    ("name", "asked", "again"),
    [("payment", False, True), ("connected", False, True), ("withdrawn", True, True),
     ("not_verified", True, True), ("rejected", True, False)],
)  # fmt: skip
def test_without_javascript_a_card_can_be_read_anew_and_asks_only_where_a_window_is_next(
    pages: Client, owner: User, tenant: Tenant, name: str, asked: bool, again: bool
) -> None:
    row = planted(tenant, name, started_by=owner)
    page = pages.get(f"/connect/?onboarding={row.public_id}").content.decode()
    assert ("This page needs JavaScript" in page) is asked
    assert ("Show how it stands now" in page) is again
