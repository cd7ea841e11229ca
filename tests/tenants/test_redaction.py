"""Secrets leave no trace in what is logged or reported."""

from __future__ import annotations

import logging
import sys
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.test import RequestFactory
from django.views.debug import ExceptionReporter
from gunicorn.config import Config

from config import logs
from config.gunicorn import AccessLog, told
from tenants.redaction import HIDDEN, ReportFilter, redact

SECRET = "Sup3rS3cretValue0123456789abcdef"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {SECRET}",
        f"{{'X-API-Key': '{SECRET}'}}",
        f'{{"access_token": "{SECRET}"}}',
        f"GET https://graph.facebook.com/debug_token?input_token={SECRET}&x=1",
        f"client_secret={SECRET}&code=AQ{SECRET}{SECRET}",
        f"'code': '{SECRET}'",
        f"GET /s/{SECRET}/ 302",
        f"/accounts/password/reset/key/{SECRET}/",
        f"/connect/return/{SECRET}",
        f"Method Not Allowed (POST): /invitation/{SECRET}/",
        f"Forbidden (CSRF cookie not set.): /accounts/confirm-email/{SECRET}/",
        f"redis://:{SECRET}@redis/0",
        f"Cookie: sessionid={SECRET}; csrftoken={SECRET}",
        f"signup_guest={SECRET}",
        f"whsec_{SECRET}",
        f"Cookie: signup_dialog_1234abcd=dlg_{SECRET}",
        f"/connect/return/?state=dlg_{SECRET}&code=AQ{SECRET}{SECRET}",
        f"/s/h.{SECRET}:1abcde:{SECRET}/",
        f"onb_abcd1234_{SECRET}",
        f"EAA{SECRET}",
        f"password1={SECRET}&password2={SECRET}",
        f"token {SECRET}".replace(" ", "="),
    ],
)
def test_what_has_the_shape_of_a_secret_is_hidden(text: str) -> None:
    assert SECRET not in redact(text)
    assert HIDDEN in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "register 1234: 400 PARAM_INVALID, code: 133016",
        "POST /api/v1/onboardings/0b9c7ad2-4f0e-4a34-9f0a-000000000000/signup/ 202",
        "onboarding 12: not due, or somebody else was first",
        "https://api.ycloud.com/v2/whatsapp/phoneNumbers?page=1",
        "/s/leave/",
    ],
)
def test_what_operators_need_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "YCLOUD_API_KEY", "META_APP_SECRET", "FIELD_ENCRYPTION_KEYS"]
)
def test_the_values_of_secret_settings_are_hidden_wherever_they_stand(
    name: str, settings: Any
) -> None:
    setattr(settings, name, [SECRET] if name.endswith("KEYS") else SECRET)
    assert redact(f"odd{SECRET}place") == f"odd{HIDDEN}place"


def test_the_databases_password_is_hidden() -> None:
    assert settings.DATABASES["default"]["PASSWORD"] not in redact(str(settings.DATABASES))


@pytest.mark.parametrize("lines", [logs.json_lines, logs.text_lines])
def test_a_traceback_in_the_log_is_redacted_too(lines: Any) -> None:
    try:
        raise ValueError(f"access_token={SECRET}")
    except ValueError:
        record = logging.LogRecord("x", 40, "x", 1, "it failed", (), sys.exc_info())
    line = lines().format(record)
    assert "ValueError" in line
    assert SECRET not in line


def test_every_handler_of_the_site_redacts() -> None:
    for name, handler in settings.LOGGING["handlers"].items():
        formatter = settings.LOGGING["formatters"][handler["formatter"]]
        assert formatter["()"] == "config.logs.json_lines", name


def test_the_web_servers_own_log_redacts(capsys: pytest.CaptureFixture[str]) -> None:
    AccessLog(Config()).error("Error handling request /s/%s/", SECRET)
    told = capsys.readouterr()
    assert "Error handling request" in told.err + told.out
    assert SECRET not in told.err + told.out


def test_the_access_log_has_no_query_of_the_way_back() -> None:
    asked = SimpleNamespace(
        method="GET", path="/connect/return/", query=f"code={SECRET}",
        uri=f"/connect/return/?code={SECRET}",
    )  # fmt: skip
    answer = SimpleNamespace(status="303 See Other", headers=[("Location", "/connect/")], sent=0)
    line = told(answer, asked, {"RAW_URI": asked.uri}, timedelta(seconds=1))
    assert (line["path"], line["status"]) == ("/connect/return/…", 303)
    assert SECRET not in str(line)


def test_an_error_report_holds_no_posted_value_no_local_and_no_secret_setting() -> None:
    request = RequestFactory().post("/accounts/login/", {"password": SECRET})
    request.exception_reporter_filter = ReportFilter()  # type: ignore[attr-defined]
    try:
        held = SECRET + "1"
        raise ValueError(len(held))
    except ValueError:
        reporter = ExceptionReporter(request, *sys.exc_info())
    for report in (reporter.get_traceback_text(), reporter.get_traceback_html()):
        assert SECRET not in report
        assert settings.SECRET_KEY not in report
        assert settings.REDIS_URL not in report
