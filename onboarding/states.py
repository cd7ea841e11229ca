"""The states of an onboarding and what may follow what. Imports nothing of ours.

    started ──► signed_up ──► linked ──► registering ──► connecting ──► connected
      ▲ │           │            │            │               │
      │ ▼           ▼            ▼            ▼               ▼
    cancelled   awaiting_account awaiting_payment   (any gate, looked at again on every pass)
                                 awaiting_number
                                 in_review ──► rejected
                                 needs_attention ──► back by a fresh pass

`state` is ours, lower_snake; a number's `status` is YCloud's word, verbatim, upper case.
Each pass evaluates the gates in order; the state is the first gate that was not passed.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    STARTED = "started", _("started")
    CANCELLED = "cancelled", _("cancelled")
    SIGNED_UP = "signed_up", _("signed up")
    AWAITING_ACCOUNT = "awaiting_account", _("waiting for the choice of an account")
    LINKED = "linked", _("account found")
    AWAITING_PAYMENT = "awaiting_payment", _("waiting for the payment method")
    AWAITING_NUMBER = "awaiting_number", _("waiting for a number")
    IN_REVIEW = "in_review", _("in review")
    REGISTERING = "registering", _("registering")
    CONNECTING = "connecting", _("connecting")
    CONNECTED = "connected", _("connected")
    NEEDS_ATTENTION = "needs_attention", _("needs attention")
    REJECTED = "rejected", _("rejected")


S = State

WORKING = frozenset({S.SIGNED_UP, S.LINKED, S.REGISTERING, S.CONNECTING})
"""The worker owns the next move."""

PARKED = frozenset({S.AWAITING_ACCOUNT, S.AWAITING_PAYMENT, S.AWAITING_NUMBER})
"""Somebody else moves next; the worker looks again on a schedule and when woken."""

FINAL = frozenset({S.CONNECTED, S.REJECTED})
"""Nothing more happens to the attempt; a number's health is watched on the number."""

OPEN = frozenset(State) - FINAL - {S.CANCELLED, S.STARTED}
"""An attempt that holds its account and number against duplicates."""

WITHDRAWABLE = frozenset(State) - FINAL - {S.CANCELLED}

_GATES = frozenset(
    {
        S.AWAITING_ACCOUNT,
        S.AWAITING_PAYMENT,
        S.AWAITING_NUMBER,
        S.IN_REVIEW,
        S.NEEDS_ATTENTION,
        S.CANCELLED,
    }
)
_ONWARD = frozenset({S.SIGNED_UP, S.LINKED, S.REGISTERING, S.CONNECTING, S.CONNECTED})

TRANSITIONS: dict[State, frozenset[State]] = {
    S.STARTED: frozenset({S.SIGNED_UP, S.CANCELLED}),
    S.CANCELLED: frozenset({S.STARTED, S.SIGNED_UP}),
    S.SIGNED_UP: _GATES | {S.LINKED},
    S.LINKED: _GATES | {S.REGISTERING, S.SIGNED_UP},
    S.REGISTERING: _GATES | {S.CONNECTING, S.CONNECTED, S.SIGNED_UP, S.LINKED},
    S.CONNECTING: _GATES | {S.CONNECTED, S.REGISTERING, S.LINKED, S.SIGNED_UP},
    S.AWAITING_ACCOUNT: _GATES | _ONWARD,
    S.AWAITING_PAYMENT: _GATES | _ONWARD,
    S.AWAITING_NUMBER: _GATES | _ONWARD,
    S.IN_REVIEW: _GATES | _ONWARD | {S.REJECTED},
    S.NEEDS_ATTENTION: _GATES | _ONWARD | {S.REJECTED},
    S.CONNECTED: frozenset(),
    S.REJECTED: frozenset(),
}
"""What may happen. `transitions.move` refuses everything else."""


MILESTONES = ("finished_at", "linked_at", "paid_at", "registered_at", "connected_at")
"""The columns that keep when an onboarding first came so far, in their order."""

PASSED: dict[State, int] = {
    S.STARTED: 0,
    S.CANCELLED: 0,
    S.SIGNED_UP: 1,
    S.AWAITING_ACCOUNT: 1,
    S.LINKED: 2,
    S.AWAITING_PAYMENT: 2,
    S.AWAITING_NUMBER: 3,
    S.IN_REVIEW: 3,
    S.REGISTERING: 3,
    S.CONNECTING: 4,
    S.CONNECTED: 5,
}
"""How many of them lie behind a row in this state. `needs_attention` and `rejected` say nothing of
it, nor does a review of an account that nobody has read yet.
"""


def milestones_behind(state: State, *, has_account: bool) -> tuple[str, ...]:
    """The milestones that a move into this state proves."""
    if state == S.IN_REVIEW and not has_account:
        return MILESTONES[:1]
    return MILESTONES[: PASSED.get(state, 0)]
