"""The product as real processes, each of which can be killed: servers, web, workers, beat."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from devstack import process, runenv
from devstack.postgres import Postgres
from devstack.pytest_plugin import _TEST_SETTINGS
from devstack.valkey import Valkey
from sandbox.server import SandboxServer
from sandbox.webhooks import SECRET
from tests.faults.gate import Gate

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = sys.executable
CELERY = [PYTHON, "-W", "ignore", "-m", "celery", "--quiet", "-A", "config"]
FLAGS = ["--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
WORKERS = {
    "worker1": ("default,waiting", 8, ["--pool", "threads"]),
    "worker2": ("default,waiting", 2, []),
    "exchange": ("exchange,outbound", 4, ["--pool", "threads"]),
}
"""Both kinds of pool: threads as everywhere, processes for whoever prefers them."""
BROKEN_AFTER = 30.0


class CrashingPostgres(Postgres):
    """Survives its own crash, as in production, but not the machine's: that costs no fsync.

    What was committed must be there after SIGQUIT, so `synchronous_commit` stays on.
    """

    def _options(self) -> list[str]:
        return [*super()._options(), "-c", "fsync=off", "-c", "full_page_writes=off"]


class Stack:
    """Everything of its own in one directory, on free ports of the loopback."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.kept = runenv.invent()
        self.web_port = runenv.free_port()
        self.site = f"http://localhost:{self.web_port}"
        webhook_url = f"http://127.0.0.1:{self.web_port}/webhooks/ycloud/"
        self.sandbox = SandboxServer(webhook_url=webhook_url, time_scale=0.05)
        self.sandbox.world.calls = type(self.sandbox.world.calls)()  # all of them: the audit reads
        self.sandbox.ycloud.per_second = self.sandbox.ycloud.per_hour = 10**6
        self.gate = Gate(int(self.sandbox.url.rsplit(":", 1)[1]))
        self.postgres = CrashingPostgres(place / "postgres", self.kept)
        self.valkey = Valkey(place / "valkey", self.kept)
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.env = self._environment()

    def _environment(self) -> dict[str, str]:
        given = {**os.environ, **_TEST_SETTINGS, **runenv.database_urls(self.kept)}
        return given | {
            "REDIS_URL": runenv.redis_url(self.kept),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SITE_URL": self.site,
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "YCLOUD_API_BASE_URL": f"{self.gate.url}/v2",
            "YCLOUD_API_KEY": "sandbox-key",
            "YCLOUD_WEBHOOK_SECRETS": SECRET,
            "META_GRAPH_BASE_URL": f"{self.gate.url}/graph",
            "META_APP_SECRET": "sandbox-app-secret",
            "ONBOARDING_UNPROVEN": "review",
            "REGISTER_RESERVE": "0",
            # All customers of the mix come from one address.
            "LAUNCHES_PER_MINUTE": "100000",
            "LINK_OPENINGS_PER_MINUTE": "100000",
            "API_RATE_PER_MINUTE": "100000",
            "DATABASE_POOL_SIZE": "40",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }

    def start(self) -> None:
        """All of it; the database is migrated by the role that owns it."""
        (ROOT / "staticfiles").mkdir(exist_ok=True)
        self.sandbox.__enter__()
        self.postgres.start()
        self.valkey.start()
        owner = {**self.env, "DATABASE_URL": self.env["DATABASE_OWNER_URL"]}
        subprocess.run([PYTHON, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=owner, check=True)
        for name in ("web", *WORKERS, "beat"):
            self.run(name)
        self.wait_for(f"{self.site}/readyz?full=1", 60)

    def run(self, name: str) -> None:
        """Start one process (again). Only from the main thread."""
        of_processes = name in WORKERS and not WORKERS[name][2]
        env = self.env | ({"DATABASE_POOL_SIZE": "0"} if of_processes else {})
        with (self.place / f"{name}.log").open("ab") as log:
            self.children[name] = process.spawn(
                self._command(name), env=env, cwd=ROOT, output=log,
                death_signal=signal.SIGKILL,
            )  # fmt: skip

    def _command(self, name: str) -> list[str]:
        if name == "web":
            return [PYTHON, "-W", "ignore", "-m", "gunicorn", "config.wsgi", "--bind",
                    f"127.0.0.1:{self.web_port}", "--workers", "1", "--threads", "8",
                    "--graceful-timeout", "5"]  # fmt: skip
        if name.startswith("beat"):
            schedule = str(self.place / f"{name}-schedule")
            return [*CELERY, "beat", "--loglevel", "WARNING", "--schedule", schedule, "--pidfile="]
        queue, at_once, pool = WORKERS[name]
        return [*CELERY, "worker", "-Q", queue, "-c", str(at_once), *pool, "-n", f"{name}@faults",
                *FLAGS]  # fmt: skip

    def ended(self) -> list[str]:
        """Processes that ended by themselves; they are started again, as a supervisor would."""
        found = [name for name, child in self.children.items() if child.poll() is not None]
        for name in found:
            self.run(name)
        return found

    def kill(self, name: str) -> None:
        """SIGKILL to the whole group: nothing of it can tidy up."""
        child = self.children.pop(name)
        process.send(child, signal.SIGKILL)
        child.wait()

    def kill_pool_process(self, name: str, which: int) -> bool:
        """SIGKILL to one of a worker's pool processes, whatever it does at the moment."""
        pool = children_of(self.children[name].pid)
        if not pool:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pool[which % len(pool)], signal.SIGKILL)
        return True

    def terminate(self, name: str) -> float:
        """SIGTERM as a deploy sends it; the seconds until it was gone."""
        child = self.children.pop(name)
        began = time.monotonic()
        child.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(BROKEN_AFTER)
        process.send(child, signal.SIGKILL)
        child.wait()
        return time.monotonic() - began

    def stop_redis(self, *, empty: bool) -> None:
        """SIGKILL; `empty`: its data is gone too."""
        assert self.valkey.child is not None
        process.send(self.valkey.child, signal.SIGKILL)
        self.valkey.child.wait()
        if empty:
            shutil.rmtree(self.valkey.data / "appendonlydir", ignore_errors=True)

    def start_redis(self) -> None:
        self.valkey.start()

    def slow_redis(self, seconds: float) -> None:
        """It answers nothing for a while, and then all at once."""
        assert self.valkey.child is not None
        self.valkey.child.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.valkey.child.send_signal(signal.SIGCONT)

    def restart_postgres(self, down_seconds: float) -> None:
        """Immediate shutdown: every connection breaks, as in a crash."""
        assert self.postgres.child is not None
        self.postgres.child.send_signal(signal.SIGQUIT)
        self.postgres.child.wait(20)
        time.sleep(down_seconds)
        self.postgres.start()

    def wait_for(self, url: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
            if time.monotonic() > until:
                raise TimeoutError(f"{url} did not answer; see {self.place}")
            time.sleep(0.2)

    def stop(self) -> None:
        """All of it, at once."""
        for name in list(self.children):
            self.kill(name)
        self.gate.refuse()
        self.sandbox.close()
        self.valkey.stop()
        self.postgres.stop()


def children_of(pid: int) -> list[int]:
    """The processes that this one started, oldest first."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            fields = path.read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == pid:
                found.append(int(path.parent.name))
    return sorted(found)
