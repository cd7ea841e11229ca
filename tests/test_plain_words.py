"""Plain words: what a customer reads says what things are, briefly, and blames nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Message
from django.utils import translation

from devstack import translations
from devstack.translations import catalogues
from onboarding.reasons import REASONS

NOT_FOR_CUSTOMERS = (
    "config/borrowed.py",  # others' words, of the API and of forms
    "onboarding/api/",  # programmers read them
    "onboarding/messages/staff.py",
    "onboarding/messages/troubles.py",
    "onboarding/reasons/staff",
    "templates/mail/alert",
    "templates/mail/digest",
)

JARGON = re.compile(
    r"\b(WABAs?|coexistence|APIs?|BSPs?|ISVs?|SaaS|webhooks?|OAuth|SDKs?|tokens?|payloads?|JSON"
    r"|endpoints?|onboardings?|tenants?|E\.?164|SMB|bind|bound|OTP|TOTP|WebAuthn|HTTP|HTTPS|URLs?"
    r"|DNS|CSRF|cookies?|sessions?|slugs?|scopes?|ids?|IDs?|PINs?|JavaScript|callback|backend"
    r"|business portfolio|credit lines?|display name|quality rating|tier|throttled|invalid"
    r"|JS|MFA|2FA|SSO)\b",
)
EXPLAINED = {
    "PIN": "the phone asks for one by this name, and each sentence says of what",
    "JavaScript": "the browser's own setting is called so, and the sentence says what it is for",
    "business portfolio": "Meta's window asks to choose one by this name",
    "display name": "Meta's pages call it so; it is the name that people see in a chat",
    "session": "the account page has a list of them: “Where you are signed in”",
    "sessions": "the same",
}
"""Word -> why a customer understands it."""
EXPLAINED_IN = {
    "Try again in a minute; then tell your partner the request id.": "the answer's own field",
    "QR code scan camera invalid": "words that an error is looked up by",
    "new or API number": "the desk's word; an attempt without a name or a number is called so",
}
"""The beginning of a text -> how it explains its own word."""

BLAME = re.compile(
    r"\b(please|you (cancel+ed|failed|forgot|must)|your (fault|mistake|error)|illegal|wrongly|sorry"
    r"|oops)\b",
    re.IGNORECASE,
)
LONGEST = 25
"""Words of one sentence."""


def of_staff() -> set[str]:
    """The texts of reasons that only staff are shown."""
    with translation.override("en"):
        told: dict[bool, set[str]] = {True: set(), False: set()}
        for each in REASONS.values():
            told[bool(each.public)] |= {str(t) for t in (each.what, each.why, *each.remedy)}
        return told[True] - told[False]


def texts() -> Iterator[tuple[str, str]]:
    """(where, text) of all that a customer reads."""
    hidden = of_staff()
    for message in catalogues.template_of(translations.ROOT):
        if message.id and not _path(message).startswith(NOT_FOR_CUSTOMERS):
            for text in message.id if isinstance(message.id, tuple) else (message.id,):
                if text not in hidden:
                    yield _path(message), text


def _path(message: Message) -> str:
    return str(message.locations[0][0])


def unexplained(text: str) -> list[str]:
    if text.startswith(tuple(EXPLAINED_IN)):
        return []
    shown = re.sub(r"%\(\w+\)[sd]|<[^>]*>", " ", text)
    return [word for word in JARGON.findall(shown) if word not in EXPLAINED]


def sentences(text: str) -> list[str]:
    shown = re.sub(r"<[^>]*>", "", text)
    return [each for each in re.split(r"(?<=[.!?:;])\s+|\n", shown) if each.strip()]


def test_no_text_has_a_word_that_needs_explaining() -> None:
    found = [(where, words, text) for where, text in texts() if (words := unexplained(text))]
    assert not found, "\n".join(f"{w}: {', '.join(j)}: {t}" for w, j, t in found)


def test_no_text_begs_or_blames() -> None:
    found = [(where, text) for where, text in texts() if BLAME.search(text)]
    assert not found, "\n".join(f"{where}: {text}" for where, text in found)


def test_no_sentence_is_too_long_to_read_in_a_hurry() -> None:
    found = [
        (where, each)
        for where, text in texts()
        for each in sentences(text)
        if len(each.split()) > LONGEST
    ]
    assert not found, "\n".join(f"{where}: {each}" for where, each in found)


def test_each_exception_is_still_needed() -> None:
    said = [text for _, text in texts()]
    assert [each for each in EXPLAINED if not any(re.search(rf"\b{each}\b", t) for t in said)] == []


@pytest.mark.parametrize(
    "text", ["Your WABA is ready.", "It uses the API.", "For %(tenant)s: your onboarding"]
)
def test_jargon_is_seen(text: str) -> None:
    assert len(unexplained(text)) == 1
