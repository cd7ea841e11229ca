"""The letter with a signup link's address: sent at most once, its token sealed until then.

The row's `mail` says how it stands. A letter is claimed (`sending`) before it goes out; one that
was claimed and whose end is not known is not sent again. A mail server that refuses for now, or
cannot be reached, sent nothing, so that letter waits, an hour at most. Whatever the end, the token
is wiped.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext

from onboarding import post
from onboarding.models import SignupLink, Standing
from tenants import audit
from tenants.letters import letter as on_paper
from tenants.letters import one_line

logger = logging.getLogger(__name__)

Mail = SignupLink.Mail

KEPT = timedelta(hours=1)
"""How long a sealed token waits for its letter."""

SENDING_TAKES = timedelta(minutes=5)
LIMIT = 50


def send(link_id: int) -> bool:
    """Mail the link's address unless somebody did or does; whether it was mailed now."""
    with post.server() as server:
        return server is not None and _claimed_and_sent(link_id, server)


def _claimed_and_sent(link_id: int, server: Any) -> bool:
    rows = SignupLink.objects.filter(pk=link_id)
    now = timezone.now()
    ready = rows.filter(mail=Mail.WAITING, revoked_at__isnull=True, expires_at__gt=now)
    if not ready.update(mail=Mail.SENDING, mail_at=now):
        return False
    link = rows.select_related("tenant").get()
    if not link.sealed_token:  # its key was removed too early
        give_up(link_id)
        return False
    ended = _sent(link, server)
    if ended == Standing.WAITING:
        rows.filter(mail=Mail.SENDING).update(mail=Mail.WAITING)
        return False
    if ended == Standing.FAILED:
        give_up(link_id)
        return False
    with transaction.atomic():
        rows.update(mail=Mail.MAILED, mail_at=timezone.now(), sealed_token="")
        audit.record("worker", "link.mailed", link)
    return True


def _sent(link: SignupLink, server: Any) -> Standing:
    what = f"the letter of link {link.pk}"
    try:
        made = letter(link, server)
    except Exception as error:  # without its text, which may hold the token
        logger.warning("%s could not be written: %s", what, type(error).__name__)
        return Standing.FAILED
    return post.sent(made, what)


def send_due() -> int:
    """Mail what waits (its message was lost, or the server was away); how many were mailed."""
    give_up_old()
    waiting = SignupLink.objects.filter(mail=Mail.WAITING).order_by("created_at")
    keys = list(waiting.values_list("pk", flat=True)[:LIMIT])
    if not keys:
        return 0
    with post.server() as server:
        if server is None:
            return 0
        return sum(_claimed_and_sent(pk, server) for pk in post.in_time(keys, server))


def give_up(link_id: int) -> None:
    """The letter is not sent any more; its token is wiped."""
    unsent = SignupLink.objects.filter(pk=link_id, mail__in=(Mail.WAITING, Mail.SENDING))
    unsent.update(mail=Mail.FAILED, mail_at=timezone.now(), sealed_token="")


def give_up_old() -> int:
    """Wipe tokens whose letter could not be sent in time, or whose worker died; how many."""
    now = timezone.now()
    late = SignupLink.objects.filter(
        Q(mail=Mail.WAITING, created_at__lt=now - KEPT)
        | Q(mail=Mail.SENDING, mail_at__lt=now - SENDING_TAKES)
    )
    return late.update(mail=Mail.FAILED, mail_at=timezone.now(), sealed_token="")


def language_of(link: SignupLink) -> str:
    """The link's language, else the tenant's, else the site's."""
    return link.language or link.tenant.language or settings.LANGUAGE_CODE


def letter(link: SignupLink, server: Any = None) -> EmailMultiAlternatives:
    """The letter, in the link's language."""
    tenant = one_line(link.tenant.name)
    words = {
        "tenant": tenant,
        "address": f"{settings.SITE_URL}/s/{link.sealed_token}/",
        "expires_at": link.expires_at,
        "number": link.expected_number,
    }
    with translation.override(language_of(link)):
        told = {"partner": settings.PARTNER_NAME, "tenant": tenant}
        subject = gettext("%(partner)s: connect the WhatsApp number of %(tenant)s") % told
    return on_paper(
        "signup_link", subject, words, language=language_of(link), to=[link.email], server=server
    )
