"""YCloud's webhooks: the signature and the event."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ycloud_client.text import loads

TOLERANCE_SECONDS = 300


class SignatureError(ValueError):
    """The signature is not accepted; `why`: no_secret, malformed, stale or mismatch."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def sign(raw_body: bytes, secret: str, timestamp: int | str) -> str:
    """The hex HMAC-SHA256; the key is the whole secret, `whsec_` included (vectors of the kit).

    `timestamp` is signed as it is written in the header, digit by digit.
    """
    message = str(timestamp).encode() + b"." + raw_body
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def verify_signature(
    raw_body: bytes,
    header: str,
    secrets: Sequence[str],
    *,
    now: float,
    tolerance_seconds: float = TOLERANCE_SECONDS,
) -> None:
    """Check `YCloud-Signature: t=<unix seconds>,s=<hex>`; raises SignatureError.

    Several secrets allow a rotation. Compares in constant time, each signature with each secret.
    The time is compared in whole seconds, as it is written.
    """
    usable = [secret for secret in secrets if secret]
    if not usable:
        raise SignatureError("no_secret")
    timestamp, signatures = _parts(header)
    if abs(int(now) - int(timestamp)) > tolerance_seconds:
        raise SignatureError("stale")
    fits = False
    for secret in usable:
        expected = sign(raw_body, secret, timestamp).encode()
        for signature in signatures:
            fits |= hmac.compare_digest(expected, signature.encode())
    if not fits:
        raise SignatureError("mismatch")


def _parts(header: str) -> tuple[str, list[str]]:
    times: list[str] = []
    signatures: list[str] = []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            times.append(value)
        elif name == "s":
            signatures.append(value)
    plain = len(times) == 1 and times[0].isascii() and times[0].isdigit() and len(times[0]) <= 12
    if not plain or not any(signatures):
        raise SignatureError("malformed")
    return times[0], signatures


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `payload` is whichever `whatsapp…` object it carries, `body` the whole."""

    id: str
    type: str
    created_at: str = ""
    waba_id: str | None = None
    phone_number_id: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict, repr=False)
    body: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, raw_body: bytes) -> Event:
        """From the raw body. Raises ValueError when it is no event (no object, no id, no type)."""
        body = loads(raw_body)
        if not isinstance(body, dict):
            raise ValueError("an event is a JSON object")
        event_id, kind = body.get("id"), body.get("type")
        if not (isinstance(event_id, str) and 0 < len(event_id) <= 128):
            raise ValueError("the event has no id")
        if not (isinstance(kind, str) and kind):
            raise ValueError("the event has no type")
        account, number = (
            _object(body, "whatsappBusinessAccount"),
            _object(body, "whatsappPhoneNumber"),
        )
        return cls(
            id=event_id,
            type=kind,
            created_at=str(body.get("createTime") or ""),
            waba_id=_id(account.get("id")) or _id(number.get("wabaId")) or _waba_of(body),
            phone_number_id=_id(number.get("id")),
            payload=account or number,
            body=body,
        )


def _object(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _waba_of(body: Mapping[str, Any]) -> str | None:
    """The wabaId of any other payload object."""
    for value in body.values():
        if isinstance(value, dict) and (found := _id(value.get("wabaId"))):
            return found
    return None


def _id(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
