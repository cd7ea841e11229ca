"""What people may ask for now of an onboarding."""

from __future__ import annotations

from onboarding import reasons
from onboarding.models import Onboarding
from onboarding.states import FINAL, PARKED, State

S = State

NOT_RECONNECTABLE = {"health_banned", "health_account_banned"}
RECONNECTABLE = (
    {reason for reason in reasons.REASONS if reason.startswith(("removed_", "health_"))}
    | {"number_offboarded", "number_removed", "account_removed"}
) - NOT_RECONNECTABLE

SEARCHABLE = {
    S.STARTED: frozenset({""}),
    S.CANCELLED: frozenset({"no_confirmation", "meta_cancelled", "account_not_found"}),
    S.NEEDS_ATTENTION: frozenset(
        # The three that look alike to a customer have to act alike too.
        {"ids_missing", "account_not_granted", "account_not_visible", "account_held"}
    ),
}
"""Where Meta may have finished without our knowing which account."""


def _may_search(row: Onboarding) -> bool:
    may = row.reason in SEARCHABLE.get(State(row.state), frozenset())
    return may and row.launched_at is not None


def acts(row: Onboarding) -> list[str]:
    """What people may ask for now, by the names of the API's addresses."""
    state = State(row.state)
    allowed = []
    if state in (S.CANCELLED, S.STARTED):
        allowed.append("launch")
    if _may_search(row):
        allowed.append("search")
    if state == S.AWAITING_ACCOUNT:
        allowed.append("account")
    if state == S.AWAITING_NUMBER and row.choices:
        allowed.append("number")
    if state in PARKED | {S.NEEDS_ATTENTION, S.CONNECTING, S.REGISTERING, S.LINKED}:
        allowed.append("resume")
    if state not in FINAL | {S.CANCELLED}:
        allowed.append("withdraw")
    if state == S.CONNECTED and row.number and row.number.health in RECONNECTABLE:
        allowed.append("reconnect")
    return allowed
