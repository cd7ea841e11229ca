"""What goes with a task from the request that asked for it: the request's id, as a header.

Onboarding and tenant are not carried: a task binds those of the row that it takes, also where the
sweep found it. Headers, not arguments: these are ids of ours alone (`onboarding/tasks.py`).
"""

from __future__ import annotations

import gc
import logging.config
import threading
import time
from functools import partial
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from celery.signals import (
    beat_init,
    before_task_publish,
    celeryd_init,
    heartbeat_sent,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
)
from django.conf import settings
from prometheus_client.multiprocess import mark_process_dead
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

from config import reporting

HEADER = "onboarding_request_id"
ALIVE_SECONDS = 300.0


def send_along(headers: dict[str, Any] | None = None, **_more: Any) -> None:
    """A message carries the id of the request that is under way where it is published."""
    request_id = get_contextvars().get("request_id")
    if request_id and headers is not None:
        headers[HEADER] = request_id


def take_up(task_id: str = "", task: Any = None, **_more: Any) -> None:
    """A task's lines carry its own name and id, and the id of the request that asked for it."""
    clear_contextvars()
    bind_contextvars(task=task.name.removeprefix("onboarding.tasks."), task_id=task_id)
    if request_id := task.request.get(HEADER):
        bind_contextvars(request_id=str(request_id)[:64])
    task.request.began = time.monotonic()


def put_down(task: Any = None, state: str | None = None, **_more: Any) -> None:
    """The next task of this process starts with nothing bound."""
    from onboarding import instruments  # here: this module is loaded before there are models

    began = getattr(task.request, "began", None)
    if began is not None:
        instruments.task_ended(task.name, state or "", time.monotonic() - began)
    clear_contextvars()


def log_as_the_site_does(loglevel: int | None = None, **_more: Any) -> None:
    """LOGGING counts for workers and beat; `--loglevel` is for Celery's own lines alone."""
    logging.config.dictConfig(settings.LOGGING)
    if loglevel:
        logging.getLogger("celery").setLevel(loglevel)


class _Server(ThreadingMixIn, WSGIServer):
    """Answers each scrape in a thread of its own."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    """Scrapes are no news."""

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


class _Heart:
    """When the main process of this worker last came round to telling that it lives."""

    beaten = 0.0


def beaten(**_more: Any) -> None:
    """It tells so every two seconds, while Redis answers."""
    _Heart.beaten = time.monotonic()


def is_alive() -> bool:
    """Whether it did so lately; Redis may be away for minutes, when a restart helps nobody."""
    return time.monotonic() - _Heart.beaten < ALIVE_SECONDS


def show_counts(**_more: Any) -> None:
    """With METRICS_PORT a worker shows `/healthz` and its counts there; gauges are the web's."""
    if not settings.METRICS_PORT:
        return
    beaten()
    from config.metrics import application

    served = partial(application, is_alive=is_alive)
    server = make_server("0.0.0.0", settings.METRICS_PORT, served, _Server, _Quiet)  # noqa: S104
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()


def counted_out(pid: int | None = None, **_more: Any) -> None:
    """A pool process that ends keeps its counts, and nothing else."""
    if settings.PROMETHEUS_MULTIPROC_DIR and pid:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]


def report_errors(**_more: Any) -> None:
    """Before the pool's processes are forked, so that they have it too."""
    reporting.begin_errors()


def keep_shared(**_more: Any) -> None:
    """Before the pool's processes are forked: what they share with us is never collected."""
    gc.collect()
    gc.freeze()


def report_traces(**_more: Any) -> None:
    """In each process of the pool."""
    reporting.begin_traces()


def connect() -> None:
    """Have Celery call what is above."""
    before_task_publish.connect(send_along)
    task_prerun.connect(take_up)
    task_postrun.connect(put_down)
    setup_logging.connect(log_as_the_site_does)
    heartbeat_sent.connect(beaten)
    worker_ready.connect(show_counts)
    worker_process_shutdown.connect(counted_out)
    celeryd_init.connect(report_errors)
    beat_init.connect(report_errors)
    worker_init.connect(keep_shared)
    worker_process_init.connect(report_traces)
