"""What is told by e-mail: to whom, when, at most once, and never a flood."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from onboarding import notices, quota, services, tasks, transitions
from onboarding.messages import letters, send
from onboarding.models import (
    MailAddress,
    Notice,
    Onboarding,
    PhoneNumber,
    SignupLink,
    WhatsAppBusinessAccount,
)
from onboarding.states import State
from tenants.models import Membership, Tenant, User
from tests.at_once import at_once
from tests.conftest import Worker, pages_of, person

S = State


@pytest.fixture
def row(tenant: Tenant, worker: Worker) -> Onboarding:
    """An attempt that Meta's window has finished."""
    made = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_platform", state=S.SIGNED_UP,
        claimed_at=timezone.now(),
    )  # fmt: skip
    transitions.begun(made, "customer")
    return made


def stops(
    row: Onboarding, state: State = S.AWAITING_NUMBER, reason: str = "number_missing"
) -> None:
    row.refresh_from_db()
    if row.state not in (S.SIGNED_UP, state):
        transitions.move(row, S.SIGNED_UP, actor="worker")
    transitions.move(row, state, actor="worker", reason=reason)


def later(worker: Worker, minutes: float = 6) -> int:
    """Time passes and what is due is mailed; how many letters."""
    worker.clock.shift(timedelta(minutes=minutes))
    return tasks.send_notices()


def told() -> list[str]:
    """Whom the letters went to, in order."""
    return [address for letter in mail.outbox for address in letter.to]


def standings(kind: str = "needed") -> list[str]:
    rows = Notice.objects.filter(kind=kind).order_by("pk")
    return list(rows.values_list("standing", flat=True))


def confirmed(row: Onboarding, email: str = "guest@cakes.example") -> MailAddress:
    return MailAddress.objects.create(
        tenant=row.tenant, onboarding=row, email=email, confirmed_at=timezone.now()
    )


# --- Something is needed -------------------------------------------------------------------------


def test_what_is_needed_is_told_once_when_it_is_still_needed_after_five_minutes(
    row: Onboarding, owner: User, worker: Worker
) -> None:
    stops(row)
    assert later(worker, 4) == 0
    assert later(worker, 2) == 1
    assert later(worker, 60) == 0
    (letter,) = mail.outbox
    assert letter.to == [owner.email]
    assert letter.subject.startswith("John's Cake Shop: ")
    assert f"/connect/?onboarding={row.public_id}" in letter.body
    assert row.reference in letter.body
    assert standings() == ["mailed"]


def test_what_was_done_meanwhile_is_not_told(row: Onboarding, owner: User, worker: Worker) -> None:
    stops(row)
    transitions.move(row, S.SIGNED_UP, actor="worker")
    assert later(worker) == 0
    assert standings() == ["overtaken"]


def test_who_looks_at_the_page_is_told_only_after_they_went(
    row: Onboarding, owner: User, worker: Worker
) -> None:
    stops(row)
    worker.clock.shift(timedelta(minutes=6))
    quota.seen_at_page(row.pk)
    assert tasks.send_notices() == 0
    assert standings() == ["waiting"]
    quota.store.redis_client().delete(quota.PAGE_KEY)
    assert later(worker) == 1


def test_the_same_stop_that_comes_back_within_a_day_is_not_told_again(
    row: Onboarding, owner: User, worker: Worker
) -> None:
    stops(row)
    later(worker)
    stops(row, reason="number_missing")
    transitions.move(row, S.SIGNED_UP, actor="worker")
    stops(row)
    assert later(worker, 30) == 0
    transitions.move(row, S.SIGNED_UP, actor="worker")
    worker.clock.shift(timedelta(days=1))
    stops(row)
    assert later(worker) == 1


@pytest.mark.parametrize(
    ("state", "reason", "is_told"),
    [
        (S.AWAITING_ACCOUNT, "account_choice", True),
        (S.AWAITING_NUMBER, "number_not_verified", True),
        (S.AWAITING_NUMBER, "number_not_listed", False),
        (S.NEEDS_ATTENTION, "account_held", True),
        (S.NEEDS_ATTENTION, "register_refused", False),
        (S.REJECTED, "rejected", True),
        (S.AWAITING_PAYMENT, "payment_missing", False),
        (S.IN_REVIEW, "approval_needed", False),
        (S.CANCELLED, "meta_cancelled", False),
    ],
)
def test_the_customer_is_told_of_what_they_have_to_do_and_of_a_rejection(
    state: State, reason: str, is_told: bool
) -> None:
    assert notices.needs_customer(state, reason) is is_told


