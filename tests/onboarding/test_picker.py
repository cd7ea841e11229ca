"""The errors of Meta's window as customers pick them: every code is there, once, with a remedy."""

from __future__ import annotations

from django.template.loader import render_to_string

from onboarding import codes, picker, reasons

ERRORS = [error for group in picker.groups() for error in group.errors]

WITHOUT_A_NUMBER = {
    "JSSDK Unknown Host domain", "JSSDK Option is Not Toggled", "URL blocked", "Can't load URL",
    "Feature unavailable", "Insecure login blocked", "Registered to an existing account",
    "QR code invalid", "Business greyed out",
}  # fmt: skip
"""What Meta shows in place of its steps, with no number in it."""


def test_every_code_of_the_window_has_exactly_one_entry() -> None:
    shown = [code for error in ERRORS for code in error.codes]
    assert sorted(shown) == sorted(codes.WINDOW)


def test_the_faults_without_a_number_are_known_by_metas_words() -> None:
    assert set(codes.WINDOW) >= WITHOUT_A_NUMBER


def test_every_code_fits_what_the_api_takes() -> None:
    assert max(map(len, codes.WINDOW)) <= 40


def test_every_entry_says_why_and_what_to_do() -> None:
    for error in ERRORS:
        assert error.reason.why, error.code
        assert error.reason.remedy, error.code
        assert error.who, error.code


def test_every_reason_of_the_window_is_in_the_picker() -> None:
    known = {code for code in reasons.REASONS if code.startswith("window_")}
    assert {error.reason.code for error in ERRORS} == known


def test_the_page_finds_an_entry_by_each_of_its_codes() -> None:
    html = render_to_string("_errors.html", {"error_groups": picker.groups()})
    assert html.count('class="fault"') == len(ERRORS)
    for error in ERRORS:
        assert " | ".join(error.codes).replace("'", "&#x27;") in html
