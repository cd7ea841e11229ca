"""YCloud's webhooks: real signatures and the documented retry ladder, its times scaled."""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import hmac
import itertools
import json
import secrets
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from dataclasses import dataclass, field
from typing import Any

SECRET = "whsec_sandbox"  # noqa: S105 - the sandbox's own
LADDER = (10, 30, 300, 1800, 3600, 7200, 7200)
"""Seconds between the attempts, as documented; after the last one the event is dropped."""


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """The header `YCloud-Signature`."""
    message = f"{timestamp}.".encode() + body
    digest = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return f"t={timestamp},s={digest}"


@dataclass(order=True)
class Delivery:
    """One event to one address; ordered by when its next attempt is due."""

    due: float
    number: int
    url: str = field(compare=False)
    secret: str = field(compare=False)
    endpoint_id: str = field(compare=False)
    event: dict[str, Any] = field(compare=False)
    attempts: int = field(compare=False, default=0)


class Sender:
    """A thread that delivers. `url` is the address given at the start; registered ones too."""

    def __init__(self, url: str = "", time_scale: float = 1.0) -> None:
        self.url = url
        self.time_scale = time_scale
        self.log: deque[dict[str, Any]] = deque(maxlen=200)
        self._queue: list[Delivery] = []
        self._numbers = itertools.count()
        self._change = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="webhooks")
        self._thread.start()

    def send(
        self,
        kind: str,
        payload: dict[str, Any],
        created: str,
        endpoints: list[dict[str, Any]],
        *,
        at_start: bool = True,
    ) -> dict[str, Any]:
        """Queue an event for every address that wants it; returns the event."""
        event = {
            "id": f"evt_{secrets.token_hex(12)}",
            "type": kind,
            "apiVersion": "v2",
            "createTime": created,
            **payload,
        }
        targets = [(self.url, SECRET, "wh-sandbox")] if self.url and at_start else []
        targets += [
            (e["url"], e["secret"], e["id"])
            for e in endpoints
            if e.get("status") == "active" and kind in e["enabledEvents"]
        ]
        for url, secret, endpoint_id in targets:
            self._put(
                Delivery(time.monotonic(), next(self._numbers), url, secret, endpoint_id, event)
            )
        return event

    def again(self, event_id: str) -> bool:
        """Deliver an event of the log once more, as YCloud may do by itself."""
        found = next((e for e in self.log if e["event"]["id"] == event_id), None)
        if found is None:
            return False
        self._put(
            Delivery(
                time.monotonic(), next(self._numbers), found["url"], SECRET, "wh-sandbox",
                found["event"],
            )
        )  # fmt: skip
        return True

    def stop(self) -> None:
        """End the thread; what was not delivered is dropped."""
        with self._change:
            self._ended = True
            self._change.notify()
        self._thread.join(5)

    def _put(self, delivery: Delivery) -> None:
        with self._change:
            heapq.heappush(self._queue, delivery)
            self._change.notify()

    def _next(self) -> Delivery | None:
        with self._change:
            while not self._ended:
                wait = self._queue[0].due - time.monotonic() if self._queue else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._queue)
                self._change.wait(wait)
        return None

    def _run(self) -> None:
        while delivery := self._next():
            status = self._attempt(delivery)
            delivery.attempts += 1
            self.log.append(
                {
                    "event": delivery.event,
                    "url": delivery.url,
                    "attempt": delivery.attempts,
                    "status": status,
                }
            )
            accepted = status is not None and 200 <= status < 300
            if not accepted and delivery.attempts <= len(LADDER):
                wait = LADDER[delivery.attempts - 1] * self.time_scale
                delivery.due = time.monotonic() + wait
                self._put(delivery)

    def _attempt(self, delivery: Delivery) -> int | None:
        body = json.dumps(delivery.event, separators=(",", ":")).encode()
        request = urllib.request.Request(  # noqa: S310 - an address that we were given
            delivery.url,
            data=body,
            headers={
                "Content-Type": "application/json",
                "YCloud-Signature": sign(delivery.secret, int(time.time()), body),
                "X-Webhook-Endpoint-ID": delivery.endpoint_id,
            },
        )
        with contextlib.suppress(OSError):
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                with error:
                    return error.code
        return None
