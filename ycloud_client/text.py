"""JSON as it may come from outside, made fit to be stored: no NUL, no lone surrogate, no depth.

PostgreSQL's text and jsonb refuse both characters; an odd word must never stop anything.
"""

from __future__ import annotations

import json
from typing import Any


def loads(content: bytes | str) -> Any:
    """The parsed JSON with its strings cleaned. Raises ValueError, also for absurd nesting."""
    try:
        return _clean(json.loads(content))
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_clean(each) for each in value]
    if isinstance(value, dict):
        return {clean(name): _clean(each) for name, each in value.items()}
    return value


def clean(text: str) -> str:
    """Without the characters that cannot be stored."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")
