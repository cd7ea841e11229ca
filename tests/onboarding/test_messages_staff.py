"""What staff are told: a digest of what is stuck, and one alert for a trouble of all tenants."""

from __future__ import annotations

import re
import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.cache import cache
from django.utils import timezone

from onboarding import notices, tasks, transitions
from onboarding.messages import troubles
from onboarding.models import (
    Notice,
    Onboarding,
    PhoneNumber,
    StaffLetter,
    WebhookEndpoint,
    WhatsAppBusinessAccount,
)
from onboarding.states import State
from tenants.models import Tenant, User
from tests.at_once import at_once
from tests.conftest import Worker, person

S = State


def sticks(
    tenant: Tenant, state: State = S.IN_REVIEW, reason: str = "approval_needed"
) -> Onboarding:
    row = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_platform", state=S.SIGNED_UP
    )
    transitions.move(row, state, actor="worker", reason=reason)
    return row


def later(worker: Worker, **more: float) -> int:
    worker.clock.shift(timedelta(**more))
    return tasks.tell_staff()


# --- The digest ----------------------------------------------------------------------------------


def test_what_is_stuck_is_in_one_digest_by_reason_the_oldest_first(
    worker: Worker, tenant: Tenant, other_tenant: Tenant, reviewer: User
) -> None:
    first = sticks(tenant, S.NEEDS_ATTENTION, "register_refused")
    worker.clock.shift(timedelta(minutes=2))
    sticks(other_tenant)
    sticks(tenant)
    assert later(worker, minutes=10) == 0, "what may end by itself is given a quarter of an hour"
    assert later(worker, minutes=10) == 1
    (letter,) = mail.outbox
    assert (letter.to, letter.bcc) == ([], [reviewer.email])
    assert letter.subject == "3 numbers need somebody"
    text = str(letter.body)
    assert text.index(f"/admin/onboarding/onboarding/{first.pk}/change/") < text.index("Other")
    assert text.count("(new)") == 3
    assert set(Notice.objects.values_list("standing", flat=True)) == {"mailed"}


def test_the_next_digest_comes_after_four_hours_and_only_with_something_new(
    worker: Worker, tenant: Tenant, reviewer: User
) -> None:
    sticks(tenant)
    assert later(worker, minutes=20) == 1
    assert later(worker, hours=9) == 0, "nothing is new"
    sticks(tenant)
    assert later(worker, minutes=20) == 1
    sticks(tenant)
    assert later(worker, hours=3) == 0
    assert later(worker, hours=1) == 1
    text = str(mail.outbox[-1].body)
    assert (text.count("/change/"), text.count("(new)")) == (3, 1)


def test_what_went_on_by_itself_is_in_no_digest(
    worker: Worker, tenant: Tenant, reviewer: User
) -> None:
    transitions.move(sticks(tenant), S.SIGNED_UP, actor="worker")
    assert later(worker, minutes=20) == 0
    assert Notice.objects.get().standing == "overtaken"
    assert not StaffLetter.objects.exists()


def test_customers_waits_are_not_staffs(worker: Worker, tenant: Tenant, reviewer: User) -> None:
    sticks(tenant, S.AWAITING_NUMBER, "number_missing")
    assert later(worker, hours=1) == 0
    assert notices.is_stuck(S.AWAITING_PAYMENT, "payment_missing")
    assert not notices.is_stuck(S.REJECTED, "rejected")


def test_a_lost_number_is_in_the_digest(worker: Worker, tenant: Tenant, reviewer: User) -> None:
    account = WhatsAppBusinessAccount.objects.create(tenant=tenant, waba_id="4000")
    number = PhoneNumber.objects.create(
        tenant=tenant, business_account=account, phone_number_id="5000", e164="+34612345678",
        health="number_offboarded", health_since=timezone.now(), next_look_at=timezone.now(),
    )  # fmt: skip
    notices.number_unwell(number)
    assert later(worker, minutes=1) == 1
    assert "+34 612 34 56 78" in mail.outbox[0].body


def test_only_staff_who_may_see_onboardings_and_want_digests_get_them(
    worker: Worker, tenant: Tenant, reviewer: User, owner: User
) -> None:
    may = person("may@partner.example", staff=True)
    may.user_permissions.add(Permission.objects.get(codename="view_onboarding"))
    person("may-not@partner.example", staff=True)
    User.objects.filter(pk=reviewer.pk).update(wants_digests=False)
    sticks(tenant)
    assert later(worker, minutes=20) == 1
    assert mail.outbox[0].bcc == [may.email]


def test_a_digest_that_nobody_wants_waits_and_is_given_up(worker: Worker, tenant: Tenant) -> None:
    sticks(tenant)
    assert later(worker, minutes=20) == 0
    later(worker, days=3)
    assert StaffLetter.objects.order_by("pk").first().standing == "failed"  # type: ignore[union-attr]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_one_digest(
    worker: Worker, tenant: Tenant, reviewer: User
) -> None:
    sticks(tenant)
    worker.clock.shift(timedelta(minutes=20))
    assert sorted(at_once(*[tasks.tell_staff] * 4)) == [0, 0, 0, 1]
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    ("error", "again"),
    [(smtplib.SMTPDataError(451, b"later"), True), (TimeoutError(), False)],
)
def test_a_digest_is_repeated_only_when_it_surely_was_not_sent(
    worker: Worker, tenant: Tenant, reviewer: User, monkeypatch: pytest.MonkeyPatch,
    error: Exception, again: bool,
) -> None:  # fmt: skip
    def fail(self: Any) -> None:
        raise error

    sticks(tenant)
    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMultiAlternatives.send", fail)
        assert later(worker, minutes=20) == 0
    assert later(worker, minutes=1) == again


