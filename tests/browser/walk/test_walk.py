"""Each state once, and once in Arabic on a dark phone; the full walk is `make test-browser`."""

from __future__ import annotations

import pytest

from tests.browser.walk.walker import PHONE, SCHEMES, WIDTHS, Look, Walker
from tests.states import CASES, Case

SHALLOW = [case for case in CASES if not case.deep]
GROUPS = sorted({case.group for case in SHALLOW})
ARABIC = Look("ar", PHONE, "dark")


def once(case: Case) -> Look:
    """The sizes and schemes in turn, always the same for a case."""
    turn = CASES.index(case)
    return Look("en", WIDTHS[turn % 2], SCHEMES[turn // 2 % 2])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("group", GROUPS)
def test_nothing_is_wrong_with_any_state(walker: Walker, group: str) -> None:
    faults: list[str] = []
    for case in SHALLOW:
        if case.group == group:
            faults += walker.walk(case, [once(case), ARABIC])
    assert not faults, "\n".join(faults)
