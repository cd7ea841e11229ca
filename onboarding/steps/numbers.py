"""Which number of the account is meant: never "the first one"."""

from __future__ import annotations

from onboarding.models import Onboarding
from onboarding.models.onboarding import ConnectionMode
from onboarding.states import State
from onboarding.steps import binds
from onboarding.steps.look import Pass
from tenants.prepared import Prepared
from ycloud_client import PhoneNumber as ListedNumber

S = State


def choose(look: Pass) -> tuple[ListedNumber | None, str]:
    """The number that is meant, or None and why it is not clear."""
    listed = look.numbers or []
    claimed = look.row.claimed_phone_number_id or binds.named_by_bind(look)
    if look.row.claimed_phone_number_id or any(n.id == claimed for n in listed):
        found = next((n for n in listed if n.id == claimed), None)
        return found, "" if found else "number_not_listed"
    candidates = free(look)
    if look.row.expected_number:
        # Also one that is connected here already: this may be its reconnection.
        expected = [n for n in listed if is_expected(look.row, n)]
        if not expected and candidates:
            return None, "number_unexpected"
        candidates = expected
    if len(candidates) == 1:
        return candidates[0], ""
    return None, "number_choice" if candidates else "number_missing"


_DONE: Prepared[str] = Prepared(
    lambda *ids: Onboarding.objects.filter(
        state=S.CONNECTED, number__phone_number_id__in=ids, number__health=""
    ).values_list("number__phone_number_id", flat=True)
)


def free(look: Pass) -> list[ListedNumber]:
    """The listed numbers that are not connected here already, and well."""
    listed = look.numbers or []
    done = look.once("done", lambda: _DONE.rows(*(str(n.id) for n in listed)))
    left = [n for n in listed if n.id not in done]
    if look.row.connection_mode == ConnectionMode.BUSINESS_APP:
        in_app = [n for n in left if n.is_on_biz_app]
        return in_app or left
    return left


def offer(listed: ListedNumber) -> dict[str, str | None]:
    """What the customer chooses by (one of the row's `choices`)."""
    return {
        "phone_number_id": str(listed.id),
        "phone_number": listed.phone_number,
        "verified_name": listed.verified_name,
        "status": listed.status,
    }


def is_expected(row: Onboarding, chosen: ListedNumber) -> bool:
    """Whether it is the agreed number, where one was agreed; compared by its digits."""
    return not row.expected_number or _digits(chosen.phone_number) == _digits(row.expected_number)


def _digits(number: str | None) -> str:
    return "".join(filter(str.isdigit, number or ""))
