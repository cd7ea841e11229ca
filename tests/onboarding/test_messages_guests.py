"""A guest's address: asked for, confirmed before use, switched off by one click."""

from __future__ import annotations

import re
import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from onboarding import guests, mail_addresses, notices, services, tasks, transitions
from onboarding.models import (
    MailAddress,
    Notice,
    Onboarding,
    PhoneNumber,
    WhatsAppBusinessAccount,
)
from onboarding.states import State
from tenants.models import Tenant, User
from tenants.tokens import token_hash
from tests.conftest import Worker, api_of, pages_of, partner_api

API = "/api/v1/onboardings/"
EMAIL = "guest@cakes.example"


@pytest.fixture
def row(guest_api: APIClient, worker: Worker) -> Onboarding:
    """A guest's attempt that waits for a number."""
    made = guest_api.post(API, {"connection_mode": "business_platform"}).json()
    found = Onboarding.objects.get(public_id=made["id"])
    transitions.move(found, State.SIGNED_UP, actor="link")
    transitions.move(found, State.AWAITING_NUMBER, actor="worker", reason="number_missing")
    return found


def asks(api: APIClient, row: Onboarding, email: str = EMAIL) -> Any:
    return api.post(f"{API}{row.public_id}/notify/", {"email": email})


def link_in(letter: Any, word: str = "confirm") -> str:
    found = re.search(rf"http://localhost:8000(/mail/{word}/\S+)", str(letter.body))
    assert found
    return found[1]


def press(client: Client, word: str = "confirm") -> Any:
    return client.post(f"/mail/{word}/")


# --- Asking --------------------------------------------------------------------------------------


def test_a_guest_asks_is_mailed_a_link_and_confirms_by_a_button(
    guest_api: APIClient, row: Onboarding, client: Client
) -> None:
    answer = asks(guest_api, row, "Guest@Cakes.example ")
    assert (answer.status_code, answer.json()) == (202, {"email": EMAIL, "state": "asked"})
    assert tasks.send_notices() == 1
    (letter,) = mail.outbox
    assert letter.to == [EMAIL]
    assert "John's Cake Shop" in letter.body
    opened = client.get(link_in(letter))
    assert (opened.status_code, opened["Location"]) == (302, "/mail/confirm/")
    assert opened["Referrer-Policy"] == "no-referrer"
    assert EMAIL in client.get("/mail/confirm/").content.decode()
    assert not MailAddress.objects.get().is_told, "opening confirms nothing"
    assert "confirmed" in press(client).content.decode()
    assert MailAddress.objects.get().is_told


def test_the_token_is_kept_as_a_hash_and_works_once(
    guest_api: APIClient, row: Onboarding, client: Client
) -> None:
    asks(guest_api, row)
    tasks.send_notices()
    path = link_in(mail.outbox[0])
    token = path.removeprefix("/mail/confirm/").strip("/")
    assert MailAddress.objects.get().token_hash == token_hash(token)
    client.get(path)
    press(client)
    assert client.get(path).status_code == 404
    assert press(client).status_code == 404


def test_the_link_ends_after_a_day(
    guest_api: APIClient, row: Onboarding, client: Client, worker: Worker
) -> None:
    asks(guest_api, row)
    tasks.send_notices()
    client.get(link_in(mail.outbox[0]))
    worker.clock.shift(timedelta(hours=25))
    assert client.get(link_in(mail.outbox[0])).status_code == 404
    assert press(client).status_code == 404
    assert not MailAddress.objects.get().is_told


@pytest.mark.parametrize(
    "token", ["x", "1-short", "999999-" + "a" * 43, "0-" + "b" * 43, "é-" + "c" * 43]
)
def test_a_made_up_token_opens_nothing(client: Client, db: None, token: str) -> None:
    assert client.get(f"/mail/confirm/{token}/").status_code == 404
    assert client.get(f"/mail/stop/{token}/").status_code == 404
    assert client.post(f"/mail/stop/{token}/").status_code == 404


