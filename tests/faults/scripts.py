"""What each customer of the run does, and the state that their script calls for."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from sandbox import meta
from sandbox.server import SandboxServer

API = "/api/v1/onboardings/"
SPOILS = (
    "garbage", "html_502", "empty", "wrong_type", "huge", "half", "redirect", "nulls",
    "new_words", "rate_limited", "rate_limited_silent", "server_error", "timeout_before",
    "timeout_after",
)  # fmt: skip
CALLS = {
    "business_platform": ("retrieve_account", "list_numbers", "register", "tp_bind"),
    "business_app": ("retrieve_account", "list_numbers", "smb_bind"),
}


@dataclass(frozen=True)
class Script:
    """One kind of customer. `act` is pressed in the panel later; `expected` is where it ends."""

    name: str
    weight: int
    mode: str = "business_platform"
    scenario: str = "approve"
    params: dict[str, Any] = field(default_factory=dict)
    act: str = ""
    expected: str = "connected"
    withdraws: bool = False
    steals: bool = False
    reviewed: bool = False
    registers: int = 1
    takes_long: bool = False


SCRIPTS = (
    Script("straight", 30),
    Script("slow", 20, scenario="pending", params={"connect_after": 6.0}),
    Script("very slow", 5, scenario="pending", params={"connect_after": 75.0},
           takes_long=True),
    Script("in the app", 15, mode="business_app", registers=0),
    Script("unbound", 8, scenario="unbound"),
    Script("unbound app", 4, mode="business_app", scenario="unbound", registers=0),
    Script("unpaid", 6, scenario="payment_missing", act="attach_payment"),
    Script("name in review", 6, scenario="name_review", act="approve_name", registers=2),
    Script("not verified", 4, scenario="number_unverified", act="verify_number"),
    Script("no message", 4, scenario="code_only"),
    Script("no code", 4, scenario="ids_only", reviewed=True),
    Script("closed", 4, scenario="cancel", expected="cancelled", registers=0),
    Script("withdraws", 4, scenario="payment_missing", expected="cancelled", withdraws=True,
           registers=0),
    Script("steals", 4, expected="needs_attention", steals=True, registers=0),
)  # fmt: skip


@dataclass
class Signup:
    """One customer's way through, as it is remembered for the audit."""

    script: Script
    tenant: str
    link: str = ""
    public_id: str = ""
    waba_id: str = ""
    number_id: str = ""
    faults: list[dict[str, Any]] = field(default_factory=list)
    due: float = 0.0
    pressed: bool = False
    earlier: list[str] = field(default_factory=list)


class Browser:
    """A guest's browser: cookies, the CSRF token, and patience with a server that is away."""

    def __init__(self, site: str, link: str, deadline: Callable[[], float]) -> None:
        self.http = httpx.Client(base_url=site, timeout=20, follow_redirects=True)
        self.deadline = deadline
        self._patiently(lambda: self.http.get(link))

    def _patiently(self, ask: Callable[[], httpx.Response]) -> httpx.Response:
        """Again and again while the server is down, as the page's outbox does."""
        while True:
            try:
                answer = ask()
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.status_code < 500:
                return answer
            if time.monotonic() > self.deadline():
                raise TimeoutError("the site did not come back")
            time.sleep(0.3)

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        def ask() -> httpx.Response:
            token = self.http.cookies.get("csrftoken", "")
            return self.http.post(path, json=body, headers={"X-CSRFToken": token})

        return self._patiently(ask)

    def get(self, path: str) -> httpx.Response:
        return self._patiently(lambda: self.http.get(path))


class Customer:
    """Plays one script: everything that a page would send, in a thread of the run."""

    def __init__(self, browser: Browser, sandbox: SandboxServer, chance: random.Random) -> None:
        self.browser, self.sandbox, self.chance = browser, sandbox, chance

    def play(self, signup: Signup, victim: Signup | None) -> None:
        script = signup.script
        made = self.browser.post(API, {"connection_mode": script.mode})
        signup.public_id = made.json()["id"]
        signup_at = f"{API}{signup.public_id}/signup/"
        self.browser.post(signup_at, {"event": "LAUNCHED"})
        window = self._window(signup, victim)
        if script.expected == "cancelled" and not script.withdraws:
            self.browser.post(signup_at, {"event": "CANCEL", "current_step": "PERMISSIONS"})
            return
        parts = [
            {k: window[k] for k in ("waba_id", "phone_number_id", "event") if window[k]}
            if window["messages"]
            else {},
            {"code": window["code"], "login_status": "connected"} if window["code"] else {},
        ]
        self.chance.shuffle(parts)
        for part in filter(None, parts):
            again = 2 if self.chance.random() < 0.1 and "code" not in part else 1
            for _ in range(again):
                self.browser.post(signup_at, part)
        if not window["code"]:
            self.browser.post(signup_at, {"login_status": "unknown"})
        signup.due = time.monotonic() + self.chance.uniform(1, 8)

    def _window(self, signup: Signup, victim: Signup | None) -> dict[str, Any]:
        """What Meta's window gives back; a thief posts another tenant's ids with no code."""
        script = signup.script
        if victim is not None:
            signup.waba_id, signup.number_id = victim.waba_id, victim.number_id
            return {
                "waba_id": victim.waba_id, "phone_number_id": victim.number_id, "messages": [1],
                "event": "FINISH", "code": meta.new_code(self.sandbox.world, ["1"]),
            }  # fmt: skip
        params = {**script.params, "faults": signup.faults}
        window = meta.finish(self.sandbox.world, script.mode, script.scenario, params)
        signup.waba_id = window["waba_id"]
        with self.sandbox.world.lock:
            numbers = self.sandbox.world.numbers_of(signup.waba_id) if signup.waba_id else []
        signup.number_id = numbers[0]["answer"]["id"] if numbers else ""
        return window
