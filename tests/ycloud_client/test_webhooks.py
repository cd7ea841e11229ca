"""Signatures and events of YCloud's webhooks."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.openapi import VECTORS, needs_vectors
from ycloud_client.webhooks import Event, SignatureError, sign, verify_signature

BODY = b'{"id":"evt_1","type":"whatsapp.business_account.updated"}'
NOW = 1_700_000_000


def header(secret: str = "whsec_a", at: int = NOW, body: bytes = BODY) -> str:
    return f"t={at},s={sign(body, secret, at)}"


def why(*args: Any, **named: Any) -> str:
    with pytest.raises(SignatureError) as caught:
        verify_signature(*args, **named)
    return caught.value.why


@needs_vectors
def test_the_published_vectors_are_judged_as_published() -> None:
    for vector in json.loads(VECTORS.read_text())["vectors"]:
        encoded = vector.get("raw_body_base64")
        body = base64.b64decode(encoded) if encoded else vector["raw_body"].encode()
        args = (body, vector["header"], [vector["secret"]])
        if vector["valid"]:
            verify_signature(*args, now=vector["t"])
        else:
            assert why(*args, now=vector["t"]) == "mismatch"


def test_a_body_that_was_touched_is_refused() -> None:
    assert why(BODY + b" ", header(), ["whsec_a"], now=NOW) == "mismatch"


def test_several_secrets_let_one_rotate() -> None:
    verify_signature(BODY, header("whsec_old"), ["whsec_new", "whsec_old"], now=NOW)


def test_several_signatures_let_ycloud_rotate() -> None:
    both = f"t={NOW},s={'0' * 64},s={sign(BODY, 'whsec_a', NOW)}"
    verify_signature(BODY, both, ["whsec_a"], now=NOW)


@pytest.mark.parametrize("shift", [301, -301])
def test_a_stale_or_future_time_is_refused(shift: int) -> None:
    assert why(BODY, header(), ["whsec_a"], now=NOW + shift) == "stale"


@pytest.mark.parametrize("shift", [299, -299, 300, -300, 300.9])
def test_five_minutes_of_difference_are_tolerated(shift: int) -> None:
    verify_signature(BODY, header(), ["whsec_a"], now=NOW + shift)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "t=1",
        "s=ab",
        "t=x,s=ab",
        "t=1,t=2,s=ab",
        "t=,s=ab",
        "t=1,s=",
        "garbage",
        "t=" + "9" * 40,
    ],
)
def test_a_malformed_header_is_refused(text: str) -> None:
    assert why(BODY, text, ["whsec_a"], now=NOW) == "malformed"


def hexed(body: bytes, secret: str, at: int | str = NOW) -> str:
    return sign(body, secret, at)


@pytest.mark.parametrize(
    "signature",
    [
        hexed(BODY, "whsec_a").upper(),  # lower-case hex is what YCloud sends
        hexed(BODY, "a"),  # the key is the whole secret, its prefix included
        hexed(BODY, "whsec_a")[:-1],
        hexed(BODY, "whsec_a") + "0",
        hexed(BODY, "whsec_a", NOW + 1),  # another time than the header's
        hexed(BODY.replace(b":", b": "), "whsec_a"),  # the same JSON, written differently
        hexed(BODY + b".", "whsec_a"),
        "é" * 64,
        "0" * 64,
    ],
)
def test_a_signature_of_anything_else_is_refused(signature: str) -> None:
    assert why(BODY, f"t={NOW},s={signature}", ["whsec_a"], now=NOW) == "mismatch"


@pytest.mark.parametrize(
    "text",
    [
        f"s={hexed(BODY, 'whsec_a')},t={NOW}",
        f"t={NOW}, s={hexed(BODY, 'whsec_a')}",
        f"t={NOW},v=2,s={hexed(BODY, 'whsec_a')}",
        f"t=0{NOW},s={hexed(BODY, 'whsec_a', f'0{NOW}')}",
    ],
)
def test_order_spaces_and_unknown_parts_of_the_header_do_not_matter(text: str) -> None:
    verify_signature(BODY, text, ["whsec_a"], now=NOW)


def test_an_empty_body_can_be_signed_too() -> None:
    verify_signature(b"", header(body=b""), ["whsec_a"], now=NOW)


@pytest.mark.parametrize("secrets", [[], [""]])
def test_without_a_secret_nothing_is_accepted(secrets: list[str]) -> None:
    assert why(BODY, header(""), secrets, now=NOW) == "no_secret"


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"{}", b'{"id": 5, "type": "a"}', b'{"id": "x"}', b"nonsense"]
)
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        Event.parse(body)


@pytest.mark.parametrize(
    "payload",
    [
        {"whatsappBusinessAccount": {"id": "42"}},
        {"whatsappPhoneNumber": {"id": "7", "wabaId": "42"}},
        {"whatsappInboundMessage": {"wabaId": "42"}},
    ],
)
def test_the_account_is_found_in_any_payload(payload: dict[str, Any]) -> None:
    event = Event.parse(json.dumps({"id": "evt_1", "type": "some.type", **payload}).encode())
    assert event.waba_id == "42"
