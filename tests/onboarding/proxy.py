"""A proxy before the app, on the loopback, that does to answers what tests ask of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections

Headers = list[tuple[str, str]]


class Proxy:
    """Passes requests to the app of this process; a context manager."""

    def __init__(self, change: Callable[[Headers], Headers] = list) -> None:
        self.change = change
        self.status: int | None = None
        self.body: bytes | None = None
        self.asked: list[str] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self.url = f"http://localhost:{self._http.server_address[1]}"

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._http.shutdown()
        self._http.server_close()


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on()

        def do_POST(self) -> None:
            self._pass_on()

        def _pass_on(self) -> None:
            proxy.asked.append(f"{self.command} {self.path}")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                with httpx.Client(transport=httpx.WSGITransport(app=WSGIHandler())) as http:
                    url = f"{proxy.url}{self.path}"
                    answer = http.request(
                        self.command, url, content=body, headers=dict(self.headers)
                    )
            finally:
                connections.close_all()
            content = answer.content if proxy.body is None else proxy.body
            self.send_response(proxy.status or answer.status_code)
            for name, value in proxy.change(answer.headers.multi_items()):
                if name.lower() not in ("content-length", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the tests look at `asked`."""

    return Handler
