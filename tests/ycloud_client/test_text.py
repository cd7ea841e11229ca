"""What cannot be stored is taken out of JSON from outside; absurd nesting is refused."""

from __future__ import annotations

import pytest

from ycloud_client.text import clean, loads
from ycloud_client.webhooks import Event


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [("plain", "plain"), ("a\x00b", "ab"), ("a\ud83db", "ab"), ("é 中 😀", "é 中 😀"), ("", "")],
)
def test_only_what_cannot_be_stored_is_taken_out(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_strings_are_cleaned_wherever_they_are() -> None:
    found = loads(b'{"a\\u0000": ["\\ud83d", {"b": "c\\u0000"}, 1, null, true]}')
    assert found == {"a": ["", {"b": "c"}, 1, None, True]}


def test_absurd_nesting_is_no_json() -> None:
    with pytest.raises(ValueError, match="deeply"):
        loads(b"[" * 200_000)


def test_an_event_is_cleaned_too() -> None:
    raw = b'{"id": "evt_1", "type": "x.y", "note": "a\\u0000b"}'
    assert Event.parse(raw).body["note"] == "ab"
