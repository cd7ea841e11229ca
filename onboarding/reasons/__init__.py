"""The catalogue: why an onboarding or a number stands where it stands, in words for people.

Each reason says what happened, why, what to do now and who must do it. Some are for staff only:
a customer reads the `public` one instead, so that nobody learns what another tenant owns. Staff
read `for_staff` where a customer's words do not fit them: desk, queue, record, digest.
Imports nothing of ours.
"""

from collections.abc import Iterable
from dataclasses import replace

from onboarding.reasons import (
    acts,
    gates,
    health,
    number,
    provider,
    staff,
    staff_facts,
    staff_window,
    standing,
    window,
    window_page,
)
from onboarding.reasons.base import (
    CUSTOMER,
    META,
    NOBODY,
    PARTNER,
    STAFF_WHO_LABELS,
    WHO_LABELS,
    YCLOUD,
    ForStaff,
    Reason,
)

_FOR_STAFF = {
    **staff.GATES,
    **staff.ACTS,
    **staff_facts.HEALTH,
    **staff_facts.STANDING,
    **staff_window.PROVIDER,
    **staff_window.WINDOW,
}

_ALL = (
    *window.ALL,
    *window_page.ALL,
    *gates.ALL,
    *number.ALL,
    *acts.ALL,
    *provider.ALL,
    *health.ALL,
    *standing.ALL,
)

REASONS: dict[str, Reason] = {
    reason.code: replace(reason, for_staff=_FOR_STAFF.get(reason.code, reason.for_staff))
    for reason in _ALL
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


def for_staff(code: str) -> str:
    """What happened, for staff; a reason that only a newer release knows stays a code."""
    return str(REASONS[code].staff_what) if code in REASONS else code


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
    "ForStaff",
    "Reason",
    "for_staff",
    "public",
    "standing_of",
    "worst",
]
