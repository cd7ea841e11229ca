"""gunicorn: threads, and an access log of the site's own form, without secrets."""

import gc
import os
from typing import Any

from gunicorn.glogging import Logger

from tenants.redaction import SECRET_PREFIXES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def shown_path(path: str) -> str:
    """The path as the access log may show it: the tail of an address with a secret is dropped."""
    for prefix in SECRET_PREFIXES:
        if path.startswith(prefix):
            return f"{prefix}…"
    return path


class AccessLog(Logger):
    """Lines like the site's own; drops each address's query and the tail of secret ones."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        from django.conf import settings

        from config import logs

        lines = logs.json_lines if settings.LOG_FORMAT == "json" else logs.text_lines
        for handler in [*self.error_log.handlers, *self.access_log.handlers]:
            handler.setFormatter(lines())

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """One line a request. What is bound in the thread (request_id, onboarding) goes along."""
        if not self.access_log_enabled:
            return
        try:
            self.access_log.info("request", extra=told(resp, req, environ, request_time))
        except Exception:
            self.exception("the access log failed")


def told(resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
    """The fields of a line of the access log."""
    status = str(resp.status).split(None, 1)[0]
    echoed = {name.lower(): value for name, value in resp.headers}
    return {
        "method": req.method,
        "path": shown_path(req.path or ""),
        "status": int(status) if status.isdigit() else status,
        "duration_ms": round(request_time.total_seconds() * 1000),
        "bytes": getattr(resp, "sent", None),
        "peer": environ.get("REMOTE_ADDR", ""),
        "request_id": echoed.get("x-request-id", ""),
    }


def child_exit(server: Any, worker: Any) -> None:
    """A worker that ended keeps its counts, and nothing else."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)


def pre_fork(server: Any, worker: Any) -> None:
    """What is there now is never collected, so the pages that workers share stay shared."""
    gc.collect()
    gc.freeze()


worker_class = "gthread"
workers = 2
threads = 8
timeout = 60
graceful_timeout = 20
keepalive = 5
accesslog = "-"
logger_class = AccessLog
control_socket_disable = True
# One copy for all workers. Not with traces: the thread that sends them does not survive a fork.
preload_app = not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
# No proxy tells us where the site is mounted: it is at the root, and pages are told apart by path.
forwarder_headers = ""