def test_the_answer_is_the_same_for_every_address(
    guest_api: APIClient, row: Onboarding, owner: User
) -> None:
    MailAddress.objects.create(
        tenant=row.tenant, onboarding=row, email="told@cakes.example", confirmed_at=timezone.now()
    )
    MailAddress.objects.create(
        tenant=row.tenant, onboarding=row, email="no@cakes.example", off_at=timezone.now()
    )
    for email in ("new@cakes.example", "told@cakes.example", "no@cakes.example", owner.email):
        answer = asks(guest_api, row, email)
        assert (answer.status_code, answer.json()) == (202, {"email": email, "state": "asked"})
    tasks.send_notices()
    assert sorted(m.to[0] for m in mail.outbox) == ["new@cakes.example", owner.email]


def test_asking_again_within_ten_minutes_mails_no_second_letter(
    guest_api: APIClient, row: Onboarding, worker: Worker
) -> None:
    for _ in range(3):
        asks(guest_api, row)
        tasks.send_notices()
    assert len(mail.outbox) == 1
    worker.clock.shift(timedelta(minutes=11))
    asks(guest_api, row)
    tasks.send_notices()
    assert len(mail.outbox) == 2


def test_a_repeated_request_with_its_key_is_answered_alike(
    guest_api: APIClient, row: Onboarding
) -> None:
    for _ in range(2):
        answer = guest_api.post(
            f"{API}{row.public_id}/notify/", {"email": EMAIL}, headers={"Idempotency-Key": "k1"}
        )
        assert answer.status_code == 202
    assert Notice.objects.filter(kind="confirm").count() == 1


@pytest.mark.parametrize(
    "email", ["", "x", "a@b", "a@b.example\nBcc: c@d.example", "a" * 250 + "@b.example", None, 7]
)
def test_what_is_no_address_is_refused(guest_api: APIClient, row: Onboarding, email: Any) -> None:
    answer = guest_api.post(f"{API}{row.public_id}/notify/", {"email": email})
    assert answer.status_code == 400
    assert "email" in answer.json()["error"]["fields"]
    assert not MailAddress.objects.exists()


def test_one_onboarding_tells_five_addresses_at_most(guest_api: APIClient, row: Onboarding) -> None:
    codes = [asks(guest_api, row, f"a{n}@cakes.example").status_code for n in range(6)]
    assert codes == [202] * 5 + [409]
    tasks.send_notices()
    assert len(mail.outbox) == 5


def test_no_address_gets_more_than_three_such_letters_a_day_whoever_asks(
    tenant: Tenant, other_tenant: Tenant, worker: Worker
) -> None:
    for each in (tenant, other_tenant, tenant, other_tenant, tenant):
        made = Onboarding.objects.create(
            tenant=each, connection_mode="business_app", state="signed_up"
        )
        services.notify(made, EMAIL)
        tasks.send_notices()
    assert len(mail.outbox) == 3
    worker.clock.shift(timedelta(days=1, minutes=1))
    services.notify(
        Onboarding.objects.create(tenant=tenant, connection_mode="business_app", state="signed_up"),
        EMAIL,
    )
    tasks.send_notices()
    assert len(mail.outbox) == 4


def test_one_onboarding_sends_five_such_letters_at_most(
    guest_api: APIClient, row: Onboarding, worker: Worker
) -> None:
    for _ in range(8):
        asks(guest_api, row)
        tasks.send_notices()
        worker.clock.shift(timedelta(hours=20))
    assert len(mail.outbox) == 5


def test_asking_is_throttled(guest_api: APIClient, row: Onboarding) -> None:
    codes = [asks(guest_api, row).status_code for _ in range(21)]
    assert codes == [202] * 20 + [429]


def test_an_attempt_that_is_over_tells_nobody(guest_api: APIClient, row: Onboarding) -> None:
    transitions.move(row, State.CANCELLED, actor="link", reason="withdrawn")
    answer = asks(guest_api, row)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_now")


def test_an_attempt_that_has_not_begun_has_nothing_to_tell(
    guest_api: APIClient, row: Onboarding
) -> None:
    Onboarding.objects.filter(pk=row.pk).update(state="started", reason="")
    answer = asks(guest_api, row)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_now")
    assert not MailAddress.objects.exists()


