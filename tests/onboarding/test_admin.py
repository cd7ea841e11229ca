"""The admin: everything can be read, nothing of ours edited, decisions go through services."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from onboarding import services
from onboarding.models import Onboarding, SignupLink
from tenants.models import Tenant, User
from tests.conftest import pages_of
from tests.onboarding.desk import LIST


@pytest.mark.parametrize(
    "model",
    [m for m in (*apps.get_app_config("onboarding").get_models(),)
     if m.__name__ not in
     ("Transition", "SignupEvent", "DeliveryAttempt", "LinkOpening", "MetaToken",
      "IdempotentAnswer", "SearchWord", "SetupTick", "StaffNote")]
    + [*apps.get_app_config("tenants").get_models()],
    ids=lambda model: str(model.__name__),
)  # fmt: skip
def test_each_list_opens(desk: Client, in_review: Onboarding, model: Any) -> None:
    meta = model._meta
    assert desk.get(f"/admin/{meta.app_label}/{meta.model_name}/").status_code == 200


def test_a_record_shows_its_timeline_and_calls(desk: Client, in_review: Onboarding) -> None:
    page = desk.get(f"{LIST}{in_review.pk}/change/").content.decode()
    assert "List its numbers" in page
    assert "req_" in page
    assert "in_review/approval_needed" in page


def test_no_field_can_be_written(desk: Client, in_review: Onboarding) -> None:
    sent = {"state": "connected", "reason": "", "fence": "99"}
    assert desk.post(f"{LIST}{in_review.pk}/change/", sent).status_code == 403
    in_review.refresh_from_db()
    assert in_review.state == "in_review"
    assert desk.get(f"{LIST}add/").status_code == 403
    assert desk.post(f"{LIST}{in_review.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_links_address_is_shown_once(desk: Client, tenant: Tenant) -> None:
    sent = {"tenant": tenant.pk, "life_days": 7}
    page = desk.post("/admin/onboarding/signuplink/add/", sent, follow=True).content.decode()
    assert "http://localhost:8000/s/" in page
    again = desk.get("/admin/onboarding/signuplink/").content.decode()
    assert "/s/" not in again.replace("/static/", "")
    link = SignupLink.objects.get()
    record = desk.get(f"/admin/onboarding/signuplink/{link.pk}/change/").content.decode()
    assert link.token_hash not in record


def test_staff_read_which_earlier_link_their_new_one_has_ended(
    desk: Client, tenant: Tenant, reviewer: User
) -> None:
    old, token = services.create_link(tenant, created_by=reviewer)
    Client().get(f"/s/{token}/")
    sent = {"tenant": tenant.pk, "life_days": 7}
    form = desk.get("/admin/onboarding/signuplink/add/").content.decode()
    assert "For the same number a new link ends the earlier one" in form
    page = desk.post("/admin/onboarding/signuplink/add/", sent, follow=True).content.decode()
    assert f"by {reviewer}" in page
    assert "That one was last opened on" in page
    assert f"/admin/onboarding/signuplink/{old.pk}/change/" in page


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
