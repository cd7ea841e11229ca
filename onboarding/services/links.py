"""Signup links: made, opened, revoked. Nobody sees a link's address but whoever made it, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onboarding import link_mail, tasks
from onboarding.models import LinkOpening, Onboarding, SignupLink
from onboarding.models.link import LIFE_DAYS, MOST_LIFE_DAYS
from onboarding.models.onboarding import ConnectionMode
from onboarding.services.errors import RefusedError
from onboarding.states import FINAL, State
from tenants import audit
from tenants.models import Tenant, User
from tenants.models.base import known_language
from tenants.signals import owner_ended
from tenants.tokens import new_token, token_hash

OPENINGS_KEPT = 200
"""Of one link: whoever asks for an address again and again fills no table."""


def create_link(
    tenant: Tenant,
    *,
    actor: str = "",
    created_by: User | None = None,
    connection_mode: str = "",
    expected_number: str = "",
    language: str = "",
    email: str = "",
    life_days: int = LIFE_DAYS,
) -> tuple[SignupLink, str]:
    """A new link and its token, which is shown this once and kept only as a hash.

    It revokes the tenant's earlier links for the same expected number (those without one are for
    the same: any number), also expired ones, whose guests may still be about. So an agency can
    have a link for each number at the same time, and never two for the same. With `email` the
    address is mailed, once (`mail_link`).

    The links that it ended are its `ended`, for whoever made it to be told.

    `actor`: a staff username, `customer` (an owner), `key:PREFIX` or `command`; by default
    whoever made it. Raises RefusedError; its code is the argument's name and `_invalid`.
    """
    number = check(
        connection_mode=connection_mode,
        expected_number=expected_number,
        language=language,
        email=email,
        life_days=life_days,
    )
    actor = actor or (created_by.get_username() if created_by else "command")
    token = new_token()
    with transaction.atomic():
        Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)  # two at once: in order
        ended = _replace(tenant, number, actor)
        link = SignupLink.objects.create(
            tenant=tenant,
            token_hash=token_hash(token),
            connection_mode=connection_mode,
            expected_number=number,
            language=language,
            email=email,
            created_by=created_by,
            made_by=_role(actor),
            expires_at=timezone.now() + timedelta(days=life_days),
        )
        after = {
            "connection_mode": connection_mode,
            "has_expected_number": bool(number),
            "language": language,
            "life_days": life_days,
            "to_be_mailed": bool(email),
        }
        audit.record(actor, "link.created", link, after=after)
        if email:
            mail_link(link, token)
    link.ended = ended
    return link, token


def under_way(link: SignupLink) -> int:
    """How many attempts that were begun by the link are neither connected nor ended."""
    rows = Onboarding.objects.filter(link=link, launched_at__isnull=False)
    return rows.exclude(state__in=FINAL | {State.CANCELLED}).count()


def mail_link(link: SignupLink, token: str) -> None:
    """Have the address mailed after the commit, once, in the link's or the tenant's language.

    The task knows only the link's id. The token waits sealed in the row and is wiped with the
    letter, or after an hour (`link_mail.py`).
    """
    link.sealed_token, link.mail, link.mail_at = token, SignupLink.Mail.WAITING, timezone.now()
    link.save(update_fields=["sealed_token", "mail", "mail_at"])
    tasks.request_link_mail(link.pk)


def check(
    *, connection_mode: str, expected_number: str, language: str, email: str, life_days: int
) -> str:
    """The expected number as E.164, or "". Raises RefusedError, see `create_link`."""
    if connection_mode and connection_mode not in ConnectionMode.values:
        raise RefusedError("connection_mode_invalid", _("There is no such way to connect."))
    if not 1 <= life_days <= MOST_LIFE_DAYS:
        raise RefusedError("life_days_invalid", _("A link lives for 1 to 30 days."))
    try:
        if language:
            known_language(language)
    except ValidationError as error:
        raise RefusedError("language_invalid", " ".join(error.messages)) from None
    try:
        if email:
            validate_email(email)
    except ValidationError as error:
        raise RefusedError("email_invalid", " ".join(error.messages)) from None
    return e164(expected_number) if expected_number else ""


def e164(number: str) -> str:
    """+34 612-34 56 78 -> +34612345678. Raises RefusedError."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        told = _("Give the number with its country code, such as +34 612 34 56 78.")
        raise RefusedError("expected_number_invalid", told)
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def _role(actor: str) -> str:
    made_by = SignupLink.MadeBy
    words = {"customer": made_by.OWNER, "command": made_by.COMMAND}
    return made_by.KEY if actor.startswith("key:") else words.get(actor, made_by.STAFF)