def test_a_tenant_asks_for_fifty_confirmations_a_day(
    guest_api: APIClient, row: Onboarding, tenant: Tenant, worker: Worker
) -> None:
    asks(guest_api, row)
    for number in range(49):
        Notice.objects.create(tenant=tenant, key=str(number), kind="confirm", audience="guest")
    for email in (EMAIL, "another@x.example"):
        answer = asks(guest_api, row, email)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "too_many_letters")
        assert "tomorrow" in answer.json()["error"]["message"]
    worker.clock.shift(timedelta(hours=25))
    assert asks(guest_api, row, "another@x.example").status_code == 202


@pytest.mark.parametrize("word", ["confirm", "stop"])
def test_an_attempt_is_locked_before_its_addresses(
    guest_api: APIClient, row: Onboarding, client: Client, word: str
) -> None:
    """As a move does, which then tells its addresses: the other way round both would wait."""
    asks(guest_api, row)
    tasks.send_notices()
    path = link_in(mail.outbox[0], word)
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert press(client, word).status_code == 200
    told = [each["sql"] for each in queries]
    locked = [n for n, sql in enumerate(told) if "FOR UPDATE" in sql and "_onboarding" in sql]
    written = [n for n, sql in enumerate(told) if sql.startswith('UPDATE "onboarding_mailaddress"')]
    assert locked[0] < written[0]


def test_members_and_the_partners_key_may_ask_too_and_strangers_find_nothing(
    row: Onboarding, owner: User, stranger: User
) -> None:
    assert asks(api_of(owner), row).status_code == 202
    assert asks(partner_api(), row, "crm@cakes.example").status_code == 202
    assert asks(partner_api("onboardings:read"), row).status_code == 403
    assert asks(api_of(stranger), row).status_code == 404
    assert asks(APIClient(), row).status_code == 401


def test_an_address_that_the_server_refuses_for_good_is_shown_so_and_may_be_asked_again(
    guest_api: APIClient, row: Onboarding, monkeypatch: pytest.MonkeyPatch, worker: Worker
) -> None:
    def nobody(self: Any) -> None:
        raise smtplib.SMTPRecipientsRefused({EMAIL: (550, b"nobody here")})

    asks(guest_api, row)
    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMultiAlternatives.send", nobody)
        tasks.send_notices()
    page = guest_api.get(f"/connect/{row.public_id}/card/").content.decode()
    assert 'data-told="refused"' in page
    asks(guest_api, row)
    assert tasks.send_notices() == 1


# --- The page ------------------------------------------------------------------------------------


def card(client: Any, row: Onboarding) -> str:
    return str(client.get(f"/connect/{row.public_id}/card/").content.decode())


def test_the_card_shows_how_an_address_stands_and_never_the_whole_address(
    guest_api: APIClient, row: Onboarding, client: Client
) -> None:
    assert "tell-form" in card(guest_api, row)
    asks(guest_api, row)
    assert 'data-told="asked"' in card(guest_api, row)
    tasks.send_notices()
    shown = card(guest_api, row)
    assert 'data-told="sent"' in shown
    assert "g•••@cakes.example" in shown
    assert EMAIL not in shown
    client.get(link_in(mail.outbox[0]))
    press(client)
    assert 'data-told="confirmed"' in card(guest_api, row)


def test_the_card_is_read_anew_when_an_address_stands_otherwise(
    guest_api: APIClient, row: Onboarding
) -> None:
    address = f"/connect/{row.public_id}/card/"
    etag = guest_api.get(address)["ETag"]
    asks(guest_api, row)
    assert guest_api.get(address, headers={"If-None-Match": etag}).status_code == 200


def test_another_links_guest_does_not_see_whom_an_attempt_tells(
    row: Onboarding, guest_api: APIClient, tenant: Tenant
) -> None:
    asks(guest_api, row)
    other = APIClient()
    _, token = services.create_link(tenant, expected_number="+34612345678")
    other.get(f"/s/{token}/")
    shown = card(other, row)
    assert "tell-form" in shown
    assert "•••" not in shown


