"""The sandbox's webhooks: signed, delivered, retried on the scaled ladder."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from sandbox.server import SandboxServer
from sandbox.webhooks import LADDER, SECRET
from ycloud_client.webhooks import Event, verify_signature


class Receiver:
    """An endpoint that keeps what it gets; `statuses` are answered in turn, then 204."""

    def __init__(self) -> None:
        self.got: queue.Queue[tuple[bytes, str, float]] = queue.Queue()
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.put((body, self.headers["YCloud-Signature"], time.monotonic()))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,))
        self.thread.start()

    def next(self) -> tuple[bytes, str, float]:
        return self.got.get(timeout=10)

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def server(receiver: Receiver) -> Iterator[SandboxServer]:
    with SandboxServer(webhook_url=receiver.url, time_scale=0.005) as made:
        yield made


def approve_review(server: SandboxServer) -> Any:
    window = server.control("/control/signup", {"scenario": "review_pending"})
    server.control("/control/act", {"act": "approve_review", "waba_id": window["waba_id"]})
    return window


def test_an_event_is_signed_and_names_its_account(
    server: SandboxServer, receiver: Receiver
) -> None:
    window = approve_review(server)
    body, signature, _ = receiver.next()
    verify_signature(body, signature, [SECRET], now=time.time())
    event = Event.parse(body)
    assert event.type == "whatsapp.business_account.reviewed"
    assert event.waba_id == window["waba_id"]


def test_a_refused_event_is_sent_again_by_the_ladder(
    server: SandboxServer, receiver: Receiver
) -> None:
    receiver.statuses = [500, 503]
    approve_review(server)
    first, second, third = receiver.next(), receiver.next(), receiver.next()
    assert first[0] == second[0] == third[0]
    assert second[2] - first[2] >= LADDER[0] * 0.005
    assert third[2] - second[2] >= LADDER[1] * 0.005


def test_an_event_may_be_sent_again_on_request(server: SandboxServer, receiver: Receiver) -> None:
    approve_review(server)
    body, _, _ = receiver.next()
    event_id = Event.parse(body).id
    until = time.monotonic() + 5
    while not server.sender.log and time.monotonic() < until:
        time.sleep(0.01)
    assert server.control("/control/again", {"event_id": event_id}) == {"sent": True}
    again, _, _ = receiver.next()
    assert again == body


def test_registered_endpoints_get_only_what_they_asked_for(
    server: SandboxServer, receiver: Receiver
) -> None:
    server.sender.url = ""
    for kind in ("whatsapp.business_account.reviewed", "whatsapp.phone_number.deleted"):
        server.world.endpoints[kind] = {
            "id": kind, "url": receiver.url, "enabledEvents": [kind], "secret": "whsec_own",
            "status": "active",
        }  # fmt: skip
    approve_review(server)
    body, signature, _ = receiver.next()
    verify_signature(body, signature, ["whsec_own"], now=time.time())
    approve_review(server)
    receiver.next()
    assert receiver.got.empty()


def test_payment_and_connection_announce_nothing(server: SandboxServer, receiver: Receiver) -> None:
    window = server.control("/control/signup", {"scenario": "payment_missing"})
    server.control("/control/act", {"act": "attach_payment", "waba_id": window["waba_id"]})
    number_id = window["phone_number_id"]
    server.control("/control/act", {"act": "connect_now", "phone_number_id": number_id})
    approve_review(server)
    body, _, _ = receiver.next()
    assert Event.parse(body).type == "whatsapp.business_account.reviewed"
