"""Straight line: from the POST of the ids to `connected` readable in the API.

The product as processes, 100 ms a call at the sandbox, against `script.py`: the same calls by a
script that does nothing else. One at a time the API is read every few milliseconds. With 50 at
once that reading would be most of the work, so each is dated by its `connected_at` as the API shows
it, plus what one read takes; when the last of them was read stands beside it.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from benchmarks.processes import PYTHON, ROOT, Processes, processes
from benchmarks.report import Goal, Row
from benchmarks.spent import cpu_of

LATENCY_MS = 100
SINGLES = 12
"""One after the other, in each round."""
AT_ONCE = 50
POLL_SECONDS = 0.004
PATIENCE_SECONDS = 60.0
GOAL = Goal("ratio", 1.10)
PART = "Straight line"
SCOPES = ("onboardings:read", "onboardings:write", "tenants:write")
SANDBOX_SECRET = {"META_APP_SECRET": "sandbox-app-secret", "META_APP_ID": "100000000000001"}


@dataclass(frozen=True, slots=True)
class Way:
    """One way to connect: what the sandbox shows, and the calls that a bare script has to make."""

    name: str
    title: str
    calls: str
    params: dict[str, Any] = field(default_factory=dict)
    mode: str = "business_platform"
    settings: dict[str, str] = field(default_factory=dict)
    with_code: bool = False


STRAIGHT = Way("straight", "proof off", "retrieve, register")
PROOF = Way(
    "proof", "proof on", "both of Graph's, retrieve, register",
    settings=SANDBOX_SECRET, with_code=True,
)  # fmt: skip
AUTO = Way("auto", "auto bind", "retrieve (403), tp/bind, retrieve, register", {"bound": False})
ALWAYS = Way(
    "always", "always bind", "tp/bind, retrieve, register", {"bound": False},
    settings={"YCLOUD_TP_BIND": "always"},
)  # fmt: skip
COEXISTENCE = Way("coexistence", "coexistence", "retrieve, smb/bind, list", mode="business_app")
STACKS: tuple[tuple[Way, ...], ...] = ((STRAIGHT, AUTO, COEXISTENCE), (PROOF,), (ALWAYS,))
"""Those of one tuple run with the same settings, side by side."""


class Api:
    """A client of the site's, or of the sandbox's, with one connection that is kept."""

    def __init__(self, url: str, key: str = "") -> None:
        parts = urlsplit(url)
        self._http = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        self._headers = {"Content-Type": "application/json", "Connection": "keep-alive"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """The answer's JSON; anything but a 2xx is a fault of the benchmark."""
        sent = json.dumps(body) if body is not None else None
        self._http.request(method, path, sent, self._headers)
        answer = self._http.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return dict(json.loads(content))

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


