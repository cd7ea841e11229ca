"""The whole product as real processes: one click is followed through its logs, counts and traces.

Two gunicorn workers, Celery's pools, beat; a loopback server stands in for the OpenTelemetry
collector and for Sentry.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from devstack import runenv
from sandbox import meta
from tests import labels
from tests.faults.scripts import API, Browser
from tests.faults.stack import PYTHON, Stack
from tests.faults.test_stop import MAKE_LINK

TOKEN = "planted-metrics-token-4711"
HOSTILE = 'evil"} 1\nonboarding_hacked{x="y'

pytestmark = pytest.mark.timeout(300)


class Collector:
    """Takes whatever is sent to it and keeps it, unpacked."""

    def __init__(self) -> None:
        kept: list[tuple[str, bytes]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                packed = self.headers.get("Content-Encoding", "")
                if packed:
                    body = gzip.decompress(body) if packed == "gzip" else zlib.decompress(body)
                kept.append((self.path, body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.kept = kept
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def text(self, path: str) -> str:
        return " ".join(body.decode() for at, body in list(self.kept) if at == path)

    def spans(self) -> list[Any]:
        found = []
        for path, body in list(self.kept):
            if path == "/v1/traces":
                sent = ExportTraceServiceRequest.FromString(body)
                found += [s for r in sent.resource_spans for sc in r.scope_spans for s in sc.spans]
        return found


class Watched(Stack):
    """The stack as it runs in production, watched by everything."""

    def __init__(self, place: Path, collector: Collector) -> None:
        super().__init__(place)
        self.metrics = place / "metrics"
        self.worker_port = runenv.free_port()
        self.env |= {
            "PROMETHEUS_MULTIPROC_DIR": str(self.metrics),
            "METRICS_TOKEN": TOKEN,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.address}",
            "OTEL_BSP_SCHEDULE_DELAY": "300",
            "SENTRY_DSN": f"http://publickey@{collector.address}/1",
        }

    def run(self, name: str) -> None:
        self.env["METRICS_PORT"] = str(self.worker_port) if name == "exchange" else "0"
        super().run(name)

    def _command(self, name: str) -> list[str]:
        if name == "web":
            return [PYTHON, "-W", "ignore", "-m", "gunicorn", "config.wsgi", "--config",
                    "config/gunicorn.py", "--bind", f"127.0.0.1:{self.web_port}"]  # fmt: skip
        return super()._command(name)

    def lines(self, name: str) -> list[dict[str, Any]]:
        """The log of a process; each of its lines is JSON."""
        return [json.loads(line) for line in self.text(name).splitlines()]

    def text(self, name: str) -> str:
        return (self.place / f"{name}.log").read_text()

    def scrape(self) -> Any:
        return httpx.get(f"{self.site}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    def sample(self, name: str, **labels: str) -> float:
        return sum(
            each.value
            for family in text_string_to_metric_families(self.scrape().text)
            for each in family.samples
            if each.name == name and labels.items() <= each.labels.items()
        )


class Journey:
    """One customer's way from the link to the connected number, with ids that we chose."""

    def __init__(self, stack: Watched) -> None:
        script = MAKE_LINK.replace('name="Cakes"', f"name={HOSTILE!r}")
        made = subprocess.run(
            [sys.executable, "-c", script],
            env=stack.env, capture_output=True, text=True, check=True,
        )  # fmt: skip
        self.token = made.stdout.strip().splitlines()[-1]
        self.browser = Browser(stack.site, f"/s/{self.token}/", lambda: time.monotonic() + 60)
        self.id = self.browser.post(API, {"connection_mode": "business_platform"}).json()["id"]
        window = meta.finish(stack.sandbox.world, "business_platform", "approve", {})
        self.code = window["code"]
        names = ("waba_id", "phone_number_id", "code", "event")
        self.posts({"event": "LAUNCHED"}, "click-launched-1")
        self.posts({name: window[name] for name in names}, "click-result-00001")
        until = time.monotonic() + 60
        while self.browser.get(f"{API}{self.id}/").json()["state"] != "connected":
            assert time.monotonic() < until
            time.sleep(0.2)
        self.window = window

    def posts(self, sent: dict[str, Any], request_id: str) -> None:
        token = self.browser.http.cookies["csrftoken"]
        answer = self.browser.http.post(
            f"{API}{self.id}/signup/", json=sent,
            headers={"X-CSRFToken": token, "X-Request-ID": request_id, "Referer": "http://x/"},
        )  # fmt: skip
        assert answer.status_code == 202, answer.text


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Watched]:
    made = Watched(tmp_path_factory.mktemp("running"), collector)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def journey(stack: Watched) -> Iterator[Journey]:
    """Without beat: a sweep that is faster than a nudge knows of no request."""
    stack.kill("beat")
    made = Journey(stack)
    stack.run("beat")
    yield made
    made.browser.http.close()


def test_a_click_s_request_id_is_in_the_lines_of_its_last_task(
    stack: Watched, journey: Journey
) -> None:
    clicked = [x for x in stack.lines("web") if x.get("request_id") == "click-result-00001"]
    assert [x["path"] for x in clicked if x["event"] == "request"] == [f"{API}{journey.id}/signup/"]
    steps = [
        line
        for name in ("worker1", "worker2")
        for line in stack.lines(name)
        if line["event"] == "step" and line.get("onboarding") == journey.id
    ]
    steps.sort(key=lambda line: line["timestamp"])
    assert steps[-1]["to_state"] == "connected"
    assert steps[-1]["request_id"] == "click-result-00001"
    assert steps[-1]["tenant"] == "cakes"
    assert steps[-1]["task"] == "advance_onboarding"
    exchanged = [x for x in stack.lines("exchange") if x["event"] == "meta exchange"]
    assert [x["request_id"] for x in exchanged] == ["click-result-00001"]


