"""The HTTP front: YCloud under /v2, Meta under /graph, /dialog and /sdk.js, the control panel."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sandbox import acts, dialog, faults, meta, pages, scenarios
from sandbox.envelope import Answer, Call, object_of
from sandbox.webhooks import Sender
from sandbox.world import KEYS, World
from sandbox.ycloud import YCloud, now_text

BODY_LIMIT = 1_000_000


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hung up (a killed worker) is no fault of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class SandboxServer:
    """The whole sandbox on one port of the loopback; also a context manager for tests."""

    def __init__(
        self,
        port: int = 0,
        *,
        state: Path | None = None,
        webhook_url: str = "",
        app_origins: tuple[str, ...] = ("http://localhost:8000",),
        time_scale: float = 0.01,
        latency_ms: int = 0,
        log: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.world = World(state, clock)
        self.app_origins = app_origins
        self.latency_ms, self.log = latency_ms, log
        self.ahead_seconds = 0.0  # of our clock, in every Date
        self.sender = Sender(webhook_url, time_scale)
        self.ycloud = YCloud(self.world, self.emit)
        self._http = _Http(("127.0.0.1", port), _handler(self))
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread: threading.Thread | None = None

    def emit(self, kind: str, payload: dict[str, Any]) -> None:
        """Send a webhook event, to the endpoints of the YCloud account that has the WABA."""
        endpoints, first = self.world.told_of(payload)
        # The address that was given at the start is the first account's.
        self.sender.send(kind, payload, now_text(self.world), endpoints, at_start=first)

    def serve(self) -> None:
        """Answer until `close`."""
        self._http.serve_forever(poll_interval=0.1)

    def close(self) -> None:
        """Stop answering, end the sender, keep the state."""
        self._http.shutdown()
        self._http.server_close()
        self.sender.stop()
        self.world.save()

    def __enter__(self) -> SandboxServer:
        self._thread = threading.Thread(target=self.serve, daemon=True, name="sandbox")
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- The control panel's JSON --------------------------------------------------------------

    def overview(self) -> dict[str, Any]:
        """`GET /control/`."""
        return {
            **self.world.overview(),
            "scenarios": [
                {k: v for k, v in asdict(s).items() if k != "traits"}
                for s in scenarios.CATALOGUE.values()
            ],
            "deliveries": list(self.sender.log)[::-1],
        }

    def dialog(self) -> dict[str, Any]:
        """What the window's page needs to know."""
        told = scenarios.for_window(self.world.scenario, self.world.params)
        return told | {"numbers": self.world.listed()}

    def control(self, path: str, sent: dict[str, Any]) -> Any:
        """`POST /control/…`. Raises ValueError or KeyError for what makes no sense."""
        if path == "/control/":
            scenarios.traits(sent["scenario"], sent.get("params"))
            with self.world.lock:
                self.world.scenario = scenarios.find(sent["scenario"]).name
                self.world.params = dict(sent.get("params") or {})
                self.world.once = bool(sent.get("once"))
            self.world.save()
        elif path == "/control/act":
            acts.act(self.world, self.emit, sent)
        elif path == "/control/fault":
            with self.world.lock:
                self.world.faults.append({"times": 1, **sent})
        elif path == "/control/quota":
            self.ycloud.set_quota(sent)
        elif path == "/control/holder":
            self.world.holder = KEYS[KEYS.index(sent["key"])]
        elif path == "/control/again":
            return {"sent": self.sender.again(str(sent.get("event_id", "")))}
        elif path == "/control/reset":
            self.world.reset()
            self.sender.log.clear()
            self.world.save()
        elif path == "/control/signup":
            return meta.asked(self.world, sent)
        else:
            raise KeyError(path)
        return self.overview()


