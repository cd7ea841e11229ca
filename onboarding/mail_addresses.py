"""Addresses without a login: whose they are, what proves them, and the tokens in their letters.

A token names the tenant as well, so that its holder, who is nobody yet, is shown this tenant's
rows and no others (`tenants/walls.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.db.models import F
from django.utils import timezone

from onboarding.models import MailAddress, Onboarding, SignupLink
from tenants import walls
from tenants.tokens import new_token, token_hash

LIFE = timedelta(hours=24)
"""Of the link in a letter that asks for the confirmation."""

_SALT = "onboarding.mail.stop"
_TOKEN = re.compile(r"([0-9]{1,18})-([A-Za-z0-9_-]{20,80})")


def from_link(row: Onboarding) -> None:
    """The address that the attempt's signup link was mailed to is told, unless it said no.

    It needs no letter of confirmation: the link's token went to that mailbox by our own letter, and
    the guest who began this attempt holds it. The partner, who made the link, knows the token too,
    and is trusted with the addresses of its customers. An owner is not (anybody may become one
    where TENANT_SELF_SIGNUP is on): who is shown a link's address could open it and "prove" the
    mailbox of somebody else. Addresses of owners' links are confirmed like any other.
    """
    link = row.link
    if link is None or not link.email or link.mail != SignupLink.Mail.MAILED:
        return
    if link.made_by == SignupLink.MadeBy.OWNER or not link.times_opened:
        return
    email = link.email.lower()
    of_tenant = MailAddress.objects.filter(tenant=row.tenant_id, email=email)
    if of_tenant.filter(off_at__isnull=False).exists():
        return
    now = timezone.now()
    address, _ = MailAddress.objects.get_or_create(
        onboarding=row,
        email=email,
        defaults={"tenant_id": row.tenant_id, "language": link.language, "confirmed_at": now},
    )
    if address.confirmed_at is None:
        MailAddress.objects.filter(pk=address.pk).update(confirmed_at=now, token_hash="")


def language_of(address: MailAddress) -> str:
    """The one that the address asked in, else the tenant's, else the site's."""
    return address.language or address.tenant.language or settings.LANGUAGE_CODE


def masked(email: str) -> str:
    """john@cakes.example -> j•••@cakes.example: known to who gave it, to nobody else."""
    name, _, host = email.rpartition("@")
    return f"{name[:1]}•••@{host}"


# --- Confirmation ---------------------------------------------------------------------------------


def new_confirmation(address: MailAddress) -> str:
    """A new token for the address; an earlier letter's link ends. Only its hash is kept."""
    token = f"{address.tenant_id}-{new_token()}"
    MailAddress.objects.filter(pk=address.pk).update(
        token_hash=token_hash(token), token_expires_at=timezone.now() + LIFE
    )
    return token


def waiting_for(token: str) -> MailAddress | None:
    """The address that this token confirms; None: unknown, used or too old."""
    found = _TOKEN.fullmatch(token)
    return held(int(found[1]), token_hash(token)) if found else None


def held(tenant_id: int, hashed: str) -> MailAddress | None:
    """The same by the token's hash, which a session may keep."""
    rows = MailAddress.objects.filter(token_hash=hashed, token_expires_at__gt=timezone.now())
    with walls.seeing([tenant_id]):
        return rows.select_related("tenant").first() if hashed else None


def confirm(tenant_id: int, hashed: str) -> bool:
    """Confirm the address, once; whether this did it."""
    with walls.seeing([tenant_id]):
        address = MailAddress.objects.filter(
            token_hash=hashed, token_expires_at__gt=timezone.now()
        ).first()
        if address is None or not hashed:
            return False
        _lock([address.onboarding_id])
        done = MailAddress.objects.filter(pk=address.pk, token_hash=hashed).update(
            confirmed_at=timezone.now(), off_at=None, token_hash="", token_expires_at=None
        )
        shown_anew(address.onboarding_id)
    return bool(done)


# --- Opt-out --------------------------------------------------------------------------------------


def stop_url(address: MailAddress) -> str:
    """Where one click ends the letters to this address. It never expires."""
    token = signing.Signer(salt=_SALT).sign_object([address.tenant_id, address.pk])
    return f"{settings.SITE_URL}/mail/stop/{token}/"


def named_by(token: str) -> tuple[int, int] | None:
    """(tenant, address) of a token of `stop_url`; None: it is none of ours."""
    try:
        tenant_id, pk = signing.Signer(salt=_SALT).unsign_object(token)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return int(tenant_id), int(pk)


def to_stop(tenant_id: int, pk: int) -> MailAddress | None:
    """The address whose letters would stop."""
    with walls.seeing([tenant_id]):
        return MailAddress.objects.select_related("tenant").filter(pk=pk).first()


def stop(tenant_id: int, pk: int) -> bool:
    """No more letters of this tenant to this address; whether it is (still) known."""
    with walls.seeing([tenant_id]):
        address = MailAddress.objects.filter(pk=pk).first()
        if address is None:
            return False
        same = MailAddress.objects.filter(tenant=tenant_id, email=address.email)
        _lock(same.values_list("onboarding_id", flat=True))
        same.filter(off_at__isnull=True).update(
            off_at=timezone.now(), token_hash="", token_expires_at=None
        )
        for onboarding_id in same.values_list("onboarding_id", flat=True):
            shown_anew(onboarding_id)
    return True


def _lock(onboarding_ids: Iterable[int]) -> None:
    """Before their addresses, as everywhere: a move holds its row and then asks for addresses."""
    rows = Onboarding.objects.filter(pk__in=list(onboarding_ids)).order_by("pk")
    list(rows.select_for_update(of=("self",)).values_list("pk"))


def shown_anew(onboarding_id: int) -> None:
    """What the page shows of this attempt has changed: a new ETag."""
    Onboarding.objects.filter(pk=onboarding_id).update(version=F("version") + 1)
