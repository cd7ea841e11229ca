"""Signup links: made, replaced, opened, mailed, ended; and whom one acts as who opened one."""

from __future__ import annotations

import re
import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail, signing
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from onboarding import guests, post, services, tasks
from onboarding.models import LinkOpening, Onboarding, SignupLink
from onboarding.services import RefusedError
from tenants.models import AuditEntry, Membership, Tenant, User
from tests.conftest import pages_of

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0 Safari/537.36"
API = "/api/v1/onboardings/"
JSON = {"connection_mode": "business_platform"}


def rows_in_clear() -> str:
    """Every row of every table, as PostgreSQL would dump it."""
    told = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t')
            told += [row for (row,) in cursor.fetchall()]
    return "\n".join(told)


# --- Made ----------------------------------------------------------------------------------------


def test_a_new_link_revokes_the_one_before(tenant: Tenant) -> None:
    old, _ = services.create_link(tenant)
    new, _ = services.create_link(tenant)
    old.refresh_from_db()
    assert (old.standing, new.standing) == ("revoked", "open")


def test_whoever_makes_a_link_is_told_which_ones_it_ended(tenant: Tenant) -> None:
    old, _ = services.create_link(tenant, actor="jane")
    other, _ = services.create_link(tenant, expected_number="+34612345678")
    new, _ = services.create_link(tenant)
    assert [each.pk for each in new.ended] == [old.pk]
    assert new.ended[0].is_revoked
    assert other.ended == ()


def test_a_link_is_in_use_by_what_it_began_and_is_not_over(tenant: Tenant) -> None:
    link, _ = services.create_link(tenant)
    now = timezone.now()
    for state in ("awaiting_payment", "connected", "cancelled"):
        Onboarding.objects.create(
            tenant=tenant, link=link, state=state, launched_at=now,
            connection_mode="business_platform",
        )  # fmt: skip
    assert services.under_way(link) == 1


