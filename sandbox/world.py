"""What exists in the sandbox, behind one lock: accounts, numbers, codes, calls; kept in a file."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Account = dict[str, Any]
Number = dict[str, Any]

NAMES = ("John's Cake Shop", "Blue Door Books", "Harbour Bikes", "Luna Flowers", "Casa Verde")
KEYS = ("sandbox-key", "sandbox-key-2")
"""The API keys of the partner's two accounts at YCloud; each sees and counts its own alone."""

BALANCE = 25.0
MOST_CALLS = 500
MOST_LISTED = 50


def new_id() -> str:
    """An id like Meta's: 15 or 16 digits."""
    return str(secrets.randbelow(9 * 10**14) + 10**14)


def restriction(kind: str, now: float, days: float = 7) -> dict[str, str]:
    """A restriction as YCloud writes it."""
    ends = datetime.fromtimestamp(now + 86_400 * days, UTC).isoformat(timespec="milliseconds")
    return {"restrictionType": kind, "expiration": ends.replace("+00:00", "Z")}


class World:
    """The state. Hold `lock` around anything that reads more than one thing or writes."""

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.path = path
        self.scenario = "approve"
        self.params: dict[str, Any] = {}
        self.once = False
        self.accounts: dict[str, Account] = {}
        self.numbers: dict[str, Number] = {}
        self.codes: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, list[str]] = {}
        self.faults: list[dict[str, Any]] = []
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.last_waba_ids: list[str] = []
        self.made = 0
        self.balances = dict.fromkeys(KEYS, BALANCE)
        self.holder = KEYS[0]
        self.calls: deque[dict[str, Any]] = deque(maxlen=MOST_CALLS)
        self.graph_calls: deque[dict[str, Any]] = deque(maxlen=MOST_CALLS)
        self._load()

    KEPT = (
        "scenario", "params", "once", "accounts", "numbers", "faults", "endpoints",
        "last_waba_ids", "made", "holder",
    )  # fmt: skip

    def _load(self) -> None:
        if self.path is not None and self.path.is_file():
            kept = json.loads(self.path.read_text())
            for name in self.KEPT:
                setattr(self, name, kept.get(name, getattr(self, name)))

    def save(self) -> None:
        """Write the state to the file, whole or not at all."""
        if self.path is None:
            return
        with self.lock:
            text = json.dumps({name: getattr(self, name) for name in self.KEPT}, indent=1)
        draft = self.path.with_suffix(".new")
        draft.write_text(text)
        draft.replace(self.path)

    def reset(self) -> None:
        """An empty world with the friendly scenario."""
        with self.lock:
            self.scenario, self.params, self.once = "approve", {}, False
            self.balances = dict.fromkeys(KEYS, BALANCE)
            self.holder = KEYS[0]
            for each in (self.accounts, self.numbers, self.codes, self.tokens, self.endpoints):
                each.clear()
            self.faults.clear()
            self.last_waba_ids.clear()
            self.calls.clear()
            self.graph_calls.clear()

    # --- Making things ---------------------------------------------------------------------------

    def add_account(self, traits: dict[str, Any], *, in_app: bool, scenario: str) -> Account:
        """A WABA with its numbers, as the traits say."""
        waba_id, name = new_id(), NAMES[self.made % len(NAMES)]
        self.made += 1
        account: Account = {
            "bound": bool(traits["bound"]),
            "holder": self.holder,
            "in_app": in_app,
            "scenario": scenario,
            "faults": [dict(fault) for fault in traits["faults"]],
            "answer": {
                "id": waba_id,
                "name": name,
                "currency": "USD",
                "messageTemplateNamespace": secrets.token_hex(16),
                "accountReviewStatus": traits["review"],
                "businessId": new_id(),
                "businessStatus": "APPROVED",
                "businessName": name,
                "businessVerificationStatus": "verified",
                "whatsappBusinessManagerMessagingLimit": "TIER_250",
                "ownershipType": "CLIENT_OWNED",
                "timezoneId": "1",
                "country": "ES",
                "paymentMethodAttached": bool(traits["payment"]),
                "isOnBizApp": in_app,
                "removed": False,
            },
        }
        if traits["ban"]:
            account["answer"]["banState"] = traits["ban"]
        if traits["restricted"]:
            account["answer"]["restrictions"] = [restriction(traits["restricted"], self.clock())]
        account["answer"] |= traits["account"]
        self.accounts[waba_id] = account
        for _ in range(int(traits["numbers"])):
            self.add_number(waba_id, traits)
        return account

    def add_number(self, waba_id: str, traits: dict[str, Any]) -> Number:
        """A number of the WABA; Ofcom's and Spain's ranges hold nobody's real customers here."""
        number_id = new_id()
        digits = f"+34612{secrets.randbelow(10**6):06d}"
        in_app = self.accounts[waba_id]["in_app"]
        number: Number = {
            "waba_id": waba_id,
            "connect_after": float(traits["connect_after"]),
            "connect_at": None,
            "pin": bool(traits["pin"]),
            "name_review": bool(traits["name_review"]),
            "registers": [],
            "blocked_until": 0.0,
            "answer": {
                "id": number_id,
                "phoneNumber": digits,
                "displayPhoneNumber": " ".join(
                    ("+34", digits[3:6], digits[6:8], digits[8:10], digits[10:])
                ),
                "wabaId": waba_id,
                "verifiedName": self.accounts[waba_id]["answer"]["name"],
                "qualityRating": "GREEN",
                "messagingLimit": "TIER_250",
                "whatsappBusinessManagerMessagingLimit": "TIER_250",
                "isOfficialBusinessAccount": False,
                "codeVerificationStatus": "VERIFIED" if traits["verified"] else "NOT_VERIFIED",
                "status": traits["status"],
                "nameStatus": "PENDING_REVIEW" if traits["name_review"] else "APPROVED",
                "newNameStatus": None,
                "isOnBizApp": in_app,
                **traits["number"],
            },
        }
        self.numbers[number_id] = number
        return number

    # --- Reading ---------------------------------------------------------------------------------

    def numbers_of(self, waba_id: str) -> list[Number]:
        """The WABA's numbers, settled to this moment."""
        return [self.settled(n) for n in self.numbers.values() if n["waba_id"] == waba_id]

    def told_of(self, payload: dict[str, Any]) -> tuple[list[dict[str, Any]], bool]:
        """The webhook endpoints of the YCloud account that an event is about, and whether that is
        the first one.
        """
        waba = payload.get("whatsappBusinessAccount", {}).get("id")
        waba_id = waba or payload.get("whatsappPhoneNumber", {}).get("wabaId")
        with self.lock:
            holder = self.accounts.get(str(waba_id), {}).get("holder", KEYS[0])
            known = self.endpoints.values()
            return [e for e in known if e.get("holder", KEYS[0]) == holder], holder == KEYS[0]

    def shown_to(self, key: str, account: Account) -> bool:
        """Whether the YCloud account of this key has the WABA."""
        return bool(account["bound"]) and account.get("holder", KEYS[0]) == key

    @property
    def balance(self) -> float:
        """Of the first YCloud account."""
        return self.balances[KEYS[0]]

    @balance.setter
    def balance(self, amount: float) -> None:
        self.balances[KEYS[0]] = amount

    def listed(self) -> list[dict[str, Any]]:
        """The numbers that the window offers beside a new one, newest first."""
        with self.lock:
            newest = list(self.numbers.values())[: -MOST_LISTED - 1 : -1]
            return [
                {
                    "id": number["answer"]["id"],
                    "number": number["answer"]["displayPhoneNumber"],
                    "account": self.accounts[number["waba_id"]]["answer"]["name"],
                    "in_app": self.accounts[number["waba_id"]]["in_app"],
                }
                for number in newest
            ]

    def settled(self, number: Number) -> Number:
        """PENDING becomes CONNECTED when its time has come; no event tells (documented so)."""
        due = number["connect_at"]
        if due is not None and self.clock() >= due:
            number["answer"]["status"] = "CONNECTED"
            number["connect_at"] = None
        return number

    def take_fault(self, call: str, account: Account | None) -> dict[str, Any] | None:
        """The fault that this call meets, counted down; the account's own before the world's."""
        for faults in (account["faults"] if account else [], self.faults):
            for fault in faults:
                if fault["match"] in (call, "any") and fault.get("times", 1) > 0:
                    fault["times"] = fault.get("times", 1) - 1
                    return dict(fault)
        return None

    def overview(self) -> dict[str, Any]:
        """Everything that the control panel and the tests look at; no code and no token."""
        with self.lock:
            for number in self.numbers.values():
                self.settled(number)
            return {
                "scenario": self.scenario,
                "params": self.params,
                "accounts": [
                    {**a["answer"], "bound": a["bound"], "scenario": a["scenario"]}
                    for a in reversed(self.accounts.values())
                ],
                "numbers": [
                    {
                        **n["answer"],
                        "pin": n["pin"],
                        "nameReview": n["name_review"],
                        "registers": len(n["registers"]),
                    }
                    for n in reversed(self.numbers.values())
                ],
                "registers": {i: len(n["registers"]) for i, n in self.numbers.items()},
                "faults": self.faults,
                "endpoints": [
                    {k: v for k, v in e.items() if k != "secret"} for e in self.endpoints.values()
                ],
                "calls": list(self.calls),
                "graph_calls": list(self.graph_calls),
            }
