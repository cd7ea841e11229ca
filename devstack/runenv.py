"""`.local/run.env`: what `make run` invents once and every later command reads.

Precedence in `config/settings.py`: the environment, `.env`, this file. What is set in the first
two replaces an embedded part, so nothing about that part is written here.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from devstack.problem import ProblemError

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".local"


@dataclass(frozen=True)
class Remembered:
    """Invented at the first start and kept, so that a second start finds its data."""

    secret_key: str
    field_encryption_key: str
    owner_password: str
    app_password: str
    superuser_password: str
    redis_password: str
    postgres_port: int
    valkey_port: int


@dataclass(frozen=True)
class Plan:
    """What this start uses: the parts that are embedded and the values that the app reads."""

    remembered: Remembered
    embedded_postgres: bool
    embedded_valkey: bool
    sandbox: bool
    port: int
    sandbox_port: int
    values: dict[str, str]


def ensure(local: Path = LOCAL, given: Mapping[str, str] | None = None) -> Plan:
    """Write `run.env` for this start and return the plan. Raises ProblemError.

    `given`: the settings of the environment and of `.env`; what is there is not invented.
    """
    given = _given() if given is None else given
    directory(local)
    (ROOT / "staticfiles").mkdir(exist_ok=True)  # whitenoise warns without it
    remembered = _with_free_ports(_remembered(local), local)
    plan = _planned(remembered, given)
    lines = "".join(f"{name}={value}\n" for name, value in sorted(plan.values.items()))
    _write(local / "run.env", "# Written by `make run`; changes are lost.\n" + lines)
    return plan


def directory(path: Path) -> None:
    """Make a private directory, or refuse one that belongs to somebody else."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = path.stat().st_uid
    if owner != os.getuid():
        raise ProblemError(
            f"{path} belongs to another user (uid {owner}): "
            f"run as that user, or remove it with `rm -rf {path}`."
        )
    path.chmod(stat.S_IRWXU)


def _given() -> dict[str, str]:
    return {**_dotenv(ROOT / ".env"), **os.environ}


def _dotenv(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in path.read_text().splitlines() if path.is_file() else ():
        name, separator, value = line.removeprefix("export ").partition("=")
        if separator and not name.lstrip().startswith("#"):
            found[name.strip()] = value.strip().strip("'\"")
    return found


def _remembered(local: Path) -> Remembered:
    path = local / "remembered.json"
    if path.is_file():
        return Remembered(**json.loads(path.read_text()))
    made = invent()
    _write(path, json.dumps(asdict(made), indent=1))
    return made


def _with_free_ports(kept: Remembered, local: Path) -> Remembered:
    """A remembered port that somebody else took meanwhile is replaced; the data stays."""
    postgres, valkey = kept.postgres_port, kept.valkey_port
    if port_is_free(postgres) and port_is_free(valkey):
        return kept
    moved = replace(
        kept,
        postgres_port=postgres if port_is_free(postgres) else free_port(),
        valkey_port=valkey if port_is_free(valkey) else free_port(),
    )
    _write(local / "remembered.json", json.dumps(asdict(moved), indent=1))
    return moved


def invent() -> Remembered:
    """New secrets and free ports."""
    return Remembered(
        secret_key=secrets.token_urlsafe(50),
        field_encryption_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        owner_password=secrets.token_hex(16),
        app_password=secrets.token_hex(16),
        superuser_password=secrets.token_hex(16),
        redis_password=secrets.token_hex(16),
        postgres_port=free_port(),
        valkey_port=free_port(),
    )


def free_port() -> int:
    """A port of the loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int) -> bool:
    """Whether a server of ours could listen on the loopback's port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _planned(kept: Remembered, given: Mapping[str, str]) -> Plan:
    port, sandbox_port = _port(given, "PORT", 8000), _port(given, "SANDBOX_PORT", 8001)
    if port == sandbox_port:
        raise ProblemError(
            f"PORT and SANDBOX_PORT are both {port}: give two, as in "
            f"`PORT={port} SANDBOX_PORT={port + 1} make run`."
        )
    postgres = not _has(given, "DATABASE_URL")
    valkey = not _has(given, "REDIS_URL")
    sandbox = not _has(given, "META_APP_ID") and not any(
        value for name, value in given.items() if name.startswith("YCLOUD_")
    )
    values = {
        "SECRET_KEY": kept.secret_key,
        "FIELD_ENCRYPTION_KEYS": kept.field_encryption_key,
        "SITE_URL": f"http://localhost:{port}",
        "PARTNER_NAME": '"Demo Partner"',
    }
    if postgres:
        values |= database_urls(kept)
    if valkey:
        values["REDIS_URL"] = redis_url(kept)
    if sandbox:
        values["SANDBOX_ORIGIN"] = f"http://127.0.0.1:{sandbox_port}"
    invented = {name: value for name, value in values.items() if not _has(given, name)}
    return Plan(kept, postgres, valkey, sandbox, port, sandbox_port, invented)


def database_urls(kept: Remembered) -> dict[str, str]:
    """The app's role, which owns nothing, and the role that migrates."""
    place = f"127.0.0.1:{kept.postgres_port}/onboarding"
    return {
        "DATABASE_URL": f"postgres://onboarding_app:{kept.app_password}@{place}",
        "DATABASE_OWNER_URL": f"postgres://onboarding_owner:{kept.owner_password}@{place}",
    }


def redis_url(kept: Remembered) -> str:
    """The embedded Valkey's address."""
    return f"redis://:{kept.redis_password}@127.0.0.1:{kept.valkey_port}/0"


def _has(given: Mapping[str, str], name: str) -> bool:
    return bool(given.get(name) or given.get(f"{name}_FILE"))


def _port(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name) or str(default)
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise ProblemError(f"{name} is {text!r}: give a port number between 1 and 65535.")
    return int(text)


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
