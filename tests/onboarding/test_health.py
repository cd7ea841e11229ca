"""What becomes of a number after it was connected: noticed, told, and a way back offered."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from onboarding import tasks, transitions
from onboarding.models import Notice, Onboarding, PhoneNumber, WebhookEvent
from sandbox.webhooks import SECRET, sign
from tenants.models import User
from tests.conftest import Sandbox, Worker, api_of, pages_of
from tests.test_journey import API, Customer


@pytest.fixture
def customer(api: Any, sandbox: Sandbox, worker: Worker) -> Customer:
    return Customer(api, sandbox, worker)


@pytest.fixture
def connected(customer: Customer) -> Customer:
    customer.goes_through("approve")
    assert customer.state == "connected"
    return customer


class YCloudSends:
    """Signed events, as YCloud delivers them; each is applied at once."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.sent = 0

    def __call__(self, kind: str, payload: dict[str, Any], *, ago: float = 0) -> int:
        self.sent += 1
        at = timezone.now() - timedelta(seconds=ago)
        body = {
            "id": f"evt_{self.sent}", "type": f"whatsapp.{kind}", "apiVersion": "v2",
            "createTime": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), **payload,
        }  # fmt: skip
        raw = json.dumps(body).encode()
        headers = {"YCloud-Signature": sign(SECRET, int(time.time()), raw)}
        answer = self.client.post(
            "/webhooks/ycloud/", raw, content_type="application/json", headers=headers
        )
        assert answer.status_code == 204
        tasks.apply_webhook_event(event_id=body["id"])
        tasks.watch_numbers()
        return WebhookEvent.objects.get(event_id=body["id"]).woke

    def of_number(self, customer: Customer, **more: Any) -> dict[str, Any]:
        seen = customer.sees()
        shown = {"id": seen["phone_number_id"], "wabaId": seen["waba_id"], **more}
        return {"whatsappPhoneNumber": shown}

    def of_account(self, customer: Customer, **more: Any) -> dict[str, Any]:
        return {"whatsappBusinessAccount": {"id": customer.waba_id, **more}}


@pytest.fixture
def ycloud_sends(client: Client) -> YCloudSends:
    return YCloudSends(client)


def trouble(customer: Customer) -> str | None:
    found = customer.sees()["requirements"]
    return found[0]["code"] if found else None


# --- What is noticed -----------------------------------------------------------------------------


def test_a_connected_number_is_well_and_read_within_a_week(connected: Customer) -> None:
    number = PhoneNumber.objects.get()
    assert (number.health, trouble(connected)) == ("", None)
    assert number.next_look_at is not None
    assert timedelta(days=6.9) < number.next_look_at - timezone.now() <= timedelta(days=7)


def test_an_offboarded_number_is_noticed_by_its_event_and_restored_by_the_next(
    connected: Customer, ycloud_sends: YCloudSends
) -> None:
    quality = "phone_number.quality_updated"
    ycloud_sends(quality, ycloud_sends.of_number(connected, updateEvent="ACCOUNT_OFFBOARDED"))
    assert trouble(connected) == "number_offboarded"
    assert connected.state == "connected", "the attempt is over; the number has the trouble"
    connected.worker.later(60)
    ycloud_sends(quality, ycloud_sends.of_number(connected, updateEvent="ACCOUNT_RECONNECTED"))
    assert trouble(connected) is None


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("ACCOUNT_DISCONNECTED", "removed_account_disconnected"),
        ("BUSINESS_DOWNGRADE", "removed_business_downgrade"),
        ("CHANGE_NUMBER", "removed_change_number"),
        ("COMPANION_INACTIVITY", "removed_companion_inactivity"),
        ("PRIMARY_INACTIVITY", "removed_primary_inactivity"),
        ("USER_RE_REGISTERED", "removed_user_re_registered"),
        ("A_NEW_WORD", "account_removed"),
        (None, "account_removed"),
    ],
)
def test_a_deleted_account_tells_why_it_was_removed(
    connected: Customer, ycloud_sends: YCloudSends, word: str | None, reason: str
) -> None:
    more = {"removedReason": word} if word else {}
    ycloud_sends("business_account.deleted", ycloud_sends.of_account(connected, **more))
    assert trouble(connected) == reason


def test_a_deleted_number_is_noticed(connected: Customer, ycloud_sends: YCloudSends) -> None:
    ycloud_sends("phone_number.deleted", ycloud_sends.of_number(connected))
    assert trouble(connected) == "number_removed"


