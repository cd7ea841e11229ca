"""Letters about a login: text and HTML on the common paper, in the person's language."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils import translation

from tenants.login_letters import letter_of
from tenants.models import User

NEWS = {"timestamp": datetime(2026, 11, 27, 9, 30, tzinfo=UTC), "ip": "192.0.2.1",
        "user_agent": "Firefox <b>"}  # fmt: skip
KEY = "https://onboarding.example/accounts/password/reset/key/1-abc/"
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("account/email/account_already_exists", {"password_reset_url": KEY}),
    ("account/email/email_changed", {**NEWS, "from_email": "a@b.example", "to_email": "c@d.e"}),
    ("account/email/email_confirm", NEWS),
    ("account/email/email_confirmation", {"code": "ABC-DEF"}),
    ("account/email/email_confirmation_signup", {"code": "ABC-DEF"}),
    ("account/email/email_deleted", {**NEWS, "deleted_email": "a@b.example"}),
    ("account/email/password_changed", NEWS),
    ("account/email/password_reset", NEWS),
    ("account/email/password_reset_key", {"password_reset_url": KEY}),
    ("account/email/password_set", NEWS),
    ("account/email/unknown_account", {"signup_url": KEY}),
    ("mfa/email/recovery_codes_generated", NEWS),
    ("mfa/email/totp_activated", NEWS),
    ("mfa/email/totp_deactivated", NEWS),
    ("mfa/email/webauthn_added", NEWS),
    ("mfa/email/webauthn_removed", NEWS),
]


def html_of(letter: EmailMultiAlternatives) -> str:
    ((html, kind),) = letter.alternatives
    assert kind == "text/html"
    return str(html)


@pytest.mark.parametrize(("prefix", "context"), KINDS, ids=[prefix for prefix, _ in KINDS])
def test_each_letter_is_text_and_html_on_the_partners_paper(
    settings: Any, prefix: str, context: dict[str, Any]
) -> None:
    settings.PARTNER_NAME = "Acme & Sons"
    settings.SITE_URL = "https://onboarding.example"
    settings.TENANT_SELF_SIGNUP = True
    letter = letter_of(prefix, "john@cakes.example", {"email": "john@cakes.example", **context})
    html = html_of(letter)
    assert letter.to == ["john@cakes.example"]
    assert letter.subject
    assert "\n" not in letter.subject
    assert "Acme & Sons" in letter.body
    assert "Acme &amp; Sons" in html
    assert "written by a program" in letter.body
    assert "<b>" not in html
    assert letter.extra_headers["Auto-Submitted"] == "auto-generated"
    for link in re.findall(r"""https?://[^\s"'<]+""", letter.body + html):
        assert link.startswith("https://onboarding.example/"), link
    if context is NEWS:
        assert "(UTC)" in letter.body


def test_the_address_of_a_letter_is_a_button_and_its_code_stands_large() -> None:
    key = html_of(letter_of("account/email/password_reset_key", "a@b.example",
                            {"password_reset_url": KEY}))  # fmt: skip
    assert f'href="{KEY}"' in key
    assert ">Choose a new password</a>" in key
    code = letter_of("account/email/email_confirmation", "a@b.example", {"code": "ABC-DEF"})
    assert re.search(r"^ABC-DEF$", str(code.body), re.MULTILINE)
    assert 'class="box" dir="ltr"' in html_of(code)


def test_a_letter_speaks_the_persons_language_or_that_of_the_page() -> None:
    class Reader:
        language = "ar"

    with translation.override("es"):
        theirs = letter_of("account/email/password_changed", "a@b.example",
                           {**NEWS, "user": Reader()})  # fmt: skip
        pages = letter_of("account/email/password_changed", "a@b.example", NEWS)
    assert '<html lang="ar" dir="rtl">' in html_of(theirs)
    assert '<html lang="es">' in html_of(pages)


def test_allauth_sends_it(client: Client, owner: User) -> None:
    client.post("/accounts/password/reset/", {"email": owner.email})
    (letter,) = mail.outbox
    assert isinstance(letter, EmailMultiAlternatives)
    assert "Choose a new password" in html_of(letter)


def test_a_notice_goes_to_the_persons_confirmed_address(rf: Any, owner: User) -> None:
    adapter = get_adapter(rf.get("/"))
    adapter.request = rf.get("/", HTTP_USER_AGENT="Firefox")
    assert EmailAddress.objects.get_primary(owner)
    adapter.send_notification_mail("account/email/password_changed", owner)
    assert mail.outbox[0].to == [owner.email]
    assert "Firefox" in mail.outbox[0].body
