"""Every letter in every language, on one paper, safe with hostile names; and its preview."""

from __future__ import annotations

import email
import re
from typing import Any

import pytest
from django.conf import settings as site
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client

from onboarding import link_mail, services, tasks
from onboarding.messages import letters, login_samples, samples
from onboarding.models import Onboarding
from onboarding.states import State
from tenants.languages import tag
from tenants.letters import letter, one_line
from tenants.models import Tenant, User
from tests.conftest import pages_of, person

HOSTILE = 'Cakes\r\nBcc: all@x.example\u202e<script>alert(1)</script> "&\x07\u2028'
LANGUAGES = [code for code, _ in site.LANGUAGES]


def html_of(made: Any) -> str:
    return str(made.alternatives[0][0])


@pytest.mark.parametrize("kind", samples.KINDS)
def test_each_letter_opens_in_every_language(db: None, kind: str) -> None:
    for language in LANGUAGES:
        made = samples.sample(kind, language)
        html = html_of(made)
        assert f'<html lang="{tag(language)}"' in html, language
        is_rtl = language in site.LANGUAGES_BIDI
        assert ('dir="rtl"' in html.partition("<head>")[0]) == is_rtl, language
        assert made.subject == one_line(made.subject, 200)
        assert made.subject
        assert site.PARTNER_NAME in made.body
        assert made.message().as_bytes()


@pytest.mark.parametrize("kind", set(samples.KINDS) - {"alert", "digest", *login_samples.KINDS})
def test_each_letter_to_a_customer_names_the_tenant(db: None, kind: str) -> None:
    made = samples.sample(kind, "en")
    assert "John's Cake Shop" in made.body
    assert "John&#x27;s Cake Shop" in html_of(made)


@pytest.mark.parametrize("kind", samples.KINDS)
def test_each_letter_is_readable_without_styles_scripts_or_pictures_from_elsewhere(
    db: None, kind: str
) -> None:
    html = html_of(samples.sample(kind, "en"))
    assert not re.search(r"<script|<form|<link|javascript:|\son\w+=|url\(", html)
    assert "prefers-color-scheme: dark" in html
    assert set(re.findall(r'(?:src|href)="(https?://[^/"]+)', html)) <= {"http://localhost:8000"}
    assert "sample-that-opens-nothing" not in html or kind in (
        "signup_link", "invitation", "confirm", "several",
    )  # fmt: skip


def test_the_paper_has_the_partners_name_logo_and_a_readable_accent(
    db: None, settings: Any
) -> None:
    settings.PARTNER_NAME, settings.PARTNER_LOGO = "Acme & Sons", "/static/logo.png"
    settings.PARTNER_ACCENT = "#ffee00"
    html = html_of(samples.sample("connected", "en"))
    assert "Acme &amp; Sons" in html
    assert 'src="http://localhost:8000/static/logo.png"' in html
    assert "background:#ffee00;color:#000000" in html


def test_a_hostile_name_makes_no_header_no_second_line_and_no_html(tenant: Tenant) -> None:
    tenant.name = HOSTILE
    tenant.save()
    row = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_app", state=State.AWAITING_NUMBER,
        reason="number_missing",
    )  # fmt: skip
    item = letters.needed(row, row.reason)
    made = letters.news_of([item], tenant, to="a@b.example", language="en")
    link, _ = services.create_link(tenant, email="a@b.example")
    asks = letters.confirmation_of(tenant, "t" * 20, to="a@b.example", language="en")
    for each in (made, link_mail.letter(link), asks):
        read = email.message_from_bytes(each.message().as_bytes())
        assert read["Bcc"] is None
        assert read["To"] == "a@b.example"
        assert "\n" not in each.subject
        assert "\u202e" not in each.subject + each.body
        assert "<script" not in html_of(each)
        assert "\nBcc:" not in each.body


def test_a_long_name_is_cut() -> None:
    assert one_line("x" * 500) == "x" * 119 + "…"


def test_headers_say_that_a_program_wrote_it_and_where_answers_go(db: None, settings: Any) -> None:
    settings.MAIL_REPLY_TO = "help@partner.example"
    settings.DEFAULT_FROM_EMAIL = "Acme <noreply@mail.partner.example>"
    made = letter("confirm", "s", {"tenant": "t", "address": "a"}, to=["a@b.example"])
    read = made.message()
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["Reply-To"] == "help@partner.example"
    assert str(read["Message-ID"]).endswith("@mail.partner.example>")


