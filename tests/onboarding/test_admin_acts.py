"""What staff do at the desk: each act with its right, its page, its refusal and its trace."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client

from onboarding import link_mail, services
from onboarding.admin.onboardings.acts import ALL, BY_NAME, Act
from onboarding.models import (
    Onboarding,
    PhoneNumber,
    SignupLink,
    StaffNote,
    WhatsAppBusinessAccount,
)
from tenants.models import AuditEntry, Tenant, User
from tests.at_once import at_once
from tests.conftest import Sandbox, Worker, pages_of
from tests.onboarding.desk import LIST, decide, desk_of, onboarded, record, staff

ACTS = [pytest.param(act, id=act.name) for act in ALL]

FITTING: dict[str, tuple[str, str]] = {
    "approve": ("in_review", "approval_needed"),
    "reject": ("in_review", "approval_needed"),
    "resume": ("awaiting_payment", "payment_missing"),
    "reread": ("awaiting_payment", "payment_missing"),
    "search": ("cancelled", "no_confirmation"),
    "retry": ("registering", "display_name_review"),
    "link": ("started", ""),
    "transfer": ("needs_attention", "account_held"),
    "withdraw": ("awaiting_number", "number_missing"),
    "assign": ("connected", ""),
    "note": ("connected", ""),
}
"""A state in which each act fits."""

TOLD: dict[str, dict[str, str]] = {
    "reject": {"note": "Not our customer."},
    "link": {"email": "new@cakes.example"},
    "withdraw": {"confirmed": "yes"},
    "retry": {"confirmed": "yes"},
    "assign": {"to": "me"},
    "note": {"note": "Called them."},
}
"""What an act has to be told."""


@pytest.fixture
def rows(tenant: Tenant, other_tenant: Tenant) -> dict[str, Onboarding]:
    """An onboarding for each act, in a state that the act fits."""
    from django.utils import timezone

    found = {}
    for n, (name, (state, reason)) in enumerate(FITTING.items()):
        row = Onboarding.objects.create(
            tenant=tenant, connection_mode="business_platform", state=state, reason=reason,
            launched_at=timezone.now(), claimed_waba_id=f"100{n}",
        )  # fmt: skip
        if name == "retry":
            waba = WhatsAppBusinessAccount.objects.create(tenant=tenant, waba_id="1005")
            row.business_account = waba
            row.number = PhoneNumber.objects.create(
                tenant=tenant, business_account=waba, phone_number_id="2005", e164="+34600000005"
            )
            row.save()
        if name == "transfer":
            WhatsAppBusinessAccount.objects.create(
                tenant=other_tenant, waba_id=row.claimed_waba_id, proof="grant"
            )
        found[name] = row
    return found


def state_of(row: Onboarding) -> Any:
    row = Onboarding.objects.get(pk=row.pk)
    return row.state, row.reason, row.assigned_to_id, row.staff_notes.count(), row.wakes


def entries() -> int:
    return AuditEntry.objects.count()


# --- Rights --------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ACTS)
def test_who_has_every_right_but_this_one_gets_a_403_and_no_button(
    rows: dict[str, Onboarding], act: Act
) -> None:
    row = rows[act.name]
    user = staff("nearly@partner.example")
    user.user_permissions.set(Permission.objects.exclude(codename=act.right))
    desk = pages_of(user)
    before = state_of(row), entries()
    assert decide(desk, row, act.name, **TOLD.get(act.name, {})).status_code == 403
    assert desk.get(f"{LIST}{row.pk}/decide/{act.name}/").status_code == 403
    assert f"decide/{act.name}/" not in record(desk, row)
    chosen = {"action": f"{act.name}_selected", "_selected_action": [row.pk]}
    desk.post(LIST, {**chosen, **TOLD.get(act.name, {})})
    assert (state_of(row), entries()) == before
    assert f'value="{act.name}_selected"' not in desk.get(LIST).content.decode()


@pytest.mark.parametrize("act", ACTS)
def test_who_may_look_and_do_this_alone_can_do_it(rows: dict[str, Onboarding], act: Act) -> None:
    row = rows[act.name]
    desk = desk_of("only@partner.example", act.right)
    assert f"decide/{act.name}/" in record(desk, row)
    answer = decide(desk, row, act.name, **TOLD.get(act.name, {}))
    assert str(act.done) in answer.content.decode()
    trace = {"transfer": "transfer.opened"}.get(act.name, "onboarding.")
    assert AuditEntry.objects.filter(act__startswith=trace, actor="only@partner.example").exists()


@pytest.mark.parametrize("act", ACTS)
def test_the_right_without_the_right_to_look_opens_nothing(
    rows: dict[str, Onboarding], act: Act
) -> None:
    desk = pages_of(staff("blind@partner.example", act.right))
    before = entries()
    assert decide(desk, rows[act.name], act.name, **TOLD.get(act.name, {})).status_code == 403
    assert entries() == before


@pytest.mark.parametrize("act", ACTS)
def test_a_link_decides_nothing_and_neither_does_a_form_without_its_token(
    desk: Client, rows: dict[str, Onboarding], act: Act
) -> None:
    row, before = rows[act.name], (state_of(rows[act.name]), entries())
    address = f"{LIST}{row.pk}/decide/{act.name}/"
    told = TOLD.get(act.name, {})
    assert desk.get(address, told).status_code == 200
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = desk.cookies
    assert strict.post(address, told).status_code == 403
    assert (state_of(row), entries()) == before


@pytest.mark.parametrize("act", [act for act in ACTS if act.values[0].asks])  # type: ignore[attr-defined]
def test_an_act_that_has_to_be_told_something_asks_first(
    desk: Client, rows: dict[str, Onboarding], act: Act
) -> None:
    row = rows[act.name]
    before = state_of(row), entries()
    asked = decide(desk, row, act.name)
    assert "record-ask" in asked.content.decode()
    assert (state_of(row), entries()) == before


@pytest.mark.parametrize("act", ACTS)
def test_an_act_is_offered_only_where_it_fits(
    desk: Client, rows: dict[str, Onboarding], act: Act
) -> None:
    for name, row in rows.items():
        offered = f"decide/{act.name}/" in record(desk, row)
        assert offered == act.fits(row), name


def test_every_act_has_its_own_right_and_a_state_here(db: None) -> None:
    assert len({act.right for act in ALL}) == len(ALL)
    assert set(FITTING) == set(BY_NAME)
    known = set(Permission.objects.values_list("codename", flat=True))
    assert {act.right for act in ALL} <= known


def test_an_unknown_act_is_a_404(desk: Client, in_review: Onboarding) -> None:
    assert decide(desk, in_review, "connect").status_code == 404


# --- Approve, reject, resume, read again, withdraw -----------------------------------------------


def test_an_approval_is_kept_with_the_reviewer(
    desk: Client, reviewer: User, in_review: Onboarding, worker: Worker
) -> None:
    decide(desk, in_review, "approve")
    worker.run()
    in_review.refresh_from_db()
    assert (in_review.state, in_review.approved_by) == ("connected", reviewer)
    assert in_review.transitions.filter(actor=reviewer.username, note="approved").exists()


def test_a_rejection_asks_why_and_shows_what_the_customer_will_read(
    desk: Client, in_review: Onboarding
) -> None:
    asked = decide(desk, in_review, "reject").content.decode()
    assert "The customer reads what you write here." in asked
    assert "What the customer sees" in asked
    assert "Your partner declined this connection" in asked
    assert "This field is required" in decide(desk, in_review, "reject", note=" ").content.decode()
    in_review.refresh_from_db()
    assert in_review.state == "in_review"
    decide(desk, in_review, "reject", note="Not our customer.")
    in_review.refresh_from_db()
    assert in_review.state == "rejected"


def test_reading_again_takes_fresh_facts_and_resume_makes_a_fresh_pass(
    desk: Client, owner: User, sandbox: Sandbox, worker: Worker
) -> None:
    row = onboarded(owner, sandbox, worker, "payment_missing")
    before = len(sandbox.calls)
    decide(desk, row, "reread")
    worker.run()
    assert len(sandbox.calls) == before + 2
    sandbox.act("attach_payment", waba_id=row.claimed_waba_id)
    decide(desk, row, "resume")
    worker.run()
    row.refresh_from_db()
    assert row.state == "connected"


def test_a_withdrawal_is_confirmed_first(desk: Client, in_review: Onboarding) -> None:
    assert "The attempt ends." in decide(desk, in_review, "withdraw").content.decode()
    decide(desk, in_review, "withdraw", confirmed="yes")
    in_review.refresh_from_db()
    assert (in_review.state, in_review.reason) == ("cancelled", "withdrawn")


# --- Several at once -----------------------------------------------------------------------------


def test_rows_that_do_not_fit_are_named_and_the_others_go_on(
    desk: Client, rows: dict[str, Onboarding]
) -> None:
    chosen = [rows["approve"].pk, rows["resume"].pk, rows["reject"].pk]
    sent = {"action": "approve_selected", "_selected_action": chosen}
    page = desk.post(LIST, sent, follow=True).content.decode()
    assert state_of(rows["approve"])[0] == state_of(rows["reject"])[0] == "signed_up"
    assert state_of(rows["resume"])[0] == "awaiting_payment"
    assert f"{rows['resume']}: It is not in review." in page.replace("&#x27;", "'")
    assert page.count("Approved.") == 2


def test_several_rows_are_rejected_from_the_list(desk: Client, rows: dict[str, Onboarding]) -> None:
    chosen = [rows["approve"].pk, rows["reject"].pk]
    sent = {"action": "reject_selected", "_selected_action": chosen}
    asked = desk.post(LIST, sent).content.decode()
    assert asked.count('name="_selected_action"') == 2
    desk.post(LIST, {**sent, "note": "No."})
    assert {state_of(rows[name])[0] for name in ("approve", "reject")} == {"rejected"}


def test_no_more_than_a_limit_is_done_at_once(
    desk: Client, rows: dict[str, Onboarding], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onboarding.admin.onboardings.deciding.MOST_AT_ONCE", 1)
    chosen = [rows["approve"].pk, rows["reject"].pk]
    sent = {"action": "approve_selected", "_selected_action": chosen}
    assert "at most 1 at once" in desk.post(LIST, sent, follow=True).content.decode()
    assert state_of(rows["approve"])[0] == "in_review"


# --- Two at once, and pages that are old ---------------------------------------------------------


def test_a_decision_that_does_not_fit_any_more_says_where_it_stands_and_by_whom(
    desk: Client, in_review: Onboarding
) -> None:
    services.approve(in_review, staff("first@partner.example"))
    page = decide(desk, in_review, "approve").content.decode()
    assert "It is not in review." in page
    assert "by first@partner.example" in page


def test_a_page_that_is_old_decides_nothing(desk: Client, in_review: Onboarding) -> None:
    """In review for another reason than the page said."""
    Onboarding.objects.filter(pk=in_review.pk).update(reason="unproven")
    page = decide(
        desk, in_review, "approve", **{f"seen-{in_review.pk}": "in_review/approval_needed"}
    ).content.decode()
    assert "It has moved on since your page was loaded" in page
    assert state_of(in_review)[0] == "in_review"


def test_of_two_who_decide_at_once_one_is_refused(transactional_db: None, tenant: Tenant) -> None:
    row = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_app", state="in_review", reason="approval_needed"
    )
    one, two = staff("one@partner.example"), staff("two@partner.example")
    ended = at_once(lambda: services.approve(row, one), lambda: services.reject(row, two, "No."))
    assert sum(isinstance(each, services.RefusedError) for each in ended) == 1
    assert row.transitions.exclude(actor="worker").count() == 1


# --- Assign --------------------------------------------------------------------------------------


def test_it_is_assigned_to_me_to_somebody_and_to_nobody(
    desk: Client, reviewer: User, in_review: Onboarding
) -> None:
    colleague = staff("colleague@partner.example")
    for to, who in (("me", reviewer.pk), (str(colleague.pk), colleague.pk), ("nobody", None)):
        decide(desk, in_review, "assign", to=to)
        assert state_of(in_review)[2] == who
    acts = AuditEntry.objects.filter(act="onboarding.assigned").order_by("pk")
    assert [each.after["user"] for each in acts] == [reviewer.pk, colleague.pk, None]


def test_only_staff_can_be_assigned(
    desk: Client, owner: User, in_review: Onboarding, reviewer: User
) -> None:
    assert (
        "Select a valid choice"
        in decide(desk, in_review, "assign", to=str(owner.pk)).content.decode()
    )
    with pytest.raises(services.RefusedError):
        services.assign(in_review, owner, reviewer)
    assert state_of(in_review)[2] is None


def test_who_takes_it_from_an_old_page_is_told_who_has_it(
    desk: Client, in_review: Onboarding
) -> None:
    colleague = staff("colleague@partner.example")
    services.assign(in_review, colleague, colleague)
    page = decide(desk, in_review, "assign", to="me", had="nobody").content.decode()
    assert "it is with colleague@partner.example now" in page
    assert state_of(in_review)[2] == colleague.pk


# --- Notes ---------------------------------------------------------------------------------------


def test_a_note_is_kept_for_staff_without_the_secrets_in_it(
    desk: Client, reviewer: User, in_review: Onboarding
) -> None:
    decide(desk, in_review, "note", note="They sent password=hunter2hunter2 by mail.")
    note = StaffNote.objects.get()
    assert (note.author, note.text) == (
        reviewer.username, "They sent password=[hidden] by mail.",
    )  # fmt: skip
    assert "by mail." in record(desk, in_review)


# --- A new link ----------------------------------------------------------------------------------


def test_a_new_link_is_for_the_same_tenant_mode_and_number(
    desk: Client, tenant: Tenant, reviewer: User
) -> None:
    row = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_app", expected_number="+34600000000"
    )
    decide(desk, row, "link", email="new@cakes.example")
    link = SignupLink.objects.get()
    assert (link.tenant, link.connection_mode, link.expected_number, link.created_by) == (
        tenant, "business_app", "+34600000000", reviewer,
    )  # fmt: skip
    link_mail.send(link.pk)
    assert mail.outbox[-1].to == ["new@cakes.example"]
    entry = AuditEntry.objects.get(act="onboarding.link_sent")
    assert entry.after == {"link": str(link.public_id)}
    assert "new@cakes.example" not in str(entry.after)


def test_a_number_that_was_lost_gets_a_link_of_its_own_and_one_that_is_well_none(
    desk: Client, tenant: Tenant
) -> None:
    waba = WhatsAppBusinessAccount.objects.create(tenant=tenant, waba_id="1007")
    number = PhoneNumber.objects.create(
        tenant=tenant, business_account=waba, phone_number_id="2007", e164="+34600000007"
    )
    row = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_platform", state="connected",
        business_account=waba, number=number,
    )  # fmt: skip
    assert "decide/link/" not in record(desk, row)
    PhoneNumber.objects.update(health="number_offboarded", is_on_biz_app=True)
    assert "decide/link/" in record(desk, row)
    decide(desk, row, "link", email="new@cakes.example")
    link = SignupLink.objects.get()
    assert (link.connection_mode, link.expected_number) == ("business_app", "+34600000007")
    assert "new@cakes.example" in record(desk, row), "the timeline says where it went"


def test_the_act_that_helps_comes_first_and_what_ends_it_last(
    desk: Client, rows: dict[str, Onboarding]
) -> None:
    from onboarding.admin.onboardings import acts

    row = rows["transfer"]
    page = record(desk, row)
    first = re.search(r'class="act ([a-z ]*)"[^>]*decide/([a-z]+)/', page)
    assert first
    assert (first[1].strip(), first[2]) == ("primary", "transfer")
    assert acts.helping(rows["resume"]) == ("resume",)


def test_an_opened_transfer_case_is_shown_at_once_and_on_the_record(
    desk: Client, rows: dict[str, Onboarding]
) -> None:
    row = rows["transfer"]
    shown = decide(desk, row, "transfer")
    assert shown.redirect_chain[-1][0].startswith("/admin/onboarding/transfercase/")
    assert shown.redirect_chain[-1][0] in record(desk, row)


def test_the_address_is_the_one_that_the_last_link_went_to(desk: Client, tenant: Tenant) -> None:
    link, _ = services.create_link(tenant, email="before@cakes.example")
    row = Onboarding.objects.create(tenant=tenant, connection_mode="business_app", link=link)
    page = desk.get(f"{LIST}{row.pk}/decide/link/").content.decode()
    assert 'value="before@cakes.example"' in page
    told = decide(desk, row, "link", email="nonsense").content.decode()
    assert "Enter a valid email address" in told
    assert SignupLink.objects.count() == 1