def test_a_partner_that_was_removed_is_noticed(
    connected: Customer, ycloud_sends: YCloudSends
) -> None:
    payload = ycloud_sends.of_account(connected, updateEvent="PARTNER_REMOVED")
    ycloud_sends("business_account.updated", payload)
    assert trouble(connected) == "account_removed"


def test_the_schedule_alone_notices_what_no_event_told(
    connected: Customer, sandbox: Sandbox, owner: User
) -> None:
    number = sandbox.server.world.numbers[connected.number_id]
    number["answer"]["status"] = "BANNED"
    connected.worker.later(7 * 86_400)
    tasks.watch_numbers()
    assert PhoneNumber.objects.get().health == "", "one reading alone alarms nobody"
    connected.worker.later(130)
    tasks.watch_numbers()
    assert PhoneNumber.objects.get().health == "health_banned"
    number["answer"]["status"] = "CONNECTED"
    connected.worker.later(7 * 86_400 + 60)
    tasks.watch_numbers()
    connected.api = api_of(owner)  # the login of two weeks ago has ended
    assert trouble(connected) is None


def test_an_account_that_is_gone_is_noticed_by_reading(
    connected: Customer, sandbox: Sandbox
) -> None:
    sandbox.server.world.accounts[connected.waba_id]["bound"] = False
    transitions.wake_numbers([PhoneNumber.objects.get().pk])
    tasks.watch_numbers()
    connected.worker.later(130)
    tasks.watch_numbers()
    assert trouble(connected) == "number_removed"


def test_one_odd_answer_alarms_nobody(connected: Customer, sandbox: Sandbox) -> None:
    number = sandbox.server.world.numbers.pop(connected.number_id)
    transitions.wake_numbers([PhoneNumber.objects.get().pk])
    tasks.watch_numbers()
    assert trouble(connected) is None
    sandbox.server.world.numbers[number["answer"]["id"]] = number
    connected.worker.later(130)
    tasks.watch_numbers()
    assert trouble(connected) is None
    assert PhoneNumber.objects.get().suspected == ""
    assert not Notice.objects.filter(kind="health").exists()


def test_a_banned_account_is_noticed_and_its_return_too(
    connected: Customer, ycloud_sends: YCloudSends
) -> None:
    banned = ycloud_sends.of_account(connected, updateEvent="DISABLED_UPDATE", banState="DISABLE")
    ycloud_sends("business_account.updated", banned)
    assert trouble(connected) == "health_account_banned"
    assert connected.api.post(f"{API}{connected.id}/reconnect/").status_code == 409
    connected.worker.later(60)
    back = ycloud_sends.of_account(connected, updateEvent="DISABLED_UPDATE", banState="REINSTATE")
    ycloud_sends("business_account.updated", back)
    assert trouble(connected) is None


def test_what_a_browser_sends_to_a_connected_attempt_changes_nothing_of_the_health(
    connected: Customer, ycloud_sends: YCloudSends
) -> None:
    connected.worker.later(3600)
    payload = ycloud_sends.of_number(connected, updateEvent="ACCOUNT_OFFBOARDED")
    ycloud_sends("phone_number.quality_updated", payload)
    connected.worker.later(600)
    connected.posts(login_status="connected")
    connected.posts(code="AQ-late")
    connected.worker.run()
    transitions.wake_numbers([PhoneNumber.objects.get().pk])
    tasks.watch_numbers()
    assert trouble(connected) == "number_offboarded"


def test_events_of_a_lost_number_are_kept_as_long_as_it_is_lost(
    connected: Customer, ycloud_sends: YCloudSends, settings: Any
) -> None:
    settings.RETENTION_DAYS = 4
    payload = ycloud_sends.of_number(connected, updateEvent="ACCOUNT_OFFBOARDED")
    ycloud_sends("phone_number.quality_updated", payload)
    WebhookEvent.objects.update(received_at=timezone.now() - timedelta(days=30))
    tasks.forget_old()
    assert WebhookEvent.objects.count() == 1


@pytest.mark.parametrize("fault", ["server_error", "garbage", "timeout_before", "rate_limited"])
def test_a_reading_that_failed_says_nothing_and_is_tried_again(
    connected: Customer, sandbox: Sandbox, fault: str
) -> None:
    number = PhoneNumber.objects.get()
    transitions.wake_numbers([number.pk])
    sandbox.fault("list_numbers", fault, seconds=0.1)
    tasks.watch_numbers()
    number.refresh_from_db()
    assert number.health == ""
    assert number.next_look_at is not None
    assert number.next_look_at - timezone.now() < timedelta(minutes=11)


