"""Each state once, and once in Arabic on a dark phone; the full walk is `make test-browser`."""

from __future__ import annotations

import pytest

from onboarding import reasons
from onboarding.reasons.standing import STAFF_ONLY
from onboarding.states import State
from tests.browser.walk.walker import PHONE, SCHEMES, WIDTHS, Look, Walker
from tests.states import CASES, Case

SHALLOW = [case for case in CASES if not case.deep]
GROUPS = sorted({case.group for case in SHALLOW})
ARABIC = Look("ar", PHONE, "dark")


def once(case: Case) -> Look:
    """The sizes and schemes in turn, always the same for a case."""
    turn = CASES.index(case)
    return Look("en", WIDTHS[turn % 2], SCHEMES[turn // 2 % 2])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("group", GROUPS)
def test_nothing_is_wrong_with_any_state(walker: Walker, group: str) -> None:
    faults: list[str] = []
    for case in SHALLOW:
        if case.group == group:
            faults += walker.walk(case, [once(case), ARABIC])
    assert not faults, "\n".join(faults)


def test_no_two_states_have_one_name() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("state", State.values)
def test_each_state_of_an_onboarding_has_a_case(state: str) -> None:
    assert [case for case in SHALLOW if f"data-state={state}]" in case.sees]


def test_each_reason_that_a_customer_reads_has_a_case() -> None:
    apart = {"app_keep_open", "account_moved", *STAFF_ONLY}
    shown = {code for code, reason in reasons.REASONS.items() if not reason.public} - apart
    walked = {case.name.partition("-")[2] for case in CASES if case.deep}
    assert shown - walked == set()
