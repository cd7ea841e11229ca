"""`manage.py doctor`: the command, and the webhook that it installs at YCloud."""

from __future__ import annotations

import json
import threading
import time
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from onboarding import doctor, events, tombstones
from onboarding.doctor import Finding, Group, Level, database, run
from onboarding.doctor import ycloud as ycloud_checks
from onboarding.doctor.run import Check
from onboarding.models import ProviderCall, WebhookSecret, YCloudAccount
from sandbox.webhooks import sign
from sandbox.world import KEYS
from tenants.models import AuditEntry
from tests.conftest import Sandbox

SITE = "http://localhost:9"
"""Nobody listens there: the webhook cannot be tried, and the page is this process's own."""
URL = f"{SITE}/webhooks/ycloud/"


@pytest.fixture(autouse=True)
def _no_secret_in_the_environment(db: None, sandbox: Sandbox, settings: Any) -> None:
    settings.YCLOUD_WEBHOOK_SECRETS = []
    settings.SITE_URL = SITE


def endpoints(sandbox: Sandbox) -> list[dict[str, Any]]:
    return list(sandbox.server.world.endpoints.values())


def told(*args: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("doctor", *args, stdout=out, stderr=StringIO())
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def ask(*args: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit status and the findings, of the group of the webhook unless it is said."""
    code, text = told("--json", *(args if "--only" in args else (*args, "--only", "webhook")))
    return code, json.loads(text)


def of(found: list[dict[str, Any]], code: str) -> dict[str, Any]:
    (one,) = [each for each in found if each["code"] == code]
    return one


def test_installing_registers_exactly_the_events_that_have_a_handler(sandbox: Sandbox) -> None:
    told("--install-webhook", "--only", "mail")
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
    told("--install-webhook", "--only", "mail")
    (made,) = endpoints(sandbox)
    assert deliver(made["secret"]) == 204
    assert deliver("whsec_wrong") == 400
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM onboarding_webhooksecret")
        assert made["secret"] not in str(cursor.fetchall())
    kept = str(list(ProviderCall.objects.values()))
    assert made["secret"] not in kept


def test_installing_again_makes_no_second_endpoint_and_mends_the_first(sandbox: Sandbox) -> None:
    told("--install-webhook", "--only", "mail")
    (made,) = endpoints(sandbox)
    made |= {"enabledEvents": ["whatsapp.message.updated"], "status": "pending"}
    code, found = ask()
    assert code == 1
    assert {each["code"] for each in found if each["level"] == "error"} == {
        "webhook_events", "webhook_status",
    }  # fmt: skip
    code, found = ask("--install-webhook")
    assert code == 0
    assert of(found, "webhook")["is_well"]
    assert len(endpoints(sandbox)) == WebhookSecret.objects.count() == 1


def test_an_endpoint_that_somebody_else_made_is_taken_over_with_its_secret(
    sandbox: Sandbox,
) -> None:
    sandbox.server.world.endpoints["wh1"] = {
        "id": "wh1", "url": URL, "enabledEvents": [], "status": "active", "secret": None,
    }  # fmt: skip
    told("--install-webhook", "--only", "mail")
    (taken,) = endpoints(sandbox)
    assert WebhookSecret.objects.get().secret == taken["secret"]


def test_a_lost_answer_makes_no_second_endpoint(sandbox: Sandbox) -> None:
    sandbox.fault("create_endpoint", "timeout_after", seconds=0.1)
    with pytest.raises(CommandError, match="Run it again"):
        told("--install-webhook", "--only", "mail")
    told("--install-webhook", "--only", "mail")
    (made,) = endpoints(sandbox)
    assert WebhookSecret.objects.get().endpoint_id == made["id"]
    outcomes = ProviderCall.objects.filter(kind="install_endpoint").values_list("outcome")
    assert next(outcome for (outcome,) in outcomes) == "lost"


def test_a_full_account_is_told_with_what_to_do(sandbox: Sandbox) -> None:
    for n in range(20):
        sandbox.server.world.endpoints[str(n)] = {"id": str(n), "url": f"https://x/{n}"}
    with pytest.raises(CommandError, match="20 webhook endpoints"):
        told("--install-webhook", "--only", "mail")


def test_without_an_endpoint_the_doctor_names_the_command() -> None:
    code, found = ask()
    assert code == 1
    assert "--install-webhook" in of(found, "webhook")["remedy"]


def test_an_installed_webhook_is_noted_with_who_did_it(sandbox: Sandbox) -> None:
    doctor.install_webhook("ann")
    entry = AuditEntry.objects.get(act="webhook.installed")
    assert (entry.actor, entry.after) == ("ann", {"url": URL})
    (made,) = endpoints(sandbox)
    assert made["secret"] not in str(entry.after)


def test_a_ycloud_that_cannot_be_asked_is_a_finding_and_no_crash(settings: Any) -> None:
    settings.YCLOUD_API_BASE_URL = "http://127.0.0.1:9/v2"
    code, found = ask("--only", "ycloud")
    assert code == 1
    assert "could not be asked" in of(found, "ycloud")["what"]


def test_a_ycloud_that_hangs_is_given_up_soon(sandbox: Sandbox, monkeypatch: Any) -> None:
    monkeypatch.setattr(ycloud_checks, "ASK_SECONDS", 0.3)
    sandbox.fault("list_endpoints", "slow", seconds=3)
    begun = time.monotonic()
    code, found = ask("--only", "ycloud")
    assert (code, of(found, "ycloud")["level"]) == (1, "error")
    assert time.monotonic() - begun < 2.5


def test_without_a_key_ycloud_is_not_asked(sandbox: Sandbox, settings: Any) -> None:
    settings.YCLOUD_API_KEY = ""
    code, found = ask("--only", "ycloud")
    assert (code, of(found, "ycloud_key")["level"]) == (1, "error")
    assert sandbox.calls == []


# --- The command ---------------------------------------------------------------------------------


@pytest.fixture
def findings(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have every look find these levels, and nothing else."""

    def find(*levels: str) -> None:
        each = [Finding(level, Level(level), f"it is {level}", "mend it") for level in levels]
        checks = (Check("it", Group.SITE, lambda: each),)
        monkeypatch.setattr(doctor, "CHECKS", checks)

    return find


@pytest.mark.parametrize(
    ("level", "args", "status"),
    [
        ("ok", (), 0),
        ("error", (), 1),
        ("warning", (), 0),
        ("warning", ("--fail-level", "warning"), 1),
        ("error", ("--fail-level", "warning"), 1),
        ("unknown", ("--fail-level", "warning"), 0),
        ("todo", ("--fail-level", "warning"), 0),
        ("todo", ("--strict",), 1),
        ("unknown", ("--strict",), 1),
        ("ok", ("--strict",), 0),
    ],
)
def test_the_exit_status_follows_the_worst_level(
    findings: Any, level: str, args: tuple[str, ...], status: int
) -> None:
    findings("ok", level)
    assert told(*args)[0] == status


def test_the_json_is_a_list_of_objects_with_these_keys(findings: Any) -> None:
    findings("warning")
    _, found = ask("--only", "site")
    assert found == [
        {"code": "warning", "level": "warning", "what": "it is warning", "remedy": "mend it",
         "why": "", "who": "operator", "value": "", "group": "site", "is_well": False}
    ]  # fmt: skip


def test_people_read_it_by_groups_with_a_word_for_each_level(findings: Any) -> None:
    findings("ok", "error")
    _, text = told()
    assert [line.strip() for line in text.splitlines() if line] == [
        "site", "ok    it is ok", "ERROR it is error", "mend it", "1 ok, 1 error",
    ]  # fmt: skip
    assert "\x1b" not in text  # no colour where nobody looks


def test_only_the_chosen_groups_are_looked_at(sandbox: Sandbox) -> None:
    _, found = ask("--only", "mail", "--only", "partner")
    assert {each["group"] for each in found} == {"mail", "partner"}
    assert sandbox.calls == []


def test_a_group_that_there_is_not_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("doctor", "--only", "nonsense")


def test_each_check_has_a_name_of_its_own() -> None:
    names = [check.name for check in doctor.CHECKS]
    assert len(names) == len(set(names))


def test_everything_is_looked_at_in_the_order_of_the_groups(settings: Any) -> None:
    found = doctor.examine()
    groups = [each.group for each in found]
    assert groups == sorted(groups, key=list(Group).index)
    assert set(groups) == set(Group)
    assert not [each.what for each in found if each.code.endswith(("_failed", "_late", "_unseen"))]


# --- Whatever happens ----------------------------------------------------------------------------


def test_a_check_that_raises_is_a_finding_and_the_others_go_on(settings: Any) -> None:
    settings.YCLOUD_API_KEY = "the-secret-key"

    def fails() -> list[Finding]:
        raise ValueError("no use with the-secret-key")

    here, outside = Check("here", Group.SITE, fails), Check("there", Group.SITE, fails, True)
    well = Check("well", Group.MAIL, lambda: [Finding("fine", Level.OK, "fine")])
    found = run.examine([here, outside, well])
    assert [(each.code, each.level) for each in found] == [
        ("here_failed", "error"), ("there_failed", "error"), ("fine", "ok"),
    ]  # fmt: skip
    assert "the-secret-key" not in str(found)


def test_a_statement_that_fails_spoils_nothing_for_the_next_check() -> None:
    def broken() -> list[Finding]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nonsense")
        return []

    checks = [
        Check("broken", Group.DATABASE, broken, database=True),
        Check("wall", Group.DATABASE, database.wall, database=True),
    ]
    assert [each.code for each in run.examine(checks)] == ["broken_failed", "wall"]


@pytest.mark.django_db
def test_no_transaction_is_held_while_somebody_else_is_waited_for() -> None:
    depths: list[int] = []

    def looks() -> list[Finding]:
        depths.append(len(connection.savepoint_ids))
        return []

    run.examine([
        Check("far", Group.YCLOUD, looks, database=True, calls=True),
        Check("near", Group.DATABASE, looks, database=True),
    ])  # fmt: skip
    assert depths == [0, 1]
    calls = {each.name for each in doctor.CHECKS if each.calls}
    assert calls == {"account", "reached"}


def test_what_does_not_answer_in_time_is_told_and_not_waited_for(monkeypatch: Any) -> None:
    monkeypatch.setattr(run, "WHOLE_SECONDS", 0.2)
    done = threading.Event()

    def hangs() -> list[Finding]:
        done.wait(20)
        return []

    begun = time.monotonic()
    (late,) = run.examine([Check("far", Group.SITE, hangs, outside=True)])
    done.set()
    assert (late.code, late.level) == ("far_late", "unknown")
    assert time.monotonic() - begun < 5


def test_without_the_database_it_says_so_and_looks_at_the_rest(monkeypatch: Any) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("connection refused")

    with monkeypatch.context() as patched:
        patched.setattr(connection, "cursor", away)
        code, found = ask("--only", "database", "--only", "mail", "--only", "webhook")
    assert code == 1
    assert of(found, "database")["level"] == "error"
    assert of(found, "wall_unseen")["level"] == "unknown"
    assert of(found, "mail_server")
    assert not [each for each in found if each["code"].endswith("_failed")]


def test_without_redis_it_says_so_and_looks_at_the_rest(settings: Any) -> None:
    away = "redis://127.0.0.1:9/0"
    settings.REDIS_URL = away
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": away}}
    code, found = ask("--only", "workers", "--only", "ycloud")
    assert code == 1
    assert of(found, "redis")["level"] == "error"
    assert of(found, "beat")["level"] == "error"
    assert not [each for each in found if each["code"].endswith("_failed")]


# --- The database --------------------------------------------------------------------------------


def test_a_database_that_forgets_what_it_committed_is_a_finding() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    (finding,) = database.durability()
    assert "synchronous_commit=off" in finding.what
    assert finding.remedy


def test_the_quota_is_shown(settings: Any) -> None:
    settings.YCLOUD_QUOTA_PER_HOUR = 2
    ProviderCall.objects.bulk_create(
        ProviderCall(kind="list_numbers", target="1", outcome="done") for _ in range(2)
    )
    (finding,) = ycloud_checks.share()
    assert "2 of 2" in finding.what
    assert not finding.is_well


def test_it_says_when_the_apps_role_could_switch_the_walls_off() -> None:
    assert [each.level for each in database.wall()] == ["ok"]
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        try:
            (finding,) = database.wall()
            assert "owns the tables" in finding.what
        finally:
            cursor.execute("SET ROLE onboarding_app")


def test_it_says_when_the_tombstones_cannot_be_read(settings: Any) -> None:
    tombstones.bury(["42"])
    assert "tombstones" not in [each.code for each in database.keys()]  # noqa: SIM118 - a function
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    _, found = database.keys()
    assert "cannot be opened" in found.what
    assert found.remedy


# --- Several YCloud accounts ----------------------------------------------------------------------


@pytest.fixture
def second(db: None) -> YCloudAccount:
    return YCloudAccount.objects.create(name="Second", slug="second", api_key=KEYS[1])


def test_each_ycloud_account_is_looked_at_by_its_own_key(
    sandbox: Sandbox, second: YCloudAccount
) -> None:
    sandbox.server.world.balances[KEYS[1]] = 1.0
    code, found = ask("--only", "ycloud")
    assert of(found, "ycloud")["is_well"]
    assert of(found, "balance")["is_well"]
    assert of(found, "ycloud-second")["is_well"]
    low = of(found, "balance-second")
    assert (low["level"], low["what"][:8]) == ("warning", "Second: ")
    assert of(found, "quota-second")["is_well"]
    assert code == 0


@pytest.mark.parametrize("key", ["", "a-wrong-key"])
def test_a_second_accounts_key_that_does_not_work_is_an_error_of_its_own(
    sandbox: Sandbox, second: YCloudAccount, key: str
) -> None:
    YCloudAccount.objects.filter(pk=second.pk).update(api_key=key)
    code, found = ask("--only", "ycloud")
    assert of(found, "ycloud")["is_well"]
    (wrong,) = [each for each in found if each["level"] == "error"]
    assert wrong["code"] == ("ycloud-second" if key else "ycloud_key-second")
    assert "YCLOUD_API_KEY" not in wrong["what"]
    assert code == 1


def test_an_ended_account_is_not_looked_at(sandbox: Sandbox, second: YCloudAccount) -> None:
    YCloudAccount.objects.filter(pk=second.pk).update(ended_at=timezone.now())
    _, found = ask("--only", "ycloud")
    assert not [each for each in found if each["code"].endswith("-second")]
    assert {call["key"] for call in sandbox.server.world.calls} == {KEYS[0]}


def test_each_account_gets_an_endpoint_of_its_own_address_and_secret(
    sandbox: Sandbox, second: YCloudAccount, client: Client
) -> None:
    told("--install-webhook", "--only", "mail")
    told("--install-webhook", "--only", "mail")
    made = {each["holder"]: each for each in endpoints(sandbox)}
    assert {key: each["url"] for key, each in made.items()} == {
        KEYS[0]: URL, KEYS[1]: f"{URL}second/",
    }  # fmt: skip
    raw = b'{"id": "evt_1", "type": "x"}'

    def deliver(path: str, secret: str) -> int:
        headers = {"YCloud-Signature": sign(secret, int(time.time()), raw)}
        sent = client.post(path, raw, content_type="application/json", headers=headers)
        return int(sent.status_code)

    first, other = (made[key]["secret"] for key in KEYS)
    assert deliver("/webhooks/ycloud/", first) == deliver("/webhooks/ycloud/second/", other) == 204
    assert deliver("/webhooks/ycloud/", other) == deliver("/webhooks/ycloud/second/", first) == 400
    _, found = ask()
    assert of(found, "webhook")["is_well"]
    assert of(found, "webhook-second")["is_well"]


def test_an_account_whose_endpoint_cannot_be_made_does_not_keep_the_others_from_theirs(
    sandbox: Sandbox, second: YCloudAccount, settings: Any
) -> None:
    settings.YCLOUD_API_KEY = "wrong"
    with pytest.raises(CommandError, match="Second: Installed"):
        told("--install-webhook")
    (made,) = endpoints(sandbox)
    assert made["holder"] == KEYS[1]
