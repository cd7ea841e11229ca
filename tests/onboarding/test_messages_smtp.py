"""Letters over a real connection: a server that is away, refuses, or hangs up in between."""

from __future__ import annotations

import email
import socket
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail.backends.smtp import EmailBackend
from django.utils import timezone

from onboarding import notices, post, services, tasks
from onboarding.models import Notice, PhoneNumber, SignupLink, WhatsAppBusinessAccount
from tenants.models import Membership, Tenant, User
from tests.conftest import Worker, person
from tests.onboarding.mail_server import MailServer


@pytest.fixture
def waiting(worker: Worker, tenant: Tenant, owner: User) -> Notice:
    account = WhatsAppBusinessAccount.objects.create(tenant=tenant, waba_id="4000")
    number = PhoneNumber.objects.create(
        tenant=tenant, business_account=account, phone_number_id="5000", e164="+34612345678",
        health="number_offboarded", health_since=timezone.now(),
    )  # fmt: skip
    notices.number_unwell(number)
    return Notice.objects.get(audience="owners")


@pytest.fixture
def by_smtp(settings: Any) -> Any:
    def use(port: int) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 5

    return use


def stands(notice: Notice) -> str:
    notice.refresh_from_db()
    return notice.standing


def test_a_letter_arrives_whole(waiting: Notice, by_smtp: Any, owner: User) -> None:
    with MailServer() as server:
        by_smtp(server.port)
        assert tasks.send_notices() == 1
        assert tasks.send_notices() == 0
    (raw,) = server.letters
    letter = email.message_from_string(raw)
    assert letter["To"] == owner.email
    assert letter["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in letter.walk()][1:] == ["text/plain", "text/html"]
    assert stands(waiting) == "mailed"


def test_a_server_that_is_away_costs_nothing_and_gets_it_when_it_is_back(
    waiting: Notice, by_smtp: Any
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        by_smtp(nobody.getsockname()[1])
        assert tasks.send_notices() == 0
    assert stands(waiting) == "waiting"
    with MailServer() as server:
        by_smtp(server.port)
        assert tasks.send_notices() == 1
    assert len(server.letters) == 1


@pytest.mark.parametrize(
    ("rules", "afterwards", "again"),
    [
        ({"refuse_recipient": "451 later"}, "waiting", 1),
        ({"refuse_data": "451 later"}, "waiting", 1),
        ({"refuse_recipient": "550 nobody here"}, "failed", 0),
        ({"drop_after_data": True}, "failed", 0),
    ],
)
def test_what_was_surely_not_sent_is_sent_again_and_nothing_else(
    waiting: Notice,
    by_smtp: Any,
    worker: Worker,
    rules: dict[str, Any],
    afterwards: str,
    again: int,
) -> None:
    with MailServer(**rules) as server:
        by_smtp(server.port)
        assert tasks.send_notices() == 0
    assert stands(waiting) == afterwards
    worker.clock.shift(timedelta(minutes=11))
    with MailServer() as server:
        by_smtp(server.port)
        assert tasks.send_notices() == again


@pytest.fixture
def three(waiting: Notice, tenant: Tenant) -> list[Notice]:
    """One for each of three owners."""
    number = PhoneNumber.objects.get()
    for name in ("ann", "bob"):
        user = person(f"{name}@cakes.example")
        Membership.objects.create(user=user, tenant=tenant, role=Membership.Role.OWNER)
    notices.number_unwell(number)
    return list(Notice.objects.filter(audience="owners"))


@pytest.mark.parametrize(("good_bye", "first"), [("421 too many", 2), ("", 3)])
def test_a_connection_that_is_dropped_costs_no_letter(
    three: list[Notice], by_smtp: Any, worker: Worker, good_bye: str, first: int
) -> None:
    with MailServer(letters_each=1, good_bye=good_bye) as server:
        by_smtp(server.port)
        assert tasks.send_notices() == first
        worker.clock.shift(timedelta(minutes=11))
        assert tasks.send_notices() == 3 - first
    assert [stands(each) for each in three] == ["mailed"] * 3
    assert len({email.message_from_string(raw)["To"] for raw in server.letters}) == 3


def test_a_letter_whose_end_is_not_known_takes_no_other_along(
    three: list[Notice], by_smtp: Any
) -> None:
    with MailServer(drop_after_data=True) as server:
        by_smtp(server.port)
        assert tasks.send_notices() == 0
    assert [stands(each) for each in three] == ["failed"] * 3
    assert len(server.letters) == 3, "each was tried over a connection of its own"


def test_a_server_that_goes_away_in_between_leaves_the_rest_unclaimed(
    three: list[Notice], by_smtp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MailServer(letters_each=1) as server:
        by_smtp(server.port)
        opened = iter([True, False])
        connect = EmailBackend.open

        def once(self: EmailBackend) -> bool | None:
            if self.connection is None and not next(opened):
                raise ConnectionRefusedError
            return connect(self)

        monkeypatch.setattr(EmailBackend, "open", once)
        assert tasks.send_notices() == 1
    assert sorted(stands(each) for each in three) == ["mailed", "waiting", "waiting"]
    assert Notice.objects.filter(audience="owners", claimed_at__isnull=True).count() == 2


def test_a_slow_server_gets_the_rest_in_the_next_round(
    three: list[Notice], by_smtp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter([0.0, 0.0, 59.0, 61.0])
    with MailServer() as server, monkeypatch.context() as slow:
        by_smtp(server.port)
        slow.setattr(post, "monotonic", lambda: next(now))
        assert tasks.send_notices() == 2
    assert sorted(stands(each) for each in three) == ["mailed", "mailed", "waiting"]


def test_links_share_a_connection_and_survive_its_end(
    worker: Worker, tenant: Tenant, other_tenant: Tenant, by_smtp: Any
) -> None:
    for each in (tenant, other_tenant):
        services.create_link(each, email="ann@b.example")
    with MailServer(letters_each=1) as server:
        by_smtp(server.port)
        assert tasks.mail_waiting_links() == 2
    assert set(SignupLink.objects.values_list("mail", flat=True)) == {"mailed"}
