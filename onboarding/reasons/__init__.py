"""The catalogue: why an onboarding or a number stands where it stands, in words for people.

Each reason says what happened, why, what to do now and who must do it. Some are for staff only:
a customer reads the `public` one instead, so that nobody learns what another tenant owns.
Imports nothing of ours.
"""

from collections.abc import Iterable

from onboarding.reasons import acts, gates, health, provider, standing, window
from onboarding.reasons.base import (
    CUSTOMER,
    META,
    NOBODY,
    PARTNER,
    STAFF_WHO_LABELS,
    WHO_LABELS,
    YCLOUD,
    Reason,
)

REASONS: dict[str, Reason] = {
    reason.code: reason
    for reason in (*window.ALL, *gates.ALL, *acts.ALL, *provider.ALL, *health.ALL, *standing.ALL)
}

LOST = frozenset(reason.code for reason in health.ALL)
"""What became of numbers after they were connected."""


def standing_of(code: str) -> str:
    """How bad it is: wrong, due, pending or notice."""
    return standing.of(REASONS[code], LOST)


def worst(codes: Iterable[str]) -> str:
    """The worst standing among these codes; "" when there is none."""
    found = {standing_of(code) for code in codes}
    return next((word for word in standing.STANDINGS if word in found), "")


def public(code: str) -> str:
    """The code that a customer may see in place of `code` (empty stays empty)."""
    return (REASONS[code].public or code) if code else ""


__all__ = [
    "CUSTOMER",
    "LOST",
    "META",
    "NOBODY",
    "PARTNER",
    "REASONS",
    "STAFF_WHO_LABELS",
    "WHO_LABELS",
    "YCLOUD",
    "Reason",
    "public",
    "standing_of",
    "worst",
]
