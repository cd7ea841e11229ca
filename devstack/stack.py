"""What `make run` starts, in order, and what it says when all are healthy."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Any

from devstack import runenv
from devstack.postgres import Postgres
from devstack.problem import ProblemError
from devstack.runenv import LOCAL, ROOT, Plan
from devstack.supervisor import StopRequestedError, Supervisor
from devstack.translations import catalogues
from devstack.valkey import Valkey

HEALTHY_SECONDS = 90
AS_ROOT = {"PYTHONWARNINGS": "ignore:You're running the worker"}
"""As root Celery warns at length; on one's own machine, with JSON tasks only, that is noise."""
THREADS = ["--pool", "threads"]
WORKERS: tuple[tuple[str, str, int, list[str]], ...] = (
    ("worker", "default", 32, THREADS),
    ("exchange", "exchange", 32, THREADS),
    ("background", "outbound,waiting", 8, THREADS),
)
"""Name, queues, how many tasks at once, and in what: threads, because tasks wait for somebody
(docs/decisions/0015)."""
_held: list[tuple[Plan, IO[str]]] = []


def prepare() -> None:
    """Before Django loads: take the checkout's lock, write `run.env`, compile the translations.

    Exits 1 with one sentence.
    """
    try:
        runenv.directory(LOCAL)
        lock = _locked(LOCAL / "lock")
        plan = runenv.ensure()
        _check_ports(plan)
    except ProblemError as problem:
        sys.exit(f"make run: {problem}")
    catalogues.compile_all()
    _held.append((plan, lock))


