"""What is due, pending or wrong with an onboarding, a WABA and a number, derived from their facts.

The shape of a requirement follows Stripe's: what, why, who must act, since when, by when. Only the
times are stored, beside the facts (`conditions.settled`).
"""

from onboarding.requirements.acts import NOT_RECONNECTABLE, RECONNECTABLE, SEARCHABLE, acts
from onboarding.requirements.conditions import next_end, settled, shown
from onboarding.requirements.derive import (
    also,
    is_late,
    of,
    of_account,
    of_number,
    shown_reason,
    stop_of,
)
from onboarding.requirements.made import Requirement

__all__ = [
    "NOT_RECONNECTABLE",
    "RECONNECTABLE",
    "SEARCHABLE",
    "Requirement",
    "acts",
    "also",
    "is_late",
    "next_end",
    "of",
    "of_account",
    "of_number",
    "settled",
    "shown",
    "shown_reason",
    "stop_of",
]
