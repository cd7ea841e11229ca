"""What people decide about an attempt: choose, resume, withdraw, approve, reject."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onboarding import tasks, transitions
from onboarding.models import Onboarding
from onboarding.services.audited import decided
from onboarding.services.errors import RefusedError, move
from onboarding.states import FINAL, PARKED, WITHDRAWABLE, State
from tenants.access import Asker
from tenants.models import User

S = State


def choose_account(row: Onboarding, asker: Asker, waba_id: str) -> Onboarding:
    """Take one of the granted WABAs. Raises RefusedError for any other."""

    def choose(row: Onboarding) -> None:
        if row.state != S.AWAITING_ACCOUNT:
            raise RefusedError("not_now", _("There is no account to choose at the moment."))
        offered = {offer.get("waba_id") for offer in row.choices}
        if waba_id not in offered.intersection(row.granted_waba_ids):
            raise RefusedError("not_offered", _("This account is not among the ones offered."))
        row.claimed_waba_id, row.claimed_at = waba_id, timezone.now()
        row.save(update_fields=["claimed_waba_id", "claimed_at"])

    return _fresh_pass(row, asker.actor, before=choose)


def choose_number(row: Onboarding, asker: Asker, phone_number_id: str) -> Onboarding:
    """Take one of the offered numbers. Raises RefusedError for any other."""

    def choose(row: Onboarding) -> None:
        if row.state != S.AWAITING_NUMBER:
            raise RefusedError("not_now", _("There is no number to choose at the moment."))
        if phone_number_id not in {offer.get("phone_number_id") for offer in row.choices}:
            raise RefusedError("not_offered", _("This number is not among the ones offered."))
        row.claimed_phone_number_id = phone_number_id
        row.save(update_fields=["claimed_phone_number_id"])

    return _fresh_pass(row, asker.actor, before=choose)


def resume(row: Onboarding, actor: str) -> Onboarding:
    """Look at it again now: a stopped one by a fresh pass, a waiting one where it stands."""

    def check(row: Onboarding) -> None:
        if row.state in FINAL | {S.STARTED, S.CANCELLED, S.IN_REVIEW}:
            raise RefusedError("not_now", _("There is nothing to resume."))

    return _fresh_pass(row, actor, before=check, act="resumed", where_it_stands=PARKED)


def reread(row: Onboarding, actor: str) -> Onboarding:
    """Staff: read YCloud again now; the state moves only if the facts did."""
    with transaction.atomic():
        row = transitions.lock(row.pk)
        if row.state in FINAL | {S.STARTED, S.CANCELLED}:
            raise RefusedError("not_now", _("There is nothing to read for it."))
        stood = (row.state, row.reason)
        if row.state in (S.NEEDS_ATTENTION, S.IN_REVIEW):
            move(row, S.SIGNED_UP, actor, due=timezone.now())
        else:
            transitions.wake([row.pk])
        decided("reread", row, actor, *stood)
        tasks.nudge(row.pk)
    return row


def withdraw(row: Onboarding, actor: str) -> Onboarding:
    """End an attempt that has not ended; the worker is overtaken. Raises RefusedError."""
    with transaction.atomic():
        row = transitions.lock(row.pk)
        if row.state not in WITHDRAWABLE:
            raise RefusedError("not_now", _("It has ended already."))
        stood = (row.state, row.reason)
        move(row, S.CANCELLED, actor, reason="withdrawn")
        decided("withdrawn", row, actor, *stood)
    return row


def approve(row: Onboarding, reviewer: User) -> Onboarding:
    """Say yes: the decision is kept and the next pass goes through all the gates."""

    def decide(row: Onboarding) -> None:
        if row.state != S.IN_REVIEW:
            raise RefusedError("not_now", _("It is not in review."))
        row.approved_at, row.approved_by = timezone.now(), reviewer
        row.save(update_fields=["approved_at", "approved_by"])

    return _fresh_pass(row, reviewer.get_username(), before=decide, act="approved", note="approved")


def reject(row: Onboarding, reviewer: User, note: str = "") -> Onboarding:
    """Say no; the note is what the customer reads."""
    with transaction.atomic():
        row = transitions.lock(row.pk)
        if row.state not in (S.IN_REVIEW, S.NEEDS_ATTENTION):
            raise RefusedError("not_now", _("It is not waiting for a decision."))
        actor, stood = reviewer.get_username(), (row.state, row.reason)
        move(row, S.REJECTED, actor, reason="rejected", note=note)
        decided("rejected", row, actor, *stood)
    return row


def _fresh_pass(
    row: Onboarding,
    actor: str,
    *,
    before: Callable[[Onboarding], None],
    act: str = "chosen",
    note: str = "",
    where_it_stands: frozenset[State] = frozenset(),
) -> Onboarding:
    """Check and change the row under its lock, then let the worker pass all gates again.

    `where_it_stands`: in these states without a move, so that since when it waits stays true.
    """
    with transaction.atomic():
        row = transitions.lock(row.pk)
        stood = (row.state, row.reason)
        before(row)
        if row.state in (PARKED | {S.NEEDS_ATTENTION, S.IN_REVIEW}) - where_it_stands:
            move(row, S.SIGNED_UP, actor, due=timezone.now(), note=note)
        else:
            transitions.wake([row.pk])
        decided(act, row, actor, *stood)
        tasks.nudge(row.pk)
    return row
