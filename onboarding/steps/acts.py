"""The acts at YCloud: bind and register. Each with its rule for when a repeat is allowed.

Nothing is repeated blindly. A lost answer is followed by a look: a register that may have
happened is watched for a minute, a bind that left no trace is repeated once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from onboarding import budget, codes, schedule, ycloud
from onboarding.models import ProviderCall, WebhookEvent
from onboarding.models.onboarding import ConnectionMode
from onboarding.states import State
from onboarding.steps.look import Pass
from onboarding.steps.outcome import Outcome, go, stop, wait
from ycloud_client import APIError, AuthenticationError, ConflictError, RateLimitError, is_unbound

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

WATCH_LOST_BIND = timedelta(seconds=20)
NAME_AGAIN = timedelta(hours=24)
JUST_DONE = timedelta(minutes=10)
LATER = {"133015": timedelta(minutes=5), "133008": timedelta(hours=1), "133009": timedelta(hours=1)}
LATER_DEFAULT = timedelta(minutes=5)
_NOT_A_NO = (401, 429)
"""Refusals that say nothing about the act itself."""
_DONE_BEFORE = 409
_UNDONE = (S.AWAITING_NUMBER, S.NEEDS_ATTENTION)
"""A number that went through one of these has changed since it was registered."""


def is_coexistence(look: Pass) -> bool:
    """The number stays in the WhatsApp Business app, so register is never called.

    YCloud's word `isOnBizApp` overrules the chosen mode (undocumented, seen live June 2026).
    """
    if look.row.connection_mode == ConnectionMode.BUSINESS_APP:
        return True
    on_app = look.number.is_on_biz_app if look.number else None
    if on_app is None and look.account is not None:
        on_app = look.account.is_on_biz_app
    return bool(on_app)


def _bind_kind(look: Pass) -> ProviderCall.Kind:
    return Kind.SMB_BIND if is_coexistence(look) else Kind.TP_BIND


def _binds(look: Pass) -> list[ProviderCall]:
    """This attempt's binds of the WABA, oldest first."""
    calls = look.row.calls.filter(kind=_bind_kind(look), target=look.waba_id)
    return list(calls.order_by("at", "pk"))


def _bind_is_spent(look: Pass) -> bool:
    """Once per attempt: done, twice lost, or refused since somebody last resumed."""
    binds = _binds(look)
    since = look.row.state_changed_at
    return (
        any(b.outcome == Ended.DONE or b.status == _DONE_BEFORE for b in binds)
        or sum(b.outcome == Ended.LOST for b in binds) > 1
        or any(
            b.outcome == Ended.REFUSED and b.status not in _NOT_A_NO and b.at >= since
            for b in binds
        )
    )


def bind_was_tried(look: Pass) -> bool:
    """Whether this attempt has asked for its bind at all, however that ended."""
    return bool(_binds(look))


def _bind_answer_may_come(look: Pass) -> datetime | None:
    """A bind's answer was lost a moment ago: until when its trace is looked for first."""
    last = next(reversed(_binds(look)), None)
    if last is None or last.outcome != Ended.LOST:
        return None
    until = last.at + WATCH_LOST_BIND
    return min(schedule.soon(5), until) if until > timezone.now() else None


def bind_once(look: Pass, *, unseen: bool = False) -> Outcome | None:
    """Bind the WABA unless this attempt already has; None: read and see.

    `unseen`: the WABA could not be read before, so "not found" is for the next read to judge.

    tp/bind and smb/bind are in no published specification; their errors neither (Nov 2026).
    """
    if _bind_is_spent(look):
        return None
    if due := _bind_answer_may_come(look):
        return wait(State(look.row.state), "answer_lost", due)
    kind, waba_id = _bind_kind(look), look.waba_id
    try:
        if kind == Kind.SMB_BIND:
            answer, intent = ycloud.act(look.row, kind, waba_id, lambda c: c.smb_bind(waba_id))
            intent.seen = str(answer.id or "")[:40]
            intent.save(update_fields=["seen"])
        else:
            ycloud.act(look.row, kind, waba_id, lambda c: c.tp_bind(waba_id))
    except (AuthenticationError, RateLimitError):
        raise
    except APIError as error:
        if codes.may_have_happened(error) or _is_about_the_partner(error):
            raise
        if not isinstance(error, ConflictError) and not (unseen and is_unbound(error)):
            return stop("bind_refused", str(error)[:500])
    look.forget()
    return None


