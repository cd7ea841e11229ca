"""The product as processes, as `make run` starts them, for what is measured from outside.

Servers of its own in a directory of its own; the sandbox is a process too, with the latency asked
for, so that what it costs is not ours.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from devstack import process, runenv
from devstack.postgres import Postgres
from devstack.pytest_plugin import _TEST_SETTINGS
from devstack.stack import WORKERS
from devstack.valkey import Valkey
from sandbox.webhooks import SECRET

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
CELERY = [PYTHON, "-W", "ignore", "-m", "celery", "--quiet", "-A", "config"]
FLAGS = ["--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
NO_LIMIT = "1000000"


class Processes:
    """What runs, each child by its name; `env` is what all of them were started with."""

    def __init__(self, place: Path, latency_ms: int, more: Mapping[str, str]) -> None:
        self.place = place
        self.kept = runenv.invent()
        self.port, self.sandbox_port = runenv.free_port(), runenv.free_port()
        self.site = f"http://localhost:{self.port}"
        self.sandbox = f"http://127.0.0.1:{self.sandbox_port}"
        self.latency_ms = latency_ms
        self.postgres = Postgres(place / "postgres", self.kept)
        self.valkey = Valkey(place / "valkey", self.kept)
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.env = {**self._environment(), **more}

    def _environment(self) -> dict[str, str]:
        given = {**os.environ, **_TEST_SETTINGS, **runenv.database_urls(self.kept)}
        return given | {
            "REDIS_URL": runenv.redis_url(self.kept),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SITE_URL": self.site,
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "YCLOUD_API_BASE_URL": f"{self.sandbox}/v2",
            "YCLOUD_API_KEY": "sandbox-key",
            "YCLOUD_WEBHOOK_SECRETS": SECRET,
            "YCLOUD_QUOTA_PER_SECOND": NO_LIMIT,
            "YCLOUD_QUOTA_PER_HOUR": NO_LIMIT,
            "META_GRAPH_BASE_URL": f"{self.sandbox}/graph",
            "ONBOARDING_UNPROVEN": "continue",
            # All customers of a benchmark come from one address.
            "LAUNCHES_PER_MINUTE": NO_LIMIT,
            "LINK_OPENINGS_PER_MINUTE": NO_LIMIT,
            "API_RATE_PER_MINUTE": NO_LIMIT,
            "DATABASE_POOL_SIZE": "40",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }

    def start_servers(self) -> None:
        """PostgreSQL, Valkey and the tables, which the owner's role makes."""
        self.postgres.start()
        self.valkey.start()
        owner = {**self.env, "DATABASE_URL": self.env["DATABASE_OWNER_URL"]}
        self.manage("migrate", "-v", "0", env=owner)

    def manage(self, *command: str, env: Mapping[str, str] | None = None) -> str:
        """One command of manage.py to its end; what it printed."""
        run = [PYTHON, "manage.py", *command]
        done = subprocess.run(
            run, cwd=ROOT, env=env or self.env, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout

    def spawn(self, name: str, command: Sequence[str], env: Mapping[str, str] | None = None) -> int:
        """Start a child that logs to a file of its name; its pid."""
        with (self.place / f"{name}.log").open("ab") as log:
            child = process.spawn(
                list(command), env={**self.env, **(env or {})}, cwd=ROOT, output=log,
                death_signal=signal.SIGKILL,
            )  # fmt: skip
        self.children[name] = child
        return int(child.pid)

    def start(self) -> None:
        """Sandbox, web, workers and beat, until all of them are ready."""
        self.start_sandbox()
        self.start_product()
        wait_for(f"{self.site}/readyz?full=1")

    def start_sandbox(self) -> None:
        """Until it answers."""
        self.spawn("sandbox", [
            PYTHON, "-m", "sandbox", "--port", str(self.sandbox_port),
            "--latency-ms", str(self.latency_ms),
            "--webhook-url", f"http://127.0.0.1:{self.port}/webhooks/ycloud/",
            "--app-origin", self.site,
        ])  # fmt: skip
        wait_for(f"{self.sandbox}/healthz")

    def start_product(self) -> None:
        """Web, workers and beat; they are not ready yet."""
        self.spawn("web", [
            PYTHON, "-W", "ignore", "-m", "gunicorn", "config.wsgi", "--config",
            "config/gunicorn.py", "--bind", f"127.0.0.1:{self.port}",
        ])  # fmt: skip
        for name, queue, at_once, pool in WORKERS:  # as in `make run`
            self.spawn(name, [*CELERY, "worker", "-Q", queue, "-c", str(at_once), *pool, "-n",
                              f"{name}@bench", *FLAGS])  # fmt: skip
        self.spawn("beat", [*CELERY, "beat", "--loglevel", "WARNING", "--schedule",
                            str(self.place / "beat"), "--pidfile="])  # fmt: skip

    def end(self, name: str) -> None:
        """Stop one child and all that it started."""
        child = self.children.pop(name)
        process.send(child, signal.SIGKILL)
        child.wait()

    @contextmanager
    def paused(self, *names: str) -> Iterator[None]:
        """These children, and all that they started, stand still meanwhile."""
        groups = [self.children[name] for name in names]
        for child in groups:
            process.send(child, signal.SIGSTOP)
        try:
            yield
        finally:
            for child in groups:
                process.send(child, signal.SIGCONT)

    def stop(self) -> None:
        for name in list(self.children):
            self.end(name)
        self.valkey.stop()
        self.postgres.stop()


@contextmanager
def processes(latency_ms: int = 100, **more: str) -> Iterator[Processes]:
    """The whole product, ready; `more`: settings of this measurement."""
    runenv.directory(runenv.LOCAL)
    (ROOT / "staticfiles").mkdir(exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="bench-", dir=runenv.LOCAL))
    made = Processes(place, latency_ms, more)
    try:
        made.start_servers()
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(place, ignore_errors=True)


def wait_for(url: str, seconds: float = 90) -> None:
    """Until it answers 200. Raises TimeoutError."""
    until = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own loopback
            if answer.status == 200:
                return
        if time.monotonic() > until:
            raise TimeoutError(f"{url} did not answer")
        time.sleep(0.1)
