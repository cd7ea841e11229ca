"""The binds at YCloud: an account, or the number of a WhatsApp Business app. Once an attempt.

A lost answer is followed by a look; a bind that left no trace is repeated once. tp/bind and
smb/bind are in no published specification; their errors neither (Nov 2026).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from onboarding import codes, schedule, ycloud
from onboarding.models import Onboarding, ProviderCall
from onboarding.models.onboarding import ConnectionMode
from onboarding.states import State
from onboarding.steps.look import Pass
from onboarding.steps.outcome import Outcome, go, stop, wait
from tenants.prepared import Prepared
from ycloud_client import APIError, AuthenticationError, ConflictError, RateLimitError, is_unbound

S = State
Kind = ProviderCall.Kind
Ended = ProviderCall.Outcome

WATCH_LOST_BIND = timedelta(seconds=35)
"""Longer than a call may take (30 s): it may still be applied while it seems lost."""

UNSEEN = "unseen"
"""Noted with a bind of a WABA that could not be read before."""

FORBIDDEN = 403
DONE_BEFORE = 409
"""ALREADY_EXISTS: YCloud says that it was done."""


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


_BINDS = Prepared[ProviderCall](
    lambda onboarding_id: ProviderCall.objects.filter(
        onboarding=onboarding_id, kind__in=(Kind.TP_BIND, Kind.SMB_BIND)
    ).order_by("at", "pk")
)


def _all_binds(look: Pass) -> list[ProviderCall]:
    """This attempt's binds, oldest first."""
    return look.once("binds", lambda: _BINDS.rows(look.row.pk))


def _binds(look: Pass) -> list[ProviderCall]:
    """Those of the WABA."""
    kind, waba_id = _bind_kind(look), look.waba_id
    return [call for call in _all_binds(look) if (call.kind, call.target) == (kind, waba_id)]


def resumed_at(look: Pass) -> datetime:
    """When a person last had a stopped attempt taken up again, or launched it anew: what was
    spent before counts no more. Approvals and choices are no such thing.
    """
    return look.once("resumed", lambda: _resumed_at(look.row))


def _resumed_at(row: Onboarding) -> datetime:
    resumed = Q(from_state=S.NEEDS_ATTENTION, to_state=S.SIGNED_UP) | Q(to_state=S.STARTED)
    by_people = row.transitions.exclude(actor="worker").filter(resumed)
    last = by_people.order_by("at").last()
    return last.at if last else row.created_at


def _bind_is_done(look: Pass) -> bool:
    since = resumed_at(look)
    return any(
        b.outcome == Ended.DONE or b.status == DONE_BEFORE for b in _binds(look) if b.at >= since
    ) or (look.account is not None and _lost_bind_shows(look))


def _lost_bind_shows(look: Pass) -> bool:
    """The WABA was not visible before a bind whose answer was lost, and now it is."""
    return any(b.outcome == Ended.LOST and b.seen == UNSEEN for b in _binds(look))


def _bind_is_spent(look: Pass) -> bool:
    """Once per attempt: done, twice lost, or refused, since somebody last resumed."""
    since = resumed_at(look)
    binds = [bind for bind in _binds(look) if bind.at >= since]
    return (
        _bind_is_done(look)
        or sum(b.outcome == Ended.LOST for b in binds) > 1
        or any(b.outcome == Ended.REFUSED and not _says_nothing(look, b) for b in binds)
    )


def _says_nothing(look: Pass, call: ProviderCall) -> bool:
    """A refusal that is about the partner's key, account or pace, not about this act."""
    if call.seen == UNSEEN and call.status == FORBIDDEN and look.row.proven is not True:
        return False  # taken for "not shared with us", see `_tells_too_much`
    return not call.meta_code and codes.reason_of(call.code, call.status) in codes.OF_THE_PARTNER


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
    """
    if _bind_is_spent(look):
        return None
    if due := _bind_answer_may_come(look):
        return wait(State(look.row.state), "answer_lost", due)
    kind, waba_id, seen = _bind_kind(look), look.waba_id, UNSEEN if unseen else ""
    try:
        if kind == Kind.SMB_BIND:
            answer, intent = ycloud.act(
                look.row, kind, waba_id, lambda c: c.smb_bind(waba_id), seen=seen,
                ready=look.commit,
            )  # fmt: skip
            intent.seen = str(answer.id or "")[:40]
            intent.save(update_fields=["seen"])
        else:
            ycloud.act(
                look.row, kind, waba_id, lambda c: c.tp_bind(waba_id), seen=seen,
                ready=look.commit,
            )  # fmt: skip
    except (AuthenticationError, RateLimitError):
        raise
    except APIError as error:
        neutral = unseen and _tells_too_much(look, error)
        if codes.may_have_happened(error) or (codes.is_about_the_partner(error) and not neutral):
            raise
        if not isinstance(error, ConflictError) and not neutral:
            return stop("bind_refused", str(error)[:500])
    look.forget()
    return None


def _tells_too_much(look: Pass, error: APIError) -> bool:
    """Whether the next read shall judge instead: what YCloud says of an account that it does not
    show would tell "not shared with us" from "held by another tenant", to whoever claimed it.
    """
    return is_unbound(error) or (
        look.row.proven is not True
        and (error.status == FORBIDDEN or not codes.is_about_the_partner(error))
    )


def named_by_bind(look: Pass) -> str:
    """The phone number id that this attempt's smb/bind answered, or ""."""
    answered = (
        call.seen
        for call in reversed(_all_binds(look))
        if (call.kind, call.outcome) == (Kind.SMB_BIND, Ended.DONE)
        and call.seen not in ("", UNSEEN)
    )
    return next(answered, "")


def bind_will_name_it(look: Pass) -> bool:
    """Coexistence without a posted number: the bind, still to come, may name it."""
    return is_coexistence(look) and not _bind_is_spent(look)


def bind_app(look: Pass) -> Outcome:
    """The act of coexistence: bind the app's number, once."""
    connected = look.number is not None and look.number.status == "CONNECTED"
    lost = any(bind.outcome == Ended.LOST for bind in _binds(look))
    if _bind_is_done(look) or (connected and lost):
        return go(S.CONNECTED) if connected else go(S.CONNECTING)
    if _bind_is_spent(look):
        return stop("bind_refused", "asked twice, and no answer was heard")
    if stopped := bind_once(look):
        return stopped
    # The bind's own answer is not proof (its shape is undocumented): gates and list again.
    return go(S.LINKED)
