"""Webhooks to the partner: each change once at least, signed, tried again, and shown to staff."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from onboarding import outbound_events, services, tasks, transitions
from onboarding.doctor import partner as partner_checks
from onboarding.models import (
    Delivery,
    DeliveryAttempt,
    Onboarding,
    OutboundEvent,
    PhoneNumber,
    WebhookEndpoint,
    WhatsAppBusinessAccount,
)
from onboarding.outbound import call, deliver, queue
from onboarding.services import RefusedError
from onboarding.states import State
from onboarding.steps import facts, health
from tenants.access import member
from tenants.models import AuditEntry, Tenant, User
from tests.at_once import at_once
from tests.conftest import Sandbox, Worker, pages_of, person
from tests.onboarding.receiver import Received, Receiver

SECRET_SHAPE = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")
DAY = 86_400.0


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    with Receiver() as started:
        yield started


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel("2026-11-24T10:00:00Z", tick=True) as moved:
        yield moved


def endpoint_at(url: str, **more: Any) -> tuple[WebhookEndpoint, str]:
    return services.create_endpoint(url, actor="anna", **more)


@pytest.fixture
def endpoint(db: None, receiver: Receiver) -> WebhookEndpoint:
    return endpoint_at(receiver.url)[0]


def attempt_of(owner: User, tenant: Tenant) -> Onboarding:
    row, _ = services.start(member(owner), tenant, "business_platform")
    return row


def send() -> int:
    return int(tasks.deliver_outbound())


def body(received: Received) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(received.body)
    return found


# --- What is told ---------------------------------------------------------------------------------


def test_nothing_is_kept_where_nobody_listens(owner: User, tenant: Tenant) -> None:
    services.withdraw(attempt_of(owner, tenant), "customer")
    assert not OutboundEvent.objects.exists()


def test_each_move_of_a_whole_journey_arrives_and_verifies(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant,
    sandbox: Sandbox, worker: Worker,
) -> None:  # fmt: skip
    row = attempt_of(owner, tenant)
    window = sandbox.finish(scenario="approve")
    names = ("waba_id", "phone_number_id", "code", "event")
    services.record_signup_result(row, member(owner), {n: window[n] for n in names})
    worker.run()
    send()
    told = sorted((got.verified(endpoint.secret) for got in receiver.got),
                  key=lambda each: each["sequence"])  # fmt: skip
    row.refresh_from_db()
    assert [each["type"] for each in told] == [
        f"onboarding.{move.to_state}" for move in row.transitions.all()
    ]
    assert told[-1]["type"] == "onboarding.connected"
    last = told[-1]["data"]
    assert last["id"] == str(row.public_id)
    assert last["tenant"] == "cakes"
    assert last["from_state"] == told[-2]["data"]["state"]
    assert row.number is not None
    assert last["phone_number"] == row.number.e164
    assert last["connected_at"]


def test_an_event_has_the_id_of_the_message_and_a_fresh_timestamp(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant, clock: Any
) -> None:
    attempt_of(owner, tenant)
    clock.shift(3600)
    send()
    headers = {name.lower(): value for name, value in receiver.got[0].headers.items()}
    assert headers["webhook-id"] == OutboundEvent.objects.get().public_id
    assert abs(int(headers["webhook-timestamp"]) - timezone.now().timestamp()) < 5
    assert headers["content-type"] == "application/json"


def test_the_partner_is_told_the_true_reason_beside_the_shown_one(
    endpoint: WebhookEndpoint, owner: User, tenant: Tenant
) -> None:
    row = attempt_of(owner, tenant)
    transitions.move(row, State.SIGNED_UP, actor="worker")
    transitions.move(row, State.NEEDS_ATTENTION, actor="worker", reason="account_held")
    data = OutboundEvent.objects.latest("pk").data
    assert (data["reason"], data["staff_reason"]) == ("account_unconfirmed", "account_held")
    assert (data["from_state"], data["from_reason"]) == ("signed_up", None)


def test_the_names_of_people_and_their_notes_are_told_nobody(
    endpoint: WebhookEndpoint, owner: User, tenant: Tenant, reviewer: User
) -> None:
    row = attempt_of(owner, tenant)
    transitions.move(row, State.SIGNED_UP, actor="worker")
    transitions.move(row, State.IN_REVIEW, actor="worker", reason="approval_needed")
    services.reject(row, reviewer, "Anna says they owe us money.")
    told = json.dumps(list(OutboundEvent.objects.values_list("data", flat=True)))
    for hidden in (owner.email, reviewer.email, "Anna", "code", tenant.name):
        assert hidden not in told


def test_a_look_that_changed_nothing_and_a_note_alone_are_no_events(
    endpoint: WebhookEndpoint, owner: User, tenant: Tenant
) -> None:
    row = attempt_of(owner, tenant)
    transitions.move(row, State.SIGNED_UP, actor="worker")
    before = OutboundEvent.objects.count()
    transitions.move(row, State.SIGNED_UP, actor="worker")
    transitions.move(row, State.SIGNED_UP, actor="worker", note="looked")
    assert OutboundEvent.objects.count() == before
    transitions.move(row, State.SIGNED_UP, actor="worker", reason="quota_full")
    assert OutboundEvent.objects.count() == before + 1


def test_an_event_is_not_there_without_its_move(
    endpoint: WebhookEndpoint, owner: User, tenant: Tenant
) -> None:
    row = attempt_of(owner, tenant)
    before = OutboundEvent.objects.count()
    with transaction.atomic():
        services.withdraw(row, "customer")
        assert OutboundEvent.objects.count() == before + 1
        transaction.set_rollback(True)
    assert OutboundEvent.objects.count() == before


def test_the_audit_row_of_a_move_is_written_in_one_place_only() -> None:
    root = Path(__file__).resolve().parent.parent.parent / "onboarding"
    writes = re.compile(r"Transition\(|Transition\.objects\.(bulk_)?create|transitions\.create\(")
    found = [p.name for p in root.rglob("*.py") if writes.search(p.read_text())
             and "migrations" not in p.parts and p.name != "journal.py"]  # fmt: skip
    made_up = "written.py"  # of generate_onboardings: rows to measure with, told to nobody
    assert sorted(found) == ["moves.py", made_up]


@pytest.fixture
def number(tenant: Tenant) -> PhoneNumber:
    account = WhatsAppBusinessAccount.objects.create(tenant=tenant, waba_id="10")
    return PhoneNumber.objects.create(
        tenant=tenant, business_account=account, phone_number_id="20", e164="+34600000000"
    )


def test_a_number_that_is_lost_and_found_again_is_told_of(
    endpoint: WebhookEndpoint, number: PhoneNumber
) -> None:
    health._keep(number, "number_offboarded", timezone.now())
    health._keep(number, "number_offboarded", timezone.now())
    health.begin(number)
    health.begin(number)
    told = [(e.type, e.data["from_health"], e.data["health"])
            for e in OutboundEvent.objects.order_by("pk")]  # fmt: skip
    assert told == [
        ("phone_number.health_changed", None, "number_offboarded"),
        ("phone_number.health_changed", "number_offboarded", None),
    ]


def test_what_becomes_due_with_a_connected_number_and_its_account_is_told_once(
    endpoint: WebhookEndpoint, number: PhoneNumber
) -> None:
    now, account = timezone.now(), number.business_account
    number.quality = "RED"
    facts.settle(number, now, quality="RED")
    assert not OutboundEvent.objects.exists(), "nobody has connected it yet"
    transitions.watch_number(number, now)
    number.status, number.name_status = "FLAGGED", "A_NEW_WORD"
    for _ in range(2):
        facts.settle(number, now, status="FLAGGED", name_status="A_NEW_WORD")
    account.payment_method_attached = False
    for _ in range(2):
        facts.settle(account, now, payment_method_attached=False)
    told = [(e.type, e.data["standing"], e.data["from_requirements"], e.data["requirements"])
            for e in OutboundEvent.objects.order_by("pk")]  # fmt: skip
    assert told == [
        ("phone_number.requirements_changed", "due", ["quality_low"],
         ["number_flagged", "quality_low"]),
        ("business_account.requirements_changed", "due", [], ["payment_missing"]),
    ]  # fmt: skip


def test_docs_show_each_event_and_each_field(
    endpoint: WebhookEndpoint, owner: User, tenant: Tenant, number: PhoneNumber
) -> None:
    text = (Path(__file__).resolve().parent.parent.parent / "docs" / "webhooks.md").read_text()
    for name in (*outbound_events.EVENTS, outbound_events.TEST):
        assert f"`{name}`" in text or name.startswith("onboarding."), name
    for state in State:
        assert f"`{state}`" in text, state
    attempt_of(owner, tenant)
    transitions.watch_number(number, timezone.now())
    health._keep(number, "number_offboarded", timezone.now())
    outbound_events.requirements_changed(number.business_account, codes=[], before=[])
    examples = [json.loads(found) for found in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    for event in OutboundEvent.objects.all():
        named = "onboarding.connected" if event.onboarding else event.type
        example = next(each for each in examples if each["type"] == named)
        assert set(example) == set(json.loads(outbound_events.body_of(event)))
        assert set(example["data"]) == set(event.data)


# --- Who is told ----------------------------------------------------------------------------------


def test_an_endpoint_gets_only_the_events_and_the_tenant_that_it_chose(
    receiver: Receiver, owner: User, stranger: User, tenant: Tenant, other_tenant: Tenant
) -> None:
    endpoint_at(f"{receiver.url}/all")
    endpoint_at(f"{receiver.url}/cancelled", event_types=["onboarding.cancelled"])
    endpoint_at(f"{receiver.url}/other", only_tenant=other_tenant)
    services.withdraw(attempt_of(owner, tenant), "customer")
    services.start(member(stranger), other_tenant, "business_app")
    send()
    got = sorted((each.path, body(each)["type"], body(each)["data"]["tenant"])
                 for each in receiver.got)  # fmt: skip
    assert got == [
        ("/hooks/all", "onboarding.cancelled", "cakes"),
        ("/hooks/all", "onboarding.started", "cakes"),
        ("/hooks/all", "onboarding.started", "other"),
        ("/hooks/cancelled", "onboarding.cancelled", "cakes"),
        ("/hooks/other", "onboarding.started", "other"),
    ]


def test_an_unknown_event_cannot_be_chosen(db: None, receiver: Receiver) -> None:
    with pytest.raises(RefusedError, match=r"onboarding\.nonsense"):
        endpoint_at(receiver.url, event_types=["onboarding.nonsense"])


def test_a_private_address_cannot_be_saved(db: None, settings: Any) -> None:
    settings.OUTBOUND_ALLOW_PRIVATE = False
    for url in ("https://127.0.0.1/", "https://169.254.169.254/latest/", "http://93.184.215.14/"):
        with pytest.raises(RefusedError):
            endpoint_at(url)
    assert not WebhookEndpoint.objects.exists()


# --- Secrets --------------------------------------------------------------------------------------


def test_the_secret_is_sealed_and_in_no_audit_entry(endpoint: WebhookEndpoint) -> None:
    assert SECRET_SHAPE.fullmatch(endpoint.secret)
    services.rotate_secret(endpoint, "anna")
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret, previous_secret FROM onboarding_webhookendpoint")
        kept = str(cursor.fetchall())
    assert "whsec_" not in kept
    assert "gAAAA" in kept
    assert "whsec_" not in str(list(AuditEntry.objects.values()))


def test_while_a_secret_is_rotated_both_sign(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant, clock: Any
) -> None:
    old = endpoint.secret
    new = services.rotate_secret(endpoint, "anna")
    attempt_of(owner, tenant)
    send()
    assert len(receiver.got[0].headers["webhook-signature"].split(" ")) == 2
    assert receiver.got[0].verified(old) == receiver.got[0].verified(new)
    clock.shift(DAY + 60)
    services.withdraw(Onboarding.objects.get(), "customer")
    send()
    assert receiver.got[1].verified(new)
    with pytest.raises(WebhookVerificationError):
        receiver.got[1].verified(old)


def test_an_old_secret_that_leaked_is_ended_at_once(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant
) -> None:
    old = endpoint.secret
    services.rotate_secret(endpoint, "anna")
    services.end_old_secret(endpoint, "anna")
    attempt_of(owner, tenant)
    send()
    with pytest.raises(WebhookVerificationError):
        receiver.got[0].verified(old)


def test_a_body_that_was_changed_does_not_verify(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant
) -> None:
    attempt_of(owner, tenant)
    send()
    got = receiver.got[0]
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint.secret).verify(got.body.replace("cakes", "other"), got.headers)


def test_a_secret_that_no_key_opens_sends_nothing_and_is_named_by_the_doctor(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant, settings: Any
) -> None:
    from cryptography.fernet import Fernet

    attempt_of(owner, tenant)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    send()
    assert receiver.got == []
    assert "FIELD_ENCRYPTION_KEYS" in Delivery.objects.get().last_error
    finding, *_ = partner_checks.outbound()
    assert "FIELD_ENCRYPTION_KEYS" in finding.remedy


# --- Tries ----------------------------------------------------------------------------------------


def test_a_failed_try_is_repeated_after_the_recommended_waits_and_then_given_up(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant, clock: Any
) -> None:
    receiver.status = 500
    attempt_of(owner, tenant)
    send()
    for count, wait in enumerate(queue.WAITS, start=1):
        delivery = Delivery.objects.get()
        assert len(receiver.got) == count
        clock.shift(wait.total_seconds() - 2)
        send()
        assert len(receiver.got) == count, "too early"
        clock.shift(wait.total_seconds() * queue.JITTER + 3)
        send()
    delivery = Delivery.objects.get()
    assert delivery.standing == Delivery.Standing.GIVEN_UP
    assert delivery.attempts == len(receiver.got) == 10
    clock.shift(7 * DAY)
    send()
    assert len(receiver.got) == 10
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    assert len({got.body for got in receiver.got}) == 1


def test_each_try_is_in_the_log(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant, clock: Any
) -> None:
    receiver.answers = [(500, {}, "Traceback: no room"), 204]
    attempt_of(owner, tenant)
    send()
    clock.shift(10)
    send()
    first, second = DeliveryAttempt.objects.order_by("number")
    assert (first.status, first.error, first.answer) == (500, "answered 500", "Traceback: no room")
    assert (second.status, second.error, second.address) == (204, "", "127.0.0.1")
    assert Delivery.objects.get().standing == Delivery.Standing.DELIVERED


@pytest.mark.parametrize(("status", "waits"), [(429, True), (503, True), (500, False)])
def test_an_endpoint_that_asks_for_time_gets_it_for_everything(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant, clock: Any,
    status: int, waits: bool,
) -> None:  # fmt: skip
    receiver.answers = [(status, {"Retry-After": "120"}, "")]
    row = attempt_of(owner, tenant)
    send()
    services.withdraw(row, "customer")
    clock.shift(60)
    send()
    assert len(receiver.got) == (1 if waits else 3)
    clock.shift(70)
    send()
    assert len(receiver.got) == 3


def test_a_message_that_was_put_off_comes_no_sooner_than_asked(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant, clock: Any
) -> None:
    receiver.answers = [(429, {"Retry-After": "120"}, "")]
    attempt_of(owner, tenant)
    send()
    assert Delivery.objects.get().next_try_at > timezone.now() + timedelta(seconds=110)


def test_nobody_waits_longer_than_a_day_for_an_endpoint(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant, clock: Any
) -> None:
    receiver.answers = [(429, {"Retry-After": "999999999"}, "")]
    attempt_of(owner, tenant)
    send()
    clock.shift(DAY + 1)
    send()
    assert len(receiver.got) == 2


def test_an_endpoint_that_is_gone_is_switched_off(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant
) -> None:
    receiver.status = 410
    row = attempt_of(owner, tenant)
    send()
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.disabled_reason) == (False, "gone")
    assert Delivery.objects.get().standing == Delivery.Standing.GIVEN_UP
    services.withdraw(row, "customer")
    send()
    assert len(receiver.got) == 1
    finding, *_ = partner_checks.outbound()
    assert "410" in finding.what
    assert not finding.is_well


def test_an_endpoint_that_took_nothing_for_five_days_is_switched_off_and_goes_on_later(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant, clock: Any
) -> None:
    receiver.status = 500
    row = attempt_of(owner, tenant)
    send()
    clock.shift(4.9 * DAY)
    send()
    endpoint.refresh_from_db()
    assert endpoint.enabled
    clock.shift(0.2 * DAY)
    send()
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.disabled_reason) == (False, "failing")
    receiver.status = 204
    services.withdraw(row, "customer")
    send()
    assert services.enable_endpoint(endpoint, "anna", with_missed=True) == 1
    clock.shift(DAY)
    send()
    assert {d.standing for d in Delivery.objects.all()} == {"delivered"}
    assert {body(got)["type"] for got in receiver.got[-2:]} == {
        "onboarding.cancelled", "onboarding.started",
    }  # fmt: skip


def test_one_answer_in_between_begins_the_five_days_anew(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant, clock: Any
) -> None:
    receiver.answers = [500, 204, 500]
    attempt_of(owner, tenant)
    send()
    clock.shift(4.9 * DAY)
    send()
    services.withdraw(Onboarding.objects.get(), "customer")
    clock.shift(0.2 * DAY)
    send()
    endpoint.refresh_from_db()
    assert len(receiver.got) == 3
    assert endpoint.enabled


def test_an_endpoint_that_is_off_gets_nothing(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant
) -> None:
    attempt_of(owner, tenant)
    services.disable_endpoint(endpoint, "anna")
    send()
    assert receiver.got == []
    with pytest.raises(RefusedError):
        services.send_test(endpoint, "anna")


def test_what_waits_for_an_endpoint_that_is_switched_off_goes_on_when_it_is_on(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant
) -> None:
    attempt_of(owner, tenant)
    queue.share_due()
    services.disable_endpoint(endpoint, "anna")
    send()
    assert receiver.got == []
    services.enable_endpoint(endpoint, "anna")
    send()
    assert len(receiver.got) == 1


def test_what_an_endpoint_missed_is_sent_when_staff_ask_for_it(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant
) -> None:
    for with_missed, wanted in ((False, 0), (True, 1)):
        services.disable_endpoint(endpoint, "anna")
        row = attempt_of(owner, tenant)
        transitions.move(row, State.SIGNED_UP, actor="worker")
        send()
        receiver.got.clear()
        services.enable_endpoint(endpoint, "anna", with_missed=with_missed)
        send()
        types = [body(got)["type"] for got in receiver.got]
        assert types.count("onboarding.signed_up") == wanted


def test_an_event_that_was_taken_is_sent_again_on_request_with_the_same_id(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant
) -> None:
    attempt_of(owner, tenant)
    send()
    services.resend(Delivery.objects.get(), "anna")
    send()
    one, two = receiver.got
    assert one.headers["webhook-id"] == two.headers["webhook-id"]
    assert Delivery.objects.get().attempts == 2
    entry = AuditEntry.objects.get(act="delivery.resent")
    assert (entry.actor, entry.tenant_slug) == ("anna", "cakes")


def test_what_was_given_up_has_all_its_waits_again_when_sent_again(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant, clock: Any
) -> None:
    receiver.status = 500
    attempt_of(owner, tenant)
    send()
    Delivery.objects.update(standing="given_up", tries=10)
    services.resend(Delivery.objects.get(), "anna")
    send()
    delivery = Delivery.objects.get()
    assert (delivery.standing, delivery.tries, delivery.attempts) == ("waiting", 1, 2)


# --- Workers --------------------------------------------------------------------------------------


def test_a_worker_that_died_after_sending_sends_the_same_message_again(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant, clock: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    attempt_of(owner, tenant)
    with monkeypatch.context() as dying:
        dying.setattr(queue, "written", lambda *args: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            send()
    send()
    assert len(receiver.got) == 1, "the first worker may still be at it"
    clock.shift(queue.CLAIM.total_seconds() + 1)
    send()
    one, two = receiver.got
    assert one.headers["webhook-id"] == two.headers["webhook-id"]
    assert one.body == two.body
    lost, made = DeliveryAttempt.objects.order_by("number")
    assert (lost.ended_at, made.status) == (None, 204)
    assert Delivery.objects.get().standing == Delivery.Standing.DELIVERED


def test_a_worker_that_was_overtaken_changes_only_its_own_line_of_the_log(
    endpoint: WebhookEndpoint, owner: User, tenant: Tenant, clock: Any
) -> None:
    attempt_of(owner, tenant)
    queue.share_due()
    (slow,) = queue.claim_due(1)
    clock.shift(queue.CLAIM.total_seconds() + 1)
    (quick,) = queue.claim_due(1)
    queue.written(quick, call.Answer(status=204))
    queue.written(slow, call.Answer(error="no answer in time"))
    assert Delivery.objects.get().standing == Delivery.Standing.DELIVERED
    assert [a.error for a in DeliveryAttempt.objects.order_by("number")] == [
        "no answer in time", "",
    ]  # fmt: skip
    endpoint.refresh_from_db()
    assert endpoint.failing_since is None


def test_a_worker_that_was_overtaken_ends_nobody_else_s_try(
    endpoint: WebhookEndpoint, owner: User, tenant: Tenant, clock: Any
) -> None:
    attempt_of(owner, tenant)
    queue.share_due()
    (slow,) = queue.claim_due(1)
    clock.shift(queue.CLAIM.total_seconds() + 1)
    (quick,) = queue.claim_due(1)
    queue.written(slow, call.Answer(status=204))
    delivery = Delivery.objects.get()
    assert (delivery.standing, delivery.attempts) == (Delivery.Standing.WAITING, 2)
    assert delivery.claimed_until is not None
    queue.written(quick, call.Answer(status=204))
    assert Delivery.objects.get().standing == Delivery.Standing.DELIVERED


def test_what_is_being_sent_right_now_cannot_be_sent_again_beside_it(
    endpoint: WebhookEndpoint, owner: User, tenant: Tenant
) -> None:
    attempt_of(owner, tenant)
    queue.share_due()
    (attempt,) = queue.claim_due(1)
    with pytest.raises(RefusedError, match="right now"):
        services.resend(attempt.delivery, "anna")


def test_a_claim_outlasts_any_call() -> None:
    assert queue.CLAIM.total_seconds() > call.TOTAL_SECONDS + 10


@pytest.mark.django_db(transaction=True)
def test_several_workers_share_the_work_and_send_nothing_twice(
    receiver: Receiver, owner: User, tenant: Tenant
) -> None:
    endpoint_at(receiver.url)
    endpoint_at(f"{receiver.url}/2")
    for _ in range(20):
        outbound_events.onboarding_moved(
            attempt_of(owner, tenant), from_state="", from_reason=""
        )  # fmt: skip
    events = OutboundEvent.objects.count()
    sent = sum(at_once(*[deliver.deliver_due] * 4))
    while more := deliver.deliver_due():  # a round takes so many of one endpoint at most
        sent += more
    assert sent == len(receiver.got) == Delivery.objects.count() == 2 * events
    assert len({(g.headers["webhook-id"], g.path) for g in receiver.got}) == 2 * events


@pytest.mark.django_db(transaction=True)
def test_a_slow_endpoint_holds_up_no_other(receiver: Receiver, owner: User, tenant: Tenant) -> None:
    ended = threading.Event()
    with Receiver(before_answer=lambda: ended.wait(10) and None) as slow:
        endpoint_at(slow.url)
        for _ in range(30):
            outbound_events.onboarding_moved(
                attempt_of(owner, tenant), from_state="", from_reason=""
            )
        endpoint_at(receiver.url)
        pool = ThreadPoolExecutor(1)
        run = pool.submit(lambda: (tasks.deliver_outbound(), connection.close()))
        wanted = OutboundEvent.objects.count()
        waited = threading.Event()
        for _ in range(500):
            if len(receiver.got) == wanted:
                break
            waited.wait(0.01)
        assert len(receiver.got) == wanted
        assert len(slow.got) == queue.AT_ONCE
        assert not run.done()
        ended.set()
        run.result(30)
        assert len(slow.got) == wanted
        pool.shutdown()


def test_a_failing_endpoint_gets_one_request_at_a_time(
    endpoint: WebhookEndpoint, owner: User, tenant: Tenant
) -> None:
    for _ in range(6):
        outbound_events.onboarding_moved(attempt_of(owner, tenant), from_state="", from_reason="")
    queue.share_due()
    WebhookEndpoint.objects.update(failing_since=timezone.now())
    assert len(queue.claim_due(16)) == 1
    assert queue.claim_due(16) == []
    WebhookEndpoint.objects.update(failing_since=None)
    assert len(queue.claim_due(16)) == queue.AT_ONCE - 1


def test_an_event_asks_for_its_delivery_after_the_commit(
    endpoint: WebhookEndpoint, owner: User, tenant: Tenant, monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    asked: list[Any] = []
    monkeypatch.setattr(tasks.deliver_outbound, "apply_async", lambda **how: asked.append(how))
    with django_capture_on_commit_callbacks(execute=True):
        attempt_of(owner, tenant)
        assert asked == []
    assert len(asked) == 1


def test_what_was_told_is_forgotten_like_the_rest(
    endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant, settings: Any,
    clock: Any,
) -> None:  # fmt: skip
    services.rotate_secret(endpoint, "anna")
    row = attempt_of(owner, tenant)
    send()
    clock.shift((settings.RETENTION_DAYS + 1) * DAY)
    services.withdraw(row, "customer")
    tasks.forget_old()
    assert OutboundEvent.objects.get().type == "onboarding.cancelled"
    assert not DeliveryAttempt.objects.exists()
    endpoint.refresh_from_db()
    assert (endpoint.previous_secret, endpoint.previous_until) == ("", None)


def test_the_longest_way_of_an_event_is_shorter_than_the_shortest_retention() -> None:
    assert sum(queue.WAITS, timedelta()) * (1 + queue.JITTER) < timedelta(days=4)


# --- The desk -------------------------------------------------------------------------------------

DESK = "/admin/onboarding/webhookendpoint/"


@pytest.fixture
def desk(reviewer: User) -> Client:
    return pages_of(reviewer)


def chosen(desk: Client, path: str, action: str, *rows: Any) -> str:
    sent = {"action": action, "_selected_action": [row.pk for row in rows]}
    return desk.post(path, sent, follow=True).content.decode()


def test_a_new_endpoint_s_secret_is_shown_once(
    desk: Client, receiver: Receiver, reviewer: User
) -> None:
    sent = {"url": receiver.url, "description": "CRM", "event_types": ["onboarding.connected"]}
    page = desk.post(f"{DESK}add/", sent, follow=True).content.decode()
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.secret in page.replace("&#x2B;", "+").replace("&#43;", "+")
    assert (endpoint.created_by, endpoint.event_types) == (reviewer, ["onboarding.connected"])
    for path in (DESK, f"{DESK}{endpoint.pk}/change/", f"{DESK}{endpoint.pk}/history/"):
        assert "whsec_" not in desk.get(path).content.decode()
    assert AuditEntry.objects.get().act == "webhook_endpoint.created"


def test_the_page_of_an_endpoint_has_the_acts_that_fit_and_they_work(
    desk: Client, endpoint: WebhookEndpoint
) -> None:
    def offered() -> list[str]:
        page = desk.get(f"{DESK}{endpoint.pk}/change/").content.decode()
        assert f'name="_selected_action" value="{endpoint.pk}"' in page
        return re.findall(r'name="action" value="([a-z_]+)"', page)

    assert offered() == ["test", "rotate", "disable"]
    chosen(desk, DESK, "disable", endpoint)
    assert offered() == ["rotate", "enable", "enable_all"]


def test_a_private_address_is_a_fault_of_the_form(desk: Client, settings: Any) -> None:
    settings.OUTBOUND_ALLOW_PRIVATE = False
    page = desk.post(f"{DESK}add/", {"url": "https://169.254.169.254/"}).content.decode()
    assert "The host is private." in page
    assert not WebhookEndpoint.objects.exists()


def test_an_endpoint_is_changed_with_an_audit_entry_and_keeps_its_secret(
    desk: Client, endpoint: WebhookEndpoint
) -> None:
    sent = {"url": f"{endpoint.url}/new?key=k3y", "description": "", "event_types": []}
    desk.post(f"{DESK}{endpoint.pk}/change/", sent)
    secret = endpoint.secret
    endpoint.refresh_from_db()
    assert endpoint.url.endswith("/new?key=k3y")
    assert endpoint.secret == secret
    entry = AuditEntry.objects.get(act="webhook_endpoint.changed")
    assert entry.after["url"].endswith("/new")
    assert "k3y" not in str(entry.after)


def test_endpoints_are_tested_rotated_and_switched_from_the_list(
    desk: Client, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    chosen(desk, DESK, "test", endpoint)
    send()
    assert receiver.got[0].verified(endpoint.secret)["type"] == "webhook.test"
    assert "whsec_" in chosen(desk, DESK, "rotate", endpoint)
    chosen(desk, DESK, "end_old", endpoint)
    assert "It has no old secret." in chosen(desk, DESK, "end_old", endpoint)
    chosen(desk, DESK, "disable", endpoint)
    endpoint.refresh_from_db()
    assert not endpoint.enabled
    chosen(desk, DESK, "enable_all", endpoint)
    assert "It is on already." in chosen(desk, DESK, "enable", endpoint)
    endpoint.refresh_from_db()
    assert endpoint.enabled
    acts = AuditEntry.objects.order_by("pk").values_list("act", flat=True)
    assert [act.removeprefix("webhook_endpoint.") for act in acts] == [
        "created", "tested", "rotated", "old_secret_ended", "disabled", "enabled",
    ]  # fmt: skip


def test_an_endpoint_is_deleted_with_its_deliveries_and_an_audit_entry(
    desk: Client, endpoint: WebhookEndpoint, owner: User, tenant: Tenant
) -> None:
    attempt_of(owner, tenant)
    send()
    desk.post(f"{DESK}{endpoint.pk}/delete/", {"post": "yes"})
    assert not WebhookEndpoint.objects.exists()
    assert OutboundEvent.objects.exists()
    assert AuditEntry.objects.latest("pk").act == "webhook_endpoint.deleted"


def test_a_delivery_shows_each_try_and_is_sent_again_from_the_list(
    desk: Client, endpoint: WebhookEndpoint, receiver: Receiver, owner: User, tenant: Tenant
) -> None:
    receiver.answers = [(500, {}, "<b>no room</b>")]
    attempt_of(owner, tenant)
    send()
    delivery = Delivery.objects.get()
    page = desk.get(f"/admin/onboarding/delivery/{delivery.pk}/change/").content.decode()
    assert "&lt;b&gt;no room" in page
    assert "answered 500" in page
    chosen(desk, "/admin/onboarding/delivery/", "resend_selected", delivery)
    send()
    assert len(receiver.got) == 2
    event = desk.get(f"/admin/onboarding/outboundevent/{delivery.event_id}/change/")
    assert event.status_code == 200


def test_staff_who_may_only_look_change_nothing(
    endpoint: WebhookEndpoint, owner: User, tenant: Tenant
) -> None:
    looker = person("looker@partner.example", staff=True)
    for codename in ("view_webhookendpoint", "view_delivery"):
        looker.user_permissions.add(Permission.objects.get(codename=codename))
    desk = pages_of(looker)
    attempt_of(owner, tenant)
    send()
    assert desk.get(DESK).status_code == 200
    assert desk.get(f"{DESK}add/").status_code == 403
    assert desk.post(f"{DESK}{endpoint.pk}/change/", {"url": "https://x"}).status_code == 403
    assert desk.post(f"{DESK}{endpoint.pk}/delete/", {"post": "yes"}).status_code == 403
    for action in ("rotate", "disable", "test"):
        chosen(desk, DESK, action, endpoint)
    chosen(desk, "/admin/onboarding/delivery/", "resend_selected", Delivery.objects.get())
    acts = AuditEntry.objects.values_list("act", flat=True)
    assert list(acts) == ["webhook_endpoint.created"]


def test_what_waits_does_not_go_to_another_tenants_server(
    receiver: Receiver, owner: User, tenant: Tenant, other_tenant: Tenant
) -> None:
    endpoint, _ = endpoint_at(receiver.url, only_tenant=tenant)
    outbound_events.onboarding_moved(attempt_of(owner, tenant), from_state="", from_reason="")
    queue.share_due()
    waiting = endpoint.deliveries.filter(standing="waiting")
    assert waiting.exists()
    services.change_endpoint(
        endpoint, "anna", url=f"{receiver.url}/theirs", description="", event_types=[],
        only_tenant=other_tenant,
    )  # fmt: skip
    assert not waiting.exists()
    tasks.deliver_outbound()
    assert receiver.got == []
    for delivery in endpoint.deliveries.all():
        with pytest.raises(RefusedError, match="not told of this"):
            services.resend(delivery, "anna")


def test_a_secret_is_shown_in_the_answer_and_kept_in_no_message(
    desk: Client, receiver: Receiver
) -> None:
    sent = {"url": receiver.url, "description": "", "only_tenant": ""}
    made = desk.post("/admin/onboarding/webhookendpoint/add/", sent, follow=True)
    secret = WebhookEndpoint.objects.get().secret
    assert made.status_code == 200
    assert "no-store" in made["Cache-Control"]
    assert secret in made.content.decode()
    assert "messages" not in made.cookies
    endpoint = WebhookEndpoint.objects.get()
    chosen_ = {"action": "rotate", "_selected_action": [endpoint.pk]}
    rotated = desk.post("/admin/onboarding/webhookendpoint/", chosen_, follow=True)
    endpoint.refresh_from_db()
    assert endpoint.secret != secret
    assert endpoint.secret in rotated.content.decode()
    assert "messages" not in rotated.cookies