def _replace(tenant: Tenant, number: str, actor: str) -> tuple[SignupLink, ...]:
    """End the earlier links for the same number; newest first."""
    earlier = SignupLink.objects.for_tenant(tenant).filter(
        revoked_at__isnull=True, expected_number=number
    )
    for link in (ended := tuple(earlier.select_related("created_by"))):
        _revoke(link, actor, "replaced")
    return ended


def open_link(
    token: str,
    *,
    handed: UUID | None = None,
    method: str = "GET",
    agent: str = "",
    network: str = "",
) -> SignupLink | None:
    """The link of a token, noted as opened; opening consumes nothing. None: unknown.

    `handed`: the link's public id, where the token was a hand-over (`guests.py`). `agent`: the
    User-Agent header; `network`: of the client's address (see LinkOpening).
    """  # fmt: skip
    named = {"public_id": handed} if handed else {"token_hash": token_hash(token)}
    link = SignupLink.objects.filter(**named).first()
    if link is None:
        return None
    if link.standing == "open":
        SignupLink.objects.filter(pk=link.pk).update(
            opened_at=timezone.now(), times_opened=F("times_opened") + 1
        )
    if link.openings.count() < OPENINGS_KEPT:
        LinkOpening.objects.create(
            link=link,
            standing=link.standing,
            method=method[:8],
            network=network,
            agent=kind_of(agent),
            agent_text="".join(filter(str.isprintable, agent))[:120],
        )
    return link


_PROGRAMS = (
    "bot", "crawl", "spider", "scan", "preview", "fetch", "curl", "wget", "python", "http-client",
    "okhttp", "java/", "go-http", "safelinks", "proofpoint", "mimecast", "barracuda", "headless",
    "facebookexternalhit", "whatsapp/", "slack", "monitor",
)  # fmt: skip


def kind_of(agent: str) -> str:
    """A guess at what opened it, for people who ask why a link counts openings by itself."""
    text = agent.lower()
    if not text:
        return LinkOpening.Agent.UNKNOWN
    if any(word in text for word in _PROGRAMS):
        return LinkOpening.Agent.PROGRAM
    return LinkOpening.Agent.BROWSER if "mozilla/" in text else LinkOpening.Agent.UNKNOWN


def revoke_link(link: SignupLink, actor: str = "command") -> None:
    """End the link, the sessions of its guests at once, and a letter that still waits."""
    with transaction.atomic():
        _revoke(link, actor, "asked")


def _revoke(link: SignupLink, actor: str, because: str) -> None:
    rows = SignupLink.objects.filter(pk=link.pk, revoked_at__isnull=True)
    now = timezone.now()
    if rows.update(revoked_at=now):
        link.revoked_at = now
        link_mail.give_up(link.pk)
        audit.record(actor, "link.revoked", link, after={"because": because})


@receiver(owner_ended)
def end_links_of(*, user: User, tenant: Tenant, **_: Any) -> None:
    """Links that somebody made as an owner end with that: they know the addresses."""
    mine = SignupLink.objects.for_tenant(tenant).filter(created_by=user, revoked_at__isnull=True)
    for link in mine.filter(made_by=SignupLink.MadeBy.OWNER):
        revoke_link(link, "customer")
