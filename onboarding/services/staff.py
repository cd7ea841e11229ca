"""What the partner's staff do about an attempt beside deciding: assign, note, send a new link."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from onboarding import requirements, transitions
from onboarding.models import Onboarding, SignupLink, StaffNote
from onboarding.services.errors import RefusedError
from onboarding.services.links import create_link
from onboarding.services.recovery import mode_of
from onboarding.states import FINAL
from tenants import audit
from tenants.models import User
from tenants.redaction import redact

MOST_NOTE = StaffNote._meta.get_field("text").max_length or 0

ANYBODY = -1
"""Of `assign`: whoever has it now."""


def assign(row: Onboarding, to: User | None, actor: User, *, had: int | None = ANYBODY) -> None:
    """Give the attempt to a member of staff, or to nobody. Moves nothing.

    `had`: the key of whom the page showed as its assignee, so that of two who take it at once one
    is told. Raises RefusedError.
    """
    if to is not None and not (to.is_staff and to.is_active):
        raise RefusedError("not_staff", _("Only active members of staff can be assigned."))
    with transaction.atomic():
        row = transitions.lock(row.pk)
        before, after = row.assigned_to, to
        if had not in (ANYBODY, row.assigned_to_id):
            told = _("It has been assigned anew meanwhile; it is with %(who)s now.")
            raise RefusedError("not_now", told % {"who": before or _("nobody")})
        if before == after:
            return
        Onboarding.objects.filter(pk=row.pk).update(assigned_to=after)
        audit.record(
            actor.get_username(), "onboarding.assigned", row,
            before={"user": before.pk if before else None},
            after={"user": after.pk if after else None},
        )  # fmt: skip


def note(row: Onboarding, text: str, author: User) -> StaffNote:
    """Write something down for the other members of staff. Raises RefusedError for no text."""
    kept = redact(text.strip())[:MOST_NOTE]
    if not kept:
        raise RefusedError("note_missing", _("Write the note first."))
    with transaction.atomic():
        made = StaffNote.objects.create(onboarding=row, author=author.get_username(), text=kept)
        audit.record(author.get_username(), "onboarding.noted", row, after={"note": made.pk})
    return made


def may_send_link(row: Onboarding) -> bool:
    """Whether there is something to sign up for: it goes on, or its number was lost."""
    return row.state not in FINAL or is_lost(row)


def is_lost(row: Onboarding) -> bool:
    """It was connected, and its number can be connected anew."""
    return "reconnect" in requirements.acts(row)


def send_new_link(row: Onboarding, email: str, actor: User) -> SignupLink:
    """Make and mail a link for the same tenant, mode and expected number; of a number that was
    lost, for that number. Raises RefusedError.

    As every new link it revokes the earlier ones for the same expected number.
    """
    if not email:
        raise RefusedError("email_invalid", _("Give the address that the link is mailed to."))
    lost = is_lost(row)
    if not may_send_link(row):
        raise RefusedError("not_now", _("It has ended: there is nothing to sign up for."))
    with transaction.atomic():
        link, _token = create_link(
            row.tenant,
            actor=actor.get_username(),
            created_by=actor,
            connection_mode=mode_of(row) if lost else row.connection_mode,
            expected_number=row.number.e164 if lost and row.number else row.expected_number,
            email=email,
        )
        told = {"link": str(link.public_id)}
        audit.record(actor.get_username(), "onboarding.link_sent", row, after=told)
    return link
