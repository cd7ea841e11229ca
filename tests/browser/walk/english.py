"""English that was left where a translation is there: the texts of a page against the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from django.utils.translation import to_language, trans_real

_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
_TAG = re.compile(r"<[^>]+>")
_LEAST_LETTERS = 8
"""Around a placeholder: a pattern of less would fit almost anything."""


@cache
def _known(language: str) -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """The English texts that have another text in this language: plain ones, and patterns."""
    catalog = trans_real.translation(to_language(language))._catalog
    plain, patterns, told_so = set(), [], set()
    for english, told in _pairs(catalog):
        source, target = _plain(english), _plain(told)
        told_so.add(target)
        if not source or not target or source == target:
            continue
        if not _PLACEHOLDER.search(source):
            plain.add(source)
        elif sum(each.isalpha() for each in _PLACEHOLDER.sub("", source)) >= _LEAST_LETTERS:
            parts = (re.escape(part) for part in _PLACEHOLDER.split(source))
            patterns.append(re.compile(".+?".join(parts)))
    # What another message is translated with is no English that was left: Indonesian "Email".
    return frozenset(plain - told_so), tuple(patterns)


def _pairs(catalog: object) -> Iterable[tuple[str, str]]:
    """Message and translation; without contexts, of plurals the first form."""
    for key, told in catalog.items():  # type: ignore[attr-defined]
        english = key[0] if isinstance(key, tuple) else key
        if english and isinstance(told, str):
            yield english.rpartition("\x04")[2], told


def _plain(text: str) -> str:
    return " ".join(_TAG.sub("", text).split())


def left(language: str, texts: Iterable[str]) -> list[str]:
    """The texts of a page that are English though this language has another text for them."""
    if language == "en":
        return []
    plain, patterns = _known(language)
    return [
        text for text in texts
        if text in plain or any(pattern.fullmatch(text) for pattern in patterns)
    ]  # fmt: skip