def test_links_for_different_numbers_live_side_by_side(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    services.create_link(tenant)
    services.create_link(tenant, expected_number="+34612345678")
    services.create_link(tenant, expected_number="+34612345679")
    services.create_link(other_tenant, expected_number="+34612345678")
    services.create_link(tenant, expected_number="+34 612 345 679")
    open_ones = SignupLink.objects.filter(revoked_at__isnull=True).order_by("pk")
    assert [(link.tenant.slug, link.expected_number) for link in open_ones] == [
        ("cakes", ""),
        ("cakes", "+34612345678"),
        ("other", "+34612345678"),
        ("cakes", "+34612345679"),
    ]


def test_replacing_a_link_ends_its_guests_at_once_also_of_an_expired_one(
    client: Client, tenant: Tenant
) -> None:
    _, token = services.create_link(tenant)
    client.get(f"/s/{token}/")
    SignupLink.objects.update(expires_at=timezone.now())
    assert client.get("/connect/").status_code == 200
    services.create_link(tenant)
    assert client.get("/connect/").status_code == 410
    assert client.get(API).status_code == 401


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("connection_mode", "carrier_pigeon"),
        ("expected_number", "612345678"),
        ("expected_number", "+1"),
        ("expected_number", "+34 none"),
        ("language", "tlh"),
        ("email", "nobody"),
        ("email", "a@b.example\nBcc: c@d.example"),
        ("life_days", 0),
        ("life_days", 31),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_name(
    tenant: Tenant, argument: str, value: Any
) -> None:
    with pytest.raises(RefusedError) as refused:
        services.create_link(tenant, **{argument: value})
    assert refused.value.code == f"{argument}_invalid"
    assert not SignupLink.objects.exists()


def test_a_link_lives_as_long_as_it_was_asked_to(tenant: Tenant) -> None:
    week, _ = services.create_link(tenant)
    day, _ = services.create_link(tenant, life_days=1)
    assert timedelta(days=6.9) < week.expires_at - timezone.now() <= timedelta(days=7)
    assert timedelta(hours=23) < day.expires_at - timezone.now() <= timedelta(days=1)


@pytest.mark.parametrize(
    ("actor", "role"),
    [("customer", "owner"), ("key:ab12", "key"), ("command", "command"), ("jane", "staff")],
)
def test_who_made_it_is_kept_as_a_role_and_audited(tenant: Tenant, actor: str, role: str) -> None:
    link, token = services.create_link(tenant, actor=actor, expected_number="+34612345678")
    assert link.made_by == role
    entry = AuditEntry.objects.get(act="link.created")
    assert (entry.actor, entry.tenant_slug, entry.target_id) == (
        actor, "cakes", str(link.public_id),
    )  # fmt: skip
    assert token not in str(entry.after)
    assert "612345678" not in str(entry.after)


def test_revoking_is_audited_once_and_says_why(tenant: Tenant) -> None:
    old, _ = services.create_link(tenant)
    new, _ = services.create_link(tenant, actor="jane")
    for _ in range(2):
        services.revoke_link(new, "customer")
    told = AuditEntry.objects.filter(act="link.revoked").order_by("pk")
    assert [(e.actor, e.target_id, e.after) for e in told] == [
        ("jane", str(old.public_id), {"because": "replaced"}),
        ("customer", str(new.public_id), {"because": "asked"}),
    ]


def test_the_command_says_which_link_has_ended_beside_the_address(
    tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    services.create_link(tenant, actor="customer")
    call_command("create_signup_link", "cakes")
    said = capsys.readouterr()
    assert said.out.startswith("http")
    assert said.out.count("\n") == 1
    assert "(made by an owner; never opened; 0 under way)" in said.err


def test_the_command_takes_all_that_a_link_can_have(
    tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command(
        "create_signup_link", "cakes", "--email=a@b.example", "--language=es", "--days=3",
        "--expected-number=+34 612 345 678", "--mode=business_app",
    )  # fmt: skip
    link = SignupLink.objects.get()
    assert (link.email, link.language, link.expected_number, link.connection_mode, link.mail) == (
        "a@b.example", "es", "+34612345678", "business_app", "waiting",
    )  # fmt: skip
    with pytest.raises(CommandError, match="1 to 30"):
        call_command("create_signup_link", "cakes", "--days=40")


# --- Opened --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_is_logged_and_uses_nothing_up(client: Client, tenant: Tenant, method: str) -> None:
    link, token = services.create_link(tenant)
    for _ in range(2):
        answer = getattr(client, method)(
            f"/s/{token}/", headers={"User-Agent": BROWSER}, REMOTE_ADDR="203.0.113.77"
        )
        assert answer.status_code == 302
    link.refresh_from_db()
    assert link.times_opened == 2
    seen = link.openings.first()
    assert seen is not None
    assert (seen.standing, seen.method, seen.network, seen.agent) == (
        "open", method.upper(), "203.0.113.0/24", "browser",
    )  # fmt: skip
    assert "203.0.113.77" not in rows_in_clear()


def test_a_post_opens_nothing(client: Client, tenant: Tenant) -> None:
    _, token = services.create_link(tenant)
    assert client.post(f"/s/{token}/").status_code == 405
    assert not LinkOpening.objects.exists()


def test_the_answer_keeps_the_address_out_of_caches_indexes_and_referrers(
    client: Client, tenant: Tenant
) -> None:
    link, token = services.create_link(tenant)
    for answer in (client.get(f"/s/{token}/"), client.get("/s/guessed/")):
        assert answer["Referrer-Policy"] == "no-referrer"
        assert "noindex" in answer["X-Robots-Tag"]
        assert "no-store" in answer["Cache-Control"]
    services.revoke_link(link)
    assert "no-store" in client.get(f"/s/{token}/")["Cache-Control"]


@pytest.mark.parametrize("method", ["get", "head", "post", "put"])
@pytest.mark.parametrize("standing", ["open", "revoked", "unknown"])
def test_no_log_of_ours_holds_a_links_token(
    tenant: Tenant, caplog: pytest.LogCaptureFixture, method: str, standing: str
) -> None:
    caplog.set_level("DEBUG")
    link, token = services.create_link(tenant)
    if standing == "revoked":
        services.revoke_link(link)
    cut = token[:-3] if standing == "unknown" else token
    strict = Client(enforce_csrf_checks=True)
    getattr(strict, method)(f"/s/{cut}/")
    assert cut not in "".join(r.getMessage() for r in caplog.records if r.name != "django.db")


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        (BROWSER, "browser"),
        ("Mozilla/5.0 (compatible; bingbot/2.0)", "program"),
        ("WhatsApp/2.23 A", "program"),
        ("curl/8.5", "program"),
        ("", "unknown"),
        ("Something else", "unknown"),
    ],
)
def test_what_opened_it_is_guessed_from_what_it_calls_itself(agent: str, kind: str) -> None:
    assert services.links.kind_of(agent) == kind


@pytest.mark.parametrize(
    ("peer", "forwarded", "network"),
    [
        ("198.51.100.9", "203.0.113.5", "198.51.100.0/24"),
        ("10.0.0.1", "203.0.113.5", "203.0.113.0/24"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.5, 10.0.0.2", "203.0.113.0/24"),
        ("10.0.0.1", "2001:db8:1:2::3", "2001:db8:1::/48"),
        ("10.0.0.1", "nonsense", "10.0.0.0/24"),
    ],
)
def test_the_network_is_the_clients_where_a_trusted_proxy_says_so(
    tenant: Tenant, settings: Any, peer: str, forwarded: str, network: str
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    link, token = services.create_link(tenant)
    Client().get(f"/s/{token}/", headers={"X-Forwarded-For": forwarded}, REMOTE_ADDR=peer)
    assert link.openings.get().network == network


def test_a_link_that_ended_is_logged_as_such_and_not_counted(
    client: Client, tenant: Tenant
) -> None:
    link, token = services.create_link(tenant)
    services.revoke_link(link)
    client.get(f"/s/{token}/")
    link.refresh_from_db()
    assert link.times_opened == 0
    assert link.openings.get().standing == "revoked"


def test_asking_again_and_again_fills_no_table(
    client: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onboarding.services.links.OPENINGS_KEPT", 3)
    link, token = services.create_link(tenant)
    for _ in range(5):
        client.get(f"/s/{token}/")
    link.refresh_from_db()
    assert (link.times_opened, link.openings.count()) == (5, 3)


def test_openings_and_addresses_of_old_links_are_forgotten(tenant: Tenant, settings: Any) -> None:
    link, token = services.create_link(tenant, email="a@b.example")
    services.open_link(token)
    tasks.forget_old()
    assert link.openings.count() == 1
    past = timezone.now() - timedelta(days=settings.RETENTION_DAYS + 1)
    link.openings.update(at=past)
    SignupLink.objects.update(expires_at=past)
    tasks.forget_old()
    link.refresh_from_db()
    assert (link.openings.count(), link.email) == (0, "")


@pytest.mark.parametrize("ending", ["expired", "revoked", "unknown"])
def test_the_pages_of_dead_links_differ_and_tell_nothing_of_the_tenant(
    client: Client, tenant: Tenant, ending: str
) -> None:
    link, token = services.create_link(tenant, email="a@b.example")
    if ending == "revoked":
        services.revoke_link(link)
    SignupLink.objects.update(expires_at=timezone.now())
    answer = client.get("/s/x/" if ending == "unknown" else f"/s/{token}/")
    page = answer.content.decode()
    words = {"expired": "has expired", "revoked": "has been ended", "unknown": "is not known"}
    assert [word for word in words.values() if word in page] == [words[ending]]
    assert "Cake" not in page
    assert "a@b.example" not in page
    assert "signup_guest" not in answer.cookies


def test_a_guest_reads_the_pages_in_the_links_language(client: Client, tenant: Tenant) -> None:
    _, token = services.create_link(tenant, language="es")
    client.get(f"/s/{token}/")
    assert '<html lang="es"' in client.get("/connect/").content.decode()


def test_a_browser_that_chose_a_language_keeps_it(client: Client, tenant: Tenant) -> None:
    _, token = services.create_link(tenant, language="es")
    client.cookies["django_language"] = "id"
    client.get(f"/s/{token}/")
    assert '<html lang="id"' in client.get("/connect/").content.decode()


def test_pages_with_a_token_in_their_address_have_no_form(owner: User, db: None) -> None:
    """`no-referrer` makes a browser post `Origin: null`, which the CSRF check refuses."""
    assert "<form" not in pages_of(owner).get("/s/guessed/").content.decode()
    assert "<form" in pages_of(owner).get("/connect/").content.decode()


# --- Whom one acts as ----------------------------------------------------------------------------


@pytest.fixture
def both(owner: User, other_tenant: Tenant) -> Client:
    """An owner of the cake shop who opened a link of the other company."""
    client = pages_of(owner)
    _, token = services.create_link(other_tenant)
    answer = client.get(f"/s/{token}/")
    assert (answer.status_code, answer["Location"]) == (302, "/s/choose/")
    return client


def acting(client: Client) -> str:
    page = client.get("/connect/").content.decode()
    return page.partition('class="acting"')[2].partition("</p>")[0]


def test_who_is_signed_in_and_opens_a_link_is_asked_as_whom(both: Client) -> None:
    page = both.get("/s/choose/").content.decode()
    assert 'Continue as yourself (<bdi dir="ltr">owner@cakes.example</bdi>)' in page
    assert "Continue with the link for Other Company" in page


def test_the_choice_can_be_posted_by_a_browser(both: Client) -> None:
    answer = both.get("/s/choose/")
    assert answer["Referrer-Policy"] == "same-origin"
    assert "noindex" in answer["X-Robots-Tag"]
    assert "no-store" in answer["Cache-Control"]


def test_until_then_they_are_neither(both: Client, owner: User, tenant: Tenant) -> None:
    for address in ("/connect/", "/"):
        answer = both.get(address)
        assert (answer.status_code, answer["Location"]) == (302, "/s/choose/"), address
    row = Onboarding.objects.create(tenant=tenant, connection_mode="business_app")
    assert both.get(f"/connect/{row.public_id}/card/").status_code == 401
    for answer in (both.get(API), both.post(API, JSON, content_type="application/json")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "undecided")
    assert Onboarding.objects.count() == 1


def test_as_oneself_the_link_is_forgotten(both: Client) -> None:
    answer = both.post("/s/choose/", {"whom": "self"})
    assert (answer.status_code, answer["Location"]) == (302, "/connect/")
    assert "owner@cakes.example" in acting(both)
    assert both.cookies["signup_guest"].value == ""
    assert both.post(API, JSON, content_type="application/json").json()["tenant"] == "cakes"


def test_with_the_link_one_is_its_guest_and_nothing_of_oneself(both: Client) -> None:
    both.post("/s/choose/", {"whom": "link"})
    assert "Other Company" in acting(both)
    made = both.post(API, JSON, content_type="application/json").json()
    assert made["tenant"] == "other"
    row = Onboarding.objects.get()
    assert row.link is not None
    assert row.started_by is None


def test_the_companys_pages_are_the_logins_whatever_link_it_holds(both: Client) -> None:
    both.post("/s/choose/", {"whom": "link"})
    assert both.get("/company/cakes/links/").status_code == 200
    assert both.get("/company/other/links/").status_code == 404


def test_a_link_alone_opens_no_company_page(client: Client, tenant: Tenant) -> None:
    client.get(f"/s/{services.create_link(tenant)[1]}/")
    answer = client.get("/company/cakes/links/")
    assert answer["Location"].startswith("/accounts/login/")


def test_one_can_change_back_or_leave(both: Client) -> None:
    both.post("/s/choose/", {"whom": "link"})
    assert (
        'Act as <bdi dir="ltr">owner@cakes.example</bdi>' in both.get("/connect/").content.decode()
    )
    both.post("/s/choose/", {"whom": "self"})
    assert "owner@cakes.example" in acting(both)


def test_a_choice_needs_the_csrf_token_and_an_answer(both: Client) -> None:
    assert both.post("/s/choose/", {"whom": "both"})["Location"] == "/s/choose/"
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = both.cookies
    assert strict.post("/s/choose/", {"whom": "link"}).status_code == 403
    assert both.get("/connect/")["Location"] == "/s/choose/"


def test_without_a_question_there_is_no_choice(client: Client, tenant: Tenant, owner: User) -> None:
    assert pages_of(owner).get("/s/choose/")["Location"] == "/connect/"
    _, token = services.create_link(tenant)
    client.get(f"/s/{token}/")
    assert client.get("/s/choose/")["Location"] == "/connect/"


def signs_in(client: Client, user: User) -> None:
    sent = {"login": user.email, "password": "secret-secret"}
    assert client.post("/accounts/login/", sent).status_code == 302


def test_a_guest_who_signs_in_is_asked_too(
    client: Client, owner: User, other_tenant: Tenant
) -> None:
    _, token = services.create_link(other_tenant)
    client.get(f"/s/{token}/")
    assert "Other Company" in acting(client)
    signs_in(client, owner)
    assert client.get("/connect/")["Location"] == "/s/choose/"
    assert client.get(API).status_code == 401


def test_another_login_asks_again(both: Client, owner: User) -> None:
    both.post("/s/choose/", {"whom": "link"})
    both.post("/accounts/logout/")
    assert "Other Company" in acting(both)
    signs_in(both, owner)
    assert both.get("/connect/")["Location"] == "/s/choose/"


def test_a_choice_cannot_be_carried_into_another_session(
    both: Client, stranger: User, owner: User
) -> None:
    both.post("/s/choose/", {"whom": "link"})
    other = pages_of(stranger)
    other.cookies["signup_guest"] = both.cookies["signup_guest"].value
    assert other.get("/connect/")["Location"] == "/s/choose/"


def test_a_second_link_replaces_the_first(
    client: Client, tenant: Tenant, other_tenant: Tenant
) -> None:
    for each in (tenant, other_tenant):
        client.get(f"/s/{services.create_link(each)[1]}/")
    assert "Other Company" in acting(client)
    assert client.get("/connect/?tenant=cakes").status_code == 404


def test_a_revoked_link_asks_nothing(both: Client) -> None:
    services.revoke_link(SignupLink.objects.get())
    assert "owner@cakes.example" in acting(both)


def test_a_cookie_of_the_release_before_still_lets_in(client: Client, tenant: Tenant) -> None:
    link, _ = services.create_link(tenant)
    client.cookies["signup_guest"] = signing.dumps(link.public_id.hex, salt="onboarding.guest")
    assert client.get("/connect/").status_code == 200


def test_a_guest_gets_at_nothing_but_the_signup(client: Client, tenant: Tenant) -> None:
    link, token = services.create_link(tenant)
    client.get(f"/s/{token}/")
    for address in (
        "/admin/",
        "/admin/onboarding/signuplink/",
        "/company/cakes/links/",
        "/accounts/password/change/",
    ):
        answer = client.get(address)
        assert answer.status_code in (302, 404), address
        assert answer.status_code == 404 or "login" in answer["Location"], address
    posts = (f"/company/cakes/links/{link.public_id}/revoke/", "/company/cakes/links/")
    for address in posts:
        assert "login" in client.post(address)["Location"]
    link.refresh_from_db()
    assert link.standing == "open"


# --- A link that expires under way ---------------------------------------------------------------


def test_after_it_expired_its_guest_goes_on_and_begins_nothing_new(tenant: Tenant) -> None:
    _, token = services.create_link(tenant)
    guest = APIClient()
    guest.get(f"/s/{token}/")
    made = guest.post(API, JSON).json()["id"]
    SignupLink.objects.update(expires_at=timezone.now())
    assert guest.get(f"{API}{made}/").status_code == 200
    assert guest.post(f"{API}{made}/signup/", {"waba_id": "1"}).status_code == 202
    assert guest.post(f"{API}{made}/withdraw/").status_code == 200
    refused = guest.post(API, {"connection_mode": "business_app"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "link_expired")
    page = guest.get("/connect/?new").content.decode()
    assert "Your link has expired." in page
    assert 'id="launch"' not in page


@pytest.mark.parametrize(
    ("mode", "uses"),
    [("", ["new", "app", "other"]), ("business_platform", ["new", "other"]),
     ("business_app", ["app"])],
)  # fmt: skip
def test_a_links_mode_is_the_only_one_offered_and_taken(
    tenant: Tenant, mode: str, uses: list[str]
) -> None:
    _, token = services.create_link(tenant, connection_mode=mode)
    guest = APIClient()
    guest.get(f"/s/{token}/")
    page = guest.get("/connect/").content.decode()
    asked_with_and_without_a_script = re.findall(r'name="use" value="(\w+)"', page)
    assert asked_with_and_without_a_script == uses * 2
    for asked in ("business_platform", "business_app"):
        answer = guest.post(API, {"connection_mode": asked})
        assert answer.status_code == (201 if mode in ("", asked) else 409)


def test_a_guest_cookie_ends_a_month_after_the_opening(
    client: Client, tenant: Tenant, worker: Any
) -> None:
    _, token = services.create_link(tenant)
    client.get(f"/s/{token}/")
    worker.clock.shift(guests.LIFE_SECONDS - 60)
    assert client.get("/connect/").status_code == 200
    worker.clock.shift(120)
    assert client.get("/connect/").status_code == 302


# --- Mailed --------------------------------------------------------------------------------------


def test_the_letter_goes_out_once_and_the_token_is_wiped(tenant: Tenant) -> None:
    link, token = services.create_link(tenant, email="john@cakes.example")
    assert link.mail == "waiting"
    assert token not in rows_in_clear()
    for _ in range(2):
        tasks.mail_link(link_id=link.pk)
    (sent,) = mail.outbox
    assert sent.to == ["john@cakes.example"]
    address = f"http://localhost:8000/s/{token}/"
    assert address in sent.body
    html = str(sent.alternatives[0][0])  # type: ignore[attr-defined]
    assert f'href="{address}"' in html
    assert "John's Cake Shop" in sent.body
    assert "John&#x27;s Cake Shop" in html
    link.refresh_from_db()
    assert (link.mail, link.sealed_token) == ("mailed", "")
    assert AuditEntry.objects.filter(act="link.mailed", target_id=str(link.public_id)).exists()
    assert token not in rows_in_clear()


def test_the_task_is_told_the_id_alone(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(tasks, "_published", lambda task, kwargs: told.append((task.name, kwargs)))
    with django_capture_on_commit_callbacks(execute=True):
        link, _ = services.create_link(tenant, email="john@cakes.example")
    assert told == [("onboarding.tasks.mail_link", {"link_id": link.pk})]


def test_without_an_address_nothing_is_kept_or_mailed(tenant: Tenant) -> None:
    link, _ = services.create_link(tenant)
    assert (link.mail, link.sealed_token) == ("", "")
    assert tasks.mail_waiting_links() == 0
    assert not mail.outbox


@pytest.mark.parametrize(
    ("of_link", "of_tenant", "spoken"),
    [("", "", "en"), ("", "id", "id"), ("es", "id", "es"), ("ar", "", "ar")],
)
def test_the_letter_speaks_the_links_or_the_tenants_language(
    tenant: Tenant, of_link: str, of_tenant: str, spoken: str
) -> None:
    tenant.language = of_tenant
    tenant.save()
    link, _ = services.create_link(tenant, language=of_link, email="a@b.example")
    tasks.mail_link(link_id=link.pk)
    (html, _) = mail.outbox[0].alternatives[0]  # type: ignore[attr-defined]
    assert f'<html lang="{spoken}"' in str(html)
    assert ('dir="rtl"' in str(html)) == (spoken == "ar")


def test_a_name_with_a_line_break_adds_no_header(tenant: Tenant) -> None:
    tenant.name = "Cakes\r\nBcc: everybody@example.com"
    tenant.save()
    link, _ = services.create_link(tenant, email="a@b.example")
    tasks.mail_link(link_id=link.pk)
    assert "\n" not in mail.outbox[0].subject
    assert not mail.outbox[0].bcc


class Server:
    """A mail server that fails in one way."""

    def __init__(self, *, opening: Exception | None = None, sending: Exception | None = None):
        self.opening, self.sending = opening, sending

    def __call__(self) -> Server:
        return self

    def open(self) -> None:
        if self.opening:
            raise self.opening

    def close(self) -> None:
        pass

    def send_messages(self, letters: list[Any]) -> int:
        if self.sending:
            raise self.sending
        mail.outbox.extend(letters)
        return len(letters)


@pytest.fixture
def waiting(tenant: Tenant) -> SignupLink:
    return services.create_link(tenant, email="a@b.example")[0]


@pytest.mark.parametrize(
    ("server", "stands"),
    [
        (Server(opening=OSError()), "waiting"),
        (Server(sending=smtplib.SMTPDataError(451, b"later")), "waiting"),
        (Server(sending=smtplib.SMTPServerDisconnected()), "failed"),
        (Server(sending=smtplib.SMTPRecipientsRefused({"a@b.example": (550, b"no")})), "failed"),
    ],
)
def test_a_letter_is_repeated_only_if_it_surely_did_not_go_out(
    waiting: SignupLink, monkeypatch: pytest.MonkeyPatch, server: Server, stands: str
) -> None:
    monkeypatch.setattr(post, "get_connection", server)
    tasks.mail_link(link_id=waiting.pk)
    waiting.refresh_from_db()
    assert waiting.mail == stands
    assert bool(waiting.sealed_token) == (stands == "waiting")
    monkeypatch.setattr(post, "get_connection", Server())
    assert tasks.mail_waiting_links() == (stands == "waiting")


def test_no_log_holds_the_token_when_the_mail_fails(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    link, token = services.create_link(tenant, email="a@b.example")
    told = smtplib.SMTPDataError(550, f"spam: http://localhost:8000/s/{token}/".encode())
    monkeypatch.setattr(post, "get_connection", Server(sending=told))
    tasks.mail_link(link_id=link.pk)
    assert "refused" in caplog.text
    assert token not in caplog.text


def test_after_an_hour_the_token_is_wiped(
    waiting: SignupLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "get_connection", Server(opening=OSError()))
    SignupLink.objects.update(created_at=timezone.now() - timedelta(minutes=61))
    tasks.mail_waiting_links()
    waiting.refresh_from_db()
    assert (waiting.mail, waiting.sealed_token) == ("failed", "")


def test_a_letter_whose_worker_died_is_not_sent_again(waiting: SignupLink) -> None:
    long_ago = timezone.now() - timedelta(minutes=6)
    SignupLink.objects.update(mail="sending", mail_at=long_ago)
    assert tasks.mail_waiting_links() == 0
    waiting.refresh_from_db()
    assert (waiting.mail, waiting.sealed_token) == ("failed", "")
    assert not mail.outbox


def test_a_link_that_was_ended_is_not_mailed(waiting: SignupLink) -> None:
    services.revoke_link(waiting)
    tasks.mail_link(link_id=waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.mail, waiting.sealed_token) == ("failed", "")
    assert not mail.outbox


# --- The owners' page ----------------------------------------------------------------------------

PAGE = "/company/cakes/links/"


def test_an_owner_reads_whose_earlier_link_has_ended_and_whether_it_was_in_use(
    owner: User, tenant: Tenant
) -> None:
    pages = pages_of(owner)
    old, token = services.create_link(tenant, actor="jane")
    Client().get(f"/s/{token}/")
    Onboarding.objects.create(
        tenant=tenant, link=old, state="awaiting_payment", launched_at=timezone.now(),
        connection_mode="business_platform",
    )  # fmt: skip
    told = pages.post(PAGE, {"life_days": 3}, follow=True).content.decode()
    made = told.partition("made-title")[2].partition("</section>")[0]
    for said in ("earlier link for any number has ended", "Made by your partner", "Opened once",
                 "Whoever used it is out", "A sign-up that was begun with it goes on"):  # fmt: skip
        assert said in made, said


def test_an_owner_reads_nothing_of_an_expired_link_that_nobody_used(
    owner: User, tenant: Tenant
) -> None:
    services.create_link(tenant)
    SignupLink.objects.update(expires_at=timezone.now())
    told = pages_of(owner).post(PAGE, {"life_days": 3}, follow=True).content.decode()
    assert "has ended." not in told


def test_an_owner_makes_a_link_and_sees_its_address_once(owner: User, tenant: Tenant) -> None:
    pages = pages_of(owner)
    sent = {"life_days": 3, "expected_number": "+34 612 345 678", "email": "john@cakes.example"}
    assert pages.post(PAGE, sent)["Location"] == PAGE
    answer = pages.get(PAGE)
    address = answer.context["address"]
    assert address in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    link = SignupLink.objects.get()
    assert (link.created_by, link.made_by, link.expected_number) == (
        owner, "owner", "+34612345678",
    )  # fmt: skip
    again = pages.get(PAGE).content.decode()
    assert "/s/" not in again
    assert "+34 612 34 56 78" in again
    assert Client().get(address.removeprefix("http://localhost:8000")).status_code == 302
    token = address.rstrip("/").rpartition("/")[2]
    assert token not in rows_in_clear()


def test_what_cannot_be_used_is_told_beside_its_field(owner: User) -> None:
    answer = pages_of(owner).post(PAGE, {"life_days": 7, "expected_number": "612"})
    assert "with its country code" in str(answer.context["form"].errors["expected_number"])
    assert not SignupLink.objects.exists()


def test_an_owner_ends_a_link(owner: User, tenant: Tenant) -> None:
    link, _ = services.create_link(tenant)
    pages = pages_of(owner)
    answer = pages.post(f"{PAGE}{link.public_id}/revoke/", follow=True)
    assert "The link has been ended" in answer.content.decode()
    link.refresh_from_db()
    assert link.is_revoked


def test_a_member_looks_and_makes_or_ends_nothing(member: User, tenant: Tenant) -> None:
    link, _ = services.create_link(tenant)
    pages = pages_of(member)
    page = pages.get(PAGE).content.decode()
    assert "Only owners make and end links." in page
    assert 'class="make"' not in page
    assert pages.post(PAGE, {"life_days": 7}).status_code == 403
    assert pages.post(f"{PAGE}{link.public_id}/revoke/").status_code == 403
    link.refresh_from_db()
    assert link.standing == "open"
    assert SignupLink.objects.count() == 1


def test_a_stranger_finds_nothing(stranger: User, tenant: Tenant) -> None:
    link, _ = services.create_link(tenant)
    pages = pages_of(stranger)
    assert pages.get(PAGE).status_code == 404
    assert pages.post(PAGE, {"life_days": 7}).status_code == 404
    assert pages.post(f"{PAGE}{link.public_id}/revoke/").status_code == 404
    assert pages.post(f"/company/other/links/{link.public_id}/revoke/").status_code == 404
    link.refresh_from_db()
    assert link.standing == "open"


def test_an_owner_elsewhere_is_a_member_here(owner: User, other_tenant: Tenant) -> None:
    Membership.objects.create(user=owner, tenant=other_tenant)
    pages = pages_of(owner)
    assert pages.get("/company/other/links/").status_code == 200
    assert pages.post("/company/other/links/", {"life_days": 7}).status_code == 403


def test_nobody_is_sent_to_the_login(client: Client, tenant: Tenant) -> None:
    assert client.get(PAGE)["Location"].startswith("/accounts/login/")


def test_a_link_may_not_be_made_from_elsewhere(owner: User, tenant: Tenant) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = pages_of(owner).cookies
    assert strict.post(PAGE, {"life_days": 7}).status_code == 403


def test_the_list_names_roles_and_no_people(owner: User, reviewer: User, tenant: Tenant) -> None:
    reviewer.first_name = "Rosalind"
    reviewer.save()
    services.create_link(tenant, actor=reviewer.username, created_by=reviewer)
    page = pages_of(owner).get(PAGE).content.decode()
    assert "Made by your partner" in page
    assert "Rosalind" not in page
    assert reviewer.email not in page


# --- The admin -----------------------------------------------------------------------------------

ADD = "/admin/onboarding/signuplink/add/"


def test_staff_make_a_link_with_everything(reviewer: User, tenant: Tenant) -> None:
    sent = {
        "tenant": tenant.pk, "life_days": 14, "language": "es", "email": "john@cakes.example",
        "expected_number": "+34612345678", "connection_mode": "business_app",
    }  # fmt: skip
    desk = pages_of(reviewer)
    shown_at = desk.post(ADD, sent)["Location"]
    answer = desk.get(shown_at)
    assert "http://localhost:8000/s/" in answer.content.decode()
    assert "/s/" not in desk.get(shown_at, follow=True).content.decode(), "a reload makes nothing"
    assert "no-store" in answer["Cache-Control"]
    link = SignupLink.objects.get()
    assert (link.language, link.email, link.made_by, link.mail) == (
        "es", "john@cakes.example", "staff", "waiting",
    )  # fmt: skip
    assert AuditEntry.objects.get(act="link.created").actor == reviewer.username


def test_staff_read_what_cannot_be_used(reviewer: User, tenant: Tenant) -> None:
    answer = pages_of(reviewer).post(ADD, {"tenant": tenant.pk, "life_days": 99})
    assert answer.status_code == 200
    assert "30" in str(answer.context["adminform"].form.errors["life_days"])
    assert not SignupLink.objects.exists()


def test_the_record_shows_what_opened_it_and_no_secret(reviewer: User, tenant: Tenant) -> None:
    link, token = services.create_link(tenant, email="a@b.example")
    Client().get(f"/s/{token}/", headers={"User-Agent": "curl/8.5"}, REMOTE_ADDR="203.0.113.7")
    answer = pages_of(reviewer).get(f"/admin/onboarding/signuplink/{link.pk}/change/")
    page = answer.content.decode()
    assert "curl/8.5" in page
    assert "203.0.113.0/24" in page
    assert token not in page
    assert link.token_hash not in page
    assert link.sealed_token not in page


def test_the_page_says_only_of_a_link_that_was_open_that_it_has_ended(
    owner: User, tenant: Tenant
) -> None:
    pages = pages_of(owner)
    told = "Your earlier link for any number has ended."
    assert told not in pages.post(PAGE, {"life_days": 7}, follow=True).content.decode()
    assert told in pages.post(PAGE, {"life_days": 7}, follow=True).content.decode()
    SignupLink.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert told not in pages.post(PAGE, {"life_days": 7}, follow=True).content.decode()
