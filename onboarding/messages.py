"""What is told to people by e-mail: a notice is written with the change and mailed afterwards.

At most once: a notice is claimed before its mail goes out; one that was claimed and whose end is
not known is not sent again. A mail server that says no, or cannot be reached, sent nothing, so
that notice goes back.
"""

from __future__ import annotations

import logging
import smtplib
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone
from django.utils.translation import gettext

from onboarding.models import Notice, PhoneNumber
from onboarding.reasons import REASONS
from tenants.models import Membership, User

logger = logging.getLogger(__name__)

LIMIT = 50
GIVE_UP = timedelta(days=2)
"""A mail that could not be sent for so long is not news any more; the page still tells."""


def tell(number: PhoneNumber) -> None:
    """Note that the number's health has become worse; call it in the transaction that says so."""
    Notice.objects.get_or_create(
        key=f"health:{number.pk}:{number.health_since:%Y%m%d%H%M%S%f}",
        defaults={"tenant": number.tenant, "number": number, "reason": number.health},
    )


def send_due() -> int:
    """Mail the notices that wait; how many were mailed."""
    waiting = Notice.objects.filter(
        claimed_at__isnull=True, created_at__gt=timezone.now() - GIVE_UP
    ).order_by("created_at")
    keys = list(waiting.values_list("pk", flat=True)[:LIMIT])
    return sum(_send(key) for key in keys)


def _send(key: int) -> bool:
    free = Notice.objects.filter(pk=key, claimed_at__isnull=True)
    if not free.update(claimed_at=timezone.now()):
        return False
    notice = Notice.objects.select_related("number", "tenant").get(pk=key)
    try:
        for message in _mails(notice):
            message.send()
    except (smtplib.SMTPServerDisconnected, TimeoutError):
        logger.warning("notice %s may have been mailed; it is not repeated", key)
        return False
    except (smtplib.SMTPException, OSError):
        logger.warning("notice %s could not be mailed", key, exc_info=True)
        Notice.objects.filter(pk=key).update(claimed_at=None)
        return False
    Notice.objects.filter(pk=key).update(mailed_at=timezone.now())
    return True


def _mails(notice: Notice) -> list[EmailMessage]:
    """One to the tenant's owners, one to staff; nobody sees another's address."""
    owners = Membership.objects.filter(
        tenant=notice.tenant, role=Membership.Role.OWNER, user__is_active=True
    ).values_list("user__email", flat=True)
    staff = User.objects.filter(is_staff=True, is_active=True).values_list("email", flat=True)
    letters = (
        (owners, _for_owners(notice)),
        (staff, _for_staff(notice)),
    )
    return [
        EmailMessage(_subject(notice), text, settings.DEFAULT_FROM_EMAIL, bcc=list(to))
        for to, text in letters
        if to
    ]


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
