"""Who is asked for the intake, and what: the product and the bare project side by side."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import runpy
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count, cycle
from pathlib import Path
from typing import Any

from benchmarks.load import Timed, request, send
from benchmarks.processes import PYTHON, ROOT, Processes, wait_for
from devstack import runenv
from sandbox.webhooks import SECRET

WEBHOOKS_A_SECOND = 200
JSON = {"Content-Type": "application/json", "Accept": "application/json"}
STREAMS = 40
"""Pages that open a stream of events at once."""


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
        self.bare_port, self.kept_port = runenv.free_port(), runenv.free_port()
        self.environment = {**of.env, "BARE_DATABASE_URL": self._bare_database()}
        attempts = (size.posts // size.askers + 1) * size.askers * (rounds + 1)
        self.ours = self._rows("product", size.askers, attempts)
        self.bare = self._rows("bare", size.askers, size.askers)
        self._serve("bare", self.bare_port)
        self._serve("bare, kept", self.kept_port, BARE_KEPT="1")
        self.fresh = self._attempts()
        self.numbers = count(1)

    def _serve(self, name: str, port: int, **more: str) -> None:
        env = {
            "BARE_DATABASE_URL": self.environment["BARE_DATABASE_URL"],
            "DJANGO_SETTINGS_MODULE": "benchmarks.bare.settings",
        }
        self.of.spawn(name, [
            PYTHON, "-W", "ignore", "-m", "gunicorn", "benchmarks.bare.wsgi", *same_server(),
            "--bind", f"127.0.0.1:{port}",
        ], env=env | more)  # fmt: skip
        wait_for(f"http://127.0.0.1:{port}/open/{self.bare['connected'][0]}/")

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

    def _sent(self, name: str, port: int, asked: list[str]) -> Timed:
        before = cpu_of(self.of.children[name].pid)
        timed = send(port, asked, self.size.connections)
        return replace(timed, server_cpu=cpu_of(self.of.children[name].pid) - before)

    def our_get(self, **more: str) -> Timed:
        asked = self._gets(self.ours, "/api/v1/onboardings/{}/", more)
        return self._sent("web", self.of.port, asked)

    def bare_get(self, which: str, port: int | None = None) -> Timed:
        asked = self._gets(self.bare, f"/{which}/{{}}/", {})
        if port is not None:
            return self._sent("bare, kept", port, asked).only(200)
        return self._sent("bare", self.bare_port, asked).only(200)

    def our_post(self) -> Timed:
        asked = []
        for _ in range(self.size.posts):
            who, row = next(self.fresh)
            path = f"/api/v1/onboardings/{row}/signup/"
            asked.append(request("POST", path, {**JSON, **who}, self._finish()))
        return self._sent("web", self.of.port, asked).only(202)

    def bare_post(self, which: str) -> Timed:
        row = self.bare["connected"][0]
        each = cycle(self.bare["askers"])
        asked = [
            request("POST", f"/{which}/{row}/", {**JSON, **who}, self._finish())
            for _, who in zip(range(self.size.posts), each, strict=False)
        ]
        return self._sent("bare", self.bare_port, asked).only(202)

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
        before = cpu_of(self.of.children["web"].pid)
        timed = send(self.of.port, asked, 16, WEBHOOKS_A_SECOND)
        return replace(timed, server_cpu=cpu_of(self.of.children["web"].pid) - before)

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


def cpu_of(group: int) -> float:
    """CPU seconds that the processes of a group have used so far."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            told = path.read_text().rpartition(")")[2].split()
            ticks += int(told[11]) + int(told[12]) if int(told[2]) == group else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def same_server() -> list[str]:
    """The flags of gunicorn that the product is served with; its file imports the product."""
    kept = runpy.run_path(str(ROOT / "config" / "gunicorn.py"))
    return [
        "--worker-class", kept["worker_class"], "--workers", str(kept["workers"]),
        "--threads", str(kept["threads"]), "--keep-alive", str(kept["keepalive"]),
        "--access-logfile", kept["accesslog"],
    ]  # fmt: skip


def streams_served(port: int, seconds: float = 2.0) -> int:
    """Of so many pages that open a stream at once, how many hear something."""
    sent = request("GET", "/stream/", {"Accept": "text/event-stream"}).encode()
    opened, heard = [], 0
    for _ in range(STREAMS):
        one = socket.create_connection(("127.0.0.1", port), timeout=10)
        one.sendall(sent)
        opened.append(one)
    time.sleep(seconds)
    for one in opened:
        one.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            heard += b"data:" in one.recv(65_536)
        one.close()
    time.sleep(seconds + 1)  # those that were let in hold their threads until they end
    return heard
