"""`python -m sandbox`: the stand-in as a process of its own."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path
from types import FrameType

from sandbox.server import SandboxServer


def main() -> None:
    """Serve until SIGTERM or SIGINT, then exit 0."""
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--state", type=Path, help="a file that keeps the accounts")
    parser.add_argument("--webhook-url", default="", help="where YCloud's events go")
    parser.add_argument("--app-origin", action="append", help="who may open the window")
    parser.add_argument("--time-scale", type=float, default=0.01, help="of the retry ladder")
    parser.add_argument(
        "--latency-ms", type=int, default=0, help="added to each call of YCloud or Graph"
    )
    asked = parser.parse_args()
    server = SandboxServer(
        asked.port,
        state=asked.state,
        webhook_url=asked.webhook_url,
        app_origins=tuple(asked.app_origin or ("http://localhost:8000",)),
        time_scale=asked.time_scale,
        latency_ms=asked.latency_ms,
        log=True,
    )
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    with server:
        print(f"the sandbox answers on {server.url}", flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
