"""gunicorn: threads, and an access log without secrets (`/s/<token>/`, queries)."""

import os
from typing import Any

from gunicorn.glogging import Logger

from tenants.redaction import SECRET_PREFIXES, RedactingFormatter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def shown_path(path: str) -> str:
    """The path as the access log may show it: the tail of an address with a secret is dropped."""
    for prefix in SECRET_PREFIXES:
        if path.startswith(prefix):
            return f"{prefix}…"
    return path


class AccessLog(Logger):
    """Drops the query of every address and the tail of secret ones; redacts whatever is logged."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in [*self.error_log.handlers, *self.access_log.handlers]:
            told = handler.formatter
            handler.setFormatter(RedactingFormatter(told._fmt, told.datefmt))

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> Any:
        found = super().atoms(resp, req, environ, request_time)
        found["U"] = shown_path(req.path or "")
        found["r"] = f"{req.method} {found['U']}"
        found["q"] = found["f"] = ""
        return found


worker_class = "gthread"
workers = 2
threads = 8
timeout = 60
graceful_timeout = 20
keepalive = 5
accesslog = "-"
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(M)sms'
logger_class = AccessLog
control_socket_disable = True
# No proxy tells us where the site is mounted: it is at the root, and pages are told apart by path.
forwarder_headers = ""
