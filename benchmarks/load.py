"""The load generator, a process of its own: sends requests over kept connections and times them.

    python -m benchmarks.load < plan.json > timed.json

One thread a connection and plain sockets, so that the generator costs little of the machine and the
same for whatever it asks. Without `rate` each connection sends its next request when the last one
is answered; with it requests are due at fixed times, and their time counts from when they were due
(a server that falls behind is not asked more gently).
"""

from __future__ import annotations

import itertools
import json
import resource
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Timed:
    """Each request's time, how many answers of each status, how long it all took."""

    ms: list[float]
    statuses: dict[str, int]
    seconds: float
    cpu_seconds: float
    server_cpu: float = 0.0
    """Seconds of the servers' processes, where somebody looked: other load leaves them alone."""

    def percentile(self, share: float) -> float:
        ordered = sorted(self.ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

    @property
    def median(self) -> float:
        return statistics.median(self.ms)

    @property
    def per_second(self) -> float:
        return len(self.ms) / self.seconds

    def only(self, status: int) -> Timed:
        """Itself, where every answer was this one. Raises AssertionError: a refusal is quick."""
        assert set(self.statuses) == {str(status)}, self.statuses
        return self


def request(
    method: str, path: str, headers: Mapping[str, str], body: str = "", host: str = "localhost"
) -> str:
    """The whole text of one request."""
    all_headers = {"Host": host, **headers}
    if method == "POST":
        all_headers["Content-Length"] = str(len(body.encode()))
    lines = [f"{method} {path} HTTP/1.1", *(f"{n}: {v}" for n, v in all_headers.items())]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def send(
    port: int, requests: Sequence[str], connections: int = 4, rate: float | None = None
) -> Timed:
    """Have all of them sent by a process of its own."""
    plan = {"port": port, "connections": connections, "rate": rate, "requests": list(requests)}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"], cwd=ROOT, input=json.dumps(plan),
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return Timed(**json.loads(done.stdout))


class _Connection:
    """One kept connection; opened again when the server ends it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket: socket.socket | None = None
        self.rest = b""

    def ask(self, sent: bytes) -> str:
        """The status of the answer, which is read to its end."""
        if self.socket is None:
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=60)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.rest = b""
        self.socket.sendall(sent)
        head = self._until(b"\r\n\r\n").lower()
        status = head.split(b" ", 2)[1].decode()
        marker = head.find(b"content-length:")
        length = int(head[marker + 15 :].split(b"\r\n", 1)[0]) if marker >= 0 else 0
        while len(self.rest) < length:
            self._more()
        self.rest = self.rest[length:]
        if b"connection: close" in head:
            self.socket.close()
            self.socket = None
        return status

    def _until(self, mark: bytes) -> bytes:
        while mark not in self.rest:
            self._more()
        head, _, self.rest = self.rest.partition(mark)
        return head

    def _more(self) -> None:
        assert self.socket is not None
        got = self.socket.recv(65_536)
        if not got:
            raise ConnectionError("the server closed the connection")
        self.rest += got


def _run(plan: dict[str, Any]) -> Timed:
    sent = [text.encode() for text in plan["requests"]]
    rate, took = plan["rate"], [0.0] * len(sent)
    statuses: list[str] = [""] * len(sent)
    turns = itertools.count()
    began = time.perf_counter()

    def work() -> None:
        connection = _Connection(plan["port"])
        while (index := next(turns)) < len(sent):
            due = time.perf_counter()
            if rate:
                due = began + index / rate
                time.sleep(max(0.0, due - time.perf_counter()))
            try:
                statuses[index] = connection.ask(sent[index])
            except (OSError, IndexError, ValueError) as error:
                statuses[index], connection.socket = type(error).__name__, None
            took[index] = (time.perf_counter() - due) * 1000

    threads = [threading.Thread(target=work) for _ in range(plan["connections"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    used = resource.getrusage(resource.RUSAGE_SELF)
    return Timed(
        [round(each, 3) for each in took], dict(Counter(statuses)), time.perf_counter() - began,
        used.ru_utime + used.ru_stime,
    )  # fmt: skip


if __name__ == "__main__":
    found = _run(json.load(sys.stdin))
    json.dump({name: getattr(found, name) for name in Timed.__slots__}, sys.stdout)
