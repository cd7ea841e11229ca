"""YCloud's side: accounts, numbers, binds, register, balance, webhook endpoints, errors, limits."""

from __future__ import annotations

import re
import secrets
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from sandbox import faults
from sandbox.envelope import Answer, Call, RefusalError, envelope, meta_refusal, page_of
from sandbox.world import KEYS, Account, Number, World

REGISTER_MOST = 10
REGISTER_WINDOW = 72 * 3600
PER_SECOND, PER_HOUR = 200, 10_000
MOST_ENDPOINTS = 20


class YCloud:
    """Answers calls on a World. `emit(type, payload)` sends a webhook event."""

    def __init__(self, world: World, emit: Callable[[str, dict[str, Any]], None]) -> None:
        self.world = world
        self.emit = emit
        self.per_second, self.per_hour = PER_SECOND, PER_HOUR
        self.per_hour_of: dict[str, int] = {}  # where one account has another quota
        self.forget_windows()

    def set_quota(self, sent: dict[str, Any]) -> None:
        """What the control panel asks for; `key`: an hour's quota of this account alone."""
        if key := sent.get("key"):
            self.per_hour_of[key] = int(sent["per_hour"])
            return
        self.per_second = int(sent.get("per_second", self.per_second))
        self.per_hour = int(sent.get("per_hour", self.per_hour))

    def forget_windows(self) -> None:
        """No call counts any more."""
        self._windows: dict[str, tuple[deque[float], deque[float]]] = {}

    def answer(self, call: Call) -> Answer:
        """The answer to a call, with YCloud's headers; the call is noted."""
        request_id = f"req_{secrets.token_hex(8)}"
        with self.world.lock:
            limits = self._count(call.key)
            self._fault = ""
            try:
                answer = self._answered(call)
            except RefusalError as refusal:
                answer = envelope(refusal, request_id)
            answer.headers |= {"YCloud-Request-ID": request_id, **limits}
            self._note(call, answer)
            return answer

    def _note(self, call: Call, answer: Answer) -> None:
        self.world.calls.append(
            {
                "at": self.world.clock(),
                "key": call.key if call.key in KEYS else "",
                "method": call.method,
                "path": call.path,
                "query": call.query,
                "status": answer.status if answer.drop is None else None,
                "fault": self._fault,
            }
        )

    def _count(self, key: str) -> dict[str, str]:
        """The documented quota: 200 a second and 10,000 an hour for a whole account."""
        now, per_hour = self.world.clock(), self.per_hour_of.get(key, self.per_hour)
        last_second, last_hour = self._windows.setdefault(key, (deque(), deque()))
        for window, seconds in ((last_second, 1.0), (last_hour, 3600.0)):
            while window and window[0] <= now - seconds:
                window.popleft()
            window.append(now)
        self._over = len(last_second) > self.per_second or len(last_hour) > per_hour
        left = max(min(self.per_second - len(last_second), per_hour - len(last_hour)), 0)
        return {
            "RateLimit-Limit": str(self.per_second),
            "RateLimit-Remaining": str(left),
            "RateLimit-Reset": "1",
        }

    def _answered(self, call: Call) -> Answer:
        if call.key not in KEYS:
            raise RefusalError(401, "UNAUTHORIZED", "The API key is not valid.")
        if self._over:
            raise RefusalError(429, "TOO_MANY_REQUESTS", "Too many requests.", retry_after=1)
        for method, pattern, name in ROUTES:
            found = re.fullmatch(pattern, call.path)
            if found and method == call.method:
                return self._faulty(name, call, [unquote(part) for part in found.groups()])
        raise RefusalError(404, "NOT_FOUND", "There is no such endpoint.")

    def _faulty(self, name: str, call: Call, parts: list[str]) -> Answer:
        """The endpoint's answer, unless a fault of the scenario comes before or after it."""
        waba_id = call.query.get("filter.wabaId") or (parts[0] if parts else "")
        fault = self.world.take_fault(name, self.world.accounts.get(waba_id)) or {}
        self._fault = str(fault.get("fault", ""))
        return faults.answered(fault, lambda: getattr(self, f"_{name}")(call, *parts))

    # --- Accounts ----------------------------------------------------------------------------

    def _account(self, call: Call, waba_id: str, *, bound: bool = True) -> Account:
        """What the caller's account may see of it; `bound`: it has to be bound to that already."""
        account = self.world.accounts.get(waba_id)
        if account is None:
            raise RefusalError(404, "NOT_FOUND", "The WhatsApp Business Account does not exist.")
        shown = self.world.shown_to(call.key, account)
        if not shown and (bound or account["bound"]):
            raise RefusalError(
                403,
                "WHATSAPP_BUSINESS_ACCOUNT_UNAVAILABLE",
                "The account hasn't bound WABA null.",
            )
        return account

    def _list_accounts(self, call: Call) -> Answer:
        wanted = call.query.get("filter.accountReviewStatus")
        found = [
            a["answer"]
            for a in self.world.accounts.values()
            if self.world.shown_to(call.key, a)
            and wanted in (None, a["answer"]["accountReviewStatus"])
        ]
        return Answer(body=page_of(found, call.query))

    def _retrieve_account(self, call: Call, waba_id: str) -> Answer:
        return Answer(body=dict(self._account(call, waba_id)["answer"]))

    def _tp_bind(self, call: Call, waba_id: str) -> Answer:
        account = self._account(call, waba_id, bound=False)
        account |= {"bound": True, "holder": call.key}
        return Answer(body=dict(account["answer"]))

    def _smb_bind(self, call: Call, waba_id: str) -> Answer:
        account = self._account(call, waba_id, bound=False)
        numbers = self.world.numbers_of(waba_id)
        if not account["in_app"] or not numbers:
            raise RefusalError(
                400, "BAD_REQUEST", "The WABA has no number of the WhatsApp Business app."
            )
        account |= {"bound": True, "holder": call.key}
        for number in numbers:
            self._connect(number)
        first = numbers[0]["answer"]
        keys = ("id", "phoneNumber", "wabaId")
        return Answer(body={**{key: first[key] for key in keys}, "status": "PENDING"})

    # --- Numbers -----------------------------------------------------------------------------

    def _list_numbers(self, call: Call) -> Answer:
        waba_id = call.query.get("filter.wabaId")
        found = [
            self.world.settled(n)["answer"]
            for n in self.world.numbers.values()
            if waba_id in (None, n["waba_id"])
            and self.world.shown_to(call.key, self.world.accounts[n["waba_id"]])
        ]
        return Answer(body=page_of(found, call.query))

    def _retrieve_number(self, call: Call, waba_id: str, e164: str) -> Answer:
        self._account(call, waba_id)
        for number in self.world.numbers_of(waba_id):
            if number["answer"]["phoneNumber"] == e164:
                return Answer(body=dict(number["answer"]))
        raise RefusalError(404, "NOT_FOUND", "The phone number does not exist.")

    def _register(self, call: Call, waba_id: str, number_id: str) -> Answer:
        account = self._account(call, waba_id)
        number = self.world.numbers.get(number_id)
        if number is None or number["waba_id"] != waba_id:
            raise RefusalError(404, "NOT_FOUND", "The phone number does not exist.")
        self._count_register(number)
        answer = self.world.settled(number)["answer"]
        if account["in_app"]:
            raise meta_refusal("100", "A number of the WhatsApp Business app is not registered.")
        if answer["codeVerificationStatus"] != "VERIFIED":
            raise meta_refusal("133006", "Phone number needs to be verified before registering.")
        if number["pin"]:
            raise meta_refusal("133005", "Two step verification PIN mismatch.")
        if number["name_review"]:
            raise meta_refusal(
                "100", "Cannot register: the display name is not approved.", "2388001"
            )
        if answer["status"] != "CONNECTED":
            self._connect(number)
        return Answer(body=dict(answer))

    def _count_register(self, number: Number) -> None:
        """At most 10 requests in a moving window of 72 h, then a block of 72 h (Meta 133016)."""
        now = self.world.clock()
        recent = [at for at in number["registers"] if at > now - REGISTER_WINDOW]
        number["registers"] = [*recent, now]
        if len(recent) >= REGISTER_MOST:
            number["blocked_until"] = now + REGISTER_WINDOW
        if now < number["blocked_until"]:
            raise meta_refusal("133016", "There were too many registration attempts.")

    def _connect(self, number: Number) -> None:
        after = number["connect_after"]
        number["connect_at"] = self.world.clock() + after
        self.world.settled(number)

    # --- Balance and webhook endpoints ---------------------------------------------------------

    def _balance(self, call: Call) -> Answer:
        return Answer(body={"amount": self.world.balances[call.key], "currency": "USD"})

    def _endpoints(self, call: Call) -> dict[str, dict[str, Any]]:
        known = self.world.endpoints.items()
        return {i: each for i, each in known if each.get("holder", KEYS[0]) == call.key}

    def _endpoint(self, call: Call, endpoint_id: str) -> dict[str, Any]:
        if endpoint_id not in self._endpoints(call):
            raise RefusalError(404, "NOT_FOUND", "The webhook endpoint does not exist.")
        return self.world.endpoints[endpoint_id]

    def _list_endpoints(self, call: Call) -> Answer:
        shown = [_shown(each) for each in self._endpoints(call).values()]
        return Answer(body=page_of(shown, call.query))

    def _create_endpoint(self, call: Call) -> Answer:
        if len(self._endpoints(call)) >= MOST_ENDPOINTS:
            raise RefusalError(400, "BAD_REQUEST", "There are 20 webhook endpoints already.")
        for name in ("url", "enabledEvents"):
            if not call.body.get(name):
                raise RefusalError(400, "PARAM_MISSING", f"{name} is missing.", target=name)
        made = {
            "id": f"wh{secrets.token_hex(12)}",
            "url": call.body["url"],
            "enabledEvents": call.body["enabledEvents"],
            "description": call.body.get("description"),
            "status": call.body.get("status", "active"),
            "secret": _new_secret(),
            "createTime": now_text(self.world),
            "updateTime": now_text(self.world),
        }
        self.world.endpoints[made["id"]] = made | {"holder": call.key}
        return Answer(body=made)

    def _retrieve_endpoint(self, call: Call, endpoint_id: str) -> Answer:
        return Answer(body=_shown(self._endpoint(call, endpoint_id)))

    def _update_endpoint(self, call: Call, endpoint_id: str) -> Answer:
        endpoint = self._endpoint(call, endpoint_id)
        known = ("url", "enabledEvents", "description", "status")
        endpoint.update({k: v for k, v in call.body.items() if k in known})
        endpoint["updateTime"] = now_text(self.world)
        return Answer(body=_shown(endpoint))

    def _delete_endpoint(self, call: Call, endpoint_id: str) -> Answer:
        del self.world.endpoints[self._endpoint(call, endpoint_id)["id"]]
        return Answer(body={})

    def _rotate_secret(self, call: Call, endpoint_id: str) -> Answer:
        endpoint = self._endpoint(call, endpoint_id)
        endpoint["secret"] = _new_secret()
        return Answer(body=_shown(endpoint))


