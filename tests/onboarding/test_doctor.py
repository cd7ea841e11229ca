"""`manage.py doctor`: what is not set up at YCloud, and the webhook that it installs itself."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from onboarding import doctor, events, tombstones
from onboarding.doctor import Finding
from onboarding.models import ProviderCall, WebhookSecret
from sandbox.webhooks import sign
from tests.conftest import Sandbox

URL = "http://localhost:8000/webhooks/ycloud/"
DURABILITY = doctor._durability
"""The tests' own database is fast and forgetful; where that is not the matter, it passes."""


@pytest.fixture(autouse=True)
def _no_secret_in_the_environment(
    db: None, sandbox: Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.YCLOUD_WEBHOOK_SECRETS = []
    monkeypatch.setattr(doctor, "_durability", lambda: Finding("durability", "as it should be"))


def endpoints(sandbox: Sandbox) -> list[dict[str, Any]]:
    return list(sandbox.server.world.endpoints.values())


def ask(*args: str) -> tuple[int, list[dict[str, Any]]]:
    from io import StringIO

    out = StringIO()
    try:
        call_command("doctor", "--json", *args, stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), json.loads(out.getvalue().splitlines()[-1])
    return 0, json.loads(out.getvalue().splitlines()[-1])


def test_installing_registers_exactly_the_events_that_have_a_handler(sandbox: Sandbox) -> None:
    call_command("doctor", "--install-webhook")
    (made,) = endpoints(sandbox)
    assert made["url"] == URL
    assert set(made["enabledEvents"]) == set(events.HANDLERS) - events.UNDOCUMENTED
    assert len(made["enabledEvents"]) == 6


def test_the_secret_is_stored_encrypted_and_checks_signatures(
    sandbox: Sandbox, client: Client
) -> None:
    raw = b'{"id": "evt_1", "type": "x"}'

    def deliver(secret: str) -> int:
        headers = {"YCloud-Signature": sign(secret, int(time.time()), raw)}
        sent = client.post(
            "/webhooks/ycloud/", raw, content_type="application/json", headers=headers
        )
        return int(sent.status_code)

    assert deliver("whsec_any") == 503
    call_command("doctor", "--install-webhook")
    (made,) = endpoints(sandbox)
    assert deliver(made["secret"]) == 204
    assert deliver("whsec_wrong") == 400
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM onboarding_webhooksecret")
        assert made["secret"] not in str(cursor.fetchall())
    kept = str(list(ProviderCall.objects.values()))
    assert made["secret"] not in kept


def test_installing_again_makes_no_second_endpoint_and_mends_the_first(sandbox: Sandbox) -> None:
    call_command("doctor", "--install-webhook")
    (made,) = endpoints(sandbox)
    made |= {"enabledEvents": ["whatsapp.message.updated"], "status": "pending"}
    code, found = ask()
    assert code == 1
    assert {each["code"] for each in found if not each["is_well"]} == {
        "webhook_events", "webhook_status",
    }  # fmt: skip
    code, found = ask("--install-webhook")
    assert code == 0
    assert all(each["is_well"] for each in found)
    assert len(endpoints(sandbox)) == WebhookSecret.objects.count() == 1


def test_an_endpoint_that_somebody_else_made_is_taken_over_with_its_secret(
    sandbox: Sandbox,
) -> None:
    sandbox.server.world.endpoints["wh1"] = {
        "id": "wh1", "url": URL, "enabledEvents": [], "status": "active", "secret": None,
    }  # fmt: skip
    call_command("doctor", "--install-webhook")
    (taken,) = endpoints(sandbox)
    assert WebhookSecret.objects.get().secret == taken["secret"]


def test_a_lost_answer_makes_no_second_endpoint(sandbox: Sandbox) -> None:
    sandbox.fault("create_endpoint", "timeout_after", seconds=0.1)
    with pytest.raises(CommandError, match="Run it again"):
        call_command("doctor", "--install-webhook")
    call_command("doctor", "--install-webhook")
    (made,) = endpoints(sandbox)
    assert WebhookSecret.objects.get().endpoint_id == made["id"]
    outcomes = ProviderCall.objects.filter(kind="install_endpoint").values_list("outcome")
    assert next(outcome for (outcome,) in outcomes) == "lost"


def test_a_full_account_is_told_with_what_to_do(sandbox: Sandbox) -> None:
    for n in range(20):
        sandbox.server.world.endpoints[str(n)] = {"id": str(n), "url": f"https://x/{n}"}
    with pytest.raises(CommandError, match="20 webhook endpoints"):
        call_command("doctor", "--install-webhook")


def test_without_an_endpoint_the_doctor_names_the_command() -> None:
    code, found = ask()
    assert code == 1
    assert "--install-webhook" in found[0]["remedy"]


def test_a_ycloud_that_cannot_be_asked_is_a_finding_and_no_crash(settings: Any) -> None:
    settings.YCLOUD_API_BASE_URL = "http://127.0.0.1:9/v2"
    code, found = ask()
    assert code == 1
    assert "could not be asked" in found[0]["what"]


def test_a_database_that_forgets_what_it_committed_is_a_finding() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    finding = DURABILITY()
    assert "synchronous_commit=off" in finding.what
    assert finding.remedy


def test_the_quota_is_shown(settings: Any) -> None:
    settings.YCLOUD_QUOTA_PER_HOUR = 2
    ProviderCall.objects.bulk_create(
        ProviderCall(kind="list_numbers", target="1", outcome="done") for _ in range(2)
    )
    finding = doctor._quota()
    assert "2 of 2" in finding.what
    assert not finding.is_well


def test_it_says_when_the_apps_role_could_switch_the_walls_off() -> None:
    assert doctor._wall().remedy == ""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        try:
            assert "owns the tables" in doctor._wall().what
        finally:
            cursor.execute("SET ROLE onboarding_app")


def test_it_says_when_the_tombstones_cannot_be_read(settings: Any) -> None:
    assert doctor._tombstones() == []
    tombstones.bury(["42"])
    assert doctor._tombstones() == []
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    (found,) = doctor._tombstones()
    assert "cannot be opened" in found.what
    assert found.remedy
