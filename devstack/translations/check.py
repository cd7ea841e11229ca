"""What is wrong with a catalogue: what is missing, stale, or differs where it may not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from babel.messages.catalog import Catalog, Message

from devstack.translations import PLURALS, catalogues

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%|%[sd]|\{\w+(?::\w+)?\}")
TAG = re.compile(r"</?[a-zA-Z][^>]*>")
LEFT_TO_RIGHT = {
    "code", "deleted_email", "digits", "email", "from_email", "ip", "names", "number", "reference",
    "scope", "step", "to_email", "url", "user_agent", "word",
}  # fmt: skip
"""Placeholders that stand for an address, a number, an id or a code: in a sentence that runs from
right to left their parts would change places, unless marks or `<bdi>` keep them together."""
_ISOLATED = re.compile("[\u2066\u2068][^\u2066\u2068\u2069]*\u2069|<bdi[^>]*>.*?</bdi>", re.DOTALL)
RIGHT_TO_LEFT = {"ar"}


def faults_of(language: str, template: Catalog, catalogue: Catalog) -> list[str]:
    """One line for each fault, the stale and the missing ones first."""
    now, kept = _messages(template), _messages(catalogue)
    faults = [f"stale, no longer said: {_quote(kept[key])}" for key in kept.keys() - now.keys()]
    faults += [f"stale, not gathered yet: {_quote(now[key])}" for key in now.keys() - kept.keys()]
    both = [kept[key] for key in now if key in kept]
    faults += [f"missing: {_quote(each)}" for each in both if not _is_whole(each, language)]
    for each in both:
        if _is_whole(each, language):
            faults += [f"{fault}: {_quote(each)}" for fault in _differences(each, language)]
    return faults


def report(language: str, faults: list[str], shown: int = 10) -> str:
    """The number, and the first of them."""
    more = [f"  … and {len(faults) - shown} more"] if len(faults) > shown else []
    lines = [f"{language}: {len(faults)} faults", *(f"  {each}" for each in faults[:shown]), *more]
    return "\n".join(lines)


def check(template: Catalog) -> dict[str, list[str]]:
    """Language -> its faults."""
    return {each: faults_of(each, template, catalogues.read(each)) for each in PLURALS}


def _messages(catalogue: Catalog) -> dict[tuple[str | None, str], Message]:
    return {(each.context, _one(each)): each for each in catalogue if each.id}


def _one(message: Message) -> str:
    return str(message.id[0] if isinstance(message.id, tuple) else message.id)


def _quote(message: Message) -> str:
    text = _one(message)
    return repr(text if len(text) <= 90 else f"{text[:89]}…")


def _is_whole(message: Message, language: str) -> bool:
    if "fuzzy" in message.flags:
        return False
    if not isinstance(message.id, tuple):
        return bool(message.string)
    forms = message.string if isinstance(message.string, tuple) else (message.string,)
    return len(forms) == PLURALS[language][0] and all(forms)


# --- What may not differ --------------------------------------------------------------------------


def _differences(message: Message, language: str) -> Iterator[str]:
    """A plural's last form says what English says of many; the others may leave the count out."""
    if not isinstance(message.id, tuple):
        yield from _compared(str(message.id), str(message.string), language, whole=True)
        return
    *few, many = tuple(message.string or ())
    for form in few:
        yield from _compared(message.id[1], form, language, whole=False)
    yield from _compared(message.id[1], many, language, whole=True)


def _compared(source: str, text: str, language: str, *, whole: bool) -> Iterator[str]:
    wanted, found = Counter(PLACEHOLDER.findall(source)), Counter(PLACEHOLDER.findall(text))
    if (found != wanted) if whole else (found - wanted):
        yield f"other placeholders ({_listed(wanted)} became {_listed(found)})"
    if sorted(TAG.findall(source)) != sorted(TAG.findall(text)):
        yield "other tags"
    for name, end in ENDS.items():
        if end(source) != end(text):
            yield name
    if language in RIGHT_TO_LEFT and (loose := _loose(text)):
        yield f"not kept left to right ({', '.join(loose)})"


def _listed(found: Counter[str]) -> str:
    return " ".join(sorted(found.elements())) or "none"


def _loose(text: str) -> list[str]:
    """The placeholders of LEFT_TO_RIGHT outside marks and `<bdi>`."""
    outside = _ISOLATED.sub("", text)
    return sorted(LEFT_TO_RIGHT & set(re.findall(r"%\((\w+)\)", outside)))


ENDS: dict[str, Callable[[str], Any]] = {
    "another beginning (blanks or lines)": lambda text: text[: len(text) - len(text.lstrip())],
    "another end (blanks or lines)": lambda text: text[len(text.rstrip()) :],
    "other lines": lambda text: text.count("\n") if text.strip().count("\n") else 0,
}