_WABA = "/whatsapp/businessAccounts/([^/]+)"
_HOOK = "/webhookEndpoints/([^/]+)"
ROUTES = (
    ("GET", "/whatsapp/businessAccounts", "list_accounts"),
    ("GET", _WABA, "retrieve_account"),
    ("POST", f"{_WABA}/tp/bind", "tp_bind"),
    ("POST", f"{_WABA}/smb/bind", "smb_bind"),
    ("GET", "/whatsapp/phoneNumbers", "list_numbers"),
    ("GET", "/whatsapp/phoneNumbers/([^/]+)/([^/]+)", "retrieve_number"),
    ("POST", "/whatsapp/phoneNumbers/([^/]+)/([^/]+)/register", "register"),
    ("GET", "/balance", "balance"),
    ("GET", "/webhookEndpoints", "list_endpoints"),
    ("POST", "/webhookEndpoints", "create_endpoint"),
    ("GET", _HOOK, "retrieve_endpoint"),
    ("PATCH", _HOOK, "update_endpoint"),
    ("DELETE", _HOOK, "delete_endpoint"),
    ("POST", f"{_HOOK}/rotateSecret", "rotate_secret"),
)


def now_text(world: World) -> str:
    """RFC 3339 with milliseconds and Z, as YCloud writes times."""
    text = datetime.fromtimestamp(world.clock(), UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _shown(endpoint: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in endpoint.items() if name != "holder"}


def _new_secret() -> str:
    return f"whsec_{secrets.token_hex(16)}"
