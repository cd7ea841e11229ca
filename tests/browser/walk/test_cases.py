"""The catalogue of states leaves nothing out, and each of its cases can fail."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from onboarding import reasons
from onboarding.reasons.standing import STAFF_ONLY
from onboarding.states import State
from tests.states import CASES

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
SHALLOW = [case for case in CASES if not case.deep]
SEEN = [case.sees for case in SHALLOW]


def test_no_two_states_have_one_name() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))


def test_each_case_sees_one_thing() -> None:
    assert [case.name for case in CASES if ", " in case.sees] == []


@pytest.mark.parametrize("state", State.values)
def test_each_state_of_an_onboarding_has_a_case(state: str) -> None:
    assert [seen for seen in SEEN if f"data-state={state}]" in seen]


def test_each_reason_that_a_customer_reads_has_a_case() -> None:
    apart = {"app_keep_open", "account_moved", *STAFF_ONLY}
    shown = {code for code, reason in reasons.REASONS.items() if not reason.public} - apart
    walked = {case.name.partition("-")[2] for case in CASES if case.deep}
    assert shown - walked == set()


TROUBLES = re.findall(r'id="trouble-([\w-]+)"', (TEMPLATES / "_troubles.html").read_text())


def test_the_kinds_of_trouble_are_found() -> None:
    assert {"popup", "sdk", "failed"} < set(TROUBLES)


@pytest.mark.parametrize("kind", TROUBLES)
def test_each_kind_of_trouble_has_a_case(kind: str) -> None:
    assert [seen for seen in SEEN if f"#trouble[data-kind={kind}]" in seen]


PARTS = set(re.findall(r'data-when="(\w+)"', (TEMPLATES / "_troubles.html").read_text()))


def test_the_parts_of_troubles_are_found() -> None:
    assert {"ended", "replaced", "kept"} <= PARTS


@pytest.mark.parametrize("when", sorted(PARTS - {"ended"}))
def test_each_part_of_a_trouble_has_a_case(when: str) -> None:
    assert [seen for seen in SEEN if f"[data-when={when}]" in seen]


NOTES = re.findall(r'<\w+[^>]* id="([\w-]+)"[^>]* hidden', (TEMPLATES / "_window.html").read_text())


def test_the_notes_of_the_windows_card_are_found() -> None:
    assert {"window-maybe", "window-shut", "still", "front"} <= set(NOTES)


@pytest.mark.parametrize("note", [each for each in NOTES if each != "window-since"])
def test_each_note_of_the_windows_card_has_a_case(note: str) -> None:
    assert [seen for seen in SEEN if seen.startswith(f"#{note}:")]
