"""The milestones of an onboarding: what is done, under way or stopped, and who makes the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from onboarding import requirements
from onboarding.models import Onboarding
from onboarding.models.onboarding import ConnectionMode, Grant
from onboarding.progress.words import display_number, isolated
from onboarding.reasons.base import Text
from onboarding.states import MILESTONES, PASSED, WORKING, State

S = State


@dataclass(frozen=True, slots=True)
class Milestone:
    """One line of the progress list; `status`: done, current, todo or stopped.

    `at`: when it was reached, or since when it is under way. `by`: who makes it, of the first one
    to come; `usually`: how long it takes, of the one under way.
    """

    key: str
    label: str
    status: str
    at: datetime | None = None
    by: str = ""
    usually: str = ""


_BY: dict[str, Text] = {
    "signed_up": _("Next: you do this"),
    "linked": _("Next: we do this"),
    "paid": _("Next: YCloud does this"),
    "registered": _("Next: we do this"),
    "connected": _("Next: WhatsApp does this"),
}
_SECONDS = _("Usually a few seconds.")
_MINUTE = _("Usually under a minute.")
_USUALLY: dict[S, Text] = {
    S.SIGNED_UP: _SECONDS,
    S.LINKED: _SECONDS,
    S.REGISTERING: _MINUTE,
    S.CONNECTING: _MINUTE,
}
_LONG: dict[str, Text] = {
    "account_in_review": _("Usually minutes, sometimes a day or two."),
    "display_name_review": _("Usually one to two days."),
    "register_budget": _("This can take up to three days."),
    "takes_longer": _("This can take days."),
    "number_limited": _("This can take days."),
    "number_not_listed": _("Usually some minutes."),
    "payment_missing": _("This can take some days."),
    "unproven": _("This can take a day or two."),
    "approval_needed": _("This can take a day or two."),
}
_STOPPED: dict[S, Text] = {
    S.AWAITING_ACCOUNT: _("The choice of the account"),
    S.AWAITING_PAYMENT: _("YCloud's payment method"),
    S.AWAITING_NUMBER: _("The number"),
    S.IN_REVIEW: _("The partner's decision"),
}
"""What the milestone that is stopped at waits for, where it is not the milestone itself. Staff read
the same line, so nobody is spoken to.
"""


def _passed(row: Onboarding) -> int:
    state = State(row.state)
    if state == S.IN_REVIEW and row.business_account_id is None:
        return 1
    if state in PASSED:
        return PASSED[state]
    if row.number_id:
        return 3
    return 2 if row.business_account_id else 1


def milestones(row: Onboarding) -> list[Milestone]:
    """The customer's five steps, with the one under way or stopped at."""
    times = _times(row)
    passed = _passed(row)
    stopped = State(row.state) not in WORKING | {S.STARTED, S.CONNECTED}
    found = []
    for index, (key, done, doing) in enumerate(_labels(row)):
        status = _status(index, passed, stopped)
        now = status in ("current", "stopped")
        found.append(
            Milestone(
                key,
                str(_STOPPED.get(State(row.state), doing)) if status == "stopped" else
                doing if now else done,
                status,
                row.state_changed_at if now else times.get(key),
                by=str(_BY[key]) if index == passed + 1 else "",
                usually=_usually(row) if now else "",
            )
        )  # fmt: skip
    return found


def _usually(row: Onboarding) -> str:
    if requirements.is_late(row):
        return gettext("This takes longer than usual.")
    return str(_LONG.get(row.reason) or ("" if row.reason else _USUALLY.get(State(row.state), "")))


def _labels(row: Onboarding) -> list[tuple[str, str, str]]:
    """Key, and the words for it when it is done and while it is being done."""
    name = row.business_account.name if row.business_account else ""
    number = isolated(display_number(row.number.e164)) if row.number else ""
    account = gettext("Account “%(name)s” found") % {"name": name}
    accepted = gettext("Number %(number)s accepted") % {"number": number}
    accepting = gettext("Registering number %(number)s") % {"number": number}
    if row.connection_mode == ConnectionMode.BUSINESS_APP:
        accepting = gettext("Taking over number %(number)s") % {"number": number}
    # Looked for from nothing: whether the window was finished is what nobody knows.
    over = (
        gettext("Meta's window opened") if _is_searched(row) else gettext("Meta's window finished")
    )
    return [
        ("signed_up", over, gettext("Meta's window")),
        ("linked", account if name else gettext("Account found"), gettext("Finding your account")),
        ("paid", gettext("Payment method attached by YCloud"), gettext("Checking your account")),
        (
            "registered",
            accepted if number else gettext("Number accepted"),
            accepting if number else gettext("Registering the number"),
        ),
        ("connected", gettext("Connected"), gettext("WhatsApp switches the number on")),
    ]


def _is_searched(row: Onboarding) -> bool:
    """Somebody asked to look for the account, and the window gave nothing to know it by."""
    gave = row.claimed_waba_id or row.grant != Grant.NONE or row.business_account_id
    return row.searched_at is not None and not gave


def _status(index: int, passed: int, stopped: bool) -> str:
    if index < passed:
        return "done"
    if index > passed:
        return "todo"
    return "stopped" if stopped else "current"


_REACHED_BY = {
    "signed_up": {S.SIGNED_UP},
    "linked": {S.LINKED},
    "paid": {S.AWAITING_NUMBER, S.IN_REVIEW, S.REGISTERING},
    "registered": {S.CONNECTING, S.CONNECTED},
    "connected": {S.CONNECTED},
}
_KEPT = dict(zip(_REACHED_BY, MILESTONES, strict=True))


def _times(row: Onboarding) -> dict[str, datetime]:
    """When each milestone was reached last, from the audit rows; a pass may skip a state."""
    if _is_searched(row):
        return {"signed_up": row.launched_at} if row.launched_at else {}
    reached = {key: at for key, name in _KEPT.items() if (at := getattr(row, name))}
    for move in row.transitions.all():
        for key, states in _REACHED_BY.items():
            if move.to_state in states and move.to_state != move.from_state:
                reached[key] = move.at
    return reached