def _locked(path: Path) -> IO[str]:
    lock = path.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        holder = lock.read().strip() or "?"
        lock.close()
        raise ProblemError(
            f"It is running already in this checkout (process {holder}): "
            "use that one, or stop it with Ctrl-C first."
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _check_ports(plan: Plan) -> None:
    wanted = {"PORT": plan.port}
    if plan.sandbox:
        wanted["SANDBOX_PORT"] = plan.sandbox_port
    for name, port in wanted.items():
        if not runenv.port_is_free(port):
            raise ProblemError(
                f"Port {port} is taken by another program: "
                f"choose another one with `{name}={port + 10} make run`."
            )


def run() -> int:
    """Start everything and stay until Ctrl-C; the exit status."""
    plan, _ = _held[0]
    started = time.monotonic()
    env = {**os.environ, **_missing(plan.values), "PYTHONUNBUFFERED": "1"}
    with Supervisor(ROOT, env) as supervisor:
        try:
            _start_servers(supervisor, plan)
            _manage("migrate", env=_owner(env), say="Migrating the database")
            seeded = _seed(env) if plan.sandbox else {}
            _start_children(supervisor, plan, env)
            supervisor.wait_until(
                lambda: _is_ready(f"http://127.0.0.1:{plan.port}/readyz?full=1"),
                "The app",
                HEALTHY_SECONDS,
            )
            print(_welcome(plan, env, seeded, time.monotonic() - started), flush=True)
            supervisor.watch()
        except ProblemError as problem:
            supervisor.stop()
            print(f"make run: {problem}", file=sys.stderr, flush=True)
            return 1
        except StopRequestedError:
            print("\nStopping everything …", flush=True)
    print("Stopped.", flush=True)
    return 0


def _missing(values: dict[str, str]) -> dict[str, str]:
    return {name: value.strip('"') for name, value in values.items() if not os.environ.get(name)}


def _start_servers(supervisor: Supervisor, plan: Plan) -> None:
    if plan.embedded_postgres:
        _say("Starting PostgreSQL")
        child = Postgres(LOCAL / "postgres", plan.remembered).start()
        supervisor.adopt("postgres", child, signal.SIGINT)
    if plan.embedded_valkey:
        _say("Starting Valkey")
        child = Valkey(LOCAL / "valkey", plan.remembered).start()
        supervisor.adopt("valkey", child, signal.SIGTERM)


def _start_children(supervisor: Supervisor, plan: Plan, env: dict[str, str]) -> None:
    python = sys.executable
    origin = env["SITE_URL"]
    supervisor.env |= _metrics(env)
    if plan.sandbox:
        supervisor.start("sandbox", [
            python, "-m", "sandbox", "--port", str(plan.sandbox_port),
            "--state", str(LOCAL / "sandbox.json"),
            "--webhook-url", f"http://127.0.0.1:{plan.port}/webhooks/ycloud/",
            "--app-origin", origin,
        ])  # fmt: skip
        supervisor.wait_until(
            lambda: _answers(f"http://127.0.0.1:{plan.sandbox_port}/healthz"), "The sandbox", 20
        )
    supervisor.start("web", [
        python, "-m", "gunicorn", "config.wsgi", "--config", "config/gunicorn.py",
        "--bind", f"127.0.0.1:{plan.port}",
    ])  # fmt: skip
    celery = [python, "-m", "celery", "--quiet", "-A", "config"]
    # SIGKILL when we die violently: a worker whose Redis dies with us waits for it for ever, also
    # in its cold stop (tried with Celery 5.7). Rows have leases, so nothing is lost.
    for name, queue, at_once, pool in WORKERS:
        supervisor.start(name, [
            *celery, "worker", "-Q", queue, "-c", str(at_once), *pool, "-n", f"{name}@%h",
            "--loglevel", "WARNING", "--without-gossip", "--without-mingle",
        ], death_signal=signal.SIGKILL, env=AS_ROOT)  # fmt: skip
    supervisor.start("beat", [
        *celery, "beat", "--loglevel", "WARNING", "--schedule", str(LOCAL / "beat"),
        "--pidfile=",
    ], death_signal=signal.SIGKILL)  # fmt: skip


def _metrics(env: dict[str, str]) -> dict[str, str]:
    """All processes count in one directory, so that `/metrics` shows web and workers together."""
    if env.get("PROMETHEUS_MULTIPROC_DIR"):
        return {}
    place = LOCAL / "metrics"
    shutil.rmtree(place, ignore_errors=True)  # counts of processes that are gone
    runenv.directory(place)
    return {"PROMETHEUS_MULTIPROC_DIR": str(place)}


def _owner(env: dict[str, str]) -> dict[str, str]:
    return {**env, "DATABASE_URL": env.get("DATABASE_OWNER_URL") or env["DATABASE_URL"]}


def _manage(*command: str, env: dict[str, str], say: str) -> str:
    _say(say)
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise ProblemError(f"`manage.py {' '.join(command)}` failed: {last}")
    return done.stdout


def _seed(env: dict[str, str]) -> dict[str, Any]:
    printed = _manage("seed_demo", env=env, say="Seeding the demo tenant")
    found = json.loads(printed.strip().splitlines()[-1])
    return dict(found)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:  # noqa: S310 - our own loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _is_ready(url: str) -> bool:
    return _answers(url)


def _say(text: str) -> None:
    print(f"{text} …", flush=True)


def _welcome(plan: Plan, env: dict[str, str], seeded: dict[str, Any], seconds: float) -> str:
    site = env["SITE_URL"]
    lines = [
        "",
        f"All healthy after {seconds:.1f} s.",
        "",
        f"  Signup page    {site}/connect/",
        f"  Admin          {site}/admin/",
        f"  API docs       {site}/api/docs/",
    ]
    if plan.sandbox:
        lines.append(
            f"  Sandbox panel  http://127.0.0.1:{plan.sandbox_port}/   "
            "(stands in for Meta and YCloud)"
        )
    for login in seeded.get("logins", ()):
        lines.append(f"  {login['who']:<14} {login['email']}  password: {login['password']}")
    if seeded.get("signup_link"):
        lines += [f"  Signup link    {seeded['signup_link']}"]
    return "\n".join([*lines, "", "Ctrl-C stops everything.", ""])