class Line:
    """The product and the bare script, ready to be measured in turns."""

    def __init__(self, stack: Processes, script: subprocess.Popen[str]) -> None:
        self.stack, self.script = stack, script
        scopes = [word for scope in SCOPES for word in ("--scope", scope)]
        self.key = stack.manage("create_api_key", "bench", *scopes).strip()
        self.api, self.sandbox = Api(stack.site, self.key), Api(stack.sandbox)
        self.sandbox.ask("POST", "/control/quota", {"per_second": 10**7, "per_hour": 10**7})
        self.tenants = [self._tenant(index) for index in range(AT_ONCE)]

    def close(self) -> None:
        """Close what was kept."""
        self.api.close()
        self.sandbox.close()

    def _tenant(self, index: int) -> str:
        made = self.api.ask("POST", "/api/v1/tenants/", {"name": f"Cake shop {index}"})
        return str(made["slug"])

    def window(self, way: Way) -> dict[str, Any]:
        """What Meta's window gives: fresh ids, and a code."""
        asked = {"scenario": "approve", "params": way.params, "connection_mode": way.mode}
        return self.sandbox.ask("POST", "/control/signup", asked)

    def begin(self, way: Way, tenant: str) -> str:
        """An attempt whose window is open; the address of its API."""
        asked = {"connection_mode": way.mode, "tenant": tenant}
        made = self.api.ask("POST", "/api/v1/onboardings/", asked)
        return f"/api/v1/onboardings/{made['id']}/"

    def ours_once(self, way: Way) -> float:
        """Seconds of one, read again and again."""
        path, ids = self.begin(way, self.tenants[0]), self.window(way)
        began = time.perf_counter()
        self.api.ask("POST", f"{path}signup/", _result(way, ids))
        # Before this not even the bare script could be through.
        earliest = 1.9 * self.stack.latency_ms / 1000
        time.sleep(max(0.0, earliest - (time.perf_counter() - began)))
        while self.api.ask("GET", path)["state"] != "connected":
            if time.perf_counter() - began > PATIENCE_SECONDS:
                raise RuntimeError(f"{way.name}: {self.api.ask('GET', path)}")
            time.sleep(POLL_SECONDS)
        return time.perf_counter() - began

    def ours_at_once(self, way: Way) -> tuple[list[float], float]:
        """Seconds of each of AT_ONCE that come together; when the last was read."""
        paths = [self.begin(way, tenant) for tenant in self.tenants]
        given = [self.window(way) for _ in paths]
        clients = [Api(self.stack.site, self.key) for _ in paths]
        began: dict[str, float] = {}

        def post(client: Api, path: str, ids: dict[str, Any]) -> None:
            began[path] = time.time()
            client.ask("POST", f"{path}signup/", _result(way, ids))

        threads = [
            threading.Thread(target=post, args=each)
            for each in zip(clients, paths, given, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread, client in zip(threads, clients, strict=True):
            thread.join()
            client.close()
        last = self._all_connected(paths) - min(began.values())
        reading = time.perf_counter()
        shown = [self.api.ask("GET", path) for path in paths]
        read = (time.perf_counter() - reading) / len(paths)
        ended = [_moment(each["connected_at"]) for each in shown]
        return [end - began[path] + read for path, end in zip(paths, ended, strict=True)], last

    def _all_connected(self, paths: Sequence[str]) -> float:
        """When the last one was read as connected."""
        wanted, until = set(paths), time.monotonic() + PATIENCE_SECONDS
        while wanted:
            listed = self.api.ask("GET", "/api/v1/onboardings/?state=connected&limit=100")
            wanted -= {f"/api/v1/onboardings/{each['id']}/" for each in listed["results"]}
            if time.monotonic() > until:
                raise RuntimeError(f"not connected: {self.api.ask('GET', wanted.pop())}")
            time.sleep(0.2)
        return time.time()

    def bare(self, way: Way, count: int) -> tuple[list[float], float]:
        """Seconds of each of so many at once in the bare script, and its CPU seconds."""
        job = {"way": way.name, "ids": [self.window(way) for _ in range(count)]}
        assert self.script.stdin is not None
        assert self.script.stdout is not None
        self.script.stdin.write(json.dumps(job) + "\n")
        self.script.stdin.flush()
        told = json.loads(self.script.stdout.readline())
        return list(told["took"]), float(told["cpu"])


def _result(way: Way, ids: dict[str, Any]) -> dict[str, str]:
    names = ("event", "waba_id", "phone_number_id", *(["code"] if way.with_code else []))
    return {name: ids[name] for name in names if ids.get(name)}


def _moment(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


@contextmanager
def line(settings: dict[str, str], latency_ms: int = LATENCY_MS) -> Iterator[Line]:
    """The stack with these settings, and the script beside it."""
    # Without Meta's secret nothing can be proven, and ids do not wait for a code.
    given = {"META_APP_SECRET": "", **settings}
    with processes(latency_ms, **given) as stack, subprocess.Popen(
        [PYTHON, "-m", "benchmarks.script", stack.sandbox], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as script, closing(Line(stack, script)) as made:  # fmt: skip
        yield made  # the script ends with its stdin


def measure(rounds: int) -> list[Row]:
    """A row for each way, and AT_ONCE at once for the plain one."""
    rows: list[Row] = []
    for ways in STACKS:
        with line(dict(ways[0].settings)) as made:
            for way in ways:
                warm(made, way)
                rows.append(one_at_a_time(made, way, rounds))
            if STRAIGHT in ways:
                rows.insert(1, at_once(made, STRAIGHT, rounds))
    return rows


def warm(made: Line, way: Way) -> None:
    """Each process has made its connections and read its modules."""
    for _ in range(4):
        made.ours_once(way)
        made.bare(way, 1)


def one_at_a_time(made: Line, way: Way, rounds: int) -> Row:
    """SINGLES of ours and of the script's in turns, in each round."""
    ours, other, spent = [], [], []
    for _ in range(rounds):
        pairs, used = [], dict[str, float]()
        for _each in range(SINGLES):
            with cpu_of(made.stack, used):
                mine = made.ours_once(way)
            pairs.append((mine, made.bare(way, 1)[0][0]))
        ours.append(1000 * statistics.median(pair[0] for pair in pairs))
        other.append(1000 * statistics.median(pair[1] for pair in pairs))
        spent.append({name: 1000 * cpu / SINGLES for name, cpu in used.items()})
    each = medians(spent)
    more = statistics.median(ours) - statistics.median(other)
    return Row(
        PART, f"{way.title}, one at a time", "ms", ours, other,
        against=f"a bare script: {way.calls}", goal=GOAL,
        why=(
            f"{more:.0f} ms of ours beside the calls: the POST up to its commit, the hand-over to "
            f"a worker, what it checks and writes between two calls, and the GET; "
            f"{each['web'] + each['workers']:.0f} ms of CPU in Python, its reading included"
        ),
        more={"cpu_ms_each": each},
    )  # fmt: skip


def at_once(made: Line, way: Way, rounds: int) -> Row:
    """AT_ONCE of ours together, then as many of the script's, in each round."""
    ours, other, lasts, spent = [], [], [], []
    made.ours_at_once(way)
    made.bare(way, AT_ONCE)
    for _ in range(rounds):
        used = dict[str, float]()
        with cpu_of(made.stack, used):
            mine, last = made.ours_at_once(way)
        ours.append(1000 * statistics.median(mine))
        lasts.append(last)
        took, cpu = made.bare(way, AT_ONCE)
        other.append(1000 * statistics.median(took))
        spent.append({n: 1000 * s / AT_ONCE for n, s in {**used, "script": cpu}.items()})
    each, cores = medians(spent), os.cpu_count() or 1
    own = each["web"] + each["workers"] + each["postgres"] + each["valkey"]
    return Row(
        PART, f"{way.title}, {AT_ONCE} at once", "ms", ours, other,
        against=f"the same script with {AT_ONCE} threads", goal=GOAL,
        why=(
            f"{own:.0f} ms of CPU each make {AT_ONCE * own / 1000:.1f} s, on {cores} cores "
            f"{AT_ONCE * own / 1000 / cores:.1f} s at least; the calls alone take "
            f"{statistics.median(other) / 1000:.1f} s"
        ),
        aside="CPU ms for each: " + ", ".join(f"{name} {ms:.1f}" for name, ms in each.items()),
        more={"cpu_ms_each": each, "last_read_seconds": lasts},
    )  # fmt: skip


def medians(rounds: Sequence[dict[str, float]]) -> dict[str, float]:
    """Of each name over all rounds."""
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
