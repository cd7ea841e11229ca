"""Letters over a real connection: a server that is away, refuses, or hangs up in between."""

from __future__ import annotations

import email
import socket
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from onboarding import notices, tasks
from onboarding.models import Notice, PhoneNumber, WhatsAppBusinessAccount
from tenants.models import Tenant, User
from tests.conftest import Worker
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