# --- Disorder ------------------------------------------------------------------------------------


def test_events_count_by_ycloud_s_time_whatever_order_they_come_in(
    connected: Customer, ycloud_sends: YCloudSends
) -> None:
    connected.worker.later(600)
    quality = "phone_number.quality_updated"
    restored = ycloud_sends.of_number(connected, updateEvent="ACCOUNT_RECONNECTED")
    ended = ycloud_sends.of_number(connected, updateEvent="ACCOUNT_OFFBOARDED")
    ycloud_sends(quality, restored, ago=10)
    ycloud_sends(quality, ended, ago=20)
    assert trouble(connected) is None


def test_what_was_said_before_the_number_was_connected_is_history(
    connected: Customer, ycloud_sends: YCloudSends
) -> None:
    payload = ycloud_sends.of_number(connected, updateEvent="ACCOUNT_OFFBOARDED")
    ycloud_sends("phone_number.quality_updated", payload, ago=3600)
    assert trouble(connected) is None


def test_a_replayed_event_changes_and_tells_nothing_more(
    connected: Customer, ycloud_sends: YCloudSends
) -> None:
    ycloud_sends("phone_number.deleted", ycloud_sends.of_number(connected))
    before = PhoneNumber.objects.get().health_since
    for _ in range(3):
        tasks.apply_webhook_event(event_id="evt_1")
        tasks.watch_numbers()
    assert PhoneNumber.objects.get().health_since == before
    told = Notice.objects.filter(kind="health").values_list("audience", flat=True)
    assert sorted(told) == ["owners", "staff"]


def test_an_event_for_an_unknown_number_concerns_nobody(
    connected: Customer, ycloud_sends: YCloudSends
) -> None:
    unknown = {"whatsappPhoneNumber": {"id": "999", "wabaId": "998"}}
    assert ycloud_sends("phone_number.deleted", unknown) == 0
    assert WebhookEvent.objects.get().standing == "nobody"
    assert trouble(connected) is None


def test_a_wake_during_a_reading_is_not_lost(connected: Customer) -> None:
    number = PhoneNumber.objects.get()
    read_at = timezone.now()
    transitions.wake_numbers([number.pk])
    transitions.watch_number(number, read_at + timedelta(days=7), read_at=read_at)
    number.refresh_from_db()
    assert number.next_look_at is not None
    assert number.next_look_at <= timezone.now()


def test_the_numbers_of_one_account_are_read_with_one_call(
    customer: Customer, sandbox: Sandbox
) -> None:
    window = customer.goes_through("approve", numbers=3)
    for number in list(sandbox.server.world.numbers)[1:]:
        customer.starts()
        again = sandbox.finish(scenario="second_tenant")
        customer.hands_over({**again, "phone_number_id": number})
        customer.worker.run()
        assert customer.state == "connected"
    numbers = list(PhoneNumber.objects.all())
    assert len(numbers) == 3
    transitions.wake_numbers([number.pk for number in numbers])
    before = len(sandbox.calls)
    assert tasks.watch_numbers() == 1
    assert len(sandbox.calls) == before + 1
    assert window["waba_id"]


# --- Who is told ---------------------------------------------------------------------------------


def test_an_owner_is_told_at_once_and_staff_in_their_digest(
    connected: Customer, ycloud_sends: YCloudSends, owner: User, reviewer: User
) -> None:
    tasks.send_notices()
    mail.outbox.clear()
    ycloud_sends("phone_number.deleted", ycloud_sends.of_number(connected))
    connected.worker.clock.shift(3600)
    tasks.send_notices()
    tasks.tell_staff()
    to_owner, to_staff = mail.outbox
    assert (to_owner.to, to_owner.bcc) == ([owner.email], [])
    assert (to_staff.to, to_staff.bcc) == ([], [reviewer.email])
    assert f"/connect/?onboarding={connected.id}\n" in to_owner.body
    assert "/admin/onboarding/phonenumber/" in to_staff.body