def test_a_reason_for_staff_is_told_in_the_customers_words(
    row: Onboarding, owner: User, worker: Worker
) -> None:
    stops(row, S.NEEDS_ATTENTION, "account_held")
    later(worker)
    assert Notice.objects.get(kind="needed").reason == "account_unconfirmed"
    assert "could not confirm" in mail.outbox[0].body


def test_a_rejection_is_told_with_what_the_reviewer_wrote(
    row: Onboarding, owner: User, worker: Worker
) -> None:
    transitions.move(row, S.IN_REVIEW, actor="worker", reason="unproven", note="for staff alone")
    said = "Your <papers> are out of date.\n\nSend newer ones."
    transitions.move(row, S.REJECTED, actor="reviewer", reason="rejected", note=said)
    assert later(worker) == 1
    (letter,) = mail.outbox
    assert "> Your <papers> are out of date.\n> Send newer ones.\n" in letter.body
    html, _ = letter.alternatives[0]  # type: ignore[attr-defined]
    assert "Your &lt;papers&gt; are out of date.<br>Send newer ones.</blockquote>" in html
    assert "for staff alone" not in letter.body + html


# --- Whom ----------------------------------------------------------------------------------------


def test_owners_and_who_began_it_are_told_and_no_other_member(
    row: Onboarding, owner: User, member: User, stranger: User, worker: Worker
) -> None:
    person("other@cakes.example").memberships.create(tenant=row.tenant)
    Membership.objects.create(user=stranger, tenant=row.tenant)  # an owner, but elsewhere
    Onboarding.objects.update(started_by=member)
    stops(row)
    later(worker)
    assert sorted(told()) == [member.email, owner.email]


def test_who_is_no_member_any_more_or_wants_no_letters_is_not_told(
    row: Onboarding, owner: User, member: User, worker: Worker
) -> None:
    Onboarding.objects.update(started_by=member)
    stops(row)
    Membership.objects.filter(user=member).delete()
    User.objects.filter(pk=owner.pk).update(wants_letters=False)
    assert later(worker) == 0
    assert standings() == ["overtaken", "overtaken"]


def test_a_guest_is_told_at_a_confirmed_address_alone(row: Onboarding, worker: Worker) -> None:
    confirmed(row)
    MailAddress.objects.create(tenant=row.tenant, onboarding=row, email="new@cakes.example")
    MailAddress.objects.create(
        tenant=row.tenant, onboarding=row, email="off@cakes.example",
        confirmed_at=timezone.now(), off_at=timezone.now(),
    )  # fmt: skip
    stops(row)
    later(worker)
    assert told() == ["guest@cakes.example"]


def test_one_address_gets_one_letter_though_it_is_an_owners_and_a_guests(
    row: Onboarding, owner: User, worker: Worker
) -> None:
    confirmed(row, owner.email)
    stops(row)
    later(worker)
    assert told() == [owner.email]


LINK = {"email": "john@cakes.example", "mail": "mailed", "made_by": "key", "times_opened": 1}


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ({}, True),
        ({"made_by": "staff"}, True),
        ({"made_by": "owner"}, False),
        ({"mail": "failed"}, False),
        ({"mail": "waiting"}, False),
        ({"times_opened": 0}, False),
        ({"email": ""}, False),
    ],
)
def test_the_address_a_link_was_mailed_to_counts_as_confirmed_unless_an_owner_knew_the_token(
    tenant: Tenant, changed: dict[str, Any], counts: bool
) -> None:
    link, _ = services.create_link(tenant)
    SignupLink.objects.filter(pk=link.pk).update(**{**LINK, **changed})
    link.refresh_from_db()
    row = Onboarding.objects.create(tenant=tenant, connection_mode="business_app", link=link)
    transitions.begun(row, "link")
    assert [a.is_told for a in MailAddress.objects.all()] == ([True] if counts else [])


