"""What a log line looks like: one JSON object a record, or one readable line under `make run`.

Whoever logs (we, Django, Celery, gunicorn, libraries), the record takes the same way here: the
fields bound to the request or task under way, the closed list of fields that a record may add, the
traceback without local variables, and last of all the redaction of every text.
"""

from __future__ import annotations

import logging
from typing import Any

import structlog
from opentelemetry import trace
from structlog.stdlib import ProcessorFormatter
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor

from tenants.redaction import redact_all

BOUND = (
    "onboarding", "tenant", "webhook_event", "actor_kind", "task", "task_id", "request_id",
)  # fmt: skip
"""Fields that are there for as long as a request or a task lasts."""

FIELDS = (
    "method", "path", "status", "status_code", "duration_ms", "bytes", "peer",
    "from_state", "to_state", "reason", "outcome", "calls", "kind", "took_ms", "provider_request",
    *BOUND,
)  # fmt: skip
"""What a line may hold beside timestamp, level, logger, event, trace_id and exception.

docs/operations.md says what each means. A record's other extras (Django adds the whole request)
are left out.
"""

FOR_PROGRAMS = frozenset({"bytes", "peer", "task_id", "provider_request"})
"""What a line for eyes leaves out."""

BY_THE_SECOND = ("celery.worker.strategy", "celery.app.trace", "celery.beat")
"""Celery's loggers that tell of each task that comes and goes."""


def _trace_id(_logger: Any, _name: str, fields: EventDict) -> EventDict:
    """The trace that OpenTelemetry knows the request by, while there is one."""
    told = trace.get_current_span().get_span_context()
    if told.is_valid:
        fields["trace_id"] = format(told.trace_id, "032x")
    return fields


def _redacted(_logger: Any, _name: str, fields: EventDict) -> EventDict:
    head = {name: fields.pop(name, "") for name in ("timestamp", "level", "logger")}
    event = fields.pop("event", "")
    return {**head, **redact_all({"event": event, **fields})}


_BEFORE: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _trace_id,
]


def _as_text(_logger: Any, _name: str, fields: EventDict) -> str:
    """For eyes: what happened first, the fields behind it, a traceback below."""
    exception = str(fields.pop("exception", ""))
    time = str(fields.pop("timestamp", ""))[11:19]
    level, logger = str(fields.pop("level", "")), fields.pop("logger", "")
    event = fields.pop("event", "")
    shown = [n for n in FIELDS if fields.get(n) not in (None, "") and n not in FOR_PROGRAMS]
    rest = " ".join(f"{name}={fields[name]}" for name in shown)
    line = _printable(f"{time} {level:<7} {logger}: {event} {rest}".rstrip())
    return f"{line}\n{exception}" if exception else line


def _printable(text: str) -> str:
    """On one line, whatever a stranger put into it."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class Lines(ProcessorFormatter):
    """A formatter that never fails: a record that cannot be read is told of all the same."""

    def format(self, record: logging.LogRecord) -> str:
        try:
            return super().format(record)
        except Exception as error:
            told = f"a log record of {record.name} could not be written: {type(error).__name__}"
            return super().format(logging.LogRecord(record.name, 40, "", 0, told, (), None))


def _lines(*last: Processor) -> Lines:
    return Lines(
        foreign_pre_chain=[*_BEFORE, structlog.stdlib.ExtraAdder(allow=FIELDS)],
        processors=[ProcessorFormatter.remove_processors_meta, *last],
    )


def json_lines() -> logging.Formatter:
    """One JSON object on one line; tracebacks as lists of frames."""
    frames = ExceptionDictTransformer(show_locals=False, max_frames=30, use_rich=False)
    exceptions = structlog.processors.ExceptionRenderer(frames)
    return _lines(exceptions, _redacted, structlog.processors.JSONRenderer())


def text_lines() -> logging.Formatter:
    """One readable line; tracebacks as Python prints them."""
    return _lines(structlog.processors.format_exc_info, _redacted, _as_text)


class QuietSchedule(logging.Filter):
    """What beat sends every few seconds is told of at DEBUG only; other tasks at INFO."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno != logging.INFO or not self._is_of_schedule(record):
            return True
        record.levelno, record.levelname = logging.DEBUG, "DEBUG"
        return logging.getLogger(record.name).isEnabledFor(logging.DEBUG)

    def _is_of_schedule(self, record: logging.LogRecord) -> bool:
        from config.celery import SCHEDULED

        if record.name == "celery.beat":
            return True
        told = record.args if isinstance(record.args, dict) else getattr(record, "data", None)
        return isinstance(told, dict) and told.get("name") in SCHEDULED


def logging_of(shape: str, level: str) -> dict[str, Any]:
    """The LOGGING of the settings."""
    handler = {"class": "logging.StreamHandler", "formatter": "line"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": f"config.logs.{shape}_lines"}},
        "filters": {"schedule": {"()": "config.logs.QuietSchedule"}},
        "handlers": {"stdout": handler},
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            # httpx prints whole addresses at INFO; a debug_token address holds a token.
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            # A collector that is away is told of by its own alarm, not by us every few seconds.
            "opentelemetry": {"level": "ERROR"},
            **{name: {"filters": ["schedule"]} for name in BY_THE_SECOND},
        },
    }


structlog.configure(
    processors=[structlog.stdlib.filter_by_level, *_BEFORE, ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
)
