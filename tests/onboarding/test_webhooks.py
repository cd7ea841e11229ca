"""`/webhooks/ycloud/`: signed, stored once, answered at once; an event only wakes rows."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from onboarding import events, tasks
from onboarding.models import Onboarding, WebhookEvent
from tenants.models import Tenant, User
from tests.conftest import pages_of
from ycloud_client.webhooks import sign

URL = "/webhooks/ycloud/"
SECRET = "whsec_test"


def send(client: Client, body: Any, *, secret: str = SECRET, at: int | None = None) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    at = int(time.time()) if at is None else at
    signature = f"t={at},s={sign(raw, secret, at)}"
    return client.post(
        URL, raw, content_type="application/json", headers={"YCloud-Signature": signature}
    )


def event(**more: Any) -> dict[str, Any]:
    kind = more.pop("type", "whatsapp.business_account.updated")
    return {"id": "evt_1", "type": kind, "apiVersion": "v2", **more}


def test_a_signed_event_is_stored_once(client: Client, db: None) -> None:
    body = event(whatsappBusinessAccount={"id": "42"})
    assert [send(client, body).status_code for _ in range(3)] == [204, 204, 204]
    stored = WebhookEvent.objects.get()
    assert (stored.event_id, stored.waba_id) == ("evt_1", "42")


@pytest.mark.parametrize("secret", ["whsec_wrong", ""])
def test_a_bad_signature_is_a_400_and_stores_nothing(client: Client, db: None, secret: str) -> None:
    assert send(client, event(), secret=secret).status_code == 400
    assert not WebhookEvent.objects.exists()


def test_a_missing_signature_is_a_400(client: Client, db: None) -> None:
    assert client.post(URL, b"{}", content_type="application/json").status_code == 400


def test_an_old_event_is_refused(client: Client, db: None) -> None:
    assert send(client, event(), at=int(time.time()) - 301).status_code == 400


def test_a_signed_body_that_is_no_event_is_a_400(client: Client, db: None) -> None:
    assert send(client, b"[]").status_code == 400


def test_without_a_secret_the_endpoint_refuses(client: Client, db: None, settings: Any) -> None:
    settings.YCLOUD_WEBHOOK_SECRETS = []
    assert send(client, event(), secret="").status_code == 503


def test_an_unknown_type_is_kept_and_wakes_nobody(client: Client, db: None) -> None:
    assert send(client, event(type="brand.new.event")).status_code == 204
    tasks.apply_webhook_event(event_id="evt_1")
    stored = WebhookEvent.objects.get()
    assert (stored.woke, stored.standing) == (0, "unknown")
    assert stored.body["type"] == "brand.new.event"


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("whatsapp.business_account.updated", {"whatsappBusinessAccount": {"id": "42"}}),
        ("whatsapp.business_account.reviewed", {"whatsappBusinessAccount": {"id": "42"}}),
        ("whatsapp.business_account.deleted", {"whatsappBusinessAccount": {"id": "42"}}),
        ("whatsapp.phone_number.name_updated", {"whatsappPhoneNumber": {"id": "7"}}),
        ("whatsapp.phone_number.quality_updated", {"whatsappPhoneNumber": {"id": "7"}}),
        ("whatsapp.phone_number.deleted", {"whatsappPhoneNumber": {"id": "9", "wabaId": "42"}}),
    ],
)
def test_an_event_wakes_the_open_rows_it_concerns_and_moves_none(
    client: Client, tenant: Tenant, kind: str, payload: dict[str, Any]
) -> None:
    def row(**more: Any) -> Onboarding:
        made = {"tenant": tenant, "connection_mode": "business_platform", "claimed_waba_id": "42"}
        return Onboarding.objects.create(**made | more)

    concerned = row(state="awaiting_payment", claimed_phone_number_id="7")
    ended = row(state="connected", claimed_phone_number_id="7")
    foreign = row(state="awaiting_payment", claimed_waba_id="43", claimed_phone_number_id="8")
    send(client, event(type=kind, **payload))
    tasks.apply_webhook_event(event_id="evt_1")
    for each in (concerned, ended, foreign):
        each.refresh_from_db()
    assert concerned.next_look_at is not None
    assert concerned.state == "awaiting_payment"
    assert ended.next_look_at is None
    assert foreign.next_look_at is None


def test_a_get_is_not_allowed(client: Client) -> None:
    assert client.get(URL).status_code == 405


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The events that were handed to the broker to be applied."""
    handed: list[str] = []

    def publish(task: Any, kwargs: dict[str, Any]) -> bool:
        handed.append(kwargs["event_id"])
        return True

    monkeypatch.setattr(tasks, "_published", publish)
    return handed


