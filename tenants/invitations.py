"""Invitations: made, mailed, opened and accepted.

Owners never learn whether an address has an account: they see the same for both.
"""

from __future__ import annotations

import smtplib
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext

from tenants import audit, walls
from tenants.invitation_mail import letter_of
from tenants.models import Invitation, Membership, Tenant, User
from tenants.models.invitation import LIFE
from tenants.tokens import new_token, token_hash

SESSION_KEY = "invitation"
"""The session keeps the token's hash, never the token."""

PER_HOUR = 30
_LOCK = 7103
"""The class of these advisory locks in PostgreSQL."""

RESEND_AFTER = timedelta(minutes=1)


class InvitationError(Exception):
    """What was asked for cannot be done; the text is for the owner."""


def open_ones(tenant: Tenant) -> list[Invitation]:
    """The tenant's invitations that nobody accepted or revoked, newest first."""
    rows = Invitation.objects.for_tenant(tenant).filter(accepted_at=None, revoked_at=None)
    return list(rows.select_related("invited_by"))


def invite(
    by: User, tenant: Tenant, email: str, role: str, *, actor: str = "customer"
) -> Invitation:
    """Mail an invitation; an earlier one to the same address ends. Raises InvitationError."""
    email = email.strip().lower()
    if Membership.objects.filter(tenant=tenant, user__email__iexact=email).exists():
        raise InvitationError(gettext("This person is a member already."))
    token = new_token()
    now = timezone.now()
    with transaction.atomic():
        _one_at_a_time(tenant)
        _check_pace(tenant)
        earlier = Invitation.objects.for_tenant(tenant).filter(
            email__iexact=email, accepted_at=None, revoked_at=None
        )
        _end(by, earlier, now)
        invitation = Invitation.objects.create(
            tenant=tenant, email=email, role=role, token_hash=token_hash(token), invited_by=by,
            sent_at=now, expires_at=now + LIFE,
        )  # fmt: skip
        _record(by, "invitation.created", invitation, actor)
        _mail(invitation, token)
    return invitation


def resend(by: User, invitation: Invitation) -> None:
    """Mail it again with a new token, for another seven days. Raises InvitationError."""
    token = new_token()
    now = timezone.now()
    with transaction.atomic():
        row = Invitation.objects.select_for_update().get(pk=invitation.pk)
        if row.accepted_at or row.revoked_at:
            raise InvitationError(gettext("This invitation is over."))
        if row.sent_at > now - RESEND_AFTER:
            raise InvitationError(gettext("It was sent just now. Wait a minute, then try again."))
        _check_pace(row.tenant)
        row.token_hash, row.sent_at, row.expires_at = token_hash(token), now, now + LIFE
        row.save(update_fields=["token_hash", "sent_at", "expires_at"])
        _record(by, "invitation.sent_again", row)
        _mail(row, token)


@transaction.atomic
def revoke(by: User, invitation: Invitation) -> None:
    """End an open invitation; the mailed link says so from now on."""
    open_one = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
    if open_one.update(revoked_at=timezone.now()):
        _record(by, "invitation.revoked", invitation)


def revoke_those_of(user: User, tenant: Tenant) -> None:
    """End what somebody invited who may not invite any more."""
    mine = Invitation.objects.for_tenant(tenant).filter(invited_by=user)
    _end(user, mine.filter(accepted_at=None, revoked_at=None), timezone.now())


def _end(by: User, invitations: QuerySet[Invitation], now: datetime) -> None:
    for row in invitations.select_for_update(of=("self",)):
        Invitation.objects.filter(pk=row.pk).update(revoked_at=now)
        _record(by, "invitation.revoked", row)


def _one_at_a_time(tenant: Tenant) -> None:
    """Counted one by one; a lock of its own, for the mail goes out inside and may take seconds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, tenant.pk % 2**31])


def find(token_or_hash: str, *, hashed: bool = False) -> Invitation | None:
    """The invitation of a token. The one read across tenants here: its reader is nobody yet."""
    key = token_or_hash if hashed else token_hash(token_or_hash)
    rows = Invitation.objects.filter(token_hash=key).select_related("tenant", "invited_by")
    with walls.seeing_everything("the invited person reads whose invitation it is"):
        return rows.first()


def hold(request: HttpRequest, invitation: Invitation) -> None:
    """Keep the invitation in the session, so that the token can leave the address bar."""
    request.session[SESSION_KEY] = invitation.token_hash


def held_in_any_state(request: HttpRequest) -> Invitation | None:
    """The session's invitation, over or not; None when there is none or it was sent again."""
    key = request.session.get(SESSION_KEY)
    return find(key, hashed=True) if key else None


def held(request: HttpRequest) -> Invitation | None:
    """The session's invitation while it can be accepted."""
    invitation = held_in_any_state(request)
    return invitation if invitation and invitation.is_valid else None


def is_held_for(request: HttpRequest, email: str) -> bool:
    """Whether this session came by a valid invitation that was mailed to this very address."""
    invitation = held(request)
    return invitation is not None and invitation.email.lower() == email.lower()


def accept(request: HttpRequest, user: User) -> Membership | None:
    """Make the membership; None if the invitation is over or was mailed to somebody else."""
    invitation = held(request)
    if invitation is None or invitation.email.lower() != user.email.lower():
        return None
    why = "whom the invitation makes a member is none yet"
    with transaction.atomic(), walls.seeing_everything(why):
        row = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
        if not row.is_valid or row.token_hash != invitation.token_hash:
            return None
        row.accepted_at = timezone.now()
        row.save(update_fields=["accepted_at"])
        membership, _ = Membership.objects.get_or_create(
            user=user, tenant=row.tenant, defaults={"role": row.role}
        )
        _record(user, "invitation.accepted", row)
    request.session.pop(SESSION_KEY, None)
    return membership


def _check_pace(tenant: Tenant) -> None:
    lately = Invitation.objects.for_tenant(tenant).filter(
        sent_at__gt=timezone.now() - timedelta(hours=1)
    )
    if lately.count() >= PER_HOUR:
        raise InvitationError(gettext("Too many invitations within an hour. Try again later."))


def _record(by: User, act: str, invitation: Invitation, actor: str = "customer") -> None:
    """The entry names keys, no address."""
    after = {"by_user": by.pk, "role": invitation.role}
    audit.record(actor, act, invitation, tenant=invitation.tenant, after=after)


def _mail(invitation: Invitation, token: str) -> None:
    """Within the transaction: if the mail server refuses, nothing has happened."""
    try:
        letter_of(invitation, token).send()
    except (smtplib.SMTPException, OSError) as error:
        raise InvitationError(
            gettext("The mail could not be sent. Check the address, or try again later.")
        ) from error