def test_a_links_address_that_said_no_stays_silent_in_the_next_attempt(
    row: Onboarding, tenant: Tenant
) -> None:
    address = confirmed(row, LINK["email"])  # type: ignore[arg-type]
    MailAddress.objects.filter(pk=address.pk).update(off_at=timezone.now())
    link, _ = services.create_link(tenant)
    SignupLink.objects.filter(pk=link.pk).update(**LINK)
    link.refresh_from_db()
    again = Onboarding.objects.create(tenant=tenant, connection_mode="business_app", link=link)
    transitions.begun(again, "link")
    assert not again.mail_addresses.exists()


# --- Connected -----------------------------------------------------------------------------------


@pytest.fixture
def number(tenant: Tenant) -> PhoneNumber:
    account = WhatsAppBusinessAccount.objects.create(tenant=tenant, waba_id="4000")
    return PhoneNumber.objects.create(
        tenant=tenant, business_account=account, phone_number_id="5000", e164="+34612345678",
        messaging_limit="TIER_1K",
    )  # fmt: skip


def connects(row: Onboarding, number: PhoneNumber) -> None:
    row.refresh_from_db()
    for state in (S.LINKED, S.REGISTERING):
        transitions.move(row, state, actor="worker")
    transitions.move(row, S.CONNECTED, actor="worker", number=number)


def test_that_a_number_is_connected_is_told_once_with_its_limit_and_what_to_do_first(
    row: Onboarding, number: PhoneNumber, owner: User, worker: Worker
) -> None:
    confirmed(row)
    connects(row, number)
    assert later(worker, 0) == 2
    assert later(worker, 600) == 0
    assert sorted(told()) == ["guest@cakes.example", owner.email]
    for letter in mail.outbox:
        assert "Your number is connected" in letter.subject
        assert "+34 612 34 56 78" in letter.body
        assert "1,000 customers a day" in letter.body
        assert "What to do first" in letter.body


@pytest.mark.parametrize(("minutes", "letters"), [(1, 0), (3, 1)])
def test_who_watched_it_connect_quickly_needs_no_letter(
    row: Onboarding, number: PhoneNumber, owner: User, worker: Worker, minutes: int, letters: int
) -> None:
    worker.clock.shift(timedelta(minutes=minutes))
    quota.seen_at_page(row.pk)
    connects(row, number)
    assert tasks.send_notices() == letters


# --- A number's health ---------------------------------------------------------------------------


def is_lost(number: PhoneNumber, reason: str = "number_offboarded") -> None:
    number.health, number.health_since = reason, timezone.now()
    number.save()
    notices.number_unwell(number)


def test_at_least_one_owner_is_told_of_a_lost_number(
    number: PhoneNumber, tenant: Tenant, owner: User
) -> None:
    second = person("second@cakes.example")
    Membership.objects.create(user=second, tenant=tenant, role=Membership.Role.OWNER)
    User.objects.filter(pk=second.pk).update(wants_letters=False)
    is_lost(number)
    tasks.send_notices()
    assert told() == [owner.email]
    mail.outbox.clear()
    User.objects.update(wants_letters=False)
    Notice.objects.all().delete()
    is_lost(number)
    tasks.send_notices()
    assert sorted(told()) == [owner.email, second.email]


def test_without_any_owner_the_guest_who_connected_the_number_is_told(
    number: PhoneNumber, row: Onboarding
) -> None:
    confirmed(row)
    connects(row, number)
    Notice.objects.all().delete()
    is_lost(number)
    tasks.send_notices()
    assert told() == ["guest@cakes.example"]


def test_a_number_that_is_well_again_is_not_told_as_lost(number: PhoneNumber, owner: User) -> None:
    is_lost(number)
    PhoneNumber.objects.update(health="", health_since=None)
    assert tasks.send_notices() == 0
    assert "overtaken" in standings("health")


def test_a_row_of_the_release_before_is_told_to_each_owner(
    number: PhoneNumber, owner: User
) -> None:
    number.health, number.health_since = "number_removed", timezone.now()
    number.save()
    Notice.objects.create(
        tenant=number.tenant, key="old", audience="owners", number=number, reason="number_removed"
    )
    assert tasks.send_notices() == 1
    assert told() == [owner.email]
    assert tasks.send_notices() == 0