def _is_about_the_partner(error: APIError) -> bool:
    """YCloud's account is limited or its balance empty: nothing is wrong with this number."""
    reason = codes.reason_for(error)
    return reason in ("ycloud_account_limited", "ycloud_balance_empty", "ycloud_access_refused")


def named_by_bind(look: Pass) -> str:
    """The phone number id that this attempt's smb/bind answered, or ""."""
    calls = look.row.calls.filter(kind=Kind.SMB_BIND, outcome=Ended.DONE).exclude(seen="")
    last = calls.order_by("at").last()
    return last.seen if last else ""


def bind_will_name_it(look: Pass) -> bool:
    """Coexistence without a posted number: the bind, still to come, may name it."""
    return is_coexistence(look) and not _bind_is_spent(look)


def act(look: Pass) -> Outcome:
    """The gates are passed: register the number or bind the app, unless it is connected."""
    number = look.number
    if is_coexistence(look):
        return _bind_app(look)
    assert number is not None
    if number.status == "CONNECTED":
        return go(S.CONNECTED)
    if number.status in LIMITED:
        return go(S.CONNECTING)
    if number.status not in SPEAKING and look.row.looks < UNCLEAR_LOOKS:
        return wait(S.REGISTERING, "status_unclear", schedule.soon(5))
    return _register(look)


def _bind_app(look: Pass) -> Outcome:
    connected = look.number is not None and look.number.status == "CONNECTED"
    lost = any(bind.outcome == Ended.LOST for bind in _binds(look))
    if _bind_is_spent(look) or (connected and lost):
        return go(S.CONNECTED) if connected else go(S.CONNECTING)
    if stopped := bind_once(look):
        return stopped
    # The bind's own answer is not proof (its shape is undocumented): gates and list again.
    return go(S.LINKED)


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
        )
    except APIError as error:
        return _refused(look, error)
    if look.row.number is not None and answer.status:
        look.row.number.status = answer.status
        look.row.number.save(update_fields=["status"])
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
        if transient or codes.may_have_happened(error) or _is_about_the_partner(error):
            raise error
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
    spent = budget.spent_on(str(number.id))
    if not spent:
        return None
    last, now = spent[-1], timezone.now()
    if _is_done(look, last):
        return go(S.CONNECTING)
    if last.outcome == Ended.LOST and now - last.at < WATCH_LOST:
        return wait(S.REGISTERING, "answer_lost", min(schedule.soon(5), last.at + WATCH_LOST))
    if free_at := budget.of(spent).free_at:
        return wait(S.REGISTERING, "register_budget", free_at)
    if last.outcome == Ended.REFUSED:
        return _waits_after_refusal(look, last, now)
    return None


def _is_done(look: Pass, last: ProviderCall) -> bool:
    """The number was registered and nothing has undone it: watched, not registered again.

    A worker may die between the answer and the move, so the journal decides, not the state. What
    another attempt did counts for some minutes, while the number still waits for it to work.
    """
    done_before = last.status == _DONE_BEFORE or last.meta_code == "136024"
    if last.outcome != Ended.DONE and not done_before:
        return False
    if last.onboarding_id != look.row.pk:
        waits = look.number is not None and look.number.status in ("PENDING", "UNKNOWN")
        return waits and timezone.now() - last.at < JUST_DONE
    undone = look.row.transitions.filter(at__gt=last.at, to_state__in=_UNDONE)
    return not undone.exists()


def _waits_after_refusal(look: Pass, last: ProviderCall, now: datetime) -> Outcome | None:
    reason = codes.reason_for_register(last.meta_code)
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


def _name_was_decided(look: Pass, last: ProviderCall) -> bool:
    """The name's status changed since the refusal, or YCloud sent the event that says so."""
    number = look.number
    assert number is not None
    if last.seen and number.name_status and number.name_status != last.seen:
        return True
    return WebhookEvent.objects.filter(
        type="whatsapp.phone_number.name_updated",
        phone_number_id=str(number.id),
        received_at__gt=last.at,
    ).exists()
