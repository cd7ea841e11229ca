"""The only writers of an onboarding's state and fence, each move with its audit row and event.

A worker holds a row by a lease and a fence. `claim` takes both in one UPDATE; each write of the
worker carries `state = what it saw AND fence = its own`, so a worker that was overtaken (by a
person, or because it slept through its lease) changes nothing. People's moves bump the fence.
"""

from onboarding.transitions.claims import (
    ANY,
    FRESH,
    LEASE,
    OvertakenError,
    bump,
    claim,
    claim_due,
    hand_back,
    hold,
    is_mine,
    renew,
    take_over,
)
from onboarding.transitions.looks import (
    ask_accounts,
    claim_numbers,
    facts_changed,
    hold_free,
    looked,
    unwatch,
    wake,
    wake_numbers,
    watch_number,
)
from onboarding.transitions.moves import (
    ForbiddenMoveError,
    begun,
    lock,
    move,
)

__all__ = [
    "ANY",
    "FRESH",
    "LEASE",
    "ForbiddenMoveError",
    "OvertakenError",
    "ask_accounts",
    "begun",
    "bump",
    "claim",
    "claim_due",
    "claim_numbers",
    "facts_changed",
    "hand_back",
    "hold",
    "hold_free",
    "is_mine",
    "lock",
    "looked",
    "move",
    "renew",
    "take_over",
    "unwatch",
    "wake",
    "wake_numbers",
    "watch_number",
]
