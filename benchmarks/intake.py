"""Row 5, intake: the API's GET and POST beside a bare DRF view, and YCloud's webhooks at 200 a second.

Ours and the bare view are served by the same gunicorn with the same settings, from the same
PostgreSQL, asked by the same generator, in turns. The workers stand still meanwhile (what a
signup begins is theirs and measured elsewhere); they run while the webhooks come.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import runpy
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, cycle
from typing import Any

from benchmarks.load import Timed, request, send
from benchmarks.processes import PYTHON, ROOT, Processes, processes, wait_for
from benchmarks.report import Goal, Row
from devstack import runenv
from sandbox.webhooks import SECRET

AT_MOST = Goal("ratio", 1.5)
WEBHOOKS_A_SECOND = 200
WEBHOOK_MS = Goal("ours", 20.0)
JSON = {"Content-Type": "application/json", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class Size:
    """How much is asked in a round; the short version of the tests has less."""

    askers: int = 20
    requests: int = 600
    posts: int = 400
    connections: int = 4
    webhook_seconds: float = 10.0


class Intake:
    """The product and the bare project, both answering, with rows to ask for."""

    def __init__(self, of: Processes, size: Size, rounds: int) -> None:
        self.of, self.size = of, size
        self.bare_port = runenv.free_port()
        self.environment = {**of.env, "BARE_DATABASE_URL": self._bare_database()}
        attempts = (size.posts // size.askers + 1) * size.askers * (rounds + 1)
        self.ours = self._rows("product", size.askers, attempts)
        self.bare = self._rows("bare", size.askers, size.askers)
        of.spawn("bare", [
            PYTHON, "-W", "ignore", "-m", "gunicorn", "benchmarks.bare.wsgi", *same_server(),
            "--bind", f"127.0.0.1:{self.bare_port}",
        ], env={"BARE_DATABASE_URL": self.environment["BARE_DATABASE_URL"],
                "DJANGO_SETTINGS_MODULE": "benchmarks.bare.settings"})  # fmt: skip
        wait_for(f"http://127.0.0.1:{self.bare_port}/open/{self.bare['connected'][0]}/")
        self.fresh = self._attempts()
        self.numbers = count(1)

    def _bare_database(self) -> str:
        import psycopg

        url = self.of.env["DATABASE_OWNER_URL"]
        with psycopg.connect(url, autocommit=True, dbname="postgres") as owner:
            owner.execute("CREATE DATABASE bare")
        return f"{url.rpartition('/')[0]}/bare"

    def _rows(self, whose: str, askers: int, attempts: int) -> dict[str, Any]:
        run = [PYTHON, "-m", "benchmarks.intake_rows", whose, str(askers), str(attempts)]
        done = subprocess.run(
            run, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True, check=True
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def _attempts(self) -> Iterator[tuple[dict[str, str], str]]:
        """Each attempt once, with the cookies of its owner; the owners in turns."""
        for level in zip(*self.ours["attempts"], strict=True):
            yield from zip(self.ours["askers"], level, strict=True)

    # --- What is asked ---------------------------------------------------------------------------

    def _gets(self, found: dict[str, Any], path: str, more: dict[str, str]) -> list[str]:
        each = cycle(zip(found["askers"], found["connected"], strict=True))
        return [
            request("GET", path.format(row), {**JSON, **who, **more})
            for _, (who, row) in zip(range(self.size.requests), each, strict=False)
        ]

    def our_get(self, **more: str) -> Timed:
        asked = self._gets(self.ours, "/api/v1/onboardings/{}/", more)
        return send(self.of.port, asked, self.size.connections)

    def bare_get(self, which: str) -> Timed:
        asked = self._gets(self.bare, f"/{which}/{{}}/", {})
        return send(self.bare_port, asked, self.size.connections).only(200)

    def our_post(self) -> Timed:
        asked = []
        for _ in range(self.size.posts):
            who, row = next(self.fresh)
            path = f"/api/v1/onboardings/{row}/signup/"
            asked.append(request("POST", path, {**JSON, **who}, self._finish()))
        return send(self.of.port, asked, self.size.connections).only(202)

    def bare_post(self, which: str) -> Timed:
        row = self.bare["connected"][0]
        each = cycle(self.bare["askers"])
        asked = [
            request("POST", f"/{which}/{row}/", {**JSON, **who}, self._finish())
            for _, who in zip(range(self.size.posts), each, strict=False)
        ]
        return send(self.bare_port, asked, self.size.connections).only(202)

    def _finish(self) -> str:
        number = next(self.numbers)
        ids = {"waba_id": f"55{number:013}", "phone_number_id": f"56{number:013}"}
        return json.dumps({"event": "FINISH", **ids})

    def etag(self) -> str:
        """All rows that are asked for have the same version and language."""
        return '"1-en"'

    # --- Webhooks --------------------------------------------------------------------------------

    def webhooks(self) -> Timed:
        """Signed events, half about an account and half about a number of ours, at a fixed rate."""
        many = int(WEBHOOKS_A_SECOND * self.size.webhook_seconds)
        asked = [self._event(index) for index in range(many)]
        return send(self.of.port, asked, 16, WEBHOOKS_A_SECOND)

    def _event(self, index: int) -> str:
        which = index % self.size.askers
        waba, number = f"77{which:013}", f"78{which:013}"
        body: dict[str, Any] = {
            "id": f"evt_{uuid.uuid4().hex}",
            "apiVersion": "v2",
            "createTime": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        if index % 2:
            body |= {
                "type": "whatsapp.business_account.updated",
                "whatsappBusinessAccount": {"id": waba, "accountUpdateEvent": "VERIFIED_ACCOUNT"},
            }
        else:
            body |= {
                "type": "whatsapp.phone_number.quality_updated",
                "whatsappPhoneNumber": {"id": number, "wabaId": waba, "qualityRating": "GREEN"},
            }
        text = json.dumps(body)
        now = str(int(time.time()))
        signed = hmac.new(SECRET.encode(), f"{now}.{text}".encode(), hashlib.sha256).hexdigest()
        headers = {**JSON, "YCloud-Signature": f"t={now},s={signed}"}
        return request("POST", "/webhooks/ycloud/", headers, text)

    def unapplied(self) -> int:
        """Events that no worker has applied yet."""
        import psycopg

        with psycopg.connect(self.of.env["DATABASE_OWNER_URL"]) as owner:
            owner.execute("SELECT set_config('onboarding.scope', 'everything', false)")
            sql = "SELECT count(*) FROM onboarding_webhookevent WHERE applied_at IS NULL"
            found = owner.execute(sql).fetchone()
        assert found is not None
        return int(found[0])

    def until_applied(self, seconds: float = 60) -> float:
        """Seconds until all events are applied; `seconds` where the workers do not come through."""
        began = time.monotonic()
        while self.unapplied() and time.monotonic() - began < seconds:
            time.sleep(0.1)
        return time.monotonic() - began


def same_server() -> list[str]:
    """The flags of gunicorn that the product is served with; its file imports the product."""
    kept = runpy.run_path(str(ROOT / "config" / "gunicorn.py"))
    return [
        "--worker-class", kept["worker_class"], "--workers", str(kept["workers"]),
        "--threads", str(kept["threads"]), "--keep-alive", str(kept["keepalive"]),
        "--access-logfile", kept["accesslog"],
    ]  # fmt: skip


def measure(rounds: int, size: Size | None = None) -> list[Row]:
    """All rows of the part."""
    size = size or Size()
    with processes(latency_ms=100) as product:
        made = Intake(product, size, rounds)
        return [*beside_bare(made, rounds), *under_webhooks(made, rounds)]


def beside_bare(made: Intake, rounds: int) -> list[Row]:
    """GET and POST, ours and bare in turns. The first round of each is not counted."""
    of_none = made.etag()
    asked: dict[str, Callable[[], Timed]] = {
        "get": lambda: made.our_get().only(200),
        "get unchanged": lambda: made.our_get(**{"If-None-Match": of_none}).only(304),
        "bare get, login": lambda: made.bare_get("login"),
        "bare get, open": lambda: made.bare_get("open"),
        "post": made.our_post,
        "bare post, login": lambda: made.bare_post("login"),
        "bare post, open": lambda: made.bare_post("open"),
    }
    servers = {"web", "bare", "sandbox"}
    with made.of.paused(*(name for name in made.of.children if name not in servers)):
        found: dict[str, list[Timed]] = {name: [] for name in asked}
        for turn in range(rounds + 1):
            for name, ask in asked.items():
                timed = ask()
                if turn:
                    found[name].append(timed)
    rows = []
    for what, bare in (("get", "bare get"), ("get unchanged", "bare get"), ("post", "bare post")):
        for which, whom in (("login", "signed in"), ("open", "open to all")):
            rows += _rows(what, found[what], found[f"{bare}, {which}"], whom)
    return rows


_TITLES = {"get": "GET …/{id}/", "get unchanged": "GET …/{id}/, 304", "post": "POST …/signup/"}


def _rows(what: str, ours: list[Timed], other: list[Timed], whom: str) -> list[Row]:
    """Median and throughput beside the comparator; p99 named beside them."""
    against = f"a bare DRF view, {whom}, with one {'insert' if what == 'post' else 'select'}"
    p99 = [_median([each.percentile(0.99) for each in them]) for them in (ours, other)]
    name, why = f"{_TITLES[what]}, {whom}", WHY.get((what, whom), "")
    return [
        Row(
            "Intake", f"{name}: median", "ms", [each.median for each in ours],
            [each.median for each in other], against, AT_MOST, why,
            f"p99: {p99[0]:.1f} ms beside {p99[1]:.1f} ms",
        ),
        # Time a request, so that "at most" reads the same way as for the median.
        Row(
            "Intake", f"{name}: 1/throughput", "ms", [1000 / each.per_second for each in ours],
            [1000 / each.per_second for each in other], against, AT_MOST, why,
        ),
    ]  # fmt: skip


WHY: dict[tuple[str, str], str] = {}


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def under_webhooks(made: Intake, rounds: int) -> list[Row]:
    """200 webhooks a second, while workers apply them."""
    timed: list[Timed] = []
    behind: list[float] = []
    left: list[int] = []
    made.until_applied()
    for turn in range(rounds + 1):
        found = made.webhooks().only(204)
        waiting, drained = made.unapplied(), made.until_applied()
        if turn:
            timed.append(found)
            left.append(waiting)
            behind.append(drained)
    p99 = _median([each.percentile(0.99) for each in timed])
    rate = _median([each.per_second for each in timed])
    return [
        Row(
            "Intake", f"webhooks at {WEBHOOKS_A_SECOND}/s: 204 at p95", "ms",
            [each.percentile(0.95) for each in timed], goal=WEBHOOK_MS,
            why=WHY.get(("webhooks", ""), ""),
            aside=f"{rate:.0f}/s sent; p50 {_median([t.median for t in timed]):.1f} ms, "
            f"p99 {p99:.1f} ms; at the end {_median([float(n) for n in left]):.0f} events waited",
        ),
        Row("Intake", "webhooks: all applied after the last", "s", behind),
    ]  # fmt: skip
