"""The gates before the act, in order: grant, owner, account health, payment, number, approval.

Each answers None (passed) or the Outcome to stop at. A pass evaluates them all from the same
fresh reads, so neither an approval nor a payment days later skips one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from onboarding import review, schedule, tombstones
from onboarding.models import Onboarding, PhoneNumber, WhatsAppBusinessAccount
from onboarding.models.onboarding import ConnectionMode, Grant
from onboarding.states import State
from onboarding.steps import binds, numbers, offers, unseen
from onboarding.steps.facts import (
    HeldByAnotherTenantError,
    keep_account,
    keep_number,
    known_account,
)
from onboarding.steps.look import HiddenAccountError, Pass
from onboarding.steps.outcome import Outcome, stop, wait
from ycloud_client import PhoneNumber as ListedNumber

S = State
Gate = Callable[[Pass], Outcome | None]

JOIN = timedelta(seconds=10)
"""How long the code waits for the ids and the ids for the code: either may come first."""


def first_stop(look: Pass, *gates: Gate) -> Outcome | None:
    """The first gate that was not passed, or None."""
    return next((stopped for gate in gates if (stopped := gate(look))), None)


def grant(look: Pass) -> Outcome | None:
    """Meta's grant proves the WABA. What a browser posts proves nothing."""
    row = look.row
    if waiting := _join_wait(row):
        return wait(S.SIGNED_UP, "waiting_for_confirmation", waiting)
    if not row.claimed_waba_id and (stopped := offers.account_of_grant(look)):
        return stopped
    # Missing targets prove nothing, neither for nor against.
    granted = row.granted_waba_ids
    look.note(proven=row.claimed_waba_id in granted if granted else None)
    if row.proven is False:
        return stop("account_not_granted")
    if row.proven is None and row.approved_at is None:
        policy = row.tenant.unproven or settings.ONBOARDING_UNPROVEN
        if policy == "continue" and _was_erased(look):
            policy = "review"  # it was erased here: only who proves it may have it again
        if policy == "review":
            return wait(S.IN_REVIEW, "unproven", None)
        if policy == "stop":
            return stop("account_unconfirmed", "unproven, and the policy is to stop")
    return None


def _was_erased(look: Pass) -> bool:
    return look.once("erased", lambda: tombstones.covers(look.row.claimed_waba_id))


def _join_wait(row: Onboarding) -> datetime | None:
    """Until when the other half of Meta's answer is waited for; None: long enough."""
    end: datetime | None
    if row.grant == Grant.WAITING and row.code_received_at:
        end = row.code_received_at + timedelta(seconds=30)
    elif row.claimed_waba_id:
        expects_code = bool(settings.META_APP_SECRET) and row.grant == Grant.NONE
        ended = row.login_status not in ("", "connected")
        end = row.claimed_at + JOIN if expects_code and not ended and row.claimed_at else None
    elif (row.searched_at or row.code_by_dialog) and row.grant != Grant.NONE:
        end = None  # somebody asked, or no ids ever come: what the grant tells is all there is
    else:
        end = (row.code_received_at or row.state_changed_at) + JOIN
    return end if end and end > timezone.now() else None


def owner(look: Pass) -> Outcome | None:
    """The WABA can be read at YCloud and no other tenant holds it."""
    row = look.row
    if not look.knows("account"):
        try:
            known = known_account(row)
        except HeldByAnotherTenantError:
            return unseen.wait_like_hidden(look)
        if known and known.ycloud_account_id != row.ycloud_account_id:
            look.note(ycloud_account_id=known.ycloud_account_id)  # a WABA's own is for life
    platform = row.connection_mode == ConnectionMode.BUSINESS_PLATFORM
    always = platform and settings.YCLOUD_TP_BIND == "always"
    # Once it was tried, a read comes first: it may show that a lost answer was a yes.
    first = always and not binds.bind_was_tried(look)
    if first and (stopped := binds.bind_once(look, unseen=True)):
        return stopped
    try:
        look.read()
    except HiddenAccountError:
        if stopped := _bind_and_read_again(look, allowed=not platform or _binds_unasked()):
            return stopped
    try:
        account = look.once("account", lambda: _kept_account(look))
    except HeldByAnotherTenantError:  # somebody else was the first, a moment ago
        return unseen.unconfirmed(row, "account_held", "account_held")
    look.note(business_account=account)
    # The number is written together with the account where it is clear already: two attempts
    # at two numbers of one account are not duplicates of each other.
    chosen, _ = numbers.choose(look)
    if chosen is not None and numbers.is_expected(row, chosen):
        look.note(number=_kept_number(look, account, chosen))
    return None


