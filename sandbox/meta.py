"""Meta's side: what its window gives back at the end, the codes, and the Graph exchange."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

from sandbox import scenarios
from sandbox.world import Number, World, new_id

APP_ID = "100000000000001"
APP_SECRET = "sandbox-app-secret"  # noqa: S105 - the sandbox's own
CODE_SECONDS = 30
APP_MODE = "business_app"


@dataclass(frozen=True, slots=True)
class Picked:
    """What the customer chose in the window: a number that is there, or one to add.

    `number_id` comes from the window's list; `phone_number` was typed. Neither: any new number.
    """

    number_id: str = ""
    phone_number: str = ""

    @classmethod
    def of(cls, sent: dict[str, Any]) -> Picked:
        """As the window's page sends it; what is no number counts as nothing."""
        digits = re.sub(r"[^0-9]", "", str(sent.get("phone_number") or ""))
        typed = f"+{digits}" if 8 <= len(digits) <= 15 else ""
        return cls(str(sent.get("number_id") or ""), typed)


NOTHING_PICKED = Picked()


class GraphError(Exception):
    """An error of Graph's."""

    def __init__(self, status: int, code: int, message: str, subcode: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "error": {
                "message": message,
                "type": "OAuthException",
                "code": code,
                "error_subcode": subcode,
                "fbtrace_id": "A" + secrets.token_hex(8),
            }
        }


def asked(world: World, sent: dict[str, Any]) -> dict[str, Any]:
    """`finish` as the window's page, and the tests, ask for it."""
    mode = sent.get("connection_mode", "business_platform")
    wanted = sent.get("scenario", ""), sent.get("params")
    return finish(world, mode, *wanted, picked=Picked.of(sent))


def finish(
    world: World,
    mode: str,
    scenario: str = "",
    params: dict[str, Any] | None = None,
    redirect_uri: str = "",
    picked: Picked = NOTHING_PICKED,
) -> dict[str, Any]:
    """The customer came to the end of the window: the assets exist now.

    `redirect_uri`: of the full-page dialog, which the exchange of its code has to name again.

    Returns `{code, first, messages, waba_id, phone_number_id, business_id, event}`: `messages`
    as the window posts them (JSON strings, or objects), `code` None when the SDK gets none.
    """
    with world.lock:
        chosen = scenario or world.scenario
        wanted = scenarios.traits(chosen, world.params if params is None else params)
        if world.once and not scenario:
            world.scenario, world.params, world.once = "approve", {}, False
        if wanted["ending"] != "finish":
            return _not_finished(wanted)
        number = _there_already(world, picked)
        if number is not None:
            _taken_up(world, number, wanted)
            waba_ids = [number["waba_id"]]
        else:
            waba_ids = _assets(world, wanted, mode, chosen, picked.phone_number)
        world.last_waba_ids = list(waba_ids)
        number_id = number["answer"]["id"] if number else ""
        result = _result(world, wanted, mode, waba_ids, redirect_uri, number_id)
    world.save()
    return result


def _there_already(world: World, picked: Picked) -> Number | None:
    """The number that was picked from the list, or typed though it is there."""
    if picked.number_id:
        return world.numbers.get(picked.number_id)
    typed = picked.phone_number
    same = (n for n in world.numbers.values() if n["answer"]["phoneNumber"] == typed)
    return next(same, None) if typed else None


def _taken_up(world: World, number: Number, wanted: dict[str, Any]) -> None:
    """One that was there, perhaps lost meanwhile, is shared with the partner's provider anew.

    Its status stays: only a register or a bind changes it.
    """
    account = world.accounts[number["waba_id"]]
    account["answer"]["removed"] = False
    account["bound"] = account["bound"] or bool(wanted["bound"])


def _assets(
    world: World, wanted: dict[str, Any], mode: str, scenario: str, phone_number: str
) -> list[str]:
    if wanted["reuse"] and world.last_waba_ids:
        return list(world.last_waba_ids)
    made = [
        world.add_account(wanted, in_app=mode == APP_MODE, scenario=scenario)
        for _ in range(int(wanted["accounts"]))
    ]
    first = world.numbers_of(made[0]["answer"]["id"])
    if phone_number and first:
        first[0]["answer"] |= {"phoneNumber": phone_number, "displayPhoneNumber": phone_number}
    return [account["answer"]["id"] for account in made]


