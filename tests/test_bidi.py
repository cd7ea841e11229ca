"""What runs from left to right in every language is kept so: addresses, numbers, references."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.utils import translation

from devstack.translations import ROOT
from devstack.translations.scope import sources
from onboarding.messages import samples

TEMPLATES = [path for path in sources(ROOT) if path.endswith(".html")]
_WORDS = (
    r"(?:[\w.]*\b(?:email|e164|phone_number|reference|ip|address|waba_id)|[\w.]*_url|request\.id"
)
RISKY = re.compile(r"\{\{\s*(?!form\.)(" + _WORDS + r"|card\.number\.display))\s*\}\}")
"""A value that is written in a page as it is. In a translated sentence the translation keeps it
(devstack/translations/check.py)."""
KEPT = re.compile(
    r"<bdi[^>]*>.*?</bdi>|<(\w+)[^>]*\bdir=\"ltr\"[^>]*>[^<]*</\1>|<strong>[^<]*</strong>"
    r"|<textarea.*?</textarea>|<span class=\"sr\">.*?</span>"
    r"|\{% blocktranslate.*?endblocktranslate %\}|[\w-]+=(?:\"[^\"]*\"|'[^']*')",
    re.DOTALL,
)


def loose(text: str) -> list[str]:
    return RISKY.findall(KEPT.sub(" ", text))


@pytest.mark.parametrize("path", TEMPLATES)
def test_no_address_or_number_stands_loose_in_a_page(path: str) -> None:
    assert loose((ROOT / path).read_text()) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<p>{{ user.email }}</p>", ["user.email"]),
        ('<p><bdi dir="ltr">{{ user.email }}</bdi></p>', []),
        ('<a href="{{ account_url }}">x</a> {{ account_url }}', ["account_url"]),
        ('<span dir="ltr">{{ item.reference }}</span>', []),
        ("<strong>{{ email }}</strong>", []),
    ],
)
def test_a_loose_value_is_seen(text: str, found: list[str]) -> None:
    assert loose(text) == found


def test_strong_words_keep_their_own_direction() -> None:
    css = (ROOT / "static" / "languages.css").read_text()
    assert "main strong { unicode-bidi: plaintext; }" in css


def test_stylesheets_know_no_left_and_no_right() -> None:
    """What is written at the start of a line stands at its start in every language."""
    sided = re.compile(
        r"(?<![\w-])(?:(?:margin|padding|border)-(?:left|right)|(?:left|right)\s*:"
        r"|text-align:\s*(?:left|right)|float:\s*(?:left|right))"
    )
    for path in sorted(Path(ROOT / "static").glob("*.css")):
        if not path.name.startswith(("admin", "setup", "sheet")):
            assert sided.findall(path.read_text()) == [], path.name


@pytest.mark.parametrize("kind", ["needed", "connected", "several"])
def test_a_letters_text_keeps_numbers_together_in_arabic_only(db: None, kind: str) -> None:
    arabic, english = (str(samples.sample(kind, code).body) for code in ("ar", "en"))
    assert re.search("\u2066\\+[0-9 ]+\u2069", arabic)
    assert "\u2066" not in english


@pytest.mark.parametrize(("code", "turned"), [("ar", True), ("en", False), ("zh-hans", False)])
def test_only_arabic_turns_the_page(code: str, turned: bool) -> None:
    with translation.override(code):
        assert translation.get_language_bidi() is turned
