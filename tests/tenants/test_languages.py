"""Who says in which language a page, an answer or a letter is: browser, profile, link."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client
from django.test.signals import template_rendered
from django.utils import translation
from django.utils.formats import date_format
from rest_framework.test import APIClient

from onboarding import services
from onboarding.messages import letters
from onboarding.models import Notice
from tenants import invitation_mail, languages
from tenants.models import Invitation, Tenant, User
from tests.conftest import pages_of, person

CODES = [code for code, _ in site.LANGUAGES]


def spoken(client: Client, page: str = "/", accept: str = "") -> str:
    """The `lang` of the page."""
    html = client.get(page, headers={"accept-language": accept}).content.decode()
    found = re.search(r'<html lang="([^"]+)"', html)
    assert found
    return found[1]


def guest(tenant: Tenant, address: str = "", **link: Any) -> Client:
    """Somebody who came by a signup link."""
    _, token = services.create_link(tenant, **link)
    client = Client()
    client.get(f"/s/{token}/{address}")
    return client


# --- Each source ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("", "en"),
        ("fr", "en"),
        ("fr, id;q=0.8", "id"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("es-MX", "es"),
        ("pt", "pt-BR"),
        ("pt-PT, en;q=0.5", "pt-BR"),
        ("ar-EG", "ar"),
        ("*", "en"),
        ("\u0000;;;q=x", "en"),
    ],
)
def test_the_browser_is_asked_last(client: Client, db: None, accept: str, language: str) -> None:
    assert spoken(client, accept=accept) == language


def test_the_switch_is_kept_by_the_browser(client: Client, db: None) -> None:
    answer = client.post("/language/", {"language": "es", "next": "/connect/?tenant=x"})
    assert answer["Location"] == "/connect/?tenant=x"
    cookie = answer.cookies[site.LANGUAGE_COOKIE_NAME]
    assert (cookie["samesite"], cookie["httponly"], int(cookie["max-age"]) > 0) == (
        "Lax", True, True,
    )  # fmt: skip
    assert spoken(client, accept="id") == "es"


def test_the_profile_keeps_what_a_member_chose(owner: User) -> None:
    pages_of(owner).post("/language/", {"language": "pt-br"})
    assert spoken(pages_of(owner), "/accounts/", accept="id") == "pt-BR"


def test_the_choice_can_be_taken_back(owner: User) -> None:
    client = pages_of(owner)
    client.post("/language/", {"language": "pt-br"})
    client.post("/language/", {"language": ""})
    assert spoken(client, "/accounts/", accept="id") == "id"
    owner.refresh_from_db()
    assert owner.language == ""


def test_a_link_speaks_its_own_language_then_the_tenants(tenant: Tenant) -> None:
    assert spoken(guest(tenant, language="es"), "/connect/", accept="id") == "es"
    tenant.language = "ar"
    tenant.save()
    assert spoken(guest(tenant), "/connect/", accept="id") == "ar"


def test_a_partner_may_name_the_language_in_the_links_address(tenant: Tenant) -> None:
    assert spoken(guest(tenant, "?lang=zh-hans", language="es"), "/connect/") == "zh-Hans"
    assert spoken(guest(tenant, "?lang=tlh", language="es"), "/connect/") == "es"


def test_a_link_without_a_language_forgets_that_of_the_link_before(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    client = guest(tenant, language="es")
    _, token = services.create_link(other_tenant)
    client.get(f"/s/{token}/")
    assert spoken(client, "/connect/", accept="id") == "id"


def test_leaving_a_link_leaves_its_language(tenant: Tenant) -> None:
    client = guest(tenant, language="es")
    client.post("/s/leave/")
    assert spoken(client, accept="id") == "id"


# --- Which one counts -----------------------------------------------------------------------------


def test_what_the_browser_chose_beats_the_profile(owner: User) -> None:
    owner.language = "ar"
    owner.save()
    client = pages_of(owner)
    client.cookies[site.LANGUAGE_COOKIE_NAME] = "id"
    assert spoken(client, "/accounts/") == "id"


def test_the_profile_beats_the_link(tenant: Tenant, owner: User) -> None:
    owner.language = "ar"
    owner.save()
    client = guest(tenant, language="es")
    client.force_login(owner, backend="tenants.login.Backend")
    assert spoken(client, "/accounts/", accept="id") == "ar"


def test_a_guests_choice_beats_the_link_also_when_it_is_opened_again(tenant: Tenant) -> None:
    _, token = services.create_link(tenant, language="es")
    client = Client()
    client.get(f"/s/{token}/")
    client.post("/language/", {"language": "id"})
    client.get(f"/s/{token}/")
    assert spoken(client, "/connect/") == "id"


def test_a_language_that_is_none_here_counts_for_nothing(owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(language="tlh")
    client = pages_of(owner)
    client.cookies[site.LANGUAGE_COOKIE_NAME] = "../../x"
    client.cookies[languages.LINK_COOKIE] = "<b>"
    assert client.post("/language/", {"language": "tlh"}).cookies == {}
    assert spoken(client, "/accounts/", accept="es") == "es"


# --- Where it is always English -------------------------------------------------------------------


def test_the_admin_is_english_for_everybody(reviewer: User) -> None:
    reviewer.language = "ar"
    reviewer.save()
    client = pages_of(reviewer)
    client.cookies[site.LANGUAGE_COOKIE_NAME] = "es"
    page = client.get("/admin/tenants/tenant/", headers={"accept-language": "id"})
    assert page["Content-Language"] == "en"
    assert 'lang="en"' in page.content.decode()


def test_a_request_leaves_its_language_to_nobody(client: Client, db: None) -> None:
    with translation.override("en"):
        client.get("/", headers={"accept-language": "ar"})
        assert translation.get_language() == "en"


# --- The API --------------------------------------------------------------------------------------


def test_an_answer_of_the_api_speaks_as_pages_do(owner: User, partner: APIClient) -> None:
    answer = partner.get("/api/v1/nothing/", headers={"accept-language": "es-AR"})
    assert answer["Content-Language"] == "es"
    assert {"Accept-Language", "Cookie"} <= {w.strip() for w in answer["Vary"].split(",")}
    owner.language = "id"
    owner.save()
    told = pages_of(owner).get("/api/v1/onboardings/", headers={"accept-language": "es"})
    assert told["Content-Language"] == "id"


# --- The switch -----------------------------------------------------------------------------------


def test_every_page_offers_all_languages_by_their_own_names(client: Client, db: None) -> None:
    page = client.get("/", headers={"accept-language": "ar"}).content.decode()
    assert '<html lang="ar" dir="rtl"' in page
    for code, name in site.LANGUAGES:
        assert re.search(
            rf'value="{code}" lang="{languages.tag(code)}"[^>]*>{re.escape(name)}<', page
        )
    assert page.count('aria-current="true"') == 1
    assert re.search(r'value="ar"[^>]*aria-current="true"', page)


def test_a_guest_has_the_switch_too(tenant: Tenant) -> None:
    assert 'action="/language/"' in guest(tenant).get("/connect/").content.decode()


def test_the_switch_leads_back_to_our_own_pages_only(client: Client, db: None) -> None:
    for elsewhere in ("https://evil.example/", "//evil.example", "javascript:alert(1)", ""):
        sent = {"language": "es", "next": elsewhere}
        assert client.post("/language/", sent)["Location"] == "/"


def test_the_switch_needs_the_csrf_token_and_a_post(db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/language/", {"language": "es"}).status_code == 403
    assert client.get("/language/").status_code == 405


def test_a_page_whose_address_is_a_secret_has_links_instead(client: Client, db: None) -> None:
    page = client.get("/s/guessed/").content.decode()
    assert 'href="?lang=es"' in page
    assert "guessed" not in page
    assert spoken(client, "/s/guessed/?lang=es") == "es"


def test_the_switch_keeps_which_page_it_is_and_nothing_else(client: Client, db: None) -> None:
    page = client.get("/?code=secret&state=secret&lang=es&tenant=cakes&new").content.decode()
    assert "secret" not in page
    assert 'name="next" value="/?new=&amp;tenant=cakes"' in page


def test_the_account_page_shows_the_language_of_the_profile(owner: User) -> None:
    owner.language = "es"
    owner.save()
    page = pages_of(owner).get("/accounts/").content.decode()
    assert re.search(r'<option value="es" lang="es" selected>', page)


# --- Letters --------------------------------------------------------------------------------------


def test_a_letter_to_a_member_speaks_their_language_then_the_tenants(
    tenant: Tenant, owner: User, member: User
) -> None:
    tenant.language, owner.language = "id", "es"
    found = [letters.language_of(Notice(tenant=tenant, user=each)) for each in (owner, member)]
    assert found == ["es", "id"]


def test_an_invitation_speaks_the_language_of_whom_it_invites(tenant: Tenant, owner: User) -> None:
    tenant.language = "id"
    User.objects.filter(pk=owner.pk).update(language="ar")
    for email, tag in ((owner.email, "ar"), ("new@x.example", "id")):
        made = invitation_mail.letter_of(Invitation(tenant=tenant, email=email), "token")
        assert f'<html lang="{tag}"' in str(made.alternatives[0][0])


def test_a_letter_about_the_login_speaks_the_language_of_the_profile(
    client: Client, owner: User
) -> None:
    heard: set[str | None] = set()

    def listen(template: Any, **_: Any) -> None:
        if (template.name or "").startswith("account/email/password_reset"):
            heard.add(translation.get_language())

    User.objects.filter(pk=owner.pk).update(language="es")
    template_rendered.connect(listen)
    client.post(
        "/accounts/password/reset/", {"email": owner.email}, headers={"accept-language": "id"}
    )
    template_rendered.disconnect(listen)
    assert heard == {"es"}


def test_a_language_chosen_before_signing_up_is_the_new_profiles(
    client: Client, db: None, settings: Any
) -> None:
    settings.TENANT_SELF_SIGNUP = True
    client.post("/language/", {"language": "es"})
    client.post(
        "/accounts/signup/",
        {"email": "new@x.example", "password1": "a-long-secret-1", "company": "New"},
    )
    assert User.objects.get(email="new@x.example").language == "es"


# --- Formats --------------------------------------------------------------------------------------

AT = datetime(2026, 11, 27, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize("code", CODES)
def test_a_short_time_names_its_zone_and_reads_one_way_only(code: str) -> None:
    with translation.override(code):
        text = date_format(AT, "SHORT_DATETIME_FORMAT")
        day = date_format(AT, "SHORT_DATE_FORMAT")
    assert text.endswith(" UTC")
    assert "14" in text
    assert not re.search(r"\d[/.-]\d+[/.-]\d", day)  # 3/4/2026 is March in one country


def test_english_dates_are_calm() -> None:
    with translation.override("en"):
        shown = [date_format(AT, f"{kind}_FORMAT") for kind in ("DATETIME", "SHORT_DATETIME")]
    assert shown == ["27 November 2026, 14:05", "27 Nov 2026, 14:05 UTC"]


@pytest.mark.parametrize(
    ("code", "tag"), [("en", "en"), ("zh-hans", "zh-Hans"), ("pt-br", "pt-BR"), ("ar", "ar")]
)
def test_languages_are_named_as_bcp_47_writes_them(code: str, tag: str) -> None:
    assert languages.tag(code) == tag


def test_a_person_without_a_language_reads_what_is_given_then_the_sites(db: None) -> None:
    someone = person("a@b.example")
    found = [languages.of_user(u, o) for u, o in ((someone, "es"), (someone, ""), (None, "xx"))]
    assert found == ["es", "en", "en"]
