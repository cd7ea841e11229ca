"""A log line is one JSON object on one line, whoever wrote it and whatever was in it."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from django.conf import settings as site
from django.test import Client
from gunicorn.config import Config
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

from config import carried, logs
from config.celery import app
from config.gunicorn import AccessLog
from onboarding import services, tasks
from tenants.models import Tenant, User
from tests.conftest import api_of, pages_of
from tests.test_journey import API

SECRET = "Sup3rS3cretValue0123456789abcdef"
INJECTED = 'x\r\n{"event": "forged"}\u2028\x1b[31m\x00'


class Written:
    """What a handler of the site's wrote."""

    def __init__(self, shape: str) -> None:
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(getattr(logs, f"{shape}_lines")())

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]


def _written(shape: str) -> Iterator[Written]:
    made = Written(shape)
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(made.handler)
    root.setLevel(logging.INFO)
    clear_contextvars()
    yield made
    clear_contextvars()
    root.removeHandler(made.handler)
    root.setLevel(level)


@pytest.fixture
def written() -> Iterator[Written]:
    yield from _written("json")


@pytest.fixture
def readable() -> Iterator[Written]:
    yield from _written("text")


def test_a_librarys_record_has_the_same_form_as_ours(written: Written) -> None:
    bind_contextvars(request_id="r-1")
    logging.getLogger("some.library").warning("it is %s", "late", extra={"status_code": 404})
    structlog.get_logger("ours").info("step", outcome="waits")
    theirs, ours = written.lines
    assert theirs["event"] == "it is late"
    assert (theirs["level"], theirs["logger"]) == ("warning", "some.library")
    assert (ours["event"], ours["outcome"]) == ("step", "waits")
    for line in (theirs, ours):
        assert line["request_id"] == "r-1"
        assert line["timestamp"].endswith("Z")
    assert theirs["status_code"] == 404


def test_fields_that_nobody_named_are_left_out(written: Written) -> None:
    logging.getLogger("django.request").error("x", extra={"request": object(), "body": SECRET})
    assert "request" not in written.lines[0]
    assert SECRET not in written.text


@pytest.mark.parametrize(
    "log",
    [
        lambda: logging.getLogger("x").warning("Not Found: %s", INJECTED),
        lambda: structlog.get_logger("x").info(INJECTED, reason=INJECTED),
        lambda: bind_contextvars(tenant=INJECTED) and logging.getLogger("x").warning("y"),
    ],
)
def test_a_record_is_one_line_whatever_a_stranger_put_into_it(written: Written, log: Any) -> None:
    log()
    assert len(written.text.splitlines()) == 1
    assert len(written.lines) == 1
    assert "\x1b" not in written.text


def test_a_readable_line_is_one_line_too(readable: Written) -> None:
    structlog.get_logger("x").info(INJECTED, reason=INJECTED)
    assert len(readable.text.splitlines()) == 1
    assert "\x1b" not in readable.text


def test_a_traceback_is_a_list_of_frames_without_local_variables(written: Written) -> None:
    held = SECRET + "-in-a-local"
    try:
        raise ValueError(f"token={SECRET}") from KeyError(len(held))
    except ValueError:
        logging.getLogger("x").exception("it failed")
    told = written.lines[0]["exception"]
    assert told[0]["exc_type"] == "ValueError"
    assert {"filename", "lineno", "name"} <= told[0]["frames"][-1].keys()
    assert all(not frame.get("locals") for each in told for frame in each["frames"])
    assert SECRET not in written.text


def test_a_field_that_is_named_like_a_secret_is_hidden_whole(written: Written) -> None:
    structlog.get_logger("x").info("y", password="short", nested={"access_token": "a b c"})
    assert "short" not in written.text
    assert "a b c" not in written.text


