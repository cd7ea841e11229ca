"""Every letter with made-up data: for the preview in the admin and its "send a test to me"."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from onboarding import link_mail, post, reasons
from onboarding.messages import letters, login_samples, staff
from onboarding.models import Onboarding, PhoneNumber, SignupLink, StaffLetter, Standing
from onboarding.models.onboarding import ConnectionMode
from onboarding.states import State
from tenants import invitation_mail
from tenants.models import Invitation, Tenant, User

ID = UUID("0f8fad5b-d9cb-469f-a165-70867728950e")
SAMPLE = "sample-that-opens-nothing"
"""In place of a token."""

STOP = "/mail/stop/sample/"


def _tenant(language: str) -> Tenant:
    return Tenant(pk=0, name="John's Cake Shop", slug="cakes", language=language)


def _number(health: str = "") -> PhoneNumber:
    return PhoneNumber(e164="+34612345678", messaging_limit="TIER_1K", health=health)


def _row(tenant: Tenant, state: State, reason: str = "") -> Onboarding:
    return Onboarding(
        public_id=ID, tenant=tenant, connection_mode=ConnectionMode.BUSINESS_PLATFORM,
        state=state, reason=reason, number=_number(), state_changed_at=timezone.now(),
        updated_at=timezone.now(), next_look_at=timezone.now(),
    )  # fmt: skip


def _signup_link(language: str, to: str) -> EmailMultiAlternatives:
    link = SignupLink(
        tenant=_tenant(language), language=language, email=to, expected_number="+34612345678",
        expires_at=timezone.now() + timedelta(days=7), sealed_token=SAMPLE,
    )  # fmt: skip
    return link_mail.letter(link)


def _invitation(language: str, to: str) -> EmailMultiAlternatives:
    by = User(email="owner@cakes.example")
    row = Invitation(tenant=_tenant(language), email=to, invited_by=by)
    return invitation_mail.letter_of(row, SAMPLE)


def _confirm(language: str, to: str) -> EmailMultiAlternatives:
    return letters.confirmation_of(
        _tenant(language), SAMPLE, to=to, language=language, stop_url=_stop()
    )


def _needed(language: str, to: str) -> EmailMultiAlternatives:
    return _news(language, to, _needed_items)


def _connected(language: str, to: str) -> EmailMultiAlternatives:
    return _news(language, to, lambda t: [letters.connected(_row(t, State.CONNECTED))])


def _health(language: str, to: str) -> EmailMultiAlternatives:
    def items(tenant: Tenant) -> list[letters.Item]:
        row = _row(tenant, State.CONNECTED)
        return [letters.health("number_offboarded", row.number, tenant, row)]

    return _news(language, to, items)


def _several(language: str, to: str) -> EmailMultiAlternatives:
    """To a guest: with the link that ends such letters."""

    def items(tenant: Tenant) -> list[letters.Item]:
        made = [*_needed_items(tenant), letters.connected(_row(tenant, State.CONNECTED))]
        return [{**item, "link": f"{settings.SITE_URL}/s/{SAMPLE}/"} for item in made]

    return _news(language, to, items, stop_url=_stop())


def _needed_items(tenant: Tenant) -> list[letters.Item]:
    row = _row(tenant, State.AWAITING_NUMBER, "number_not_verified")
    return [letters.needed(row, row.reason)]


def _news(
    language: str, to: str, items: Callable[[Tenant], list[letters.Item]], **more: Any
) -> EmailMultiAlternatives:
    tenant = _tenant(language)
    with translation.override(language):
        made = items(tenant)
    return letters.news_of(made, tenant, to=to, language=language, **more)


def _stop() -> str:
    return f"{settings.SITE_URL}{STOP}"


def _alert(language: str, to: str) -> EmailMultiAlternatives:
    row = StaffLetter(kind=StaffLetter.Kind.ALERT, trouble="balance_low", detail="12.40 USD")
    with translation.override(language):
        return staff.alert(row, [to], language=language)


def _digest(language: str, to: str) -> EmailMultiAlternatives:
    at = timezone.now() - timedelta(days=2)
    row = {
        "tenant": "John's Cake Shop", "number": "+34 612 34 56 78", "at": at, "is_new": True,
        "link": f"{settings.SITE_URL}/admin/onboarding/onboarding/",
    }  # fmt: skip
    with translation.override(language):
        since = staff._since(at)
        codes = ("approval_needed", "register_refused")
        groups = [
            {
                "what": reasons.for_staff(code),
                "todo": str(reasons.REASONS[code].staff_remedy[0]),
                "who": str(reasons.STAFF_WHO_LABELS[reasons.REASONS[code].who]),
                "count": 1,
                "rows": [{**row, "since": since}],
                "more": 0,
                "oldest": at,
            }
            for code in codes
        ]
        return staff.digest_of(groups, [to], language=language)


KINDS: dict[str, tuple[Any, Callable[[str, str], EmailMultiAlternatives]]] = {
    "signup_link": (_("Signup link"), _signup_link),
    "invitation": (_("Invitation to a company"), _invitation),
    "confirm": (_("Confirmation of an address"), _confirm),
    "needed": (_("Something is needed"), _needed),
    "connected": (_("Connected"), _connected),
    "health": (_("A number was lost"), _health),
    "several": (_("Several pieces of news, to a guest"), _several),
    "digest": (_("Digest for staff"), _digest),
    "alert": (_("Alert for staff"), _alert),
    **login_samples.KINDS,
}
"""Each kind's name and how its sample is made, for a language and an address."""


def sample(kind: str, language: str, to: str = "you@example.com") -> EmailMultiAlternatives:
    """The letter of this kind in this language, with made-up data. Raises KeyError."""
    return KINDS[kind][1](language, to)


def send_sample(kind: str, language: str, user_id: int) -> bool:
    """Mail one to a member of staff, at their own address; whether it went out."""
    user = User.objects.filter(pk=user_id, is_active=True, is_staff=True).first()
    if user is None or kind not in KINDS or language not in dict(settings.LANGUAGES):
        return False
    made = sample(kind, language, user.email)
    made.to, made.bcc = [user.email], []
    with post.server() as server:
        if server is None:
            return False
        made.connection = server
        return post.sent(made, f"a sample of {kind}") == Standing.MAILED
