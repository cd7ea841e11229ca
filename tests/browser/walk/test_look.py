"""The walk finds what is wrong: each fault is planted once and has to be named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils.translation import trans_real
from playwright.sync_api import Page

from tests.browser.walk import english
from tests.browser.walk.run import faults_in
from tests.browser.walk.walker import PHONE, Look, Walker
from tests.states import CASES

LOOK = Look("en", PHONE, "light")
HOME = next(case for case in CASES if case.name == "home-nobody")


@pytest.fixture
def home(walker: Walker) -> Iterator[Page]:
    with walker.opened(HOME, LOOK) as page:
        yield page


PLANTED = {
    "2 h1 are shown": "document.querySelector('main').append(document.createElement('h1')); "
    "document.querySelector('main').lastChild.textContent = 'Another one'",
    "lang is xx": "document.documentElement.lang = 'xx'",
    "direction is rtl": "document.documentElement.dir = 'rtl'",
    "without an icon": "document.querySelector('link[rel=icon]').remove()",
    "without a name": "const it = document.createElement('button'); it.className = 'button'; "
    "document.querySelector('main').append(it)",
    "a card without a sign": "const it = document.createElement('article'); it.id = 'card'; "
    "it.innerHTML = '<h2 id=card-title>Here</h2>'; document.querySelector('main').append(it)",
    "a card without words": "const it = document.createElement('article'); it.id = 'card'; "
    "it.innerHTML = '<h2 id=card-title> </h2>!'; document.querySelector('main').append(it)",
    "px to hit": "const it = document.createElement('button'); it.textContent = '.'; "
    "it.style = 'all: unset; display: block; width: 9px; height: 9px'; "
    "document.querySelector('main').append(it)",
    "too wide at 360": "document.querySelector('h1').style.width = '900px'",
    # Not the headline: with a font of tall lines it touches its neighbour, and axe says nothing.
    "axe color-contrast": "document.querySelector('main li').style.color = '#eee'; "
    "document.querySelector('main li').style.background = '#fff'",
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_named(walker: Walker, home: Page, fault: str) -> None:
    assert walker.looked(home, LOOK) == []
    home.evaluate(f"() => {{ {PLANTED[fault]} }}")
    assert any(fault in each for each in walker.looked(home, LOOK))


def test_a_number_that_runs_from_right_to_left_is_named(walker: Walker) -> None:
    arabic = Look("ar", PHONE, "light")
    with walker.opened(HOME, arabic) as page:
        page.evaluate("() => document.querySelector('main').append('+34 612 34 56 78')")
        assert any("right to left" in each for each in walker.looked(page, arabic))


def test_what_is_against_the_policy_is_named(walker: Walker, home: Page) -> None:
    home.evaluate(
        "() => { const it = document.createElement('img'); "
        "it.src = 'https://elsewhere.example/x.png'; document.body.append(it) }"
    )
    home.wait_for_timeout(100)
    assert any("Content Security Policy" in each for each in home.faults)  # type: ignore[attr-defined]


def test_english_that_has_a_translation_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = {
        "Sign in": "Anmelden",
        "Only %(number)s is connected by this attempt.": "Nur %(number)s …",
        "For <strong>%(tenant)s</strong>. About 5 minutes.": "Für <strong>%(tenant)s</strong> …",
        "OK": "OK",
        "Email": "Surel",
        "E-mail": "Email",
    }

    class Told:
        _catalog = catalog

    monkeypatch.setattr(trans_real, "translation", lambda _: Told)
    english._known.cache_clear()
    shown = ["Sign in", "Only +34 612 is connected by this attempt.", "OK", "Anmelden",
             "For Sign Makers. About 5 minutes.", "Something that nobody translated",
             "Email"]  # fmt: skip
    try:
        assert english.left("id", shown) == [shown[0], shown[1], shown[4]]
        assert english.left("en", shown) == []
    finally:
        english._known.cache_clear()


def test_the_summary_reads_the_faults_in_the_report() -> None:
    report = (
        "tests/browser/walk/full.py:50: in test_nothing_is_wrong\n"
        "E   AssertionError: card-rejected pt-br-360-dark: axe region: <p>\n"
        "E     home-nobody zh-hans-1280-light: 2 h1 are shown\n"
        "E   assert not ['card-rejected']\n"
    )
    assert faults_in(report) == [
        "card-rejected pt-br-360-dark: axe region: <p>",
        "home-nobody zh-hans-1280-light: 2 h1 are shown",
    ]
