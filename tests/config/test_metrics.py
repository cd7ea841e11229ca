"""`/metrics`: who may read it, what it says, what it costs, and that what is counted counts."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import REGISTRY
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families
from rest_framework.test import APIClient

from config import carried, metrics
from config.middleware import ForwardedHeaders
from onboarding import gauges, instruments, quota, services, tasks, transitions, vitals
from onboarding.models import (
    Delivery,
    Notice,
    Onboarding,
    OutboundEvent,
    PhoneNumber,
    ProviderCall,
    WebhookEndpoint,
    WebhookEvent,
    WhatsAppBusinessAccount,
)
from onboarding.quota import Lane
from onboarding.states import State
from tenants import throttle
from tenants.models import Tenant, User
from tests import labels
from tests.conftest import Sandbox, Worker, api_of
from tests.onboarding.test_webhooks import event, send
from tests.test_journey import Customer

TOKEN = "a-token-for-tests-only"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    metrics.gauges.forget()


def count(name: str, **named: str) -> float:
    """What a counter of this process says now."""
    return REGISTRY.get_sample_value(name, named) or 0.0


def scraped() -> dict[tuple[str, ...], float]:
    """Name and the labels' values, in the order of the labels' names -> value."""
    metrics.gauges.forget()
    text = Client().get("/metrics").content.decode()
    return {
        (s.name, *(value for _, value in sorted(s.labels.items()))): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


# --- Who may read it ------------------------------------------------------------------------------


def test_this_machine_reads_without_a_token(client: Client, db: None) -> None:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert "no-store" in answer["Cache-Control"]
    assert b"# HELP onboarding_transitions_total Moves of onboardings" in answer.content


def test_from_elsewhere_it_is_not_there(client: Client, db: None) -> None:
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.1").status_code == 404


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 401),
        ({"HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}, 200),
        ({"HTTP_AUTHORIZATION": f"bearer {TOKEN}"}, 200),
        ({"HTTP_AUTHORIZATION": f"Bearer {TOKEN}x"}, 401),
        ({"HTTP_AUTHORIZATION": f"Basic {TOKEN}"}, 401),
        ({"HTTP_AUTHORIZATION": "Bearer "}, 401),
        ({"HTTP_AUTHORIZATION": "Bearer \u00fc"}, 401),
    ],
)
def test_from_elsewhere_the_token_is_asked_for(
    client: Client, db: None, settings: Any, sent: dict[str, str], status: int
) -> None:
    settings.METRICS_TOKEN = TOKEN
    answer = client.get("/metrics", REMOTE_ADDR="192.0.2.1", **sent)
    assert answer.status_code == status
    assert (status == 401) == ("WWW-Authenticate" in answer)
    assert status == 200 or b"onboarding_" not in answer.content


@pytest.mark.parametrize("header", ForwardedHeaders.told_by)
@pytest.mark.parametrize("proxies", [[], ["127.0.0.1"]])
def test_what_a_proxy_on_this_machine_passes_on_is_not_from_this_machine(
    client: Client, db: None, settings: Any, header: str, proxies: list[str]
) -> None:
    settings.TRUSTED_PROXIES = proxies
    answer = client.get("/metrics", REMOTE_ADDR="127.0.0.1", **{header: "127.0.0.1"})
    assert answer.status_code == 404


def test_a_trusted_proxy_on_this_machine_needs_the_token_itself(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.0/8"]
    assert not metrics.may_read("127.0.0.1", "", by_proxy=False)
    settings.TRUSTED_PROXIES = []
    assert metrics.may_read("127.0.0.1", "", by_proxy=False)
    assert metrics.may_read("::1", "", by_proxy=False)
    assert not metrics.may_read("", "", by_proxy=False)


def test_it_is_only_read(client: Client, db: None) -> None:
    assert client.post("/metrics").status_code == 405


def test_it_speaks_openmetrics_to_whom_asks_for_it(client: Client, db: None) -> None:
    answer = client.get("/metrics", HTTP_ACCEPT="application/openmetrics-text; version=1.0.0")
    assert answer["Content-Type"].startswith("application/openmetrics-text")
    assert list(open_metrics(answer.content.decode()))


def test_over_http_inside_the_proxy_it_is_not_sent_elsewhere(
    client: Client, db: None, settings: Any
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/metrics").status_code == 200


def test_a_worker_shows_its_counts_under_the_same_rule(db: None, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    told: list[str] = []

    def ask(**environ: str) -> bytes:
        told.clear()
        sent = {"PATH_INFO": "/metrics", "REMOTE_ADDR": "192.0.2.1", **environ}
        return b"".join(metrics.application(sent, lambda status, _: told.append(status)))

    assert ask() == b""
    assert told == ["401 Unauthorized"]
    assert b"onboarding_transitions_total" in ask(HTTP_AUTHORIZATION=f"Bearer {TOKEN}")
    assert ask(HTTP_AUTHORIZATION=f"Bearer {TOKEN}", PATH_INFO="/x") == b""
    assert told == ["404 Not Found"]


@pytest.mark.parametrize(
    ("alive", "status"), [(True, "200 OK"), (False, "503 Service Unavailable")]
)
def test_a_probe_learns_without_a_token_whether_the_worker_lives(alive: bool, status: str) -> None:
    told: list[str] = []
    sent = {"PATH_INFO": "/healthz", "REMOTE_ADDR": "192.0.2.1"}
    metrics.application(sent, lambda said, _: told.append(said), is_alive=lambda: alive)
    assert told == [status]


def test_a_worker_that_went_silent_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    carried.beaten()
    assert carried.is_alive()
    silent = time.monotonic() + carried.ALIVE_SECONDS + 1
    monkeypatch.setattr(time, "monotonic", lambda: silent)
    assert not carried.is_alive()


# --- What it costs --------------------------------------------------------------------------------


def test_a_scrape_makes_the_same_few_queries_however_much_there_is(
    tenant: Tenant, django_assert_max_num_queries: Any
) -> None:
    def queries() -> int:
        metrics.gauges.forget()
        with CaptureQueriesContext(connection) as seen:
            assert Client().get("/metrics").status_code == 200
        return len(seen)

    before = queries()
    for state in State:
        for _ in range(5):
            Onboarding.objects.create(tenant=tenant, state=state, reason="approval_needed")
    assert queries() == before
    assert before < 60


def test_scrapes_that_follow_at_once_read_nothing_again(db: None) -> None:
    Client().get("/metrics")
    with CaptureQueriesContext(connection) as seen:
        Client().get("/metrics")
    assert [query["sql"] for query in seen if " FROM " in query["sql"]] == []


def test_a_reading_that_hangs_holds_up_no_second_scrape(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    assert client.get("/metrics").status_code == 200
    metrics.gauges.forget()
    monkeypatch.setattr(gauges, "PATIENCE_SECONDS", 0.1)
    with metrics.gauges._lock:
        answer = client.get("/metrics")
    assert answer.status_code == 200
    assert b"onboarding_overdue" in answer.content, "what was read before"


def test_each_statement_of_a_scrape_is_cut_off_in_time(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(20)")
        yield

    monkeypatch.setattr(gauges, "STATEMENT", "100ms")
    monkeypatch.setitem(gauges._READERS, "mails", sleep)
    began = time.monotonic()
    found = scraped()
    assert time.monotonic() - began < 5
    assert found["onboarding_readable", "mails"] == 0
    assert found["onboarding_readable", "webhooks"] == 1


def test_without_the_database_the_counts_are_told_all_the_same(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> Any:
        raise DatabaseError("away")

    monkeypatch.setattr(gauges, "_quickly", fails)
    found = scraped()
    assert {found["onboarding_readable", part] for part in gauges.PARTS} == {0.0}
    assert ("onboarding_sweeps_total",) in found
    assert ("onboarding_overdue",) not in found


def test_without_redis_what_the_database_knows_is_told(db: None, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    found = scraped()
    assert found["onboarding_readable", "queues"] == 0
    assert found["onboarding_readable", "onboardings"] == 1
    quota.store.breaker.until = 0.0


# --- What is counted ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_whole_journey_is_counted_step_by_step(
    api: APIClient, sandbox: Sandbox, worker: Worker
) -> None:
    mode = {"mode": "business_platform"}
    before = {m: count("onboarding_milestones_total", milestone=m, **mode)
              for m in instruments.FUNNEL}  # fmt: skip
    registers = {"kind": "register", "outcome": "done"}
    calls = count("onboarding_ycloud_call_seconds_count", **registers)
    exchanges = count("onboarding_meta_exchange_seconds_count", outcome="done")
    launches = count("onboarding_launch_to_connected_seconds_count", **mode)
    steps = count("onboarding_step_seconds_count", state="registering", outcome="connected")
    Customer(api, sandbox, worker).goes_through("approve")
    for milestone in instruments.FUNNEL:
        if milestone != "connecting":  # the number was connected at once
            reached = count("onboarding_milestones_total", milestone=milestone, **mode)
            assert reached == before[milestone] + 1, milestone
    assert count("onboarding_ycloud_call_seconds_count", **registers) == calls + 1
    assert count("onboarding_meta_exchange_seconds_count", outcome="done") == exchanges + 1
    assert count("onboarding_launch_to_connected_seconds_count", **mode) == launches + 1
    ended = count("onboarding_step_seconds_count", state="registering", outcome="connected")
    assert ended == steps + 1


@pytest.mark.django_db(transaction=True)
def test_a_move_that_is_rolled_back_is_not_counted(tenant: Tenant) -> None:
    row = Onboarding.objects.create(tenant=tenant, state="signed_up")
    named = {"to": "linked", "reason": "none"}
    before = count("onboarding_transitions_total", **named)
    with transaction.atomic():
        transitions.move(row, State.LINKED, actor="worker")
        transaction.set_rollback(True)
    assert count("onboarding_transitions_total", **named) == before
    row.refresh_from_db()
    transitions.move(row, State.LINKED, actor="worker")
    assert count("onboarding_transitions_total", **named) == before + 1


@pytest.mark.django_db(transaction=True)
def test_a_milestone_is_counted_the_first_time_only(tenant: Tenant) -> None:
    row = Onboarding.objects.create(tenant=tenant, state="signed_up")
    named = {"milestone": "linked", "mode": "other"}
    before = count("onboarding_milestones_total", **named)
    for to in (State.LINKED, State.AWAITING_PAYMENT, State.LINKED):
        transitions.move(row, to, actor="worker")
    assert count("onboarding_milestones_total", **named) == before + 1


@pytest.mark.django_db(transaction=True)
def test_webhooks_are_counted_by_what_became_of_them(client: Client) -> None:
    def counts() -> list[float]:
        return [count("onboarding_webhooks_total", outcome=o) for o in instruments.WEBHOOK_OUTCOMES]

    before, late = counts(), count("onboarding_webhook_delay_seconds_sum")
    sent_at = (timezone.now() - timedelta(seconds=90)).isoformat()
    for _ in range(2):
        assert send(client, event(createTime=sent_at)).status_code == 204
    assert send(client, event(), secret="whsec_wrong").status_code == 400
    assert send(client, b"[]").status_code == 400
    gained = [now - then for now, then in zip(counts(), before, strict=True)]
    assert gained == [1, 1, 1, 1, 0]
    assert 90 <= count("onboarding_webhook_delay_seconds_sum") - late < 100


def test_calls_that_wait_for_the_quota_are_counted_by_lane(db: None) -> None:
    before = count("onboarding_quota_refusals_total", lane="health")
    quota.close(5)
    with pytest.raises(quota.QuotaFullError):
        quota.take(Lane.HEALTH)
    assert count("onboarding_quota_refusals_total", lane="health") == before + 1


def test_refusals_of_our_own_limits_are_counted_by_limit(db: None) -> None:
    before = count("onboarding_rate_limit_refusals_total", scope="api")
    for _ in range(3):
        throttle.hit("api", "somebody", "2/minute")
    assert count("onboarding_rate_limit_refusals_total", scope="api") == before + 1


def test_requests_are_counted_by_the_name_of_their_view(client: Client, db: None) -> None:
    named = {"view": "healthz", "method": "GET", "status": "2xx"}
    nowhere = {"view": "none", "method": "other", "status": "4xx"}
    before = count("onboarding_http_requests_total", **named)
    strange = count("onboarding_http_requests_total", **nowhere)
    client.get("/healthz")
    client.generic("BREW", "/no/such/pot/")
    assert count("onboarding_http_requests_total", **named) == before + 1
    assert count("onboarding_http_requests_total", **nowhere) == strange + 1


def test_a_request_that_fails_is_counted_as_a_failure(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise ValueError

    monkeypatch.setattr(services, "start", fails)
    api.raise_request_exception = False
    named = {"view": "onboarding-list", "method": "POST", "status": "5xx"}
    before = count("onboarding_http_requests_total", **named)
    assert api.post("/api/v1/onboardings/", {"connection_mode": "business_app"}).status_code == 500
    assert count("onboarding_http_requests_total", **named) == before + 1


@pytest.mark.parametrize(
    ("status", "label"),
    [(200, "2xx"), (401, "401"), (404, "4xx"), (429, "429"), (503, "5xx"), (None, "none"),
     (999, "none")],
)  # fmt: skip
def test_an_answer_s_status_is_one_of_a_few(status: int | None, label: str) -> None:
    assert instruments.status_label(status) == label
    assert label in instruments.STATUSES


def test_a_reason_that_is_in_no_catalogue_is_other() -> None:
    assert instruments.reason_label("of-an-old-release") == "other"
    assert instruments.reason_label("") == "none"


# --- How things stand -----------------------------------------------------------------------------


def test_the_gauges_say_how_things_stand(tenant: Tenant, settings: Any) -> None:
    now = timezone.now()
    made = {"tenant": tenant, "state": "awaiting_payment", "reason": "payment_missing"}
    for hours in (1, 5):
        row = Onboarding.objects.create(**made, next_look_at=now - timedelta(seconds=70))
        Onboarding.objects.filter(pk=row.pk).update(state_changed_at=now - timedelta(hours=hours))
    account = WhatsAppBusinessAccount.objects.create(tenant=tenant, waba_id="1")
    number = PhoneNumber.objects.create(
        tenant=tenant, business_account=account, phone_number_id="2", e164="+34600111222"
    )
    Notice.objects.create(tenant=tenant, key="k", audience="owners", number=number, reason="x")
    WebhookEvent.objects.create(event_id="e", type="t", body={})
    endpoint = WebhookEndpoint.objects.create(url="https://x.example/", secret="s")
    told = OutboundEvent.objects.create(type="t", tenant=tenant, data={})
    Delivery.objects.create(event=told, endpoint=endpoint, next_try_at=now - timedelta(seconds=40))
    ProviderCall.objects.create(kind="balance", target="", outcome="done")
    tasks.beat_alive()
    found = scraped()
    assert found["onboarding_onboardings", "awaiting_payment"] == 2
    assert found["onboarding_onboardings", "connected"] == 0
    assert 5 * 3600 <= found["onboarding_state_oldest_seconds", "awaiting_payment"] < 5 * 3700
    assert found["onboarding_stuck", "payment_missing"] == 2
    assert found["onboarding_overdue",] == 2
    assert 70 <= found["onboarding_overdue_oldest_seconds",] < 100
    assert found["onboarding_new_customers",] == 1
    assert found["onboarding_new_customers_limit",] == settings.META_NEW_CUSTOMERS_PER_7_DAYS
    assert found["onboarding_webhooks_unapplied",] == 1
    assert found["onboarding_webhook_last_timestamp_seconds",] == pytest.approx(time.time(), abs=60)
    assert found["onboarding_outbound_waiting",] == 1
    assert 40 <= found["onboarding_outbound_lag_seconds",] < 70
    assert found["onboarding_outbound_endpoints", "well"] == 1
    assert found["onboarding_mails", "waiting"] == 1
    assert found["onboarding_quota_used", "environment"] == 1
    assert found["onboarding_quota_limit", "environment"] == settings.YCLOUD_QUOTA_PER_HOUR
    assert found["onboarding_quota_closed_seconds", "environment"] == 0
    assert found["onboarding_queue_messages", "default"] == 0
    assert found["onboarding_beat_alive",] == 1
    assert {found["onboarding_readable", part] for part in gauges.PARTS} == {1.0}


def test_only_mail_that_is_due_waits(tenant: Tenant) -> None:
    """What is over, given up, put off, or staff's until the next digest keeps no alert firing."""
    now, letter = timezone.now(), uuid.uuid4()
    ago = {"tenant": tenant, "audience": "owners", "due_at": now - timedelta(minutes=4)}
    made = {
        "due": ago,
        "over": ago | {"standing": "overtaken"},
        "given up": ago | {"standing": "failed"},
        "put off": ago | {"due_at": now + timedelta(hours=1)},
        "staff's": ago | {"audience": "staff", "due_at": now - timedelta(hours=3)},
        "sending": ago | {"standing": "sending", "claimed_at": now, "letter": letter},
        "unsure": ago | {"standing": "failed", "claimed_at": now, "letter": letter},
    }
    for key, columns in made.items():
        Notice.objects.create(key=key, **columns)
    Notice.objects.update(created_at=now - timedelta(days=3))
    found = scraped()
    assert found["onboarding_mails", "waiting"] == 1
    assert found["onboarding_mails", "unsure"] == 2
    assert 240 <= found["onboarding_mails_oldest_seconds",] < 300


