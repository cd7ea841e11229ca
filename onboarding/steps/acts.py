"""The act behind the gates: register the number, or bind the app; and when a repeat is allowed.

Nothing is repeated blindly: a register that may have happened is watched for a minute.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from onboarding import budget, codes, schedule, ycloud
from onboarding.models import PhoneNumber, ProviderCall, WebhookEvent
from onboarding.models.journal import ASKED_AGAIN
from onboarding.states import State
from onboarding.steps import binds
from onboarding.steps.look import Pass
from onboarding.steps.outcome import Outcome, go, stop, wait
from ycloud_client import APIError, AuthenticationError, ConflictError, RateLimitError

S = State
Kind = ProviderCall.Kind
Ended = ProviderCall.Outcome

LIMITED = frozenset({"FLAGGED", "WARNED", "RATE_LIMITED", "RESTRICTED", "BLOCKED"})
"""Registered already and held back by Meta: registering again would only spend its budget."""

SPEAKING = frozenset(
    {"PENDING", "UNVERIFIED", "DISCONNECTED", "MANUAL_REVIEW", "UNKNOWN", "MIGRATED", "BANNED"}
)
UNCLEAR_LOOKS = 3
"""A status that is missing or new to us may be a slip of one answer: no act on the first ones."""

WATCH_LOST = timedelta(seconds=60)
"""After a register whose answer was lost: PENDING looks the same whether it was applied or not."""

NAME_AGAIN = timedelta(hours=24)
VERIFY_AGAIN = timedelta(hours=1)
JUST_DONE = timedelta(minutes=10)
LATER = {"133015": timedelta(minutes=5), "133008": timedelta(hours=1), "133009": timedelta(hours=1)}
LATER_DEFAULT = timedelta(minutes=5)


def act(look: Pass) -> Outcome:
    """The gates are passed: register the number or bind the app, unless it is connected."""
    number = look.number
    if binds.is_coexistence(look):
        return binds.bind_app(look)
    assert number is not None
    if number.status == "CONNECTED":
        return go(S.CONNECTED)
    if number.status in LIMITED:
        return go(S.CONNECTING)
    if number.status not in SPEAKING and not _is_unclear_for_long(look):
        return wait(S.REGISTERING, "status_unclear", schedule.soon(5))
    return _register(look)


def _is_unclear_for_long(look: Pass) -> bool:
    return look.row.reason == "status_unclear" and look.row.looks >= UNCLEAR_LOOKS


def _register(look: Pass) -> Outcome:
    number = look.number
    assert number is not None
    if waiting := _register_waits(look):
        return waiting
    waba_id, number_id = look.waba_id, str(number.id)
    try:
        answer, _ = ycloud.act(
            look.row,
            Kind.REGISTER,
            number_id,
            lambda c: c.register_phone_number(waba_id, number_id),
            seen=(number.name_status or "")[:40],
            ready=look.commit,
        )
    except APIError as error:
        return _refused(look, error)
    look.together()
    if look.row.number is not None and answer.status:
        known = look.row.number
        known.status = answer.status[:40]
        if answer.status != "CONNECTED":  # which is written with all that begins with it
            ours = PhoneNumber.objects.filter(pk=known.pk, tenant=known.tenant_id)
            ours.update(status=known.status)
    return (
        go(S.CONNECTED)
        if answer.status == "CONNECTED"
        else wait(S.CONNECTING, "", schedule.soon(2))
    )


def _refused(look: Pass, error: APIError) -> Outcome:
    """What a refusal of Meta's or YCloud's means, and who must act. Raises what is no refusal."""
    meta = codes.meta_code(error)
    if not meta:
        transient = isinstance(error, AuthenticationError | RateLimitError)
        if transient or codes.may_have_happened(error) or codes.is_about_the_partner(error):
            raise error
        if codes.reason_for(error) == "number_not_listed":
            # YCloud itself does not know the number (yet); Meta was not asked.
            return wait(S.REGISTERING, "number_not_listed", timezone.now() + LATER_DEFAULT)
    reason = (
        "already_there" if isinstance(error, ConflictError) else codes.reason_for_register(meta)
    )
    if reason == "number_not_verified":
        return wait(S.AWAITING_NUMBER, reason, schedule.next_look(look.row))
    if reason in ("display_name_review", "register_budget", "register_later", "already_there"):
        again = wait(S.REGISTERING, reason, timezone.now() + LATER_DEFAULT)
        return _register_waits(look) or again
    if reason == "ycloud_rate_limited":
        return wait(S.REGISTERING, reason, schedule.after_fault(look.row, error, reason))
    known = reason if reason == "pin_mismatch" else "register_refused"
    return stop(known, str(error)[:500])


def _register_waits(look: Pass) -> Outcome | None:
    """Why a register must not be sent now, from the calls of all attempts at this number."""
    number = look.number
    assert number is not None
    registers = budget.registers(str(number.id), look.row.pk)
    spent = budget.spent(registers)
    own = [call for call in registers if call.onboarding_id == look.row.pk]
    if _is_done(look, own, spent):
        return go(S.CONNECTING)
    if not spent:
        return None
    last, now = spent[-1], timezone.now()
    if last.outcome == Ended.LOST and now - last.at < WATCH_LOST:
        return wait(S.REGISTERING, "answer_lost", min(schedule.soon(5), last.at + WATCH_LOST))
    if last.outcome == Ended.LOST and not _looks_untouched(look):
        return go(S.CONNECTING)
    if free_at := budget.of(spent).free_at:
        return wait(S.REGISTERING, "register_budget", free_at)
    if last.outcome == Ended.REFUSED:
        return _waits_after_refusal(look, last, now)
    return None


def _looks_untouched(look: Pass) -> bool:
    """The status is one that a number may have before it is registered.

    Any other is a trace of the register whose answer was lost. A number that is reconnected was
    DISCONNECTED before, so for it that word is no trace.
    """
    assert look.number is not None
    before = ("PENDING", "UNKNOWN", "DISCONNECTED" if look.row.expected_number else "PENDING")
    return look.number.status in before


def _is_done(look: Pass, own: list[ProviderCall], spent: list[ProviderCall]) -> bool:
    """The number was registered and nothing has undone it: watched, not registered again.

    A worker may die between the answer and the move, so the journal decides, not the state. What
    another attempt did counts for some minutes, while the number still waits for it to work.
    """
    number = look.number
    assert number is not None
    if own and _was_done(own[-1]):
        return not _undone_since(look, own[-1].at)
    last = spent[-1] if spent else None
    if last is None or last.onboarding_id == look.row.pk or not _was_done(last):
        return False
    waits = number.status in ("PENDING", "UNKNOWN")
    return waits and timezone.now() - last.at < JUST_DONE


def _was_done(call: ProviderCall) -> bool:
    return (
        call.outcome == Ended.DONE or call.status == binds.DONE_BEFORE or call.meta_code == "136024"
    )


def _undone_since(look: Pass, at: datetime) -> bool:
    """The number had to be verified again, or a person had it taken up or registered again."""
    unverified = Q(to_state=S.AWAITING_NUMBER, reason="number_not_verified")
    resumed = Q(from_state=S.NEEDS_ATTENTION, to_state=S.SIGNED_UP) & ~Q(actor="worker")
    undone = unverified | resumed | Q(note=ASKED_AGAIN)
    return look.row.transitions.filter(undone, at__gt=at).exists()


def _waits_after_refusal(look: Pass, last: ProviderCall, now: datetime) -> Outcome | None:
    if look.row.transitions.filter(note=ASKED_AGAIN, at__gt=last.at).exists():
        return None  # a person knows better; the budget alone holds them
    reason = codes.reason_for_register(last.meta_code)
    if reason == "number_not_verified" and not _verified_since(look, last):
        return wait(S.AWAITING_NUMBER, reason, schedule.next_look(look.row))
    if reason == "display_name_review":
        if _name_was_decided(look, last) or now - last.at >= NAME_AGAIN:
            return None
        due = schedule.next_look(look.row)
        latest = last.at + NAME_AGAIN
        return wait(S.REGISTERING, reason, min(due, latest) if due else latest)
    if reason == "register_later":
        again = last.at + LATER.get(last.meta_code, LATER_DEFAULT)
        return wait(S.REGISTERING, reason, again) if again > now else None
    return None


def _verified_since(look: Pass, last: ProviderCall) -> bool:
    """Meta called the number unverified; somebody resumed, or an hour went by, since.

    What the list says of it is no help: Meta refused in spite of it.
    """
    resumed = binds.resumed_at(look) > last.at
    return resumed or timezone.now() - last.at >= VERIFY_AGAIN


def _name_was_decided(look: Pass, last: ProviderCall) -> bool:
    """The name's status changed since the refusal, or YCloud sent the event that says so."""
    number = look.number
    assert number is not None
    if last.seen and number.name_status and number.name_status != last.seen:
        return True
    return WebhookEvent.objects.filter(
        type="whatsapp.phone_number.name_updated",
        phone_number_id=str(number.id),
        ycloud_account=look.row.ycloud_account_id,
        received_at__gt=last.at,
    ).exists()
