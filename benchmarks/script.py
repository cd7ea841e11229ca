"""The comparator of the straight line: a bare script that makes the calls, one after the other.

A process of its own with nothing but httpx: no row, no journal, no check, no second try. Its one
client keeps its connections, which is more than most scripts do. It reads jobs from stdin, one
JSON line each (`{"way": ..., "ids": [...]}`), makes them all at the same time, a thread each, and
prints the seconds that each took and the CPU that all took.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

MOST = 100


class Bare:
    """The calls, written out. `ids`: what Meta's window gave."""

    def __init__(self, sandbox: str) -> None:
        limits = httpx.Limits(max_connections=MOST, max_keepalive_connections=MOST)
        self.http = httpx.Client(limits=limits, timeout=30)
        self.key = {"X-API-Key": "sandbox-key"}
        self.ycloud = f"{sandbox}/v2/whatsapp"
        self.graph = f"{sandbox}/graph/v22.0"

    def _account(self, ids: dict[str, Any], expected: int = 200) -> dict[str, Any]:
        url = f"{self.ycloud}/businessAccounts/{ids['waba_id']}"
        return _read(self.http.get(url, headers=self.key), expected)

    def _bind(self, ids: dict[str, Any], kind: str) -> None:
        url = f"{self.ycloud}/businessAccounts/{ids['waba_id']}/{kind}/bind"
        _read(self.http.post(url, headers=self.key))

    def _register(self, ids: dict[str, Any]) -> None:
        number = f"{ids['waba_id']}/{ids['phone_number_id']}"
        url = f"{self.ycloud}/phoneNumbers/{number}/register"
        assert _read(self.http.post(url, headers=self.key))["status"] == "CONNECTED"

    def straight(self, ids: dict[str, Any]) -> None:
        """The brief's two calls."""
        assert self._account(ids)["paymentMethodAttached"]
        self._register(ids)

    def proof(self, ids: dict[str, Any]) -> None:
        """Graph's two for the grant, then the same."""
        app = {"client_id": "100000000000001", "client_secret": "sandbox-app-secret"}
        url = f"{self.graph}/oauth/access_token"
        token = _read(self.http.post(url, data={**app, "code": ids["code"]}))["access_token"]
        bearer = {"Authorization": "Bearer 100000000000001|sandbox-app-secret"}
        asked = {"input_token": token}
        grant = _read(self.http.get(f"{self.graph}/debug_token", params=asked, headers=bearer))
        assert ids["waba_id"] in str(grant["data"]["granular_scopes"])
        self.straight(ids)

    def auto(self, ids: dict[str, Any]) -> None:
        """The account is not shown: bind it, then the same."""
        self._account(ids, expected=403)
        self._bind(ids, "tp")
        self.straight(ids)

    def always(self, ids: dict[str, Any]) -> None:
        """Bound before anything is read."""
        self._bind(ids, "tp")
        self.straight(ids)

    def coexistence(self, ids: dict[str, Any]) -> None:
        """Payment is looked at, the app bound, and the list says CONNECTED: the bind does not."""
        assert self._account(ids)["paymentMethodAttached"]
        self._bind(ids, "smb")
        url = f"{self.ycloud}/phoneNumbers"
        asked = {"filter.wabaId": ids["waba_id"], "limit": "100"}
        listed = _read(self.http.get(url, params=asked, headers=self.key))
        assert [each["status"] for each in listed["items"]] == ["CONNECTED"]


def _read(answer: httpx.Response, expected: int = 200) -> dict[str, Any]:
    assert answer.status_code == expected, answer.text
    body: dict[str, Any] = answer.json()
    return body


def _timed(call: Callable[[dict[str, Any]], None], ids: dict[str, Any], took: list[float]) -> None:
    began = time.perf_counter()
    call(ids)
    took.append(time.perf_counter() - began)


def main() -> None:
    """Answer a line to each line of stdin: the seconds of each, the CPU of all."""
    bare = Bare(sys.argv[1])
    for line in sys.stdin:
        job = json.loads(line)
        call, took, spent = getattr(bare, job["way"]), list[float](), time.process_time()
        threads = [threading.Thread(target=_timed, args=(call, ids, took)) for ids in job["ids"]]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        told = {"took": took, "cpu": time.process_time() - spent}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
