"""The shapes of YCloud's API: a call, an answer, the error envelope, the page."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answer:
    """What goes back; `drop`: hold the connection for so many seconds, then break it; `wait`: be
    late; `half`: break it in the middle of the body.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: float | None = None
    raw: bytes | None = None
    wait: float = 0.0
    half: bool = False


@dataclass(frozen=True)
class Call:
    """One request: the path's segments after /v2, decoded; query; body."""

    method: str
    path: str
    query: dict[str, str]
    body: dict[str, Any]
    key: str


class RefusalError(Exception):
    """An error in YCloud's envelope."""

    def __init__(self, status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.more = status, code, message, more


def meta_refusal(code: str, message: str, subcode: str = "") -> RefusalError:
    """Meta said no: YCloud passes its error on inside its own."""
    meta = {"code": code, "message": message, "type": "OAuthException", "fbtrace_id": "Asandbox"}
    if subcode:
        meta["error_subcode"] = subcode
    return RefusalError(
        400, "BAD_REQUEST", message, target="whatsappApiError", whatsappApiError=meta
    )


def page_of(found: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    """One page; raises RefusalError for a page or limit outside 1..100."""
    page, limit = _whole(query, "page", 1), _whole(query, "limit", 10)
    offset = (page - 1) * limit
    items = found[offset : offset + limit]
    shown = {"offset": offset, "limit": limit, "length": len(items), "items": items}
    if query.get("includeTotal") == "true":
        shown["total"] = len(found)
    return shown


def _whole(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise RefusalError(
            400,
            "PARAM_INVALID",
            f"Parameter '{name}' should be between 1 and 100.",
            target=name,
        )
    return int(text)


def envelope(refusal: RefusalError, request_id: str) -> Answer:
    """The error as YCloud sends it, with Retry-After where it asks to wait."""
    more = dict(refusal.more)
    wait = more.pop("retry_after", None)
    error = {
        "status": refusal.status,
        "code": refusal.code,
        "message": refusal.message,
        "requestId": request_id,
        **more,
    }
    headers = {"Retry-After": str(max(int(wait), 1))} if wait is not None else {}
    return Answer(refusal.status, json.loads(json.dumps({"error": error})), headers)


def object_of(raw: bytes) -> dict[str, Any]:
    """The JSON object of a request; {} for anything else."""
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