def test_every_line_of_every_process_is_json_with_its_head(
    stack: Watched, journey: Journey
) -> None:
    for name in ("web", "worker1", "worker2", "exchange", "beat"):
        for line in stack.lines(name):
            assert {"timestamp", "level", "logger", "event"} <= line.keys(), name
            assert not line["event"].startswith(("Task onboarding.tasks.beat", "Scheduler:"))


def test_both_web_workers_and_the_task_workers_count_together(
    stack: Watched, journey: Journey
) -> None:
    for _ in range(40):
        httpx.get(f"{stack.site}/healthz", headers={"Connection": "close"})
    asked = {"view": "healthz", "method": "GET", "status": "2xx"}
    counted = [stack.sample("onboarding_http_requests_total", **asked) for _ in range(6)]
    assert min(counted) >= 40
    assert len(set(counted)) == 1, "whichever worker answers"
    assert stack.sample("onboarding_milestones_total", milestone="connected") == 1
    assert stack.sample("onboarding_milestones_total", milestone="launched") == 1
    assert stack.sample("onboarding_launch_to_connected_seconds_count") == 1
    assert stack.sample("onboarding_ycloud_call_seconds_count", kind="register") == 1
    assert stack.sample("onboarding_meta_exchange_seconds_count", outcome="done") == 1
    assert stack.sample("onboarding_sweeps_total") > 1
    assert stack.sample("onboarding_task_seconds_count", task="advance_onboarding") >= 1
    assert stack.sample("onboarding_onboardings", state="connected") == 1
    assert stack.sample("onboarding_processes") >= 5


def test_a_worker_shows_its_counts_at_a_port_of_its_own_and_no_gauges(
    stack: Watched, journey: Journey
) -> None:
    told = httpx.get(f"http://127.0.0.1:{stack.worker_port}/metrics")
    assert told.status_code == 200
    assert "onboarding_meta_exchange_seconds_count" in told.text
    assert "onboarding_overdue" not in told.text
    assert httpx.get(f"http://127.0.0.1:{stack.worker_port}/").status_code == 404


def test_no_label_holds_anything_of_a_tenant_or_a_stranger(
    stack: Watched, journey: Journey
) -> None:
    httpx.get(f"{stack.site}/{journey.window['waba_id']}/evil-path")
    httpx.request("EVIL", f"{stack.site}/s/evil-token-evil-token/")
    families = list(text_string_to_metric_families(stack.scrape().text))
    known = labels.known()
    for family in families:
        assert family.name.startswith("onboarding_"), family.name
        for sample in family.samples:
            for label, value in sample.labels.items():
                assert value in known[label], (sample.name, label, value)
    assert "hacked" not in stack.scrape().text


def test_a_trace_joins_the_click_and_its_tasks_and_tells_no_address(
    stack: Watched, journey: Journey, collector: Collector
) -> None:
    def named() -> set[str]:
        """The spans of the click's own trace; they are sent a moment after they end."""
        clicked = [
            span for span in collector.spans()
            if any(a.key == "request_id" and a.value.string_value == "click-result-00001"
                   for a in span.attributes)
        ]  # fmt: skip
        return {span.name for span in clicked if span.trace_id == clicked[0].trace_id}

    wanted = "run/onboarding.tasks.exchange_code"
    for _ in range(100):
        if wanted in named() and "GET s/<str:token>/" in {s.name for s in collector.spans()}:
            break
        time.sleep(0.1)
    assert wanted in named()
    assert any(name.startswith("POST api/v1/onboardings/") for name in named()), named()
    assert "GET s/<str:token>/" in {s.name for s in collector.spans()}


def test_an_error_of_the_web_reaches_sentry(
    stack: Watched, journey: Journey, collector: Collector
) -> None:
    with httpx.Client(base_url=stack.site) as browser:
        browser.get("/accounts/login/")
        stack.stop_redis(empty=False)
        try:
            sent = {"login": "anna@customer.example", "password": "planted-Password-7fQ2x"}
            token = browser.cookies["csrftoken"]
            answer = browser.post(
                "/accounts/login/", data=sent,
                headers={"X-CSRFToken": token, "X-Request-ID": "sentry-request-1"},
            )  # fmt: skip
        finally:
            stack.start_redis()
    assert answer.status_code == 503
    until = time.monotonic() + 20
    while "Redis does not answer" not in collector.text("/api/1/envelope/"):
        assert time.monotonic() < until
        time.sleep(0.2)
    told = collector.text("/api/1/envelope/")
    assert "sentry-request-1" in told
    for planted in (*sent.values(), token):
        assert planted not in told


def test_nothing_of_the_journey_s_secrets_has_left(
    stack: Watched, journey: Journey, collector: Collector
) -> None:
    secrets = [journey.token, journey.code, TOKEN, "sandbox-key", "sandbox-app-secret",
               stack.kept.redis_password, *stack.sandbox.world.tokens]  # fmt: skip
    places = {name: stack.text(name) for name in ("web", "worker1", "worker2", "exchange", "beat")}
    places["the collector"] = b" ".join(body for _, body in collector.kept).decode("latin1")
    places["/metrics"] = stack.scrape().text
    found = [(place, s[:12]) for place, text in places.items() for s in secrets if s in text]
    assert found == []
    assert journey.window["waba_id"] not in places["the collector"]
