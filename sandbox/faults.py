"""What can be wrong with an answer of YCloud's, before or after the call was applied.

A fault is `{"fault": kind, "seconds": …}`. Kinds that spoil an answer apply the call first, unless
the fault says `"applied": false`.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from typing import Any

from sandbox.envelope import Answer, RefusalError

HTML = b"<html><body>Welcome to nginx!</body></html>"
HUGE = 10_000_000
_WORDS = ("status", "codeVerificationStatus", "nameStatus", "qualityRating", "messagingLimit",
          "accountReviewStatus", "businessVerificationStatus", "banState")  # fmt: skip
_KEPT = ("id", "wabaId", "items", "offset", "limit", "length")


def answered(fault: dict[str, Any], answer: Callable[[], Answer]) -> Answer:
    """The answer under this fault; without a kind, the plain one. Raises RefusalError."""
    kind, seconds = str(fault.get("fault", "")), float(fault.get("seconds", 1))
    if kind in ("rate_limited", "rate_limited_silent"):
        wait = {"retry_after": seconds} if kind == "rate_limited" else {}
        raise RefusalError(429, "TOO_MANY_REQUESTS", "Too many requests.", **wait)
    if kind == "server_error":
        raise RefusalError(503, "SERVICE_UNAVAILABLE", "Please try again later.")
    if kind == "timeout_before":
        return Answer(drop=seconds)
    if kind in SPOILED and fault.get("applied", True) is False:
        return SPOILED[kind](Answer(body={}))
    plain = answer()
    if kind == "timeout_after":
        plain.drop = seconds
    if kind == "slow":
        plain.wait = seconds
    return SPOILED[kind](plain) if kind in SPOILED else plain


def _raw(status: int, content: bytes) -> Callable[[Answer], Answer]:
    return lambda plain: Answer(status, raw=content)


def _half(plain: Answer) -> Answer:
    return Answer(plain.status, raw=json.dumps(plain.body).encode(), half=True)


def _redirect(plain: Answer) -> Answer:
    return Answer(302, raw=b"", headers={"Location": "https://elsewhere.example/login"})


def _each(body: Any, change: Callable[[str, Any], Any]) -> Any:
    if isinstance(body, dict):
        return {
            name: _each(value, change) if name == "items" else change(name, value)
            for name, value in body.items()
        }
    return [_each(value, change) for value in body] if isinstance(body, list) else body


def _nulls(plain: Answer) -> Answer:
    """Every field null but the ids and the page's own."""
    changed = _each(copy.deepcopy(plain.body), lambda n, v: v if n in _KEPT else None)
    return Answer(plain.status, changed)


def _new_words(plain: Answer) -> Answer:
    """Words that no documentation has."""
    changed = _each(
        copy.deepcopy(plain.body), lambda n, v: f"NEW_{n}".upper() if n in _WORDS else v
    )
    return Answer(plain.status, changed)


SPOILED: dict[str, Callable[[Answer], Answer]] = {
    "garbage": _raw(200, HTML),
    "html_502": _raw(502, HTML),
    "empty": _raw(200, b""),
    "wrong_type": _raw(200, b"[1, 2, 3]"),
    "huge": _raw(200, b"[" + b"0," * (HUGE // 2) + b"0]"),
    "half": _half,
    "redirect": _redirect,
    "nulls": _nulls,
    "new_words": _new_words,
}


def wait(answer: Answer) -> None:
    """Hold a slow answer back."""
    if answer.wait:
        time.sleep(answer.wait)
