"""What happened to an onboarding, oldest first: moves, Meta's window, the acts and their budget."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onboarding import budget, reasons, window_steps
from onboarding.models import Notice, Onboarding, ProviderCall, SignupEvent, Transition
from onboarding.states import State

S = State
Kind = ProviderCall.Kind
Ended = ProviderCall.Outcome


def timeline(row: Onboarding, *, staff: bool = False) -> list[dict[str, Any]]:
    """What happened, oldest first, redacted for the tenant; repeated looks are not in it."""
    entries = [_moved(move, staff) for move in row.transitions.all()]
    entries += [_said(event, staff) for event in row.events.all()]
    entries += _done(row, staff)
    entries += _mailed(row, staff)
    return sorted(entries, key=lambda entry: entry["at"])


def _moved(move: Transition, staff: bool) -> dict[str, Any]:
    code = move.reason if staff else reasons.public(move.reason)
    text = str(State(move.to_state).label).capitalize()
    if known := reasons.REASONS.get(code):
        text = str(known.staff_what if staff else known.what)
    return {
        "at": move.at,
        "kind": "state",
        "text": text,
        "detail": move.note if staff or move.to_state == S.REJECTED else "",
        "state": move.to_state,
        "reason": code or None,
        "actor": move.actor if staff else _actor(move.actor),
    }


def _actor(actor: str) -> str:
    """Guests learn no names: anybody but the worker and the customer's side is the partner."""
    return actor if actor in ("worker", "customer", "link") else "partner"


_EVENT_TEXT = {
    "LAUNCHED": _("Meta's window was opened"),
    "CANCEL": _("Meta's window was closed"),
    "ERROR": _("Meta's window reported an error"),
}


def _said(event: SignupEvent, staff: bool) -> dict[str, Any]:
    if event.event.startswith("FINISH"):
        text = gettext("Meta's window reported that it finished")
    elif event.event in _EVENT_TEXT:
        text = str(_EVENT_TEXT[event.event])
    elif event.with_code:
        text = gettext("Meta's confirmation code arrived")
    elif event.login_status:
        text = gettext("Meta's login answered “%(word)s”") % {"word": event.login_status}
    else:
        text = gettext("Meta's window sent a message")
    step = event.current_step if staff else window_steps.words(event.current_step)
    detail = " · ".join(filter(None, (step, event.error_code, event.error_message)))
    return {
        "at": event.at,
        "kind": "window",
        "text": text,
        "detail": detail,
        "state": None,
        "reason": None,
        "actor": event.actor if staff else _actor(event.actor),
    }


_ACTS = {
    Kind.REGISTER: _("The number's registration was asked for"),
    Kind.TP_BIND: _("The account was handed to our provider"),
    Kind.SMB_BIND: _("The app's number was handed to our provider"),
    Kind.EXCHANGE_CODE: _("Meta's confirmation was checked"),
}
_ENDS = {
    Ended.OPEN: _("under way"),
    Ended.DONE: _("accepted"),
    Ended.REFUSED: _("refused"),
    Ended.LOST: _("the answer was lost"),
    Ended.NOT_SENT: _("could not be sent"),
}


def _done(row: Onboarding, staff: bool) -> list[dict[str, Any]]:
    """The attempt's acts; a register with its place in the number's budget."""
    calls = list(row.calls.filter(kind__in=ProviderCall.ACTS).order_by("at", "pk"))
    if not staff and row.business_account_id is None:
        # Whether a bind was tried would tell "held by somebody" from "not shared".
        calls = [call for call in calls if call.kind == Kind.EXCHANGE_CODE]
    spent = _spent_before(calls)
    return [_acted(call, spent.get(call.pk), staff) for call in calls]


def _spent_before(calls: list[ProviderCall]) -> dict[int, budget.Budget]:
    """The budget as each register of these left it."""
    targets = {call.target for call in calls if call.kind == Kind.REGISTER}
    found: dict[int, budget.Budget] = {}
    for target in targets:
        spent = budget.spent_on(target)
        found |= {call.pk: budget.of(spent[: n + 1]) for n, call in enumerate(spent)}
    return found


def _acted(call: ProviderCall, left: budget.Budget | None, staff: bool) -> dict[str, Any]:
    details = [str(_ENDS[Ended(call.outcome)])]
    if left is not None:
        details.append(
            gettext("%(used)s of %(most)s in 72 hours") % {"used": left.used, "most": left.most}
        )
        if left.free_at is not None:
            at = date_format(timezone.localtime(left.free_at), "SHORT_DATETIME_FORMAT")
            details.append(gettext("next possible at %(at)s") % {"at": at})
    if staff:
        details += filter(None, (call.message, call.request_id))
    return {
        "at": call.at,
        "kind": "act",
        "text": str(_ACTS[Kind(call.kind)]),
        "detail": " · ".join(details),
        "state": None,
        "reason": None,
        "actor": "worker",
    }


def _mailed(row: Onboarding, staff: bool) -> list[dict[str, Any]]:
    """The letters that went out. To whom is for staff alone: a customer reads of each news once."""
    sent = row.notices.filter(mailed_at__isnull=False).exclude(audience=Notice.Audience.STAFF)
    told = list(sent.select_related("user", "address").order_by("mailed_at", "pk"))
    if staff:
        return [
            _letter(each, gettext("E-mail sent"), f"{each.get_kind_display()} → {each.recipient}")
            for each in told
        ]
    news = {each.key.rpartition(":")[0]: each for each in reversed(told)}
    return [
        _letter(each, gettext("We e-mailed you"), "")
        for each in news.values()
        if each.kind != Notice.Kind.CONFIRM
    ]


def _letter(notice: Notice, text: str, detail: str) -> dict[str, Any]:
    return {
        "at": notice.mailed_at,
        "kind": "message",
        "text": text,
        "detail": detail,
        "state": None,
        "reason": None,
        "actor": "worker",
    }
