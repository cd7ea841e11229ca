"""Every reason of the catalogue that a customer reads, each on the card that it stands on.

The layouts are those of `cards.py`; what is new here are the words, so these belong to the full
walk alone. A reason that is added to the catalogue is walked from then on.
"""

from __future__ import annotations

from typing import Any

from onboarding import codes, reasons
from onboarding.reasons import standing, window
from onboarding.reasons.standing import STAFF_ONLY
from onboarding.requirements import conditions
from tests.states.base import Case
from tests.states.cards import of
from tests.states.world import S, World

SAID_ELSEWHERE = frozenset({"app_keep_open"})
"""The card of a connected number says it among the first things to do."""

_STATES: dict[str, Any] = {
    **dict.fromkeys(("withdrawn", "superseded", "meta_cancelled", "meta_error"), S.CANCELLED),
    **dict.fromkeys(("no_confirmation", "account_not_found"), S.CANCELLED),
    "rejected": S.REJECTED,
    "waiting_for_confirmation": S.SIGNED_UP,
    "account_choice": S.AWAITING_ACCOUNT,
    "payment_missing": S.AWAITING_PAYMENT,
    "approval_needed": S.IN_REVIEW,
    "unproven": S.IN_REVIEW,
}


def _state_for(reason: reasons.Reason) -> Any:
    """Where it is met; a wait is one of the worker's, everything else a stop."""
    if reason.code in _STATES:
        return _STATES[reason.code]
    return S.REGISTERING if reason.tone == "wait" else S.NEEDS_ATTENTION


def _stops() -> list[Case]:
    apart = reasons.LOST | {each.code for each in (*standing.ALL, *window.ALL)} | {"account_moved"}
    shown = [each for each in reasons.REASONS.values() if not each.public]
    return [
        Case(f"stop-{each.code}", of(_state_for(each), each.code),
             f"#card[data-state={_state_for(each)}][data-reason={each.code}]", deep=True)
        for each in shown if each.code not in apart
    ]  # fmt: skip


def _in_the_window() -> list[Case]:
    """Meta's own codes, one of each reason."""
    one_of = {reason: code for code, reason in codes.WINDOW.items()}
    return [
        Case(f"code-{reason}", of(S.CANCELLED, "meta_error", error_code=code),
             f"#card[data-state=cancelled][data-stop={reason}]", deep=True)
        for reason, code in sorted(one_of.items())
    ]  # fmt: skip


def _lost() -> list[Case]:
    return [
        Case(f"lost-{code}", of(S.CONNECTED, number={"health": code, "status": "DISCONNECTED"}),
             f"#card[data-state=connected][data-stop={code}]", deep=True)
        for code in sorted(reasons.LOST)
    ]  # fmt: skip


# --- What stands beside the stop ------------------------------

_FACTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("account", "account_review_status", conditions._REVIEW),
    ("account", "ban_state", conditions._BANS),
    ("account", "business_verification_status", conditions._VERIFICATION),
    ("number", "name_status", conditions._NAME),
    ("number", "new_name_status", conditions._NEW_NAME),
    ("number", "quality", conditions._QUALITY),
    ("number", "status", conditions._STATUS),
)


def _facts() -> dict[str, dict[str, Any]]:
    """For each condition of a customer's the facts that it holds by."""
    found: dict[str, dict[str, Any]] = {}
    for of_what, column, words in _FACTS:
        for word, code in words.items():
            if code and code not in found:
                found[code] = {of_what: {column: word}}
    for word, code in conditions._RESTRICTIONS.items():
        found[code] = {"account": {"restrictions": [{"restrictionType": word}]}}
    found["app_features"] = {"number": {"is_on_biz_app": True}}
    return found


def unfolds(page: Any, _: World) -> None:
    for each in page.locator("#card .also summary").all():
        each.click()


def _beside() -> list[Case]:
    return [
        Case(
            f"beside-{code}",
            of(S.CONNECTED, **facts),
            f"#card #also-{code}[open]",
            unfolds,
            deep=True,
        )
        for code, facts in sorted(_facts().items())
        if code not in STAFF_ONLY | SAID_ELSEWHERE
    ]


CASES = (*_stops(), *_in_the_window(), *_lost(), *_beside())