# --- Not too many --------------------------------------------------------------------------------


def many(row: Onboarding, count: int) -> list[Onboarding]:
    rows = []
    for _ in range(count):
        made = Onboarding.objects.create(
            tenant=row.tenant, connection_mode="business_platform", state=S.SIGNED_UP
        )
        transitions.begun(made, "customer")
        rows.append(made)
    return rows


def test_what_is_due_together_is_one_letter(row: Onboarding, owner: User, worker: Worker) -> None:
    for each in many(row, 3):
        stops(each)
    assert later(worker) == 1
    (letter,) = mail.outbox
    assert letter.subject.endswith(": Your WhatsApp account has no number to connect yet (3)")
    assert letter.body.count("/connect/?onboarding=") == 3
    assert len(set(Notice.objects.values_list("letter", flat=True))) == 1


def test_after_a_letter_what_comes_within_ten_minutes_waits_for_the_next_one(
    row: Onboarding, owner: User, worker: Worker
) -> None:
    first, second, third = many(row, 3)
    stops(first)
    assert later(worker) == 1
    worker.clock.shift(timedelta(minutes=-5))
    stops(second)
    stops(third)
    assert later(worker, 5.5) == 0, "they are due, and the first letter went out just now"
    assert later(worker, 10) == 1
    assert len(mail.outbox) == 2


def test_no_recipient_gets_more_than_six_letters_a_day_and_the_rest_is_in_the_next(
    row: Onboarding, owner: User, worker: Worker
) -> None:
    for each in many(row, send.PER_DAY + 3):
        stops(each)
        later(worker, 20)
    assert len(mail.outbox) == send.PER_DAY
    later(worker, 24 * 60 - 20 * 7)
    assert len(mail.outbox) == send.PER_DAY + 1
    assert mail.outbox[-1].body.count("/connect/?onboarding=") == 3


def test_two_tenants_never_share_a_letter(
    row: Onboarding, other_tenant: Tenant, owner: User, worker: Worker
) -> None:
    Membership.objects.create(user=owner, tenant=other_tenant, role=Membership.Role.OWNER)
    theirs = Onboarding.objects.create(
        tenant=other_tenant, connection_mode="business_platform", state=S.SIGNED_UP
    )
    stops(row)
    stops(theirs)
    assert later(worker) == 2
    for letter in mail.outbox:
        assert ("Other Company" in letter.body) != ("Cake Shop" in letter.body)


# --- At most once --------------------------------------------------------------------------------


@pytest.fixture
def waiting(worker: Worker, number: PhoneNumber, owner: User) -> Notice:
    is_lost(number)
    return Notice.objects.get(audience="owners")


@pytest.mark.parametrize(
    ("error", "stands"),
    [
        (smtplib.SMTPRecipientsRefused({"a": (451, b"later")}), "waiting"),
        (smtplib.SMTPDataError(550, b"no"), "waiting"),
        (smtplib.SMTPRecipientsRefused({"a": (550, b"nobody")}), "failed"),
        (smtplib.SMTPServerDisconnected(), "failed"),
        (TimeoutError(), "failed"),
        (ValueError("a fault of ours"), "failed"),
    ],
)
def test_a_letter_is_repeated_only_when_it_surely_was_not_sent(
    waiting: Notice, worker: Worker, monkeypatch: pytest.MonkeyPatch, error: Exception, stands: str
) -> None:
    def fail(self: Any) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMultiAlternatives.send", fail)
        assert later(worker, 0) == 0
    waiting.refresh_from_db()
    assert waiting.standing == stands
    assert later(worker) == (1 if stands == "waiting" else 0)