def test_what_a_digest_may_have_told_is_not_new_in_the_next_one(
    worker: Worker, tenant: Tenant, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(self: Any) -> None:
        raise SystemExit

    sticks(tenant)
    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMultiAlternatives.send", dies)
        with pytest.raises(SystemExit):
            later(worker, minutes=20)
    assert Notice.objects.get().standing == "sending"
    worker.clock.shift(timedelta(minutes=11))
    tasks.send_notices()
    assert Notice.objects.get().standing == "failed"
    assert later(worker, hours=5) == 0
    sticks(tenant)
    assert later(worker, minutes=20) == 1
    assert str(mail.outbox[0].body).count("(new)") == 1


def test_what_went_wrong_is_told_though_the_customer_has_to_act(
    worker: Worker, tenant: Tenant, reviewer: User
) -> None:
    sticks(tenant, S.NEEDS_ATTENTION, "pin_mismatch")
    sticks(tenant, S.AWAITING_NUMBER, "number_missing")
    assert later(worker, minutes=20) == 1
    (letter,) = mail.outbox
    assert letter.subject == "1 number needs somebody"
    assert "Next move: the customer" in letter.body


def test_a_long_digest_counts_all_and_shows_the_oldest(
    worker: Worker, tenant: Tenant, reviewer: User
) -> None:
    rows = [sticks(tenant) for _ in range(13)]
    now = timezone.now()
    for hours, row in enumerate(rows):  # the last one of them waits longest
        Onboarding.objects.filter(pk=row.pk).update(state_changed_at=now - timedelta(hours=hours))
    Onboarding.objects.bulk_create(
        Onboarding(
            tenant=tenant, connection_mode="business_platform", state=S.IN_REVIEW,
            reason="approval_needed", state_changed_at=now,
        )
        for _ in range(2000)
    )  # fmt: skip
    assert later(worker, minutes=20) == 1
    (letter,) = mail.outbox
    text = str(letter.body)
    assert letter.subject == "2013 numbers need somebody"
    assert "(2013)" in text
    assert "and 2003 more" in text
    shown = re.findall(r"/onboarding/(\d+)/change/", text)
    assert shown == [str(row.pk) for row in reversed(rows[3:])]


def test_what_a_worker_of_the_release_before_took_is_not_told_again(
    worker: Worker, tenant: Tenant, reviewer: User
) -> None:
    sticks(tenant)
    Notice.objects.update(claimed_at=timezone.now())
    assert later(worker, minutes=20) == 0


# --- Alerts --------------------------------------------------------------------------------------


def balance(amount: float) -> None:
    cache.set("balance", (amount, "USD", timezone.now().isoformat()), None)


def test_a_low_balance_is_told_at_once_and_once(worker: Worker, reviewer: User) -> None:
    balance(12.4)
    assert tasks.tell_staff() == 1
    assert later(worker, hours=2) == 0
    (letter,) = mail.outbox
    assert letter.subject == "The balance at YCloud is low"
    assert "12.40 USD" in letter.body
    assert "/admin/" in letter.body


def test_a_balance_that_hovers_at_the_line_is_one_trouble(worker: Worker, reviewer: User) -> None:
    for amount in (19, 21, 19, 23.9, 18):
        balance(amount)
        later(worker, hours=2)
    assert len(mail.outbox) == 1


def test_after_a_quiet_half_hour_the_next_trouble_is_told_anew(
    worker: Worker, reviewer: User
) -> None:
    balance(10)
    tasks.tell_staff()
    balance(500)
    later(worker, minutes=1)
    later(worker, minutes=20)
    balance(10)
    assert later(worker, minutes=1) == 0, "it was away for too short a time"
    balance(500)
    later(worker, minutes=1)
    later(worker, minutes=31)
    balance(10)
    assert later(worker, minutes=1) == 1


def test_what_stops_every_tenant_is_one_alert_and_no_entry_of_the_digest(
    worker: Worker, tenant: Tenant, other_tenant: Tenant, reviewer: User
) -> None:
    for each in (tenant, other_tenant, tenant):
        row = sticks(each, S.LINKED, "")
        transitions.move(row, S.LINKED, actor="worker", reason="ycloud_access_refused")
    assert later(worker, minutes=1) == 1
    assert later(worker, hours=1) == 0
    assert len(mail.outbox) == 1
    assert not Notice.objects.filter(audience="staff").exists()


def test_an_endpoint_that_failed_is_told_and_one_that_staff_switched_off_is_not(
    worker: Worker, reviewer: User
) -> None:
    for reason in ("failing", "by_staff"):
        WebhookEndpoint.objects.create(
            url=f"https://{reason}.example/?key=secret-of-theirs", secret="x", enabled=False,
            disabled_reason=reason,
        )  # fmt: skip
    assert tasks.tell_staff() == 1
    (letter,) = mail.outbox
    assert "https://failing.example/" in letter.body
    assert "secret-of-theirs" not in letter.body


def test_metas_cap_is_told_when_it_is_near(
    worker: Worker, tenant: Tenant, reviewer: User, settings: Any
) -> None:
    settings.META_NEW_CUSTOMERS_PER_7_DAYS = 1
    WhatsAppBusinessAccount.objects.create(tenant=tenant, waba_id="4000")
    assert tasks.tell_staff() == 1
    assert "1 of 1 in seven days" in mail.outbox[0].body


def test_each_trouble_has_words(db: None) -> None:
    for trouble in (*troubles.WORDS, "endpoint:7", *notices.ACCOUNT_WIDE):
        words = troubles.words_of(trouble)
        assert words.what
        assert words.why
