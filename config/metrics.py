"""`/metrics` for Prometheus: who may read it, what stands in it, and what each request adds.

Counters and histograms live in memory of one process, or, with PROMETHEUS_MULTIPROC_DIR, in files
that all processes of one machine share. Gauges are read at the scrape (`onboarding/gauges.py`).
"""

from __future__ import annotations

import hmac
import ipaddress
import os
import platform
import re
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from onboarding.gauges import Gauges
from onboarding.instruments import NONE, OTHER
from tenants.address import is_trusted_proxy

VERSION = "0.1.0"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")

requests_total = Counter(
    "onboarding_http_requests", "Requests, by the view's name", ["view", "method", "status"]
)
request_seconds = Histogram(
    "onboarding_http_request_seconds", "How long requests took, by the view's name", ["view"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)  # fmt: skip
gauges = Gauges()
disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each one


class Measured:
    """Middleware: counts and times each request by its view, never by its address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        view, method = view_of(request), request.method or ""
        status = f"{response.status_code // 100}xx"
        requests_total.labels(view, method if method in METHODS else OTHER, status).inc()
        request_seconds.labels(view).observe(time.perf_counter() - began)
        return response


def view_of(request: HttpRequest) -> str:
    """The name that the URLconf gives the view; `none` where no view was reached."""
    match = request.resolver_match
    if match is None:
        return NONE
    return match.view_name if match.url_name else OTHER


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponseBase:
    """Everything that is counted. 401 without the token, 404 where none is set."""
    if not may_read(
        request.META.get("REMOTE_ADDR", ""),
        request.headers.get("Authorization", ""),
        by_proxy=getattr(request, "came_by_proxy", True),
    ):
        return _refused()
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry()), content_type=content_type)


def _refused() -> HttpResponse:
    if not settings.METRICS_TOKEN:
        return HttpResponse("Not found\n", status=404, content_type="text/plain")
    response = HttpResponse("A token is asked for.\n", status=401, content_type="text/plain")
    response["WWW-Authenticate"] = 'Bearer realm="metrics"'
    return response


def may_read(peer: str, authorization: str, *, by_proxy: bool) -> bool:
    """Whoever has the token; without it a program on this very machine.

    A request that a proxy passed on is not from this machine, wherever the proxy is.
    """
    kind, _, given = authorization.partition(" ")
    token = settings.METRICS_TOKEN
    if token and kind.lower() == "bearer":
        return hmac.compare_digest(given.strip().encode(), token.encode())
    try:
        is_here = ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return False
    return is_here and not by_proxy and not is_trusted_proxy(peer)


def registry(*, with_gauges: bool = True) -> CollectorRegistry:
    """What one scrape reads: of all processes where they share a directory."""
    found = CollectorRegistry()
    if settings.PROMETHEUS_MULTIPROC_DIR:
        MultiProcessCollector(found, settings.PROMETHEUS_MULTIPROC_DIR)  # type: ignore[no-untyped-call]
        found.register(Processes(Path(settings.PROMETHEUS_MULTIPROC_DIR)))
    else:
        found.register(_Same())
    found.register(_Build())
    if with_gauges:
        found.register(gauges)
    return found


class _Same:
    """This process alone, its own memory and CPU included."""

    def collect(self) -> Iterable[Metric]:
        return REGISTRY.collect()


class _Build:
    """Which release answers."""

    def collect(self) -> Iterator[Metric]:
        told = GaugeMetricFamily(
            "onboarding_build_info", "The release, always 1", labels=["version", "python"]
        )
        told.add_metric([VERSION, platform.python_version()], 1)
        yield told


class Processes:
    """Memory and CPU of the processes that share the directory and live, added up (Linux)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def collect(self) -> Iterator[Metric]:
        named = (re.search(r"_(\d+)\.db$", path.name) for path in self._directory.glob("*.db"))
        pids = {int(found[1]) for found in named if found}
        read = [each for each in map(_of_process, sorted(pids)) if each is not None]
        yield GaugeMetricFamily("onboarding_processes", "Processes that live", value=len(read))
        yield GaugeMetricFamily(
            "onboarding_resident_memory_bytes", "Their memory", value=sum(m for m, _ in read)
        )
        yield CounterMetricFamily(
            "onboarding_cpu_seconds", "Their CPU time", value=sum(c for _, c in read)
        )


def _of_process(pid: int) -> tuple[int, float] | None:
    """(bytes, CPU seconds) of a process; None when it is gone."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(told[21]) * _system("SC_PAGE_SIZE"), (int(told[11]) + int(told[12])) / _system(
        "SC_CLK_TCK"
    )


@cache
def _system(name: str) -> int:
    return os.sysconf(name)


def application(
    environ: dict[str, Any], start_response: Callable[..., Any],
    is_alive: Callable[[], bool] = lambda: True,
) -> list[bytes]:  # fmt: skip
    """The same as a WSGI application, for workers, which serve no pages: their own counts.

    `/healthz` is for probes, which have no token and are told nothing else.
    """
    if environ.get("PATH_INFO") == "/healthz":
        alive = is_alive()
        start_response("200 OK" if alive else "503 Service Unavailable", [])
        return [b"ok\n" if alive else b"silent\n"]
    may = may_read(
        environ.get("REMOTE_ADDR", ""), environ.get("HTTP_AUTHORIZATION", ""),
        by_proxy=any(n in environ for n in ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_VIA")),
    )  # fmt: skip
    if not may or environ.get("PATH_INFO") != "/metrics":
        start_response("401 Unauthorized" if not may else "404 Not Found", [])
        return [b""]
    encode, content_type = choose_encoder(environ.get("HTTP_ACCEPT", ""))
    start_response("200 OK", [("Content-Type", content_type), ("Cache-Control", "no-store")])
    return [encode(registry(with_gauges=False))]
