"""The second factor and the company's pages in a real browser, under the strict policy."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tenants import invitations
from tenants.models import Tenant, User
from tests.browser.conftest import watched
from tests.browser.test_accessibility import faults
from tests.tenants.test_accounts import code_of, with_app


def signs_in(page: Page, user: User) -> None:
    page.goto("/accounts/login/")
    page.fill("#id_login", user.email)
    page.fill("#id_password", "secret-secret")
    page.press("#id_password", "Enter")
    page.wait_for_url(lambda url: "/accounts/login/" not in url)


def confirms(page: Page) -> None:
    """The question whether it is really them."""
    page.fill("#id_password", "secret-secret")
    page.press("#id_password", "Enter")
    page.wait_for_url(lambda url: "/reauthenticate/" not in url)


@pytest.fixture
def visitor(context: BrowserContext) -> Page:
    """A browser in which nobody is signed in."""
    return watched(context.new_page())


@pytest.fixture
def authenticator(visitor: Page) -> None:
    """A device that makes and keeps passkeys, with somebody's finger on it."""
    tools = visitor.context.new_cdp_session(visitor)
    tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
        "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_an_app_is_set_up_and_its_code_signs_in(visitor: Page, owner: User) -> None:
    signs_in(visitor, owner)
    visitor.goto("/accounts/2fa/totp/activate/")
    confirms(visitor)
    assert visitor.evaluate("document.querySelector('.qr img').naturalWidth") > 0
    visitor.click("main details summary")
    secret = visitor.inner_text("#authenticator_secret")
    visitor.fill("#id_code", code_of(secret))
    visitor.press("#id_code", "Enter")
    expect(visitor.locator("#recovery_codes")).to_be_visible()
    visitor.context.clear_cookies()
    signs_in(visitor, owner)
    visitor.fill("#id_code", code_of(secret, 1))
    visitor.press("#id_code", "Enter")
    visitor.wait_for_url("**/connect/")
    assert visitor.faults == []  # type: ignore[attr-defined]


def test_a_passkey_is_added_and_signs_in_without_a_password(
    visitor: Page, authenticator: None, owner: User
) -> None:
    signs_in(visitor, owner)
    visitor.goto("/accounts/2fa/webauthn/add/")
    confirms(visitor)
    visitor.check("#id_passwordless")
    visitor.click("#mfa_webauthn_add")
    expect(visitor.locator("#recovery_codes")).to_be_visible()
    visitor.context.clear_cookies()
    visitor.goto("/accounts/login/")
    visitor.click("#passkey_login")
    visitor.wait_for_url("**/connect/")
    assert visitor.faults == []  # type: ignore[attr-defined]


def test_a_passkey_is_the_second_factor_after_the_password(
    visitor: Page, authenticator: None, owner: User
) -> None:
    signs_in(visitor, owner)
    visitor.goto("/accounts/2fa/webauthn/add/")
    confirms(visitor)
    visitor.click("#mfa_webauthn_add")
    expect(visitor.locator("#recovery_codes")).to_be_visible()
    visitor.context.clear_cookies()
    signs_in(visitor, owner)
    visitor.click("#mfa_webauthn_authenticate")
    visitor.wait_for_url("**/connect/")


def test_a_passkey_that_is_not_given_is_told_on_the_page(visitor: Page, owner: User) -> None:
    refusal = "new DOMException('not now', 'NotAllowedError')"
    visitor.add_init_script(f"navigator.credentials.get = () => Promise.reject({refusal})")
    visitor.goto("/accounts/login/")
    visitor.click("#passkey_login")
    expect(visitor.locator("#passkey-trouble")).to_be_visible()


def test_a_person_without_a_passkey_is_not_asked_for_one(visitor: Page, owner: User) -> None:
    with_app(owner)
    signs_in(visitor, owner)
    expect(visitor.locator("#id_code")).to_be_visible()
    expect(visitor.locator("#mfa_webauthn_authenticate")).to_have_count(0)


PAGES = ["/accounts/", "/accounts/email/", "/accounts/password/change/", "/accounts/sessions/",
         "/accounts/2fa/", "/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/",
         "/accounts/2fa/webauthn/add/", "/company/cakes/", "/company/cakes/members/"]  # fmt: skip
OPEN = ["/accounts/signup/", "/accounts/password/reset/", "/invitation/"]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_the_account_pages_have_no_faults_and_fit(
    browser: Browser, site: str, owner: User, member: User, tenant: Tenant, settings: Any,
    scheme: Any, width: int,
) -> None:  # fmt: skip
    settings.TENANT_SELF_SIGNUP = True
    invitations.invite(owner, tenant, "new@cakes.example", "member")
    link = re.search(r"/invitation/\S+", str(mail.outbox[-1].body))
    assert link
    size = {"width": width, "height": 640}
    context = browser.new_context(base_url=site, viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
    page = watched(context.new_page())
    try:
        for address in [*OPEN, link[0], *PAGES]:
            if address == PAGES[0]:
                signs_in(page, owner)
                page.goto("/accounts/reauthenticate/?next=/accounts/")
                confirms(page)
            page.goto(address)
            found = page.faults[:]  # type: ignore[attr-defined]
            assert [*found, *faults(page)] == [], address
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
            page.faults.clear()  # type: ignore[attr-defined]
    finally:
        context.close()