@pytest.fixture
def stored(db: None) -> WebhookEvent:
    return WebhookEvent.objects.create(event_id="evt_9", type="some.type", body={})


def test_a_stored_event_is_replayed_by_the_command(
    stored: WebhookEvent, applied: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        call_command("replay_webhook_event", "evt_9")
    assert applied == ["evt_9"]


def test_an_event_that_is_not_stored_is_told_so(db: None) -> None:
    with pytest.raises(CommandError, match="evt_unknown"):
        call_command("replay_webhook_event", "evt_unknown")


def test_a_stored_event_is_replayed_from_the_admin(
    stored: WebhookEvent,
    reviewer: User,
    applied: list[str],
    django_capture_on_commit_callbacks: Any,
) -> None:
    sent = {"action": "replay_selected", "_selected_action": [stored.pk]}
    with django_capture_on_commit_callbacks(execute=True):
        pages_of(reviewer).post("/admin/onboarding/webhookevent/", sent)
    assert applied == ["evt_9"]


# --- Every event of the facts --------------------------------------------------------------------

FACTS = Path(__file__).resolve().parents[3] / "shared" / "facts" / "ycloud-api.md"
OF_THE_FACTS = (
    "whatsapp.business_account.deleted",
    "whatsapp.business_account.reviewed",
    "whatsapp.business_account.updated",
    "whatsapp.phone_number.deleted",
    "whatsapp.phone_number.name_updated",
    "whatsapp.phone_number.quality_updated",
    "whatsapp.phone_number.business_username_updated",
    "whatsapp.phone_number.updated",
    "whatsapp.smb.history",
    "whatsapp.smb.message.echoes",
    "whatsapp.smb.message.created",
    "whatsapp.smb.app.state.sync",
)


@pytest.mark.parametrize("kind", OF_THE_FACTS)
def test_each_account_number_and_smb_event_has_a_handler_or_is_not_ours(kind: str) -> None:
    assert (kind in events.HANDLERS) != (kind in events.NOT_OURS)


@pytest.mark.skipif(not FACTS.exists(), reason="the shared facts are not beside this clone")
def test_no_event_of_the_facts_is_unknown_to_us() -> None:
    text = FACTS.read_text()
    listed = text[text.index("### Event names") : text.index("### Payloads")]
    full = set(re.findall(r"\b(?:whatsapp|contact|email|sms|voice)(?:\.[a-z_]+)+", listed))
    assert len(full) > 15
    assert full <= set(events.HANDLERS) | events.NOT_OURS


@pytest.mark.parametrize("kind", sorted(events.NOT_OURS))
def test_what_is_not_ours_is_kept_without_its_content(client: Client, db: None, kind: str) -> None:
    body = event(type=kind, whatsappMessage={"wabaId": "42", "text": {"body": "a secret"}})
    assert send(client, body).status_code == 204
    tasks.apply_webhook_event(event_id="evt_1")
    stored = WebhookEvent.objects.get()
    assert (stored.standing, stored.waba_id) == ("not_ours", "42")
    assert "a secret" not in str(stored.body)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2026-11-27T08:00:00.123Z", "2026-11-27T08:00:00.123000+00:00"),
        ("2026-11-27T08:00:00", None),
        ("2026-99-99T00:00:00Z", None),
        ("soon", None),
        (5, None),
    ],
)
def test_the_time_that_ycloud_gives_is_kept_when_it_is_one(
    client: Client, db: None, text: Any, kept: str | None
) -> None:
    assert send(client, event(createTime=text)).status_code == 204
    sent_at = WebhookEvent.objects.get().sent_at
    assert (sent_at.isoformat() if sent_at else None) == kept


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"whatsappBusinessAccount": None},
        {"whatsappBusinessAccount": [1]},
        {"whatsappBusinessAccount": {"id": None, "updateEvent": 5}},
        {"whatsappPhoneNumber": {"id": "7" * 500, "wabaId": 5}},
    ],
)
@pytest.mark.parametrize("kind", sorted(events.HANDLERS))
def test_an_odd_payload_is_stored_and_wakes_nobody(
    client: Client, db: None, kind: str, payload: dict[str, Any]
) -> None:
    assert send(client, event(type=kind, **payload)).status_code == 204
    tasks.apply_webhook_event(event_id="evt_1")
    assert WebhookEvent.objects.get().standing == "nobody"