def _result(
    world: World,
    wanted: dict[str, Any],
    mode: str,
    waba_ids: list[str],
    redirect_uri: str,
    number_id: str,
) -> dict[str, Any]:
    waba_id = waba_ids[0]
    numbers = world.numbers_of(waba_id)
    first = number_id or (numbers[0]["answer"]["id"] if numbers else "")
    phone_id = first if wanted["phone_id"] else ""
    if not wanted["listed_number"]:
        phone_id = new_id()
    business_id = world.accounts[waba_id]["answer"]["businessId"]
    granted = waba_ids if wanted["granted"] == "posted" else [new_id()]
    if mode == APP_MODE:
        # Documented so: coexistence posts the WABA alone (Meta, 26 Jun 2026).
        event, data = "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING", {"waba_id": waba_id}
        phone_id = ""
    else:
        event = "FINISH"
        data = {"phone_number_id": phone_id, "waba_id": waba_id, "business_id": business_id}
    event = wanted["event"] or event
    message = _message(event, {k: v for k, v in data.items() if v}, wanted)
    return {
        "code": new_code(world, granted, redirect_uri) if wanted["code"] else None,
        "first": wanted["first"],
        "messages": [message] if wanted["message"] else [],
        "waba_id": waba_id,
        "phone_number_id": phone_id,
        "business_id": business_id,
        "event": event,
    }


def _message(event: str, data: dict[str, Any], wanted: dict[str, Any]) -> Any:
    body = {"data": data, "type": "WA_EMBEDDED_SIGNUP", "event": event, "version": 3}
    return body if wanted["as_object"] else json.dumps(body)


def _not_finished(wanted: dict[str, Any]) -> dict[str, Any]:
    """CANCEL in both shapes, ERROR, or nothing at all."""
    data: dict[str, Any] = {}
    if wanted["ending"] == "cancel":
        event, data = "CANCEL", {"current_step": wanted["step"]}
    elif wanted["ending"] == "report":
        event = "CANCEL"
        data = {
            "error_message": "Your phone number is already registered.",
            "error_code": "3441030",
            "session_id": f"session-{secrets.token_hex(6)}",
            "timestamp": "1790000000",
        }
    else:
        event, data = "ERROR", {"error_message": "Something went wrong. Try again later."}
    messages = [] if wanted["ending"] == "nothing" else [_message(event, data, wanted)]
    return {
        "code": None, "first": "message", "messages": messages, "waba_id": "",
        "phone_number_id": "", "business_id": "", "event": event if messages else "",
    }  # fmt: skip


def new_code(world: World, granted: list[str], redirect_uri: str = "") -> str:
    """A code that grants these WABAs; good once, for 30 seconds."""
    code = f"AQ{secrets.token_urlsafe(40)}"
    world.codes[code] = {
        "granted": granted,
        "until": world.clock() + CODE_SECONDS,
        "redirect_uri": redirect_uri,
    }
    return code


def access_token(world: World, form: dict[str, str]) -> dict[str, Any]:
    """`oauth/access_token`: the code for a token. Raises GraphError."""
    if form.get("client_id") != APP_ID or form.get("client_secret") != APP_SECRET:
        raise GraphError(400, 101, "Error validating application.")
    with world.lock:
        meant = world.codes.get(form.get("code", ""), {})
        if meant and meant["redirect_uri"] != form.get("redirect_uri", ""):
            raise GraphError(400, 100, "The redirect_uri is not that of the dialog.", 36008)
        held = world.codes.pop(form.get("code", ""), None)
        if held is None:
            raise GraphError(400, 100, "This authorization code has been used.", 36009)
        if held["until"] < world.clock():
            raise GraphError(400, 100, "This authorization code has expired.", 36007)
        token = f"EAA{secrets.token_urlsafe(40)}"
        world.tokens[token] = held["granted"]
    return {"access_token": token, "token_type": "bearer"}


def debug_token(world: World, query: dict[str, str], bearer: str) -> dict[str, Any]:
    """`debug_token`: which WABAs the token's granular scopes name. Raises GraphError."""
    app = query.get("access_token") or bearer
    if app != f"{APP_ID}|{APP_SECRET}":
        raise GraphError(400, 190, "Invalid OAuth access token.")
    with world.lock:
        granted = world.tokens.get(query.get("input_token", ""))
    if granted is None:
        return {"data": {"is_valid": False, "scopes": []}}
    scopes = ["whatsapp_business_management", "whatsapp_business_messaging"]
    return {
        "data": {
            "app_id": APP_ID,
            "is_valid": True,
            "type": "SYSTEM_USER",
            "scopes": scopes,
            "granular_scopes": [{"scope": s, "target_ids": list(granted)} for s in scopes],
        }
    }
