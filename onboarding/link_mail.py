"""The letter with a signup link's address: sent at most once, its token sealed until then.

The row's `mail` says how it stands. A letter is claimed (`sending`) before it goes out; one that
was claimed and whose end is not known is not sent again. A mail server that refuses, or cannot be
reached, sent nothing, so that letter waits, an hour at most. Whatever the end, the token is wiped.
"""

from __future__ import annotations

import logging
import smtplib
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext

from onboarding.models import SignupLink
from tenants import audit
from tenants.letters import letter as on_paper
from tenants.letters import one_line

logger = logging.getLogger(__name__)

Mail = SignupLink.Mail

KEPT = timedelta(hours=1)
"""How long a sealed token waits for its letter."""

SENDING_TAKES = timedelta(minutes=5)
LIMIT = 50
_REFUSED = (
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPSenderRefused,
    smtplib.SMTPDataError,
)


def send(link_id: int) -> bool:
    """Mail the link's address unless somebody did or does; whether it was mailed now."""
    try:
        server = get_connection()
        server.open()  # before anything is claimed: a server that is away has sent nothing
    except Exception:
        logger.warning("the mail server cannot be reached", exc_info=True)
        return False
    try:
        return _claimed_and_sent(link_id, server)
    finally:
        server.close()


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
    try:
        letter(link, server).send()
    except _REFUSED as error:
        # Without its text: a server may quote the letter.
        logger.warning("the mail server refused the letter of link %s: %s", link_id, type(error))
        rows.filter(mail=Mail.SENDING).update(mail=Mail.WAITING)
        return False
    except Exception as error:
        logger.warning("the letter of link %s may have gone out: %s", link_id, type(error))
        give_up(link_id)
        return False
    with transaction.atomic():
        rows.update(mail=Mail.MAILED, mail_at=timezone.now(), sealed_token="")
        audit.record("worker", "link.mailed", link)
    return True


def send_due() -> int:
    """Mail what waits (its message was lost, or the server was away); how many were mailed."""
    give_up_old()
    waiting = SignupLink.objects.filter(mail=Mail.WAITING).order_by("created_at")
    return sum(send(pk) for pk in waiting.values_list("pk", flat=True)[:LIMIT])


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
