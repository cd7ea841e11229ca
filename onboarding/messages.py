"""What is told to people by e-mail: a notice is written with the change and mailed afterwards.

At most once: a notice is claimed before its mail goes out; one that was claimed and whose end is
not known is not sent again. A mail server that refuses, or cannot be reached, sent nothing, so that
notice waits. Each audience has a notice of its own, so one refused letter repeats no other.
"""

from __future__ import annotations

import logging
import smtplib
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone
from django.utils.translation import gettext

from onboarding.models import Notice, PhoneNumber
from onboarding.reasons import REASONS
from tenants.models import Membership, User

logger = logging.getLogger(__name__)

Audience = Notice.Audience

LIMIT = 50
GIVE_UP = timedelta(days=2)
"""A mail that could not be sent for so long is not news any more; the page still tells."""


def tell(number: PhoneNumber) -> None:
    """Note that the number's health has become worse; call it in the transaction that says so."""
    for audience in Audience:
        Notice.objects.get_or_create(
            key=f"health:{number.pk}:{number.health_since:%Y%m%d%H%M%S%f}:{audience}",
            defaults={
                "tenant": number.tenant,
                "number": number,
                "reason": number.health,
                "audience": audience,
            },
        )


def send_due() -> int:
    """Mail the notices that wait; how many were mailed."""
    waiting = Notice.objects.filter(
        claimed_at__isnull=True, created_at__gt=timezone.now() - GIVE_UP
    ).order_by("created_at")
    keys = list(waiting.values_list("pk", flat=True)[:LIMIT])
    if not keys:
        return 0
    try:
        server = get_connection()
        server.open()  # before anything is claimed: a server that is away has sent nothing
    except Exception:
        logger.warning("the mail server cannot be reached", exc_info=True)
        return 0
    try:
        return sum(_send(key, server) for key in keys)
    finally:
        server.close()


def _send(key: int, server: BaseEmailBackend) -> bool:
    free = Notice.objects.filter(pk=key, claimed_at__isnull=True)
    if not free.update(claimed_at=timezone.now()):
        return False
    notice = Notice.objects.select_related("number", "tenant").get(pk=key)
    try:
        _mail(notice, server)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError):
        logger.warning("the mail server refused notice %s", key, exc_info=True)
        Notice.objects.filter(pk=key).update(claimed_at=None)
        return False
    except Exception:
        logger.warning("notice %s may have been mailed; it is not repeated", key, exc_info=True)
        return False
    Notice.objects.filter(pk=key).update(mailed_at=timezone.now())
    return True


def _mail(notice: Notice, server: BaseEmailBackend) -> None:
    """One letter to all of the audience; nobody sees another's address."""
    people = User.objects.filter(is_active=True)
    if notice.audience == Audience.OWNERS:
        owner = Membership.Role.OWNER
        people = people.filter(memberships__tenant=notice.tenant, memberships__role=owner)
        text = _for_owners(notice)
    else:
        people = people.filter(is_staff=True)
        text = _for_staff(notice)
    to = people.exclude(email="").values_list("email", flat=True)
    if not to:
        return
    EmailMessage(
        _subject(notice), text, settings.DEFAULT_FROM_EMAIL, bcc=list(to), connection=server
    ).send()


def _subject(notice: Notice) -> str:
    number = notice.number.e164 or notice.number.phone_number_id
    return f"{number}: {REASONS[notice.reason].what}"


def _for_owners(notice: Notice) -> str:
    reason = REASONS[notice.reason]
    lines = [str(reason.why), "", *(f"- {line}" for line in reason.remedy)]
    lines += ["", f"{settings.SITE_URL}/connect/?tenant={notice.tenant.slug}"]
    lines += ["", settings.PARTNER_NAME]
    return "\n".join(lines)


def _for_staff(notice: Notice) -> str:
    reason = REASONS[notice.reason]
    page = f"{settings.SITE_URL}/admin/onboarding/phonenumber/{notice.number_id}/change/"
    tenant = gettext("Tenant: %(name)s") % {"name": notice.tenant.name}
    return "\n".join([tenant, str(reason.why), "", page])