def test_a_letter_speaks_the_recipients_language_then_the_tenants(tenant: Tenant) -> None:
    from onboarding.models import MailAddress, Notice

    tenant.language = "id"
    of_member = Notice(tenant=tenant)
    of_guest = Notice(tenant=tenant, address=MailAddress(tenant=tenant, language="es"))
    of_other = Notice(tenant=tenant, address=MailAddress(tenant=tenant))
    found = [letters.language_of(each) for each in (of_member, of_guest, of_other)]
    assert found == ["id", "es", "id"]


# --- The preview ---------------------------------------------------------------------------------

PAGE = "/admin/mails/"


@pytest.fixture
def desk(reviewer: User) -> Client:
    return pages_of(reviewer)


@pytest.mark.parametrize("kind", samples.KINDS)
def test_the_preview_shows_each_letter_in_every_language(desk: Client, kind: str) -> None:
    for language in LANGUAGES:
        page = desk.get(PAGE, {"kind": kind, "language": language})
        assert page.status_code == 200
        assert f"{PAGE}{kind}/{language}/html/" in page.content.decode()
        shown = desk.get(f"{PAGE}{kind}/{language}/html/")
        assert f'lang="{tag(language)}"' in shown.content.decode()


def test_the_preview_has_every_letter_about_a_login() -> None:
    templates = site.BASE_DIR / "templates"
    letters_of_ours = {str(path) for path in templates.glob("*/email/*_subject.txt")}
    prefixes = [prefix for prefix, _ in login_samples._LETTERS.values()]
    assert {f"{templates}/{each}_subject.txt" for each in prefixes} == letters_of_ours


def test_the_frame_has_a_strict_policy_of_its_own_and_a_sandbox(desk: Client) -> None:
    page = desk.get(PAGE).content.decode()
    assert re.search(r"<iframe[^>]* sandbox ", page)
    shown = desk.get(f"{PAGE}needed/en/html/")
    policy = shown["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert policy.endswith("sandbox")
    assert shown["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.parametrize("path", ["", "needed/en/html/", "needed/en/test/"])
def test_the_preview_is_for_staff_who_may_see_notices(
    path: str, owner: User, client: Client
) -> None:
    plain, may = (person(f"{n}@partner.example", staff=True) for n in ("plain", "may"))
    may.user_permissions.add(Permission.objects.get(codename="view_notice"))

    def ask(who: Client) -> int:
        method = who.post if path.endswith("test/") else who.get
        return int(method(PAGE + path).status_code)

    assert ask(pages_of(plain)) == 403
    assert ask(pages_of(may)) in (200, 302)
    assert ask(pages_of(owner)) == ask(client) == 302
    assert "login" in client.get(PAGE)["Location"]


def test_what_is_no_letter_or_language_is_not_found(desk: Client) -> None:
    assert desk.get(PAGE, {"kind": "x"}).status_code == 404
    assert desk.get(f"{PAGE}needed/xx/html/").status_code == 404
    assert desk.get(f"{PAGE}needed/en/test/").status_code == 405


def test_a_test_goes_to_ones_own_address_alone_ten_times_an_hour(
    desk: Client, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_once(task: Any, kwargs: dict[str, Any]) -> bool:
        task(**kwargs)
        return True

    monkeypatch.setattr(tasks, "_published", at_once)
    for _ in range(12):
        desk.post(f"{PAGE}digest/ar/test/", {"email": "other@x.example", "to": "other@x.example"})
    assert len(mail.outbox) == 10
    assert all(m.to == [reviewer.email] and not m.bcc for m in mail.outbox)


def test_a_sample_goes_to_staff_alone(owner: User) -> None:
    assert not tasks.mail_sample(kind="needed", language="en", user_id=owner.pk)
    assert not mail.outbox


def test_the_lists_of_what_was_told_open_and_filter(desk: Client, tenant: Tenant) -> None:
    from onboarding.models import MailAddress, Notice

    row = Onboarding.objects.create(tenant=tenant, connection_mode="business_app")
    address = MailAddress.objects.create(tenant=tenant, onboarding=row, email="guest@x.example")
    notice = Notice.objects.create(
        tenant=tenant, key="k", kind="connected", audience="guest", onboarding=row, address=address
    )
    listed = desk.get("/admin/onboarding/notice/?standing__exact=waiting").content.decode()
    assert "guest@x.example" in listed
    assert (
        "guest@x.example"
        not in desk.get("/admin/onboarding/notice/?standing__exact=mailed").content.decode()
    )
    assert desk.get(f"/admin/onboarding/notice/{notice.pk}/change/").status_code == 200
    assert desk.get("/admin/onboarding/mailaddress/").status_code == 200
    assert desk.get("/admin/onboarding/staffletter/").status_code == 200