def test_an_owner_sees_that_they_are_told_anyway(
    row: Onboarding, owner: User, member: User
) -> None:
    assert f"""we write to <strong><bdi dir="ltr">{owner.email}""" in card(pages_of(owner), row)
    assert "tell-form" not in card(pages_of(owner), row)
    assert "Owners of your company are told" in card(pages_of(member), row)
    User.objects.update(wants_letters=False)
    assert "tell-form" in card(pages_of(owner), row)


def test_a_wait_of_seconds_offers_no_letters(guest_api: APIClient, row: Onboarding) -> None:
    transitions.move(row, State.SIGNED_UP, actor="worker")
    assert "tell-form" not in card(guest_api, row)


# --- Switching off -------------------------------------------------------------------------------


@pytest.fixture
def told(row: Onboarding, worker: Worker) -> MailAddress:
    address = MailAddress.objects.create(
        tenant=row.tenant, onboarding=row, email=EMAIL, confirmed_at=timezone.now()
    )
    transitions.move(row, State.SIGNED_UP, actor="worker")
    transitions.move(row, State.AWAITING_NUMBER, actor="worker", reason="number_not_verified")
    worker.clock.shift(timedelta(minutes=6))
    assert tasks.send_notices() == 1
    return address


def test_a_letter_to_a_guest_has_the_headers_of_one_click_and_a_link(told: MailAddress) -> None:
    (letter,) = mail.outbox
    headers = letter.extra_headers
    assert headers["List-Unsubscribe"] == f"<http://localhost:8000{link_in(letter, 'stop')}>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["Auto-Submitted"] == "auto-generated"


def test_a_letter_to_a_guest_opens_the_attempt_on_a_device_that_never_saw_the_link(
    told: MailAddress, row: Onboarding
) -> None:
    (letter,) = mail.outbox
    assert "The page opens on any device" in letter.body
    found = re.search(r"http://localhost:8000(/s/\S+)", str(letter.body))
    assert found
    other = Client()
    address = other.get(found[1])["Location"]
    assert address == f"/connect/?onboarding={row.public_id}"
    assert str(row.public_id) in other.get(address).content.decode()


def test_a_letter_about_a_members_attempt_lets_nobody_in(row: Onboarding, worker: Worker) -> None:
    Onboarding.objects.update(link=None)
    MailAddress.objects.create(
        tenant=row.tenant, onboarding=row, email=EMAIL, confirmed_at=timezone.now()
    )
    row.refresh_from_db()
    transitions.move(row, State.SIGNED_UP, actor="worker")
    transitions.move(row, State.AWAITING_NUMBER, actor="worker", reason="number_not_verified")
    worker.clock.shift(timedelta(minutes=6))
    tasks.send_notices()
    letter = next(each for each in mail.outbox if each.to == [EMAIL])
    assert "/s/" not in letter.body
    assert f"/connect/?onboarding={row.public_id}" in letter.body


