"""The short version of the rows about the intake: the generator is honest, all rows come out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks import intake
from benchmarks.intake_load import Size
from benchmarks.load import Timed, request, send


@contextmanager
def server(answer: Callable[[int], int]) -> Iterator[int]:
    """Answers the n-th request with a status; its port."""
    asked = iter(range(10**6))
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with lock:
                which = next(asked)
            self.send_response(answer(which))
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_told: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield made.server_address[1]
        made.shutdown()


def slowly(seconds: float, status: int = 200) -> Callable[[int], int]:
    def answer(_which: int) -> int:
        time.sleep(seconds)
        return status

    return answer


GET = request("GET", "/", {})


def test_every_request_is_sent_once_and_its_answer_counted() -> None:
    with server(lambda which: 404 if which == 3 else 200) as port:
        found = send(port, [GET] * 20, connections=4)
    assert found.statuses == {"200": 19, "404": 1}
    assert len(found.ms) == 20


def test_a_slow_server_is_seen() -> None:
    with server(slowly(0.1)) as port:
        assert send(port, [GET] * 4, connections=2).median >= 100


def test_a_refusal_is_not_taken_for_a_quick_answer() -> None:
    with server(slowly(0, 429)) as port, pytest.raises(AssertionError):
        send(port, [GET] * 4).only(200)


def test_what_waits_behind_a_slow_answer_counts_from_when_it_was_due() -> None:
    """One connection at ten times what the server can do: the last one was late by nearly all."""
    with server(slowly(0.05)) as port:
        found = send(port, [GET] * 10, connections=1, rate=200)
    assert max(found.ms) >= 350


def test_a_fixed_rate_is_kept() -> None:
    with server(slowly(0)) as port:
        found = send(port, [GET] * 20, connections=4, rate=40)
    assert found.seconds >= 19 / 40


def timed(ms: float) -> Timed:
    return Timed([ms] * 10, {"200": 10}, ms / 100, 0.0)


def test_a_slower_view_misses_the_goal() -> None:
    rows = intake._rows("get", [timed(9.0)] * 5, [timed(3.0)] * 5, "signed in")
    assert [row.is_met for row in rows] == [False, False, None]
    assert [row.ratio for row in rows[:2]] == pytest.approx([3.0, 3.0])


def test_webhooks_that_are_answered_too_late_miss_the_goal() -> None:
    rows = [intake._webhooks("", [timed(ms)] * 5, "", intake.WEBHOOK_MS) for ms in (19.0, 21.0)]
    assert [row.is_met for row in rows] == [True, False]
    assert "CPU" in rows[0].aside


@pytest.mark.timeout(600)
def test_all_rows_come_out_of_one_small_round() -> None:
    small = Size(askers=2, requests=4, posts=4, connections=2, webhook_seconds=0.1)
    rows = intake.measure(1, small)
    assert len(rows) == 23
    waits = [row for row in rows[:-1] if "CPU" not in row.name]
    assert all(row.value > 0 for row in waits)
    streams = next(row for row in rows if row.name.startswith("open pages"))
    assert streams.compared is not None
    assert 0 < streams.compared <= 16, "no more than gunicorn has threads"