def test_each_lost_number_has_the_link_of_its_own_card_and_the_subject_says_what_it_is(
    connected: Customer, ycloud_sends: YCloudSends, sandbox: Sandbox, owner: User
) -> None:
    first = (connected.id, ycloud_sends.of_number(connected))
    connected.goes_through("approve")
    second = (connected.id, ycloud_sends.of_number(connected))
    assert first[0] != second[0]
    tasks.send_notices()
    mail.outbox.clear()
    for _, of_number in (first, second):
        ycloud_sends("phone_number.deleted", of_number)
    connected.worker.clock.shift(3600)
    tasks.send_notices()
    (letter,) = mail.outbox
    assert letter.subject.endswith(" (2)")
    assert "news" not in letter.subject
    for public_id, _ in (first, second):
        assert letter.body.count(f"/connect/?onboarding={public_id}\n") == 1


# --- The way back --------------------------------------------------------------------------------


@pytest.fixture
def lost(connected: Customer, ycloud_sends: YCloudSends, sandbox: Sandbox) -> Customer:
    sandbox.server.world.numbers[connected.number_id]["answer"]["status"] = "DISCONNECTED"
    payload = ycloud_sends.of_number(connected, updateEvent="ACCOUNT_OFFBOARDED")
    ycloud_sends("phone_number.quality_updated", payload)
    return connected


def reconnects(customer: Customer) -> str:
    """The id of the number's new attempt."""
    answer = customer.api.post(f"{API}{customer.id}/reconnect/")
    assert answer.status_code == 201, answer.json()
    assert answer.json()["launch"]
    return str(answer.json()["id"])


def test_a_lost_number_is_reconnected_by_a_new_attempt(lost: Customer, sandbox: Sandbox) -> None:
    first, number_id = lost.id, lost.number_id
    lost.id = reconnects(lost)
    assert lost.id != first
    lost.worker.later(120)
    lost.hands_over(sandbox.finish(scenario="second_tenant"))
    lost.worker.run()
    lost.worker.later(10)
    assert lost.state == "connected"
    assert lost.number_id == number_id
    assert PhoneNumber.objects.get().health == ""
    lost.id = first
    assert trouble(lost) is None


def test_a_reconnection_whose_register_was_lost_is_repeated_after_a_minute(
    lost: Customer, sandbox: Sandbox
) -> None:
    """The number was DISCONNECTED before: that it still is says nothing of the lost register."""
    lost.id = reconnects(lost)
    lost.worker.later(120)
    sandbox.fault("register", "timeout_before", seconds=0.1)
    lost.hands_over(sandbox.finish(scenario="second_tenant"))
    lost.worker.run()
    for _ in range(20):
        lost.worker.later(5)
    assert lost.state == "connected"
    assert sandbox.registers == 3, "at first, lost, and once more"


def test_another_number_does_not_pass_a_reconnection(lost: Customer, sandbox: Sandbox) -> None:
    lost.id = reconnects(lost)
    lost.hands_over(sandbox.finish(scenario="approve"))
    lost.worker.run()
    assert lost.stop == ("awaiting_number", "number_unexpected")
    assert sandbox.registers == 1


def test_a_reconnection_that_was_begun_is_gone_on_with(lost: Customer) -> None:
    first = reconnects(lost)
    again = lost.api.post(f"{API}{lost.id}/reconnect/")
    assert (again.status_code, again.json()["id"]) == (200, first)
    ordinary = lost.api.post(API, {"connection_mode": "business_platform"})
    assert ordinary.json()["id"] != first, "an ordinary attempt is another one"


def test_a_number_that_is_well_is_not_reconnected(connected: Customer) -> None:
    answer = connected.api.post(f"{API}{connected.id}/reconnect/")
    assert answer.status_code == 409


def test_a_stranger_cannot_reconnect(lost: Customer, stranger_api: Any) -> None:
    assert stranger_api.post(f"{API}{lost.id}/reconnect/").status_code == 404


def test_the_page_shows_the_trouble_and_the_button(lost: Customer, owner: User) -> None:
    page = pages_of(owner).get(f"/connect/?onboarding={lost.id}")
    text = page.content.decode()
    assert "This number is no longer connected to us" in text
    assert 'data-act="reconnect"' in text
    assert "Your number is connected</h2>" not in text


def test_a_lost_number_may_be_chosen_again_in_an_ordinary_attempt(
    lost: Customer, sandbox: Sandbox
) -> None:
    lost.starts()
    window = sandbox.finish(scenario="second_tenant")
    lost.hands_over({**window, "phone_number_id": ""})
    lost.worker.run()
    assert Onboarding.objects.filter(state="connected").count() >= 1
    assert lost.stop[1] != "number_missing"