def test_one_click_of_a_mail_program_ends_the_letters_without_login_or_token(
    told: MailAddress, row: Onboarding, worker: Worker
) -> None:
    path = link_in(mail.outbox[0], "stop")
    program = Client(enforce_csrf_checks=True)
    for _ in range(2):
        answer = program.post(path, {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
    told.refresh_from_db()
    assert told.off_at is not None
    transitions.move(row, State.SIGNED_UP, actor="worker")
    transitions.move(row, State.AWAITING_NUMBER, actor="worker", reason="number_banned")
    worker.clock.shift(timedelta(minutes=30))
    assert tasks.send_notices() == 0


def test_opening_the_link_asks_and_the_button_ends_the_letters(
    told: MailAddress, client: Client
) -> None:
    path = link_in(mail.outbox[0], "stop")
    assert client.get(path)["Location"] == "/mail/stop/"
    assert EMAIL in client.get("/mail/stop/").content.decode()
    told.refresh_from_db()
    assert told.off_at is None
    assert "no more" in press(client, "stop").content.decode()
    told.refresh_from_db()
    assert told.off_at is not None


def test_who_switched_off_can_ask_and_confirm_again(
    told: MailAddress, guest_api: APIClient, row: Onboarding, client: Client
) -> None:
    mail_addresses.stop(told.tenant_id, told.pk)
    mail.outbox.clear()
    asks(guest_api, row)
    tasks.send_notices()
    client.get(link_in(mail.outbox[0]))
    press(client)
    told.refresh_from_db()
    assert told.is_told


def test_who_said_no_to_the_first_letter_gets_none_of_this_tenant_again(
    guest_api: APIClient, row: Onboarding, client: Client, tenant: Tenant, worker: Worker
) -> None:
    asks(guest_api, row)
    tasks.send_notices()
    client.post(link_in(mail.outbox[0], "stop"))
    mail.outbox.clear()
    worker.clock.shift(timedelta(hours=2))
    again = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_app", state="signed_up"
    )
    for each in (row, again):
        services.notify(each, EMAIL)
    assert tasks.send_notices() == 0
    assert client.get("/mail/confirm/").status_code == 404


def test_a_guest_cookie_and_a_login_change_nothing_of_these_pages(
    told: MailAddress, guest_api: APIClient, stranger: User
) -> None:
    path = link_in(mail.outbox[0], "stop")
    assert guests.COOKIE in guest_api.cookies
    for client in (guest_api, pages_of(stranger)):
        assert client.get(path).status_code == 302
        assert EMAIL in client.get("/mail/stop/").content.decode()


@pytest.mark.parametrize("word", ["confirm", "stop"])
def test_a_405_of_an_address_with_a_secret_is_not_logged(
    db: None, client: Client, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    client.put(f"/mail/{word}/7-a-secret-token-of-a-letter/")
    client.get(f"/mail/{word}/7-a-secret-token-of-a-letter/")
    assert "secret-token" not in caplog.text


# --- Kept for a while ----------------------------------------------------------------------------


def test_addresses_that_nobody_confirmed_are_forgotten_after_a_week(row: Onboarding) -> None:
    for email, days in (("old@x.example", 8), ("young@x.example", 6)):
        made = MailAddress.objects.create(tenant=row.tenant, onboarding=row, email=email)
        at = timezone.now() - timedelta(days=days)
        MailAddress.objects.filter(pk=made.pk).update(created_at=at)
    tasks.forget_old()
    assert [a.email for a in MailAddress.objects.all()] == ["young@x.example"]


def test_addresses_of_attempts_that_ended_long_ago_and_old_notices_are_forgotten(
    told: MailAddress, row: Onboarding, settings: Any, worker: Worker
) -> None:
    settings.RETENTION_DAYS = 4
    transitions.move(row, State.CANCELLED, actor="link", reason="withdrawn")
    worker.clock.shift(timedelta(days=5))
    tasks.forget_old()
    assert not MailAddress.objects.exists()
    assert not Notice.objects.exists()


@pytest.mark.parametrize("is_watched", [True, False])
def test_who_is_told_of_a_lost_number_is_kept_while_it_is_watched(
    told: MailAddress, row: Onboarding, settings: Any, worker: Worker, is_watched: bool
) -> None:
    settings.RETENTION_DAYS = 4
    account = WhatsAppBusinessAccount.objects.create(tenant=row.tenant, waba_id="4000")
    number = PhoneNumber.objects.create(
        tenant=row.tenant, business_account=account, phone_number_id="5000", e164="+34612345678",
        health="number_offboarded", health_since=timezone.now(),
        next_look_at=timezone.now() if is_watched else None,
    )  # fmt: skip
    Onboarding.objects.filter(pk=row.pk).update(state="connected", number=number)
    worker.clock.shift(timedelta(days=5))
    tasks.forget_old()
    told_now = [each.address for each in notices.told_of_health(number)]
    assert told_now == ([told] if is_watched else [])


# --- Members' own choice -------------------------------------------------------------------------


def test_members_and_staff_switch_letters_off_on_their_account_page(
    owner: User, reviewer: User
) -> None:
    page = pages_of(owner).get("/accounts/letters/").content.decode()
    assert "letters" in page
    assert "digests" not in page
    pages_of(owner).post("/accounts/letters/", {"digests": ""})
    pages_of(reviewer).post("/accounts/letters/", {"letters": "on"})
    owner.refresh_from_db()
    reviewer.refresh_from_db()
    assert (owner.wants_letters, owner.wants_digests) == (False, True)
    assert (reviewer.wants_letters, reviewer.wants_digests) == (True, False)
