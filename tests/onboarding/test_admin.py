"""The admin: everything can be read, nothing of ours edited, decisions go through services."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from onboarding.models import Onboarding, SignupLink
from tenants.models import Tenant, User
from tests.conftest import Sandbox, Worker, api_of, pages_of, person

LIST = "/admin/onboarding/onboarding/"
API = "/api/v1/onboardings/"


@pytest.fixture
def desk(reviewer: User) -> Client:
    return pages_of(reviewer)


def onboarded(owner: User, sandbox: Sandbox, worker: Worker, scenario: str) -> Onboarding:
    api = api_of(owner)
    made = api.post(API, {"connection_mode": "business_platform"}).json()["id"]
    window = sandbox.finish(scenario=scenario)
    names = ("waba_id", "phone_number_id", "code", "event")
    api.post(f"{API}{made}/signup/", {n: window[n] for n in names if window[n]})
    worker.run()
    return Onboarding.objects.get(public_id=made)


@pytest.fixture
def in_review(owner: User, sandbox: Sandbox, worker: Worker, settings: Any) -> Onboarding:
    settings.ONBOARDING_APPROVAL = "always"
    row = onboarded(owner, sandbox, worker, "approve")
    assert row.state == "in_review"
    return row


@pytest.mark.parametrize(
    "model",
    [m for m in (*apps.get_app_config("onboarding").get_models(),)
     if m.__name__ not in
     ("Transition", "SignupEvent", "DeliveryAttempt", "LinkOpening", "MetaToken",
      "IdempotentAnswer", "SetupTick")]
    + [*apps.get_app_config("tenants").get_models()],
    ids=lambda model: str(model.__name__),
)  # fmt: skip
def test_each_list_opens(desk: Client, in_review: Onboarding, model: Any) -> None:
    meta = model._meta
    assert desk.get(f"/admin/{meta.app_label}/{meta.model_name}/").status_code == 200


def test_a_record_shows_its_timeline_and_calls(desk: Client, in_review: Onboarding) -> None:
    page = desk.get(f"{LIST}{in_review.pk}/change/").content.decode()
    assert "list its numbers" in page
    assert "req_" in page
    assert "in_review/approval_needed" in page


def test_no_field_can_be_written(desk: Client, in_review: Onboarding) -> None:
    sent = {"state": "connected", "reason": "", "fence": "99"}
    assert desk.post(f"{LIST}{in_review.pk}/change/", sent).status_code == 403
    in_review.refresh_from_db()
    assert in_review.state == "in_review"
    assert desk.get(f"{LIST}add/").status_code == 403
    assert desk.post(f"{LIST}{in_review.pk}/delete/", {"post": "yes"}).status_code == 403


def decide(desk: Client, row: Onboarding, act: str, **sent: str) -> Any:
    return desk.post(f"{LIST}{row.pk}/decide/{act}/", sent, follow=True)


def test_an_approval_is_kept_with_the_reviewer(
    desk: Client, reviewer: User, in_review: Onboarding, worker: Worker
) -> None:
    decide(desk, in_review, "approve")
    worker.run()
    in_review.refresh_from_db()
    assert (in_review.state, in_review.approved_by) == ("connected", reviewer)
    assert in_review.transitions.filter(actor=reviewer.username, note="approved").exists()


def test_a_rejection_asks_why_first(desk: Client, in_review: Onboarding) -> None:
    asked = decide(desk, in_review, "reject")
    assert "The customer reads what you write here." in asked.content.decode()
    in_review.refresh_from_db()
    assert in_review.state == "in_review"
    decide(desk, in_review, "reject", note="Not our customer.")
    in_review.refresh_from_db()
    assert in_review.state == "rejected"


def test_several_rows_are_rejected_from_the_list(desk: Client, in_review: Onboarding) -> None:
    sent = {"action": "reject_selected", "_selected_action": [in_review.pk]}
    assert "Why" in desk.post(LIST, sent).content.decode()
    desk.post(LIST, {**sent, "note": "No."})
    in_review.refresh_from_db()
    assert in_review.state == "rejected"


def test_a_link_decides_nothing(desk: Client, in_review: Onboarding) -> None:
    assert desk.get(f"{LIST}{in_review.pk}/decide/approve/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = desk.cookies
    assert strict.post(f"{LIST}{in_review.pk}/decide/approve/").status_code == 403
    in_review.refresh_from_db()
    assert in_review.state == "in_review"


def test_staff_who_may_only_look_cannot_decide(in_review: Onboarding) -> None:
    looker = person("looker@partner.example", staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_onboarding"))
    desk = pages_of(looker)
    assert desk.get(f"{LIST}{in_review.pk}/change/").status_code == 200
    assert "/decide/" not in desk.get(f"{LIST}{in_review.pk}/change/").content.decode()
    assert decide(desk, in_review, "approve").status_code == 403


def test_a_decision_that_does_not_fit_is_a_warning(
    desk: Client, in_review: Onboarding, worker: Worker
) -> None:
    decide(desk, in_review, "approve")
    worker.run()
    page = decide(desk, in_review, "approve").content.decode()
    assert "It is not in review." in page


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


def found(desk: Client, query: str) -> int:
    return int(desk.get(f"{LIST}?{query}").context["cl"].result_count)


def test_any_id_finds_the_row(desk: Client, in_review: Onboarding) -> None:
    call = in_review.calls.exclude(request_id="").first()
    assert call is not None
    assert in_review.number is not None
    for term in (
        in_review.reference,
        str(in_review.public_id),
        in_review.claimed_waba_id,
        in_review.number.phone_number_id,
        in_review.number.e164.removeprefix("+"),
        call.request_id,
        in_review.tenant.slug,
    ):
        assert found(desk, f"q={term}") == 1, term
    assert found(desk, "q=nothing-like-it") == 0


def test_the_filters_narrow_the_list(desk: Client, in_review: Onboarding, tenant: Tenant) -> None:
    old = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_app", state="awaiting_payment",
        reason="payment_missing",
    )  # fmt: skip
    week = timezone.now() - timedelta(days=8)
    Onboarding.objects.filter(pk=old.pk).update(state_changed_at=week)
    for query in (
        "state__exact=awaiting_payment",
        "reason=payment_missing",
        "connection_mode__exact=business_app",
        "age=week",
    ):
        assert found(desk, query) == 1, query
    assert found(desk, "age=month") == 0


def test_a_links_address_is_shown_once(desk: Client, tenant: Tenant) -> None:
    sent = {"tenant": tenant.pk, "life_days": 7}
    page = desk.post("/admin/onboarding/signuplink/add/", sent, follow=True).content.decode()
    assert "http://localhost:8000/s/" in page
    again = desk.get("/admin/onboarding/signuplink/").content.decode()
    assert "/s/" not in again.replace("/static/", "")
    link = SignupLink.objects.get()
    record = desk.get(f"/admin/onboarding/signuplink/{link.pk}/change/").content.decode()
    assert link.token_hash not in record


def test_links_are_revoked_from_the_list(desk: Client, tenant: Tenant) -> None:
    sent = {"tenant": tenant.pk, "life_days": 7}
    desk.post("/admin/onboarding/signuplink/add/", sent)
    link = SignupLink.objects.get()
    chosen = {"action": "revoke_selected", "_selected_action": [link.pk]}
    desk.post("/admin/onboarding/signuplink/", chosen)
    link.refresh_from_db()
    assert link.is_revoked


def test_customers_have_no_way_into_the_admin(owner: User) -> None:
    assert pages_of(owner).get(LIST).status_code in (302, 403)
