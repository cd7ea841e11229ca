"""Requirements at the wire: what the sandbox does is told by API, page and desk, with its times."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from onboarding import tasks, transitions
from onboarding.models import Onboarding, PhoneNumber, WebhookEvent, WhatsAppBusinessAccount
from tenants.models import AuditEntry, User
from tests.conftest import Sandbox, Worker, pages_of, person
from tests.onboarding.test_health import YCloudSends
from tests.test_journey import API, Customer

ACCOUNTS, NUMBERS = "/api/v1/business-accounts/", "/api/v1/phone-numbers/"
DESK = "/admin/onboarding/phonenumber/"
DESK_ACCOUNTS = "/admin/onboarding/whatsappbusinessaccount/"
STARTING = "RESTRICTED_BIZ_INITIATED_MESSAGING"


@pytest.fixture
def customer(api: Any, sandbox: Sandbox, worker: Worker) -> Customer:
    return Customer(api, sandbox, worker)


@pytest.fixture
def connected(customer: Customer) -> Customer:
    customer.goes_through("approve")
    assert customer.state == "connected"
    return customer


@pytest.fixture
def ycloud_sends(client: Client) -> YCloudSends:
    return YCloudSends(client)


def wake() -> int:
    """Everything connected is read now; how many calls that took is in the sandbox."""
    transitions.wake_numbers(PhoneNumber.objects.values_list("pk", flat=True))
    return tasks.watch_numbers()


def due(customer: Customer) -> list[str]:
    return [each["code"] for each in customer.sees()["requirements"]]


def of_account(customer: Customer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]]
    found = customer.api.get(f"{ACCOUNTS}{customer.waba_id}/").json()["requirements"]
    return found


def of_number(customer: Customer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]]
    found = customer.api.get(f"{NUMBERS}{customer.number_id}/").json()["requirements"]
    return found


# --- The sandbox's scenarios ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "state", "code"),
    [
        ("review_rejected", "needs_attention", "account_rejected"),
        ("ban_scheduled", "connected", "account_disable_scheduled"),
        ("verification_pending", "connected", "business_verification_pending"),
        ("name_declined", "connected", "name_declined"),
        ("quality_red", "connected", "quality_low"),
        ("restricted", "connected", "account_restricted_starting"),
        ("payment_missing", "awaiting_payment", "payment_missing"),
        ("name_review", "registering", "display_name_review"),
        ("number_unverified", "awaiting_number", "number_not_verified"),
        ("banned", "needs_attention", "account_banned"),
    ],
)
def test_each_scenario_shows_its_requirement_once(
    customer: Customer, scenario: str, state: str, code: str
) -> None:
    customer.goes_through(scenario)
    assert (customer.state, due(customer)) == (state, [code])


# --- After the number was connected --------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "code"),
    [
        ("flag_number", "number_flagged"),
        ("warn_number", "number_warned"),
        ("rate_limit_number", "number_rate_limited"),
        ("restrict_number", "number_restricted"),
        ("block_number", "number_blocked"),
        ("quality_red", "quality_low"),
        ("quality_yellow", "quality_medium"),
        ("review_name", "name_review"),
        ("decline_name", "name_declined"),
    ],
)
def test_what_becomes_of_a_connected_number_is_the_same_for_all(
    connected: Customer, sandbox: Sandbox, act: str, code: str
) -> None:
    sandbox.act(act, phone_number_id=connected.number_id)
    wake()
    assert [each["code"] for each in of_number(connected)] == [code]
    assert connected.sees()["requirements"] == of_number(connected)
    sandbox.act("quality_green", phone_number_id=connected.number_id)
    sandbox.act("approve_name", phone_number_id=connected.number_id)
    sandbox.act("unflag_number", phone_number_id=connected.number_id)
    wake()
    assert of_number(connected) == []


@pytest.mark.parametrize(
    ("act", "more", "code"),
    [
        ("schedule_ban", {}, "account_disable_scheduled"),
        ("restrict", {}, "account_restricted_starting"),
        ("restrict", {"hidden": True}, "account_restricted_starting"),
        ("restrict", {"type": "RESTRICTED_CUSTOMER_INITIATED_MESSAGING"},
         "account_restricted_answering"),
        ("reject_review", {}, "account_rejected"),
    ],
)  # fmt: skip
def test_what_an_event_tells_of_a_connected_account_is_read_and_kept(
    connected: Customer, sandbox: Sandbox, ycloud_sends: YCloudSends, act: str,
    more: dict[str, Any], code: str,
) -> None:  # fmt: skip
    sent: list[tuple[str, dict[str, Any]]] = []
    emit, sandbox.server.emit = sandbox.server.emit, lambda *event: sent.append(event)  # type: ignore[method-assign]
    try:
        sandbox.act(act, waba_id=connected.waba_id, **more)
    finally:
        sandbox.server.emit = emit  # type: ignore[method-assign]
    ((kind, payload),) = sent
    ycloud_sends(kind.removeprefix("whatsapp."), payload)
    assert [each["code"] for each in of_account(connected)] == [code]
    assert connected.sees()["requirements"] == of_account(connected)


def test_without_an_event_the_weekly_look_reads_the_account_too(
    connected: Customer, sandbox: Sandbox
) -> None:
    sandbox.act("verify_business", waba_id=connected.waba_id, word="failed")
    wake()
    assert due(connected) == [], "one call an hour after the last is no news of the account"
    connected.worker.clock.shift(7 * 86_400)
    wake()
    assert WhatsAppBusinessAccount.objects.get().standing == "notice"


def test_a_look_that_nothing_woke_takes_one_call(connected: Customer, sandbox: Sandbox) -> None:
    before = len(sandbox.calls)
    wake()
    assert len(sandbox.calls) == before + 1


def test_an_account_event_costs_one_call_more_and_only_once(
    connected: Customer, sandbox: Sandbox, ycloud_sends: YCloudSends
) -> None:
    connected.worker.later(60)
    before = len(sandbox.calls)
    ycloud_sends("business_account.reviewed", ycloud_sends.of_account(connected))
    assert len(sandbox.calls) == before + 2
    wake()
    assert len(sandbox.calls) == before + 3


def test_an_account_that_cannot_be_read_now_is_read_later(
    connected: Customer, sandbox: Sandbox, ycloud_sends: YCloudSends
) -> None:
    connected.worker.later(60)
    sandbox.act("verify_business", waba_id=connected.waba_id, word="pending")
    sandbox.fault("retrieve_account", "server_error")
    ycloud_sends("business_account.reviewed", ycloud_sends.of_account(connected))
    assert due(connected) == []
    connected.worker.later(11 * 60)
    tasks.watch_numbers()
    assert due(connected) == ["business_verification_pending"]


def test_an_event_about_the_numbers_counts_though_the_account_cannot_be_read(
    connected: Customer, sandbox: Sandbox, ycloud_sends: YCloudSends
) -> None:
    connected.worker.later(60)
    sandbox.fault("retrieve_account", "server_error")
    banned = ycloud_sends.of_account(connected, updateEvent="DISABLED_UPDATE", banState="DISABLE")
    ycloud_sends("business_account.updated", banned)
    assert due(connected) == ["health_account_banned"]
    look = PhoneNumber.objects.get().next_look_at
    assert look is not None
    assert look - timezone.now() <= timedelta(minutes=10)


def test_an_account_that_left_us_and_can_still_be_read_is_told_once(
    connected: Customer, ycloud_sends: YCloudSends
) -> None:
    left = ycloud_sends.of_account(connected, updateEvent="PARTNER_REMOVED")
    for _ in range(2):
        ycloud_sends("business_account.updated", left)
        connected.worker.clock.shift(60)
    before = WhatsAppBusinessAccount.objects.get().standing_since
    ycloud_sends("business_account.reviewed", ycloud_sends.of_account(connected))
    account = WhatsAppBusinessAccount.objects.get()
    assert (account.lost, account.standing_since) == ("account_removed", before)


def test_a_restriction_that_only_an_event_told_ends_by_itself(
    connected: Customer, ycloud_sends: YCloudSends
) -> None:
    ends = timezone.now() + timedelta(days=2)
    told = [{"restrictionType": STARTING, "expiration": ends.isoformat()}]
    payload = ycloud_sends.of_account(connected, restrictions=told)
    ycloud_sends("business_account.updated", payload)
    (found,) = of_account(connected)
    assert parse_datetime(found["due"]) == ends
    assert found["due_kind"] == "ends"
    look = PhoneNumber.objects.get().next_look_at
    assert look is not None
    assert timedelta() < look - ends <= timedelta(minutes=2), "we look when it is over"
    connected.worker.later(2 * 86_400 + 120)
    tasks.watch_numbers()
    assert WhatsAppBusinessAccount.objects.get().standing == ""


def test_a_newer_event_lifts_what_an_older_one_told(
    connected: Customer, ycloud_sends: YCloudSends
) -> None:
    connected.worker.later(600)
    told = [{"restrictionType": STARTING}]
    lifted = ycloud_sends.of_account(connected, restrictions=[])
    ycloud_sends("business_account.updated", lifted, ago=10)
    late = ycloud_sends.of_account(connected, restrictions=told)
    ycloud_sends("business_account.updated", late, ago=20)
    assert of_account(connected) == []


def test_what_events_told_before_the_account_was_connected_is_history(
    connected: Customer, ycloud_sends: YCloudSends
) -> None:
    payload = ycloud_sends.of_account(connected, restrictions=[{"restrictionType": STARTING}])
    ycloud_sends("business_account.updated", payload, ago=3600)
    assert of_account(connected) == []


def test_an_account_that_was_removed_is_lost_with_its_numbers(
    connected: Customer, ycloud_sends: YCloudSends
) -> None:
    gone = ycloud_sends.of_account(connected, removedReason="PRIMARY_INACTIVITY")
    ycloud_sends("business_account.deleted", gone)
    assert [each["code"] for each in of_account(connected)] == ["removed_primary_inactivity"]
    assert due(connected) == ["removed_primary_inactivity"], "once, though both have it"


def test_a_coexistence_number_that_was_offboarded_says_so_and_nothing_of_the_app(
    customer: Customer, ycloud_sends: YCloudSends
) -> None:
    customer.goes_through("approve", "business_app")
    assert due(customer) == ["app_keep_open", "app_features"]
    assert PhoneNumber.objects.get().standing == "notice"
    ended = ycloud_sends.of_number(customer, updateEvent="ACCOUNT_OFFBOARDED")
    ycloud_sends("phone_number.quality_updated", ended)
    assert due(customer) == ["number_offboarded"]
    assert PhoneNumber.objects.get().standing == "wrong"


# --- Since when ----------------------------------------------------------------------------------


def test_a_condition_began_when_ycloud_says_that_it_did(
    connected: Customer, sandbox: Sandbox, ycloud_sends: YCloudSends
) -> None:
    connected.worker.later(3600)
    sandbox.server.world.numbers[connected.number_id]["answer"]["status"] = "FLAGGED"
    payload = ycloud_sends.of_number(connected, status="FLAGGED")
    ycloud_sends("phone_number.quality_updated", payload, ago=300)
    sent = WebhookEvent.objects.get().sent_at
    assert parse_datetime(of_number(connected)[0]["since"]) == sent
    connected.worker.later(3600)
    wake()
    assert parse_datetime(of_number(connected)[0]["since"]) == sent, "and it keeps that time"


def test_a_lost_number_is_lost_since_its_event(
    connected: Customer, ycloud_sends: YCloudSends
) -> None:
    connected.worker.later(3600)
    ycloud_sends("phone_number.deleted", ycloud_sends.of_number(connected), ago=300)
    sent = WebhookEvent.objects.get().sent_at
    assert PhoneNumber.objects.get().health_since == sent
    assert parse_datetime(of_number(connected)[0]["since"]) == sent


def test_without_an_event_it_began_when_it_was_read(connected: Customer, sandbox: Sandbox) -> None:
    connected.worker.later(3600)
    sandbox.act("quality_red", phone_number_id=connected.number_id)
    wake()
    row = PhoneNumber.objects.get()
    assert parse_datetime(row.standing_since["quality_low"]) == row.read_at


# --- What is shown changes its version -----------------------------------------------------------


def test_a_new_requirement_changes_the_etag(connected: Customer, sandbox: Sandbox) -> None:
    address = f"{API}{connected.id}/"
    before = connected.api.get(address)["ETag"]
    wake()
    assert connected.api.get(address)["ETag"] == before
    sandbox.act("quality_red", phone_number_id=connected.number_id)
    wake()
    assert connected.api.get(address)["ETag"] != before


def test_a_stranger_reads_nobody_s_requirements(connected: Customer, stranger_api: Any) -> None:
    assert stranger_api.get(f"{ACCOUNTS}{connected.waba_id}/").status_code == 404
    assert stranger_api.get(f"{NUMBERS}{connected.number_id}/").status_code == 404


def test_a_new_word_of_ycloud_s_stops_nothing_and_is_for_staff_only(
    connected: Customer, sandbox: Sandbox, reviewer: User
) -> None:
    answer = sandbox.server.world.numbers[connected.number_id]["answer"]
    answer["qualityRating"] = "<b>PURPLE</b>"
    wake()
    assert of_number(connected) == []
    page = pages_of(reviewer).get(f"{DESK}{PhoneNumber.objects.get().pk}/change/").content.decode()
    assert "The quality has a new word" in page
    assert "<b>PURPLE" not in page


# --- The desk ------------------------------------------------------------------------------------


@pytest.fixture
def desk(reviewer: User) -> Client:
    return pages_of(reviewer)


@pytest.fixture
def flagged(connected: Customer, sandbox: Sandbox) -> PhoneNumber:
    sandbox.act("flag_number", phone_number_id=connected.number_id)
    wake()
    return PhoneNumber.objects.get()


def test_the_record_shows_cards_with_who_and_since(desk: Client, flagged: PhoneNumber) -> None:
    page = desk.get(f"{DESK}{flagged.pk}/change/").content.decode()
    assert "Meta has flagged the number" in page
    assert "Next move: the customer" in page
    assert "standing-due" in page
    assert "<details" in page, "the facts are folded"


def test_a_number_s_record_names_what_its_account_has(desk: Client, flagged: PhoneNumber) -> None:
    WhatsAppBusinessAccount.objects.update(account_review_status="PENDING")
    page = desk.get(f"{DESK}{flagged.pk}/change/").content.decode()
    assert "Meta is reviewing the WhatsApp account" in page
    page = desk.get(f"{DESK_ACCOUNTS}{flagged.business_account_id}/change/").content.decode()
    assert "Meta is reviewing the WhatsApp account" in page
    assert "Meta has flagged the number" not in page


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [("act", True), ("due", True), ("wrong", False), ("notice", False), ("well", False)],
)
def test_the_list_is_narrowed_by_standing(
    desk: Client, flagged: PhoneNumber, chosen: str, shown: bool
) -> None:
    page = desk.get(f"{DESK}?standing={chosen}").content.decode()
    assert (flagged.e164 in page) is shown


def test_the_filter_asks_an_index(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for table, index in (
            ("onboarding_phonenumber", "number_standing"),
            ("onboarding_whatsappbusinessaccount", "account_standing"),
        ):
            cursor.execute(f"EXPLAIN SELECT id FROM {table} WHERE standing IN ('wrong', 'due')")
            assert index in "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.parametrize("list_of", [DESK, DESK_ACCOUNTS])
def test_staff_have_it_read_again_with_its_account(
    desk: Client, flagged: PhoneNumber, sandbox: Sandbox, list_of: str
) -> None:
    pk = flagged.pk if list_of == DESK else flagged.business_account_id
    before = len(sandbox.calls)
    assert desk.post(f"{list_of}{pk}/reread/").status_code == 302
    tasks.watch_numbers()
    assert len(sandbox.calls) == before + 2, "the numbers and the account"
    (entry,) = AuditEntry.objects.filter(act__endswith=".reread")
    assert entry.tenant_slug == "cakes"


def test_a_selection_is_read_again_and_what_nobody_looks_at_is_named(
    desk: Client, connected: Customer
) -> None:
    number = PhoneNumber.objects.get()
    sent = {"action": "reread_selected", "_selected_action": [number.pk]}
    page = desk.post(DESK, sent, follow=True).content.decode()
    assert "It is being read again." in page
    Onboarding.objects.update(number=None)
    page = desk.post(DESK, sent, follow=True).content.decode()
    assert "There is nothing to read for it." in page


def test_reading_again_needs_its_permission_and_a_post(flagged: PhoneNumber) -> None:
    viewer = person("viewer@partner.example", staff=True)
    kind = ContentType.objects.get_for_model(PhoneNumber)
    viewer.user_permissions.set(
        Permission.objects.filter(content_type=kind, codename="view_phonenumber")
    )
    page = pages_of(viewer)
    assert page.post(f"{DESK}{flagged.pk}/reread/").status_code == 403
    shown = page.get(f"{DESK}{flagged.pk}/change/").content.decode()
    assert "Read again at YCloud" not in shown
    assert page.get(f"{DESK}{flagged.pk}/reread/").status_code == 405
