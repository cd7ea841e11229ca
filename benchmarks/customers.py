"""Customers at the product as a process: each a browser of a guest's, from link to `connected`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx

from benchmarks.processes import Processes

API = "/api/v1/onboardings/"
POLL_SECONDS = 2.0
"""How often the page asks while it waits."""
PATIENCE_SECONDS = 180.0
LINKS = """
from onboarding import services
from tenants.models import Tenant
from tenants import walls
with walls.seeing_everything("a benchmark"):
    for index in range({many}):
        name = "{name}-" + str(index)
        print(services.create_link(Tenant.objects.create(name=name, slug=name))[1])
"""


class Guest:
    """One browser that came by a link of its own tenant's; it may go the way several times."""

    def __init__(self, made: Processes, token: str) -> None:
        self.made = made
        self.http = httpx.Client(base_url=made.site, timeout=60, follow_redirects=True)
        self.http.get(f"/s/{token}/").raise_for_status()
        self.window = httpx.Client(base_url=made.sandbox, timeout=30)

    def goes_through(self, poll_seconds: float = POLL_SECONDS) -> float:
        """Once through, as the page posts it; seconds from the ids to `connected`."""
        path = f"{API}{self._post(API, connection_mode='business_platform')['id']}/"
        self._post(f"{path}signup/", event="LAUNCHED")
        asked = self.window.post("/control/signup", json={"scenario": "approve"})
        told = asked.raise_for_status().json()
        self._post(f"{path}signup/", code=told["code"], login_status="connected")
        began = time.monotonic()
        self._post(
            f"{path}signup/",
            **{name: told[name] for name in ("waba_id", "phone_number_id", "event")},
        )
        while self.http.get(path).raise_for_status().json()["state"] != "connected":
            if time.monotonic() - began > PATIENCE_SECONDS:
                raise TimeoutError(f"{path} is not connected")
            time.sleep(poll_seconds)
        return time.monotonic() - began

    def _post(self, path: str, **body: str) -> dict[str, str]:
        token = self.http.cookies["csrftoken"]
        answer = self.http.post(path, json=body, headers={"X-CSRFToken": token})
        found: dict[str, str] = answer.raise_for_status().json() if answer.content else {}
        return found

    def close(self) -> None:
        self.http.close()
        self.window.close()


def guests(made: Processes, many: int, name: str = "bench") -> list[Guest]:
    """So many browsers, each of a tenant of its own."""
    printed = made.manage("shell", "-v", "0", "-c", LINKS.format(many=many, name=name))
    return [Guest(made, token) for token in printed.split()]


def go(those: Sequence[Guest], each: int) -> int:
    """All at once, each so many times; how many were connected."""

    def goes(guest: Guest) -> None:
        for _ in range(each):
            guest.goes_through()

    with ThreadPoolExecutor(len(those)) as pool:
        list(pool.map(goes, those))
    return len(those) * each
