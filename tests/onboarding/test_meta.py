"""The code's exchange: at once, once, repeated only while it can help, and never kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
import respx
from django.contrib import admin
from django.db import connection
from django.utils import timezone

from onboarding import meta, tasks
from onboarding.models import MetaToken, Onboarding, ProviderCall
from onboarding.models.onboarding import Grant
from tenants.models import Tenant

GRAPH = "https://graph.facebook.com"
TOKEN = f"{GRAPH}/v22.0/oauth/access_token"
DEBUG = f"{GRAPH}/v22.0/debug_token"
CODE = "AQ-the-code"


@pytest.fixture
def row(tenant: Tenant, settings: Any) -> Onboarding:
    settings.META_GRAPH_BASE_URL = GRAPH
    return Onboarding.objects.create(
        tenant=tenant, connection_mode="business_platform", state="signed_up", code=CODE,
        grant=Grant.WAITING, code_received_at=timezone.now(),
    )  # fmt: skip


def granting(*waba_ids: str) -> dict[str, Any]:
    scopes = [
        {"scope": "whatsapp_business_messaging", "target_ids": ["999"]},
        {"scope": "whatsapp_business_management", "target_ids": list(waba_ids)},
    ]
    return {"data": {"is_valid": True, "granular_scopes": scopes}}


def exchanged(row: Onboarding, seconds: float = 20.0) -> Onboarding:
    meta.exchange_code(row.pk, seconds=seconds)
    row.refresh_from_db()
    return row


@respx.mock
def test_the_granted_accounts_are_kept_and_the_code_is_wiped(row: Onboarding) -> None:
    exchange = respx.post(TOKEN).respond(json={"access_token": "EAA-token"})
    debug = respx.get(DEBUG).respond(json=granting("42", "43"))
    exchanged(row)
    assert (row.grant, row.granted_waba_ids, row.code) == ("granted", ["42", "43"], "")
    assert row.next_look_at is not None
    sent = exchange.calls.last.request
    assert sent.url.query == b"", "the code travels in the body, never in an address"
    assert b"AQ-the-code" in sent.content
    assert debug.calls.last.request.headers["Authorization"].startswith("Bearer ")


@respx.mock
def test_missing_targets_prove_nothing(row: Onboarding) -> None:
    respx.post(TOKEN).respond(json={"access_token": "EAA-token"})
    respx.get(DEBUG).respond(json={"data": {"granular_scopes": [{"scope": "other"}]}})
    assert exchanged(row).granted_waba_ids == []
    assert row.grant == "granted"


@respx.mock
def test_a_refusal_ends_it(row: Onboarding) -> None:
    route = respx.post(TOKEN).respond(400, json={"error": {"code": 100}})
    assert exchanged(row).grant == "refused"
    assert row.code == ""
    assert route.call_count == 1


@respx.mock
@pytest.mark.parametrize(
    "fault",
    [
        httpx.Response(500),
        httpx.Response(200, text="<html>"),
        httpx.Response(429),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("down"),
    ],
    ids=["5xx", "garbage", "429", "timeout", "down"],
)
def test_no_answer_is_tried_again_while_the_code_is_young(row: Onboarding, fault: Any) -> None:
    good = httpx.Response(200, json={"access_token": "EAA-token"})
    respx.post(TOKEN).mock(side_effect=[fault, good])
    respx.get(DEBUG).respond(json=granting("42"))
    assert exchanged(row).granted_waba_ids == ["42"]


@respx.mock
def test_the_token_is_read_again_without_using_the_code_twice(row: Onboarding) -> None:
    exchange = respx.post(TOKEN).respond(json={"access_token": "EAA-token"})
    good = httpx.Response(200, json=granting("42"))
    respx.get(DEBUG).mock(side_effect=[httpx.Response(503), good])
    assert exchanged(row).granted_waba_ids == ["42"]
    assert exchange.call_count == 1


@respx.mock
def test_an_old_code_is_not_tried_again(row: Onboarding) -> None:
    Onboarding.objects.update(code_received_at=timezone.now() - timedelta(seconds=26))
    route = respx.post(TOKEN).respond(500)
    assert exchanged(row).grant == "lost"
    assert route.call_count == 1


@respx.mock
def test_a_request_that_exchanges_itself_gives_up_in_time(row: Onboarding) -> None:
    respx.post(TOKEN).respond(503)
    started = timezone.now()
    assert exchanged(row, seconds=1.2).grant == "lost"
    assert timezone.now() - started < timedelta(seconds=3)


@respx.mock
def test_a_wiped_code_is_not_exchanged_again(row: Onboarding) -> None:
    route = respx.post(TOKEN).respond(json={"access_token": "EAA-token"})
    respx.get(DEBUG).respond(json=granting("42"))
    exchanged(row)
    exchanged(row)
    assert route.call_count == 1


def worker_beside() -> psycopg.Connection[Any]:
    """The connection to the database of another worker."""
    at = connection.settings_dict
    return psycopg.connect(
        host=at["HOST"], port=at["PORT"], user=at["USER"], password=at["PASSWORD"],
        dbname=at["NAME"], autocommit=True,
    )  # fmt: skip


def left_open(row: Onboarding) -> ProviderCall:
    return ProviderCall.objects.create(
        onboarding=row, kind="exchange_code", target=meta.target_of(row.code), outcome="open"
    )


@respx.mock
def test_an_exchange_that_is_under_way_is_not_begun_twice(row: Onboarding) -> None:
    intent = left_open(row)
    route = respx.post(TOKEN).respond(json={"access_token": "EAA-token"})
    with worker_beside() as other:
        other.execute(
            "SELECT pg_advisory_lock(%s, %s)", [meta._LOCK, meta.lock_of(meta.target_of(row.code))]
        )
        exchanged(row)
    assert route.call_count == 0
    intent.refresh_from_db()
    assert intent.outcome == "open"


@respx.mock
def test_the_exchange_of_a_worker_that_died_is_lost_and_the_code_tried_again_at_once(
    row: Onboarding,
) -> None:
    intent = left_open(row)
    respx.post(TOKEN).respond(json={"access_token": "EAA-token"})
    respx.get(DEBUG).respond(json=granting("42"))
    exchanged(row)
    assert row.grant == "granted"
    intent.refresh_from_db()
    assert intent.outcome == "lost"


def aged(row: Onboarding, seconds: float) -> None:
    Onboarding.objects.filter(pk=row.pk).update(
        code_received_at=timezone.now() - timedelta(seconds=seconds)
    )


@pytest.mark.parametrize(("age", "forgotten"), [(1, False), (10, True), (24, True), (26, False)])
def test_a_code_whose_message_was_lost_is_exchanged_while_it_lives(
    row: Onboarding, age: float, forgotten: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    aged(row, age)
    published: list[Any] = []
    monkeypatch.setattr(tasks, "_published", lambda task, kwargs: published.append(kwargs))
    assert tasks.exchange_forgotten_codes() == forgotten
    assert published == ([{"onboarding_id": row.pk}] if forgotten else [])


def test_a_dead_code_is_wiped_and_its_row_goes_on(row: Onboarding) -> None:
    aged(row, 61)
    tasks.exchange_forgotten_codes()
    row.refresh_from_db()
    assert (row.code, row.grant) == ("", "lost")
    assert row.next_look_at is not None


def test_with_no_code_waiting_there_is_nothing_to_exchange(db: None) -> None:
    assert tasks.exchange_forgotten_codes() == 0


@respx.mock
def test_neither_code_nor_token_is_logged(
    row: Onboarding, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    respx.post(TOKEN).respond(json={"access_token": "EAA-token"})
    respx.get(DEBUG).mock(side_effect=httpx.ReadTimeout("EAA-token"))
    exchanged(row, seconds=1.2)
    kept = str(list(ProviderCall.objects.values()))
    for secret in (CODE, "EAA-token"):
        assert secret not in kept
        ours = [r.getMessage() for r in caplog.records if not r.name.startswith("http")]
        assert secret not in str(ours)


@respx.mock
@pytest.mark.django_db(transaction=True)
def test_the_request_itself_exchanges_when_the_broker_is_down(
    row: Onboarding, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(**_: Any) -> None:
        raise OSError("no broker")

    monkeypatch.setattr(tasks.exchange_code, "apply_async", down)
    monkeypatch.setattr(tasks.advance_onboarding, "apply_async", down)
    respx.post(TOKEN).respond(json={"access_token": "EAA-token"})
    respx.get(DEBUG).respond(json=granting("42"))
    tasks.request_exchange(row.pk)
    row.refresh_from_db()
    assert row.granted_waba_ids == ["42"]


# --- META_KEEP_TOKEN -----------------------------------------------------------------------------


def granted(row: Onboarding, token: str = "EAA-token") -> None:
    respx.post(TOKEN).respond(json={"access_token": token})
    respx.get(DEBUG).respond(json=granting("42"))
    exchanged(row)


@respx.mock
def test_the_token_is_dropped_unless_it_is_wanted(row: Onboarding) -> None:
    granted(row)
    assert row.grant == "granted"
    assert not MetaToken.objects.exists()


@respx.mock
def test_a_wanted_token_is_kept_sealed(row: Onboarding, settings: Any) -> None:
    settings.META_KEEP_TOKEN = True
    granted(row)
    kept = MetaToken.objects.get()
    assert (kept.onboarding, kept.tenant, kept.token) == (row, row.tenant, "EAA-token")
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM onboarding_metatoken t")
        assert "EAA-token" not in str(cursor.fetchall())


@respx.mock
def test_a_relaunch_replaces_the_token(row: Onboarding, settings: Any) -> None:
    settings.META_KEEP_TOKEN = True
    granted(row)
    row.code, row.grant, row.code_received_at = "AQ-second", Grant.WAITING, timezone.now()
    row.save()
    granted(row, "EAA-second")
    assert MetaToken.objects.get().token == "EAA-second"


@respx.mock
def test_no_token_is_kept_of_a_code_that_the_row_waits_for_no_more(
    row: Onboarding, settings: Any
) -> None:
    settings.META_KEEP_TOKEN = True
    respx.post(TOKEN).respond(json={"access_token": "EAA-token"})

    def meanwhile(request: httpx.Request) -> httpx.Response:
        Onboarding.objects.update(grant=Grant.NONE, code="")
        return httpx.Response(200, json=granting("42"))

    respx.get(DEBUG).mock(side_effect=meanwhile)
    exchanged(row)
    assert not MetaToken.objects.exists()


@pytest.mark.parametrize(
    ("keep", "state", "stays"),
    [
        (True, "connected", True),
        (True, "awaiting_payment", True),
        (True, "cancelled", False),
        (True, "rejected", False),
        (False, "connected", False),
    ],
)
def test_a_token_of_no_use_is_deleted_every_night(
    row: Onboarding, settings: Any, keep: bool, state: str, stays: bool
) -> None:
    settings.META_KEEP_TOKEN = keep
    Onboarding.objects.update(state=state)
    MetaToken.objects.create(
        onboarding=row, tenant=row.tenant, token="EAA-token", obtained_at=timezone.now()
    )
    tasks.forget_old()
    assert MetaToken.objects.exists() == stays


def test_the_token_is_in_no_admin(row: Onboarding) -> None:
    assert MetaToken not in admin.site._registry