def test_a_record_that_cannot_be_written_is_told_of_without_its_text(
    written: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    # To our handler alone: pytest's own raises for such a record.
    record = logging.LogRecord("x", 30, "x", 1, f"{SECRET} %d", ("no number",), None)
    written.handler.handle(record)
    assert "could not be written" in written.lines[0]["event"]
    assert SECRET not in written.text + capsys.readouterr().out


def test_a_request_s_lines_name_it_and_its_onboarding_but_not_the_next_one_s(
    written: Written, owner: User
) -> None:
    api = api_of(owner)
    id_ = api.post(API, {"connection_mode": "business_app"}).json()["id"]
    asked = {"HTTP_X_REQUEST_ID": "the-first-request"}
    assert api.post(f"{API}{id_}/resume/", **asked).status_code == 409
    (line,) = [x for x in written.lines if x.get("request_id") == "the-first-request"]
    assert line["logger"] == "django.request"
    assert (line["onboarding"], line["tenant"]) == (id_, "cakes")
    assert line["actor_kind"] == "member"
    Client().get("/nowhere/")
    assert "onboarding" not in written.lines[-1]
    assert get_contextvars() == {}


def test_a_page_s_line_has_no_address_of_a_signup_link(written: Written, tenant: Tenant) -> None:
    _, token = services.create_link(tenant)
    Client().get(f"/s/{token}x/")
    assert token not in written.text


class Answer:
    status = "302 Found"
    headers = (("X-Request-ID", "echoed-id-1"),)
    sent = 17


def access(capsys: pytest.CaptureFixture[str], path: str) -> dict[str, Any]:
    config = Config()
    config.set("accesslog", "-")
    request = SimpleNamespace(method="GET", path=path, query=f"code={SECRET}")
    took = SimpleNamespace(total_seconds=lambda: 0.0123)
    AccessLog(config).access(Answer(), request, {"REMOTE_ADDR": "192.0.2.7"}, took)
    told = json.loads(capsys.readouterr().out)
    assert isinstance(told, dict)
    return told


def test_the_access_log_is_json_with_what_the_request_cost(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = access(capsys, f"/s/{SECRET}/")
    assert told.pop("timestamp")
    assert told == {
        "level": "info", "logger": "gunicorn.access", "event": "request", "method": "GET",
        "path": "/s/…", "status": 302, "duration_ms": 12, "bytes": 17, "peer": "192.0.2.7",
        "request_id": "echoed-id-1",
    }  # fmt: skip


def test_a_forged_path_stays_on_its_line_of_the_access_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert access(capsys, f"/{INJECTED}")["path"] == f"/{INJECTED}"


def test_what_beat_sends_each_second_is_told_of_at_debug_only(written: Written) -> None:
    trace = logging.getLogger("celery.app.trace")
    quiet = {f.__class__ for f in logging.getLogger("celery.worker.strategy").filters}
    assert logs.QuietSchedule in quiet
    told = "Task %(name)s[%(id)s] succeeded"
    trace.info(told, {"name": "onboarding.tasks.sweep_due", "id": "1"})
    trace.info(told, {"name": "onboarding.tasks.advance_onboarding", "id": "2"})
    assert [x["event"] for x in written.lines] == [
        "Task onboarding.tasks.advance_onboarding[2] succeeded"
    ]


@pytest.mark.parametrize("name", sorted(site.LOGGING["loggers"]))
def test_each_logger_that_the_settings_name_exists_under_that_name(name: str) -> None:
    assert name in logging.root.manager.loggerDict


def test_a_message_carries_the_request_s_id_as_a_header_and_no_argument(db: None) -> None:
    headers: dict[str, Any] = {}
    carried.send_along(headers=headers)
    assert headers == {}
    bind_contextvars(request_id="r-42")
    carried.send_along(headers=headers)
    clear_contextvars()
    assert headers == {carried.HEADER: "r-42"}
    task = tasks.sweep_due
    task.push_request(**headers)
    try:
        carried.take_up(task_id="t-1", task=task)
        assert get_contextvars() == {"task": "sweep_due", "task_id": "t-1", "request_id": "r-42"}
        carried.put_down(task=task, state="SUCCESS")
        assert get_contextvars() == {}
    finally:
        task.pop_request()


def test_publishing_in_a_thread_keeps_the_request_s_id(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, Any]] = []

    def publish(**_how: Any) -> None:
        seen.append((threading.current_thread().name, get_contextvars().get("request_id")))

    monkeypatch.setattr(tasks.sweep_due, "apply_async", publish)
    bind_contextvars(request_id="r-7")
    assert tasks._published(tasks.sweep_due, {})
    clear_contextvars()
    ((thread, request_id),) = seen
    assert thread.startswith("publish")
    assert request_id == "r-7"


def test_celery_leaves_logging_to_the_site() -> None:
    app.log.already_setup = False
    before = list(logging.getLogger().handlers)
    level = logging.getLogger("celery").level
    try:
        app.log.setup_logging_subsystem(loglevel=logging.ERROR)
        assert logging.getLogger("celery").level == logging.ERROR
        formatters = {type(h.formatter) for h in logging.getLogger().handlers if h.formatter}
        assert logs.Lines in formatters
    finally:
        logging.getLogger("celery").setLevel(level)
        logging.getLogger().handlers[:] = before


def test_staff_at_the_desk_are_told_apart(written: Written, reviewer: User) -> None:
    pages_of(reviewer).get("/admin/nowhere/")
    assert written.lines[-1]["actor_kind"] == "staff"
