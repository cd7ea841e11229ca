"""Row "footprint": memory of web, workers and beat at rest and under load, and the time to start.

Against a plain Django + Celery project (`benchmarks/plain`) on the same PostgreSQL, Valkey and
sandbox, with the same web server, workers and processes, in turns. Memory is PSS: what processes
share is counted once. Under load customers come in through the page's addresses and go all the way;
the plain project is asked as often for its two calls.
"""

from __future__ import annotations

import runpy
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import psycopg
from celery import Celery

from benchmarks import customers, memory
from benchmarks.processes import FLAGS, PYTHON, ROOT, WORKERS, Processes, processes, wait_for
from benchmarks.report import Row

SETTLE_SECONDS = 3.0
"""Until what a start costs is over: beat's first tasks, the pools' first queries."""
PATIENCE_SECONDS = 180.0
AT_ONCE = 8
EACH = 4
"""So many customers at once, and how often each goes through."""
PLAIN_PROCESSES = 2
"""At most of each of its workers: Celery's own choice for two cores."""
PLAIN = [PYTHON, "-W", "ignore", "-m", "celery", "--quiet", "-A", "benchmarks.plain"]
AGAINST = "a plain Django + Celery project with as many workers, started and asked the same way"


@dataclass
class Found:
    """Of one side, each round's figures."""

    starts: list[float] = field(default_factory=list)
    rest: list[float] = field(default_factory=list)
    load: list[float] = field(default_factory=list)
    parts: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Side:
    """Ours or the comparator: how it starts, until when, and what is asked of it under load."""

    start: Callable[[], None]
    url: str
    broker: str
    load: Callable[[], object]


def measure(rounds: int, at_once: int = AT_ONCE, each: int = EACH) -> list[Row]:
    """Start, rest, load and stop, in turns."""
    with processes(latency_ms=100) as made:
        links = customers.guests(made, at_once)
        _stop(made)
        ours = Side(
            made.start_product, f"{made.site}/readyz", made.env["REDIS_URL"],
            lambda: customers.go(links, each),
        )  # fmt: skip
        env = _plain(made)
        plain = Side(
            lambda: _start_plain(made, env), f"{made.site}/healthz", env["PLAIN_REDIS_URL"],
            lambda: _ask_plain(made, at_once, each),
        )  # fmt: skip
        found = {"ours": Found(), "plain": Found()}
        for _ in range(rounds):
            _round(made, ours, found["ours"])
            _round(made, plain, found["plain"])
        for link in links:
            link.close()
    return rows(found["ours"], found["plain"])


def rows(ours: Found, plain: Found) -> list[Row]:
    """No goals: how much more than a plain project is what is to be known."""
    parts = {name: [round(mb, 1) for mb in each] for name, each in ours.parts.items()}
    other = {name: [round(mb, 1) for mb in each] for name, each in plain.parts.items()}
    more = {"at rest, by process [MB]": {"ours": parts, "plain": other}}
    return [
        Row("Footprint", "start until ready", "s", ours.starts, plain.starts, AGAINST),
        Row("Footprint", "memory at rest", "MB", ours.rest, plain.rest, more=more),
        Row("Footprint", "memory under load", "MB", ours.load, plain.load),
    ]


def _round(made: Processes, side: Side, found: Found) -> None:
    began = time.monotonic()
    side.start()
    wait_for(side.url, PATIENCE_SECONDS)
    _answered(side.broker)
    found.starts.append(time.monotonic() - began)
    time.sleep(SETTLE_SECONDS)
    for name in _product(made):
        found.parts.setdefault(name, []).append(memory.pss([made.children[name].pid]) / memory.MB)
    found.rest.append(sum(each[-1] for each in found.parts.values()))
    side.load()
    found.load.append(memory.pss(made.children[n].pid for n in _product(made)) / memory.MB)
    _stop(made)


def _product(made: Processes) -> list[str]:
    return [name for name in made.children if name != "sandbox"]


def _stop(made: Processes) -> None:
    for name in _product(made):
        made.end(name)


def _answered(broker: str) -> None:
    """Until each worker answers a ping. Raises TimeoutError."""
    until = time.monotonic() + PATIENCE_SECONDS
    with Celery(broker=broker, set_as_current=False) as asking:
        while time.monotonic() < until:
            if len(asking.control.ping(timeout=0.3, limit=len(WORKERS))) == len(WORKERS):
                return
    raise TimeoutError("the workers do not answer")


# --- The comparator -------------------------------------------------------------------------------


def _plain(made: Processes) -> dict[str, str]:
    """A database of its own on the same server, migrated; the environment of its processes."""
    owner = made.env["DATABASE_OWNER_URL"]
    with psycopg.connect(owner, dbname="postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE plain")
    env = {
        "DJANGO_SETTINGS_MODULE": "benchmarks.plain.settings",
        "PLAIN_DATABASE_URL": _in_database(owner, "plain"),
        "PLAIN_REDIS_URL": made.env["REDIS_URL"].removesuffix("/0") + "/1",
    }
    whole = {**made.env, **env}
    made.manage("migrate", "-v", "0", "--run-syncdb", env=whole)
    return env


def _in_database(url: str, name: str) -> str:
    head, _, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


def _start_plain(made: Processes, env: Mapping[str, str]) -> None:
    """The same web server, workers and beat with its own app."""
    web = runpy.run_path(str(ROOT / "config" / "gunicorn.py"))
    made.spawn("web", [
        PYTHON, "-W", "ignore", "-m", "gunicorn", "benchmarks.plain.wsgi",
        "--worker-class", web["worker_class"], "--workers", str(web["workers"]),
        "--threads", str(web["threads"]), "--keep-alive", str(web["keepalive"]),
        "--no-control-socket", "--bind", f"127.0.0.1:{made.port}",
    ], env)  # fmt: skip
    for name, _queues, at_once, _pool in WORKERS:
        many = ["-c", str(min(at_once, PLAIN_PROCESSES))]
        made.spawn(name, [*PLAIN, "worker", *many, "-n", f"{name}@plain", *FLAGS], env)
    made.spawn("beat", [*PLAIN, "beat", "--loglevel", "WARNING", "--schedule",
                        str(made.place / "plain-beat"), "--pidfile="], env)  # fmt: skip


def _ask_plain(made: Processes, at_once: int, each: int) -> int:
    """As many numbers on their way, each polled until it is connected."""

    def goes(_index: int) -> None:
        with (
            httpx.Client(base_url=made.site, timeout=60) as http,
            httpx.Client(base_url=made.sandbox, timeout=60) as window,
        ):
            for _ in range(each):
                told = window.post("/control/signup", json={"scenario": "approve"}).json()
                ids = {name: told[name] for name in ("waba_id", "phone_number_id")}
                row = http.post("/signup/", json=ids).raise_for_status().json()
                while http.get(f"/signup/{row['id']}/").json()["status"] != "CONNECTED":
                    time.sleep(customers.POLL_SECONDS)

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(goes, range(at_once)))
    return at_once * each


if __name__ == "__main__":
    from benchmarks.report import table

    print(table(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1)))