def _kept_account(look: Pass) -> WhatsAppBusinessAccount:
    assert look.account is not None
    return keep_account(look.row, look.account)


def _kept_number(look: Pass, account: WhatsAppBusinessAccount, chosen: ListedNumber) -> PhoneNumber:
    return look.once(chosen.id, lambda: keep_number(look.row, account, chosen))


def _binds_unasked() -> bool:
    return bool(settings.YCLOUD_TP_BIND != "never")


def _bind_and_read_again(look: Pass, *, allowed: bool) -> Outcome | None:
    row = look.row
    if allowed and (stopped := binds.bind_once(look, unseen=True)):
        return stopped
    look.forget()
    try:
        look.read()
    except HiddenAccountError:
        return unseen.unconfirmed(row, "account_unconfirmed", "account_not_visible")
    return None


def health(look: Pass) -> Outcome | None:
    """Meta has accepted the WABA and neither banned nor restricted it."""
    account = look.account
    assert account is not None
    if account.account_review_status == "REJECTED":
        return stop("account_rejected")
    if account.ban_state == "DISABLE":
        return stop("account_banned")
    if any(_forbids_numbers(each) for each in account.restrictions or ()):
        return stop("account_restricted")
    if account.account_review_status == "PENDING":
        return wait(S.LINKED, "account_in_review", schedule.next_look(look.row))
    return None


def _forbids_numbers(restriction: object) -> bool:
    if not isinstance(restriction, dict):
        return False
    ends = parse_datetime(str(restriction.get("expiration") or "")) if restriction else None
    over = ends is not None and ends.tzinfo is not None and ends < timezone.now()
    return restriction.get("restrictionType") == "RESTRICTED_ADD_PHONE_NUMBER_ACTION" and not over


def payment(look: Pass) -> Outcome | None:
    """YCloud's own credit line is attached. Only an explicit true passes."""
    account = look.account
    assert account is not None
    if account.payment_method_attached is True:
        return None
    return wait(S.AWAITING_PAYMENT, "payment_missing", schedule.next_look(look.row))


def number(look: Pass) -> Outcome | None:
    """Exactly one number of the account is meant; never "the first one"."""
    row = look.row
    assert look.numbers is not None
    chosen, reason = numbers.choose(look)
    if chosen is None:
        unclear = reason in ("number_choice", "number_missing")
        if unclear and binds.bind_will_name_it(look):
            return None
        offered = numbers.free(look) if reason == "number_choice" else []
        return wait(
            S.AWAITING_NUMBER,
            reason,
            schedule.next_look(row),
            choices=[numbers.offer(n) for n in offered],
        )
    look.number = chosen
    if not numbers.is_expected(row, chosen):
        return wait(S.AWAITING_NUMBER, "number_unexpected", schedule.next_look(row))
    assert row.business_account is not None
    look.note(number=_kept_number(look, row.business_account, chosen))
    return _usable(look, chosen)


def _usable(look: Pass, chosen: ListedNumber) -> Outcome | None:
    if chosen.status in ("BANNED", "MIGRATED"):
        return stop(f"number_{chosen.status.lower()}")
    # An unverified number cannot be registered; trying would only burn its budget.
    unverified = (
        chosen.code_verification_status in ("NOT_VERIFIED", "EXPIRED")
        or chosen.status == "UNVERIFIED"
    )
    if unverified and chosen.status != "CONNECTED" and not binds.is_coexistence(look):
        return wait(S.AWAITING_NUMBER, "number_not_verified", schedule.next_look(look.row))
    return None


def approval(look: Pass) -> Outcome | None:
    """A reviewer has said yes, where the policy asks for one."""
    if review.is_due(look.row):
        return wait(S.IN_REVIEW, "approval_needed", None)
    return None


ALL: tuple[Gate, ...] = (grant, owner, health, payment, number, approval)
