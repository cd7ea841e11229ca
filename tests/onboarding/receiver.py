"""The partner's side: a real HTTP server on the loopback that keeps what it gets."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: str

    def verified(self, secret: str) -> Any:
        """The body, when the library says that the secret signed it."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """`answers`: status, or (status, headers, body), one for each request; then `status`."""

    status: int = 204
    answers: list[Any] = field(default_factory=list)
    got: list[Received] = field(default_factory=list)
    before_answer: Callable[[], None] | None = None
    tls: ssl.SSLContext | None = None
    asked_names: list[str | None] = field(default_factory=list)

    def __enter__(self) -> Receiver:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.got.append(Received(self.path, dict(self.headers), body))
                if outer.before_answer is not None:
                    outer.before_answer()
                answer = outer.answers.pop(0) if outer.answers else outer.status
                status, headers, text = answer if isinstance(answer, tuple) else (answer, {}, "")
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128  # of 5, one that comes with many others waits for a second

            def handle_error(self, *args: Any) -> None:
                pass  # a client that hangs up is part of the tests

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        if self.tls is not None:
            self.tls.sni_callback = lambda sock, name, context: self.asked_names.append(name)
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"