def _handler(server: SandboxServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """One connection."""

        protocol_version = "HTTP/1.1"
        server_version = "sandbox"
        disable_nagle_algorithm = True

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string((timestamp or time.time()) + server.ahead_seconds)

        def do_GET(self) -> None:
            self._route()

        def do_POST(self) -> None:
            self._route()

        def do_PATCH(self) -> None:
            self._route()

        def do_DELETE(self) -> None:
            self._route()

        def _route(self) -> None:
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            length = int(self.headers.get("Content-Length") or 0)
            if length > BODY_LIMIT:
                self._json(413, {"error": "too large"})
                return
            raw = self.rfile.read(length)
            if parts.path.startswith(("/v2/", "/graph/")):
                time.sleep(server.latency_ms / 1000)
            host = (self.headers.get("Host") or "").rsplit(":", 1)[0]
            if host not in ("127.0.0.1", "localhost"):
                self._json(421, {"error": "this sandbox answers on the loopback only"})
            elif parts.path.startswith("/v2/"):
                self._ycloud(parts.path[3:], query, raw)
            elif parts.path.startswith("/graph/"):
                self._graph(parts.path, query, raw)
            elif parts.path == dialog.PATH:
                self._dialog(query, raw)
            elif self.command == "POST":
                self._control(parts.path, raw)
            else:
                self._page(parts.path)

        # --- YCloud and Meta -----------------------------------------------------------------

        def _ycloud(self, path: str, query: dict[str, str], raw: bytes) -> None:
            body = object_of(raw)
            key = self.headers.get("X-API-Key", "")
            answer = server.ycloud.answer(Call(self.command, path, query, body, key))
            if self.command != "GET":
                server.world.save()
            if answer.drop is not None:
                self._drop(answer)
                return
            faults.wait(answer)
            content = answer.raw
            if content is None:
                content = json.dumps(answer.body).encode()
            kind = "application/json" if answer.raw is None else "text/html"
            self._send(answer.status, content, kind, answer.headers, half=answer.half)

        def _drop(self, answer: Answer) -> None:
            time.sleep(answer.drop or 0)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def _graph(self, path: str, query: dict[str, str], raw: bytes) -> None:
            name = path.split("/", 3)[-1]
            fault = server.world.take_fault(f"graph_{name.replace('/', '_')}", None) or {}
            server.world.graph_calls.append({"method": self.command, "path": path})
            if fault.get("fault") == "server_error":
                self._json(500, {"error": {"message": "Please retry.", "code": 2}})
                return
            if fault.get("fault") == "timeout_before":
                self._drop(Answer(drop=float(fault.get("seconds", 1))))
                return
            form = dict(parse_qsl(raw.decode(), keep_blank_values=True))
            bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
            try:
                if name == "oauth/access_token":
                    body = meta.access_token(server.world, form or query)
                elif name == "debug_token":
                    body = meta.debug_token(server.world, query, bearer)
                else:
                    raise meta.GraphError(404, 803, "Unknown path.")
                if fault.get("fault") == "timeout_after":
                    self._drop(Answer(drop=float(fault.get("seconds", 1))))
                else:
                    self._json(200, body)
            except meta.GraphError as error:
                self._json(error.status, error.body)

        def _dialog(self, query: dict[str, str], raw: bytes) -> None:
            sent = dict(parse_qsl(raw.decode(), keep_blank_values=True)) or query
            foreign = self.headers.get("Origin") not in (None, f"http://{self.headers['Host']}")
            origins = () if foreign else server.app_origins
            self._send(*dialog.answer(server.world, self.command, sent, origins))

        # --- Control, pages --------------------------------------------------------------------

        def _control(self, path: str, raw: bytes) -> None:
            # A JSON type needs a preflight, so no foreign page can press our buttons.
            if "application/json" not in self.headers.get("Content-Type", ""):
                self._json(415, {"error": "send application/json"})
                return
            try:
                self._json(200, server.control(path, object_of(raw)))
            except (ValueError, KeyError, TypeError) as error:
                self._json(400, {"error": f"{error}"})

        def _page(self, path: str) -> None:
            if path in ("/healthz", "/favicon.ico"):
                self._send(200, b"ok\n", "text/plain")
            elif path == "/control/":
                self._json(200, server.overview())
            elif path == "/dialog/config":
                self._json(200, {"app_origins": server.app_origins, **server.dialog()})
            else:
                self._asset(path)

        def _asset(self, path: str) -> None:
            found = pages.asset(path)
            if found is None:
                self._json(404, {"error": "there is nothing here"})
            else:
                self._send(200, *found)

        def _json(self, status: int, body: Any) -> None:
            self._send(status, json.dumps(body).encode(), "application/json")

        def _send(
            self,
            status: int,
            content: bytes,
            kind: str,
            headers: dict[str, str] | None = None,
            *,
            half: bool = False,
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if half else content)
            if half:
                self._drop(Answer(drop=0))

        def log_message(self, format: str, *args: Any) -> None:
            """Method, path without its query, status; never a code or a key."""
            path = urlsplit(self.path).path
            if server.log and path not in ("/healthz", "/control/", "/dialog/config"):
                print(f"{self.command} {path} {args[1] if len(args) > 1 else ''}", flush=True)

    return Handler
