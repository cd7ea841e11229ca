"""Settings come from the environment and stop the start when they make no sense."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
GOOD = {
    "SECRET_KEY": "x" * 60,
    "FIELD_ENCRYPTION_KEYS": "A" * 43 + "=",
    "DATABASE_URL": "postgres://u:p@127.0.0.1/d",
    "REDIS_URL": "redis://127.0.0.1/0",
}
SHOW = "from config import settings as s; print(repr({!s}))"


def load(expression: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The settings in a process of their own, with this environment and no other."""
    kept = {n: os.environ[n] for n in ("PATH", "HOME", "LANG") if n in os.environ}
    return subprocess.run(
        [sys.executable, "-c", SHOW.format(expression)],
        cwd=ROOT,
        env={"ONLY_ENVIRONMENT": "1", **kept, **GOOD, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def value(expression: str, **env: str) -> str:
    done = load(expression, **env)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("name", "nonsense"),
    [
        ("SECRET_KEY", ""),
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "sqlite:///x"),
        ("REDIS_URL", ""),
        ("FIELD_ENCRYPTION_KEYS", ""),
        ("SITE_URL", "signup.example.com"),
        ("YCLOUD_API_BASE_URL", "nonsense"),
        ("YCLOUD_TP_BIND", "sometimes"),
        ("REGISTER_BUDGET", "many"),
        ("REGISTER_RESERVE", "10"),
        ("META_APP_ID", "abc"),
        ("META_SIGNUP_VERSION", "v9"),
        ("META_SIGNUP_EXTRAS", "{"),
        ("META_SIGNUP_EXTRAS", "[]"),
        ("ONBOARDING_APPROVAL", "perhaps"),
        ("ONBOARDING_UNPROVEN", "perhaps"),
        ("OUTBOUND_ALLOW_PRIVATE", "perhaps"),
        ("COEXISTENCE_COUNTRIES_OUT", "NG,Atlantis"),
        ("COEXISTENCE_COUNTRIES_OUT", "XX"),
    ],
)
def test_nonsense_stops_the_start_and_names_the_setting(name: str, nonsense: str) -> None:
    done = load("1", **{name: nonsense})
    assert done.returncode != 0
    assert "ImproperlyConfigured" in done.stderr
    assert name in done.stderr.splitlines()[-1]


def test_all_faults_are_told_at_once() -> None:
    told = load("1", REGISTER_BUDGET="x", META_APP_ID="y").stderr
    assert "REGISTER_BUDGET" in told
    assert "META_APP_ID" in told


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text("from-a-file")
    assert value("s.YCLOUD_API_KEY", YCLOUD_API_KEY_FILE=str(secret)) == "'from-a-file'"


@pytest.mark.parametrize(
    ("given", "read"), [(None, "['NG', 'ZA']"), ("", "[]"), ("za, cu", "['CU', 'ZA']")]
)
def test_the_countries_left_out_of_coexistence_are_codes(given: str | None, read: str) -> None:
    env = {} if given is None else {"COEXISTENCE_COUNTRIES_OUT": given}
    assert value("s.COEXISTENCE_COUNTRIES_OUT", **env) == read


def test_the_sandbox_replaces_both_sides() -> None:
    shown = value(
        "[s.YCLOUD_API_BASE_URL, s.META_SDK_URL, s.META_APP_ID]",
        SANDBOX_ORIGIN="http://127.0.0.1:8001",
    )
    assert "http://127.0.0.1:8001/v2" in shown
    assert "http://127.0.0.1:8001/sdk.js" in shown
    assert "100000000000001" in shown


@pytest.mark.parametrize(
    ("name", "given"), [("YCLOUD_API_KEY", "real"), ("META_APP_ID", "123456789")]
)
def test_the_sandbox_is_off_as_soon_as_one_side_is_real(name: str, given: str) -> None:
    shown = value(
        "[s.SANDBOX_ORIGIN, s.YCLOUD_API_BASE_URL, s.META_SDK_URL]",
        SANDBOX_ORIGIN="http://127.0.0.1:8001",
        **{name: given},
    )
    assert "127.0.0.1" not in shown
    assert "https://api.ycloud.com/v2" in shown
    assert "https://connect.facebook.net" in shown


def test_coexistence_falls_back_to_the_first_settings() -> None:
    assert value("s.META_CONFIG_ID", META_CONFIG_ID="1") == (
        "{'business_platform': '1', 'business_app': '1'}"
    )
    both = {"META_CONFIG_ID": "1", "META_CONFIG_ID_BUSINESS_APP": "2"}
    assert "'business_app': '2'" in value("s.META_CONFIG_ID", **both)


def test_https_turns_the_safe_switches_on() -> None:
    expression = "[s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_SSL_REDIRECT]"
    assert value(expression, SITE_URL="https://signup.example.com") == "[True, True, True]"
    assert value(expression) == "[False, False, False]"


@pytest.mark.parametrize(
    ("env", "policy"),
    [
        ({}, "'continue'"),
        ({"META_APP_SECRET": "x"}, "'review'"),
        ({"META_APP_SECRET": "x", "ONBOARDING_UNPROVEN": "stop"}, "'stop'"),
    ],
)
def test_what_happens_to_the_unproven_by_default(env: dict[str, str], policy: str) -> None:
    assert value("s.ONBOARDING_UNPROVEN", **env) == policy


def test_private_webhook_receivers_are_for_the_sandbox_or_by_choice() -> None:
    sandbox = {"SANDBOX_ORIGIN": "http://127.0.0.1:8001"}
    assert value("s.OUTBOUND_ALLOW_PRIVATE") == "False"
    assert value("s.OUTBOUND_ALLOW_PRIVATE", **sandbox) == "True"
    assert value("s.OUTBOUND_ALLOW_PRIVATE", **sandbox, YCLOUD_API_KEY="real") == "False"
    assert value("s.OUTBOUND_ALLOW_PRIVATE", OUTBOUND_ALLOW_PRIVATE="true") == "True"


@pytest.mark.parametrize(("given", "kept"), [({}, "False"), ({"META_KEEP_TOKEN": "true"}, "True")])
def test_metas_token_is_kept_only_on_request(given: dict[str, str], kept: str) -> None:
    assert value("s.META_KEEP_TOKEN", **given) == kept


def test_a_switch_takes_no_nonsense() -> None:
    assert "META_KEEP_TOKEN" in load("1", META_KEEP_TOKEN="maybe").stderr