def test_a_letter_whose_worker_died_with_it_is_not_sent_again(
    waiting: Notice, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(self: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMultiAlternatives.send", dies)
        with pytest.raises(SystemExit):
            tasks.send_notices()
    waiting.refresh_from_db()
    assert waiting.standing == "sending"
    assert later(worker) == 0
    assert later(worker, 11) == 0
    waiting.refresh_from_db()
    assert waiting.standing == "failed"
    assert not mail.outbox


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_one_letter(waiting: Notice) -> None:
    assert sorted(at_once(*[tasks.send_notices] * 4)) == [0, 0, 0, 1]
    assert len(mail.outbox) == 1


def test_an_event_that_comes_twice_is_written_once(number: PhoneNumber, owner: User) -> None:
    is_lost(number)
    notices.number_unwell(number)
    assert Notice.objects.filter(audience="owners").count() == 1


def test_one_refused_letter_holds_up_no_other(
    number: PhoneNumber, tenant: Tenant, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = person("second@cakes.example")
    Membership.objects.create(user=second, tenant=tenant, role=Membership.Role.OWNER)
    send_it = mail.EmailMultiAlternatives.send

    def refuse_one(self: Any, *args: Any) -> Any:
        if owner.email in self.to:
            raise smtplib.SMTPRecipientsRefused({})
        return send_it(self, *args)

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", refuse_one)
    is_lost(number)
    for _ in range(3):
        tasks.send_notices()
    assert told() == [second.email]


def test_a_mail_server_that_is_away_costs_no_notice_until_two_days_are_over(
    waiting: Notice, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(self: Any) -> None:
        raise TimeoutError

    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.backends.locmem.EmailBackend.open", away)
        assert later(worker, 0) == 0
        waiting.refresh_from_db()
        assert (waiting.standing, waiting.claimed_at) == ("waiting", None)
        later(worker, 49 * 60)
    waiting.refresh_from_db()
    assert waiting.standing == "failed"


def test_what_is_due_at_once_is_nudged_after_the_commit(
    number: PhoneNumber, owner: User, monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:  # fmt: skip
    nudged: list[str] = []
    monkeypatch.setattr(tasks, "_published", lambda task, kwargs: nudged.append(task.name))
    with django_capture_on_commit_callbacks(execute=True):
        is_lost(number)
    assert nudged == ["onboarding.tasks.send_notices"]


# --- The timeline --------------------------------------------------------------------------------


def test_the_timeline_names_the_address_to_staff_alone(
    row: Onboarding, owner: User, member: User, worker: Worker
) -> None:
    from onboarding.timeline import timeline

    Onboarding.objects.update(started_by=member)
    confirmed(row)
    stops(row)
    later(worker)
    assert len(mail.outbox) == 3
    mine = [e for e in timeline(row) if e["kind"] == "message"]
    assert [(e["text"], e["detail"]) for e in mine] == [("We e-mailed you", "")]
    theirs = [e["detail"] for e in timeline(row, staff=True) if e["kind"] == "message"]
    assert sorted(d.partition("→ ")[2] for d in theirs) == sorted(told())


def test_a_letter_that_cannot_be_written_holds_up_no_other(
    waiting: Notice, number: PhoneNumber, tenant: Tenant, monkeypatch: pytest.MonkeyPatch,
    owner: User,
) -> None:  # fmt: skip
    second = person("second@cakes.example")
    Membership.objects.create(user=second, tenant=tenant, role=Membership.Role.OWNER)
    notices.number_unwell(number)
    write = letters.news

    def fails_for_one(claimed: list[Notice], **more: Any) -> Any:
        if claimed[0].user == owner:
            raise ZeroDivisionError
        return write(claimed, **more)

    monkeypatch.setattr(letters, "news", fails_for_one)
    assert tasks.send_notices() == 1
    assert told() == [second.email]
    waiting.refresh_from_db()
    assert waiting.standing == "failed"


def test_what_a_process_of_the_release_before_has_claimed_is_left_to_it(waiting: Notice) -> None:
    Notice.objects.filter(pk=waiting.pk).update(claimed_at=timezone.now())
    assert tasks.send_notices() == 0


def test_a_member_can_be_deleted_though_they_were_told(
    waiting: Notice, owner: User, reviewer: User, member: User
) -> None:
    tasks.send_notices()
    desk = pages_of(reviewer)
    Membership.objects.filter(user=member).update(role="owner")  # the last one could not go
    desk.post(f"/admin/tenants/user/{owner.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=owner.pk).exists()
    waiting.refresh_from_db()
    assert (waiting.user, waiting.standing) == (None, "mailed")