def test_a_closed_quota_and_the_balance_are_seen(db: None, sandbox: Sandbox, settings: Any) -> None:
    tasks.read_balance()
    quota.close(30)
    found = scraped()
    assert 20 < found["onboarding_quota_closed_seconds", "environment"] <= 30
    balance = vitals.balance()
    assert balance is not None
    assert found["onboarding_balance", "environment"] == balance.amount
    assert found["onboarding_balance_warning",] == settings.YCLOUD_BALANCE_WARNING


@pytest.mark.django_db(transaction=True)
def test_every_label_s_value_is_of_a_closed_set(
    owner: User, tenant: Tenant, sandbox: Sandbox, worker: Worker
) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(name='evil"} 1\nhacked{x="')
    for scenario in ("approve", "payment_missing", "cancel"):
        Customer(api_of(owner), sandbox, worker).goes_through(scenario)
    Onboarding.objects.create(tenant=tenant, state="in_review", reason='of old"} 1\n')
    hostile = Client()
    for address in ("/evil-path/", "/s/evil-token-evil-token/", "/admin/evil/", "/api/v1/evil"):
        hostile.get(address, headers={"User-Agent": "evil"})
    hostile.generic("EVIL", "/")
    known = labels.known()
    text = hostile.get("/metrics").content.decode()
    seen = 0
    for family in text_string_to_metric_families(text):
        if family.name.startswith(("python_", "process_")):
            continue
        assert family.documentation, family.name
        for sample in family.samples:
            for label, value in sample.labels.items():
                assert value in known[label], (sample.name, label, value)
                seen += 1
    assert seen > 300
    assert "evil" not in text
    assert "hacked" not in text


# --- Shared by processes --------------------------------------------------------------------------

SHARED = """
import os, sys
import django; django.setup()
from onboarding import instruments
pid = os.fork()
instruments.swept(3)
if pid:
    os.waitpid(pid, 0)
    from config import metrics
    found = metrics.registry(with_gauges=False)
    print(found.get_sample_value("onboarding_swept_total"))
    print(found.get_sample_value("onboarding_processes"))
"""


def test_processes_of_one_machine_count_together(tmp_path: Path) -> None:
    import os

    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "made" / "here"),
           "DJANGO_SETTINGS_MODULE": "config.settings"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", SHARED], env=env, capture_output=True, text=True, check=False
    )
    assert [float(word) for word in done.stdout.split()] == [6, 1], done.stderr


def test_the_view_s_name_is_none_where_no_view_was_reached() -> None:
    assert metrics.view_of(RequestFactory().get("/")) == "none"
