"""The working states, a function each, and the loop that makes several steps in one task."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import IntegrityError, transaction

from onboarding import cases, codes, instruments, journal, quota, schedule, stopping, transitions
from onboarding.models import Onboarding
from onboarding.states import State
from onboarding.steps import acts, gates, health, watch
from onboarding.steps.facts import HeldByAnotherTenantError
from onboarding.steps.look import Pass
from onboarding.steps.outcome import Outcome, go, stop, wait
from ycloud_client import YCloudError

logger = logging.getLogger(__name__)

S = State
Step = Callable[[Pass], Outcome]

ACT_REFUSED = ("pin_mismatch", "register_refused", "bind_refused", "internal_fault")
"""Acts that were refused are asked for again only when a person resumes."""

MAX_STEPS = 12
MAX_FAULTS = 8
ACCESS_AGAIN_SECONDS = 300
PARTNER_REASONS = (
    "ycloud_access_refused",
    "ycloud_account_limited",
    "ycloud_balance_empty",
    "ycloud_request_refused",
)


def signed_up(look: Pass) -> Outcome:
    """Ids came back: prove them and find the account."""
    return gates.first_stop(look, gates.grant, gates.owner) or go(S.LINKED)


def linked(look: Pass) -> Outcome:
    """The account is ours to read: everything else that must hold before the act."""
    return gates.first_stop(look, *gates.ALL) or go(S.REGISTERING)


def registering(look: Pass) -> Outcome:
    """Register the number or bind the app; the gates hold, or we would not be here."""
    return gates.first_stop(look, *gates.ALL) or acts.act(look)


def look_again(look: Pass) -> Outcome:
    """Something woke a stopped row (a late code, an event): the gates, but never the act.

    What Meta refused is tried again only when a person resumes.
    """
    row = look.row
    if row.reason in ACT_REFUSED:
        return wait(State(row.state), row.reason, None)
    return linked(look)


STEPS: dict[State, Step] = {
    S.SIGNED_UP: signed_up,
    S.LINKED: linked,
    S.REGISTERING: registering,
    S.CONNECTING: watch.connecting,
    # Somebody else moves next, but the worker looks again: all gates from fresh reads.
    S.AWAITING_ACCOUNT: linked,
    S.AWAITING_PAYMENT: linked,
    S.AWAITING_NUMBER: linked,
    S.IN_REVIEW: look_again,
    S.NEEDS_ATTENTION: look_again,
}


def run(row: Onboarding) -> datetime | None:
    """Take steps with a claimed row until somebody else must move or time must pass.

    When the row is due again, where its last step said so.
    """
    journal.give_up_intents(row)
    with Pass(row) as look:
        try:
            return _steps(look)
        except transitions.OvertakenError:
            logger.info("onboarding %s: somebody else was first", row.public_id)
            look.abandon()
    return None


def _steps(look: Pass) -> datetime | None:
    row = look.row
    for _ in range(MAX_STEPS):
        step = STEPS.get(State(row.state))
        if step is None:
            transitions.move(row, State(row.state), actor="worker", reason=row.reason)
            return None
        with instruments.step(row):
            outcome = _taken(step, look)
            _write(look, outcome)
        if not outcome.goes_on or outcome.to == S.CONNECTED:
            return outcome.due
        if stopping.is_asked():
            transitions.hand_back(row)
            return None
    logger.warning(
        "onboarding %s: %s steps in one task; the sweep goes on", row.public_id, MAX_STEPS
    )
    return None


def _taken(step: Step, look: Pass) -> Outcome:
    """The step's outcome; a failure of YCloud's or of ours becomes one too."""
    row = look.row
    if row.faults > MAX_FAULTS:  # each claim counts one, each finished step none
        return stop("internal_fault", "the step did not finish, again and again")
    try:
        return step(look)
    except YCloudError as error:
        return _trouble(row, error)
    except journal.UnderWayError:
        return wait(State(row.state), row.reason, schedule.soon(5))
    except HeldByAnotherTenantError:
        return stop("account_held")


def _trouble(row: Onboarding, error: YCloudError) -> Outcome:
    """Stay, say why, and try again later: no failure of YCloud's ends an onboarding."""
    state = State(row.state)
    if isinstance(error, quota.QuotaFullError):
        return wait(state, "quota_full", schedule.after_fault(row, error, "quota_full"))
    reason = codes.reason_for(error)
    if error.is_transient:
        return wait(state, reason, schedule.after_fault(row, error, reason))
    if reason not in PARTNER_REASONS:  # a read never says more of a customer's number than this
        reason = "ycloud_request_refused"
    return wait(state, reason, schedule.soon(ACCESS_AGAIN_SECONDS))


def _write(look: Pass, outcome: Outcome) -> None:
    """Move the row; a duplicate of an open attempt becomes `cancelled`, `superseded`."""
    row = look.row
    found = {"choices": [], **look.found, **outcome.facts}
    ends = outcome.to == S.CONNECTED
    try:
        with transaction.atomic():
            transitions.move(
                row,
                outcome.to,
                actor="worker",
                reason=outcome.reason,
                note=outcome.note,
                due=outcome.due,
                hold=outcome.goes_on and not ends,
                **found,
            )
            if ends and row.number is not None:
                health.begin(row.number)
            if outcome.reason == "account_held":
                cases.open_proven(row)
    except IntegrityError:
        transitions.move(row, S.CANCELLED, actor="worker", reason="superseded")
    look.found = {}
