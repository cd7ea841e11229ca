"""Being told by e-mail without a login: an address is asked for, confirmed, switched off."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from onboarding import mail_addresses, notices, tell, transitions
from onboarding.models import MailAddress, Notice, Onboarding, Standing
from onboarding.services.errors import RefusedError
from onboarding.states import State

LETTERS = 5
"""That ask for a confirmation, of one onboarding."""

A_DAY = 50
"""The same of one tenant: nobody fills strangers' mailboxes in our name by many attempts."""

AGAIN_AFTER = timedelta(minutes=10)
"""Asked for again sooner, the letter that went out stands."""


def notify(row: Onboarding, email: str) -> str:
    """Have news of this onboarding mailed to the address once it is confirmed; the address.

    Not before Meta's window was opened: until then there is nothing to be told of.

    What comes back is the same for an address that is new, waits, is told already, or has said
    no, so that nobody learns which addresses are known. Raises RefusedError.
    """
    email = _clean(email)
    with transaction.atomic():
        row = transitions.lock(row.pk)
        if row.state == State.STARTED:
            raise RefusedError("not_now", _("There is nothing to be told of yet: begin first."))
        if not tell.may_ask(row):
            raise RefusedError("not_now", _("This attempt is over: there is no more news of it."))
        if _asked_today(row) >= A_DAY:  # before anything that depends on the address
            told = _("Too many addresses were given today. Try again tomorrow.")
            raise RefusedError("too_many_letters", told)
        address = row.mail_addresses.filter(email=email).first()
        if address is None:
            if row.mail_addresses.count() >= tell.MOST_ADDRESSES:
                told = _("Five addresses are told of this number. That is the most.")
                raise RefusedError("too_many_addresses", told)
            address = MailAddress.objects.create(
                tenant_id=row.tenant_id, onboarding=row, email=email, language=_language()
            )
        if _may_be_asked(address, row):
            _ask(address, row)
        mail_addresses.shown_anew(row.pk)
    return email


def _asked_today(row: Onboarding) -> int:
    asked = Notice.objects.filter(tenant=row.tenant_id, kind=Notice.Kind.CONFIRM)
    return asked.filter(created_at__gt=timezone.now() - timedelta(days=1)).count()


def _clean(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise RefusedError("email_invalid", " ".join(error.messages)) from None
    return email


def _language() -> str:
    """The language of the page that asks."""
    return (get_language() or "")[:10]


def _may_be_asked(address: MailAddress, row: Onboarding) -> bool:
    """Whether one more letter goes to an address that is not confirmed."""
    if address.is_told:
        return False
    said_no = MailAddress.objects.filter(
        tenant=row.tenant_id, email=address.email, off_at__isnull=False, confirmed_at__isnull=True
    )
    if said_no.exists():
        return False
    asked = Notice.objects.filter(onboarding=row, kind=Notice.Kind.CONFIRM)
    if asked.count() >= LETTERS:
        return False
    mine = asked.filter(address=address)
    fresh = mine.filter(created_at__gt=timezone.now() - AGAIN_AFTER)
    failed = (Standing.FAILED, Standing.OVERTAKEN)
    return not fresh.exclude(standing__in=failed).exists()


def _ask(address: MailAddress, row: Onboarding) -> None:
    count = address.notices.filter(kind=Notice.Kind.CONFIRM).count()
    Notice.objects.create(
        tenant_id=row.tenant_id, key=f"confirm:{address.pk}:{count}", kind=Notice.Kind.CONFIRM,
        audience=Notice.Audience.GUEST, onboarding=row, address=address,
    )  # fmt: skip
    notices.written.send(Notice)