def test_an_unknown_event_with_odd_characters_is_kept(client: Client, db: None) -> None:
    raw = b'{"id": "evt_1", "type": "brand.new", "note": "a\\u0000b\\ud83d"}'
    assert send(client, raw).status_code == 204
    assert WebhookEvent.objects.get().body["note"] == "ab"


def test_absurd_nesting_is_a_400(client: Client, db: None) -> None:
    assert send(client, b'{"a": ' + b"[" * 100_000).status_code == 400


def test_a_replayed_event_is_found_by_the_sweep_when_the_broker_is_away(
    stored: WebhookEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_published", lambda task, kwargs: False)
    tasks.apply_webhook_event(event_id="evt_9")
    call_command("replay_webhook_event", "evt_9")
    WebhookEvent.objects.update(received_at=timezone.now() - timedelta(minutes=1))
    assert tasks.apply_forgotten_events() == 1


def test_an_event_without_ids_wakes_no_row_that_has_none_either(
    client: Client, tenant: Tenant
) -> None:
    row = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_platform", state="signed_up"
    )
    send(client, event(whatsappBusinessAccount={"id": ""}))
    tasks.apply_webhook_event(event_id="evt_1")
    row.refresh_from_db()
    assert row.next_look_at is None


def test_a_broker_that_is_away_costs_the_sender_half_a_second_at_most(
    client: Client, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(**how: Any) -> None:
        time.sleep(3)

    monkeypatch.setattr(tasks.apply_webhook_events, "apply_async", hang)
    began = time.monotonic()
    assert send(client, event()).status_code == 204
    assert time.monotonic() - began < 1.5
    assert WebhookEvent.objects.get().applied_at is None
    WebhookEvent.objects.update(received_at=timezone.now() - timedelta(seconds=10))
    assert tasks.apply_forgotten_events() == 1


def test_two_deliveries_at_once_store_one_event(client: Client, transactional_db: None) -> None:
    body = event(whatsappBusinessAccount={"id": "42"})
    with ThreadPoolExecutor(4) as pool:

        def deliver(_: int) -> int:
            try:
                return int(send(Client(), body).status_code)
            finally:
                connection.close()

        codes = list(pool.map(deliver, range(8)))
    assert set(codes) == {204}
    assert WebhookEvent.objects.count() == 1


def test_an_event_that_is_taken_away_while_it_is_applied_is_no_fault(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The doctor's own, which a worker may be at."""
    WebhookEvent.objects.create(event_id="doctor_1", type="x", body={})

    def takes_away(stored: Sequence[WebhookEvent]) -> list[None]:
        WebhookEvent.objects.all().delete()
        return [None] * len(stored)

    monkeypatch.setattr(events, "concerns_of", takes_away)
    tasks.apply_webhook_event(event_id="doctor_1")
    assert not WebhookEvent.objects.exists()
