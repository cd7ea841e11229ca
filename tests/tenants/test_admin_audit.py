"""Every act of staff in the admin has its entry: who, what, before and after."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client, RequestFactory
from rest_framework.test import APIClient

from onboarding import services
from onboarding.models import Onboarding, TransferCase, WebhookEvent
from tenants.admin_audit import AuditedAdmin
from tenants.models import AuditEntry, Membership, Tenant, User
from tests.conftest import Sandbox, Worker, pages_of
from tests.test_journey import Customer

THROUGH_SERVICES = {
    "onboarding.SignupLink": "made and revoked by services, which keep the entry",
    "onboarding.WebhookEndpoint": "written by services (test_outbound.py)",
    "tenants.ApiKey": "made and revoked by tenants/keys.py (test_keys.py)",
}
"""Admin classes that write nothing themselves."""

ACTIONS = {
    "onboarding.Onboarding": {  # test_admin_acts.py
        f"{act}_selected" for act in (
            "approve", "reject", "resume", "reread", "search", "retry", "transfer", "withdraw",
            "assign", "note",
        )
    },
    "onboarding.WhatsAppBusinessAccount": {"reread_selected"},
    "onboarding.PhoneNumber": {"reread_selected"},
    "onboarding.WebhookEvent": {"replay_selected"},
    "onboarding.SignupLink": {"revoke_selected"},
    "onboarding.WebhookEndpoint": {"test", "rotate", "end_old", "disable", "enable", "enable_all"},
    "onboarding.Delivery": {"resend_selected"},
    "tenants.ApiKey": {"revoke_selected"},
}  # fmt: skip
"""Actions whose services keep the entry; each has its test here or beside its own."""


@pytest.fixture
def desk(reviewer: User) -> Client:
    return pages_of(reviewer)


def entries(act: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(act=act))


def only(act: str) -> AuditEntry:
    (entry,) = entries(act)
    return entry


# --- All of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda m: str(m._meta.label))
def test_what_can_write_is_audited(model: Any, reviewer: User) -> None:
    desk = admin.site._registry[model]
    request = RequestFactory().get("/admin/")
    request.user = reviewer
    writes = (
        desk.has_add_permission(request)
        or desk.has_change_permission(request)
        or desk.has_delete_permission(request)
    )
    audited = isinstance(desk, AuditedAdmin) or model._meta.label in THROUGH_SERVICES
    assert audited or not writes, f"{model._meta.label}: put AuditedAdmin in front"


@pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda m: str(m._meta.label))
def test_each_action_is_audited(model: Any, reviewer: User) -> None:
    desk = admin.site._registry[model]
    request = RequestFactory().get("/admin/")
    request.user = reviewer
    known = ACTIONS.get(model._meta.label, set()) | {"delete_selected"}
    if not isinstance(desk, AuditedAdmin):
        assert set(desk.get_actions(request)) <= known, "name its test in ACTIONS"


# --- By hand -------------------------------------------------------------------------------------


def tenant_form(**more: Any) -> dict[str, Any]:
    inline = {f"memberships-{n}": 0 for n in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS")}
    blank = {"name": "Baker", "slug": "baker", "approval": "", "unproven": ""}
    return blank | inline | {"memberships-MAX_NUM_FORMS": 1000} | more


def test_a_new_tenant_is_noted_without_its_name(desk: Client, reviewer: User) -> None:
    desk.post("/admin/tenants/tenant/add/", tenant_form())
    entry = only("tenant.added")
    assert (entry.actor, entry.tenant_slug, entry.before) == (reviewer.username, "baker", {})
    assert entry.after["slug"] == "baker"
    assert "Baker" not in str(entry.after)


def test_a_change_is_noted_with_both_values_and_nothing_else(desk: Client, tenant: Tenant) -> None:
    sent = tenant_form(name=tenant.name, slug=tenant.slug, approval="always")
    desk.post(f"/admin/tenants/tenant/{tenant.pk}/change/", sent)
    entry = only("tenant.changed")
    assert (entry.before, entry.after) == ({"approval": ""}, {"approval": "always"})


def test_a_form_that_changes_nothing_leaves_no_entry(desk: Client, tenant: Tenant) -> None:
    sent = tenant_form(name=tenant.name, slug=tenant.slug)
    assert desk.post(f"/admin/tenants/tenant/{tenant.pk}/change/", sent).status_code == 302
    assert not AuditEntry.objects.exists()


def test_memberships_in_the_tenants_form_are_noted(
    desk: Client, tenant: Tenant, owner: User, member: User
) -> None:
    rows = list(Membership.objects.order_by("pk"))
    sent = tenant_form(name=tenant.name, slug=tenant.slug) | {
        "memberships-TOTAL_FORMS": 3, "memberships-INITIAL_FORMS": 2,
        "memberships-2-user": User.objects.create(username="new", email="n@x.example").pk,
        "memberships-2-role": "member",
    }  # fmt: skip
    for n, row in enumerate(rows):
        sent |= {f"memberships-{n}-id": row.pk, f"memberships-{n}-user": row.user_id}
        sent |= {f"memberships-{n}-role": "owner"}
    sent["memberships-0-DELETE"] = "on"
    sent |= {f"memberships-{n}-tenant": tenant.pk for n in range(3)}
    assert desk.post(f"/admin/tenants/tenant/{tenant.pk}/change/", sent).status_code == 302
    assert only("membership.deleted").before["role"] == "owner"
    changed = only("membership.changed")
    assert (changed.before, changed.after) == ({"role": "member"}, {"role": "owner"})
    assert only("membership.added").after["role"] == "member"
    assert {e.tenant_slug for e in AuditEntry.objects.all()} == {"cakes"}


def test_a_deleted_row_is_noted_with_what_it_was(desk: Client, member: User) -> None:
    row = Membership.objects.get()
    desk.post(f"/admin/tenants/membership/{row.pk}/delete/", {"post": "yes"})
    entry = only("membership.deleted")
    assert (entry.target_id, entry.before["role"], entry.after) == (str(row.pk), "member", {})


def test_rows_deleted_from_the_list_are_noted_one_by_one(
    desk: Client, owner: User, member: User
) -> None:
    Membership.objects.create(
        user=User.objects.create(username="new", email="n@x.example"),
        tenant=Tenant.objects.get(slug="cakes"), role="owner",
    )  # fmt: skip
    keys = [Membership.objects.get(user=user).pk for user in (owner, member)]
    sent = {"action": "delete_selected", "_selected_action": keys, "post": "yes"}
    desk.post("/admin/tenants/membership/", sent)
    assert {e.target_id for e in entries("membership.deleted")} == {str(key) for key in keys}


def user_form(user: User, **more: Any) -> dict[str, Any]:
    return {
        "username": user.username, "email": user.email, "first_name": user.first_name,
        "last_name": "", "is_active": "on", "date_joined_0": "2026-01-01", "date_joined_1": "10:00",
    } | more  # fmt: skip


def test_rights_are_noted_and_names_only_as_changed(desk: Client, member: User) -> None:
    group = Group.objects.create(name="Night shift")
    sent = user_form(member, is_staff="on", first_name="Zoe", groups=[group.pk])
    assert desk.post(f"/admin/tenants/user/{member.pk}/change/", sent).status_code == 302
    after = only("user.changed").after
    assert (after["is_staff"], after["groups"]) == (True, [group.pk])
    assert after["first_name"] == "(hidden, changed)"
    assert "Zoe" not in str(after)


def test_a_password_change_is_noted_without_any_value(desk: Client, member: User) -> None:
    sent = {"password1": "new-secret-42", "password2": "new-secret-42", "set-password": "1"}
    desk.post(f"/admin/tenants/user/{member.pk}/password/", sent)
    member.refresh_from_db()
    assert member.check_password("new-secret-42")
    entry = only("user.password_changed")
    assert (entry.target_id, entry.after) == (str(member.pk), {"password": "(hidden, changed)"})
    assert member.password not in str(entry.before)


def test_a_new_users_password_is_in_no_entry(desk: Client) -> None:
    sent = {"username": "zoe", "email": "zoe@x.example", "usable_password": "true"}
    sent |= {"password1": "new-secret-42", "password2": "new-secret-42"}
    desk.post("/admin/tenants/user/add/", sent)
    user = User.objects.get(username="zoe")
    after = only("user.added").after
    assert after["password"] == "(hidden, changed)"
    assert user.password not in str(after)


def test_a_groups_rights_are_noted(desk: Client) -> None:
    right = Permission.objects.get(codename="decide_transfer")
    desk.post("/admin/auth/group/add/", {"name": "Night shift", "permissions": [right.pk]})
    assert only("group.added").after == {"name": "Night shift", "permissions": [right.pk]}


def test_an_action_of_another_package_is_noted(desk: Client, member: User) -> None:
    from allauth.account.models import EmailAddress

    row = EmailAddress.objects.create(user=member, email="second@cakes.example", verified=False)
    sent = {"action": "make_verified", "_selected_action": [row.pk]}
    desk.post("/admin/account/emailaddress/", sent)
    entry = only("emailaddress.make_verified")
    assert (entry.before, entry.after) == ({"verified": False}, {"verified": True})


def test_an_entry_is_not_kept_when_the_act_fails(desk: Client, tenant: Tenant) -> None:
    Onboarding.objects.create(tenant=tenant, connection_mode="business_platform")
    desk.post(f"/admin/tenants/tenant/{tenant.pk}/delete/", {"post": "yes"})
    assert Tenant.objects.filter(pk=tenant.pk).exists()
    assert not AuditEntry.objects.exists()


# --- The last owner ------------------------------------------------------------------------------


def test_the_last_owner_is_not_deleted_by_hand(desk: Client, owner: User, member: User) -> None:
    row = Membership.objects.get(user=owner)
    page = desk.post(f"/admin/tenants/membership/{row.pk}/delete/", {"post": "yes"}, follow=True)
    assert "The last owner has to stay." in page.content.decode()
    keys = list(Membership.objects.values_list("pk", flat=True))
    sent = {"action": "delete_selected", "_selected_action": keys, "post": "yes"}
    page = desk.post("/admin/tenants/membership/", sent, follow=True)
    assert "The last owner has to stay." in page.content.decode()
    assert Membership.objects.count() == 2


def test_a_user_who_is_a_last_owner_is_not_deleted_by_hand(
    desk: Client, tenant: Tenant, owner: User, member: User
) -> None:
    page = desk.post(f"/admin/tenants/user/{owner.pk}/delete/", {"post": "yes"}, follow=True)
    assert "The last owner has to stay." in page.content.decode()
    sent = {"action": "delete_selected", "_selected_action": [owner.pk, member.pk], "post": "yes"}
    page = desk.post("/admin/tenants/user/", sent, follow=True)
    assert "The last owner has to stay." in page.content.decode()
    assert Membership.objects.count() == 2
    Membership.objects.create(user=member_of_others(), tenant=tenant, role="owner")
    desk.post(f"/admin/tenants/user/{owner.pk}/delete/", {"post": "yes"})
    assert not User.objects.filter(pk=owner.pk).exists()


def member_of_others() -> User:
    return User.objects.create(username="second", email="second@x.example")


def test_the_last_owner_is_not_made_a_member_by_hand(
    desk: Client, tenant: Tenant, owner: User
) -> None:
    row = Membership.objects.get()
    sent: dict[str, Any] = {"user": owner.pk, "tenant": tenant.pk, "role": "member"}
    page = desk.post(f"/admin/tenants/membership/{row.pk}/change/", sent)
    assert "The last owner has to stay." in page.content.decode()
    sent = tenant_form(name=tenant.name, slug=tenant.slug) | {
        "memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 1,
        "memberships-0-id": row.pk, "memberships-0-user": owner.pk,
        "memberships-0-tenant": tenant.pk, "memberships-0-role": "owner",
        "memberships-0-DELETE": "on",
    }  # fmt: skip
    page = desk.post(f"/admin/tenants/tenant/{tenant.pk}/change/", sent)
    assert "The last owner has to stay." in page.content.decode()
    row.refresh_from_db()
    assert row.role == "owner"


def test_an_owner_who_is_deleted_by_hand_takes_along_what_they_had_opened(
    desk: Client, tenant: Tenant, owner: User
) -> None:
    second = User.objects.create(username="new", email="n@x.example")
    Membership.objects.create(user=second, tenant=tenant, role="owner")
    link, _ = services.create_link(tenant, actor="customer", created_by=owner)
    row = Membership.objects.get(user=owner)
    desk.post(f"/admin/tenants/membership/{row.pk}/delete/", {"post": "yes"})
    link.refresh_from_db()
    assert link.is_revoked


# --- Decisions -----------------------------------------------------------------------------------


@pytest.fixture
def customer(api: APIClient, sandbox: Sandbox, worker: Worker) -> Customer:
    return Customer(api, sandbox, worker)


@pytest.mark.parametrize(
    ("act", "scenario", "to"),
    [
        ("approved", "approve", "signed_up"),
        ("rejected", "approve", "rejected"),
        ("resumed", "payment_missing", "awaiting_payment"),
        ("reread", "payment_missing", "awaiting_payment"),
    ],
)
def test_each_decision_is_noted_with_the_state_before_and_after(
    desk: Client, reviewer: User, customer: Customer, settings: Any,
    act: str, scenario: str, to: str,
) -> None:  # fmt: skip
    settings.ONBOARDING_APPROVAL = "always"
    customer.goes_through(scenario)
    row = Onboarding.objects.get()
    name = {"approved": "approve", "rejected": "reject", "resumed": "resume"}.get(act, act)
    desk.post(f"/admin/onboarding/onboarding/{row.pk}/decide/{name}/", {"note": "because"})
    entry = only(f"onboarding.{act}")
    assert (entry.actor, entry.target_id) == (reviewer.username, str(row.public_id))
    assert (entry.before["state"], entry.after["state"]) == (row.state, to)


def test_a_search_by_staff_is_noted(desk: Client, customer: Customer) -> None:
    customer.starts()
    customer.posts(login_status="unknown")
    row = Onboarding.objects.get()
    desk.post(f"/admin/onboarding/onboarding/{row.pk}/decide/search/")
    assert only("onboarding.searched").before["state"] == "cancelled"


@pytest.mark.parametrize("act", ["approve", "reject", "resume", "reread"])
def test_a_decision_from_the_list_is_noted_too(
    desk: Client, customer: Customer, settings: Any, act: str
) -> None:
    settings.ONBOARDING_APPROVAL = "always"
    customer.goes_through("payment_missing" if act in ("resume", "reread") else "approve")
    row = Onboarding.objects.get()
    sent = {"action": f"{act}_selected", "_selected_action": [row.pk], "note": "because"}
    desk.post("/admin/onboarding/onboarding/", sent)
    assert AuditEntry.objects.filter(target_id=str(row.public_id)).count() == 1


def test_a_customers_own_acts_have_transitions_and_no_entry(customer: Customer) -> None:
    customer.goes_through("payment_missing")
    customer.acts("resume")
    customer.acts("withdraw")
    assert not AuditEntry.objects.exists()


def test_a_replayed_event_is_noted(desk: Client, reviewer: User) -> None:
    event = WebhookEvent.objects.create(event_id="evt_1", type="x", body={}, standing="nobody")
    sent = {"action": "replay_selected", "_selected_action": [event.pk]}
    desk.post("/admin/onboarding/webhookevent/", sent)
    entry = only("webhook_event.replayed")
    assert (entry.actor, entry.before) == (reviewer.username, {"standing": "nobody"})


def test_a_refused_transfer_is_noted(
    customer: Customer, stranger_api: APIClient, reviewer: User
) -> None:
    customer.goes_through("approve")
    second = Customer(stranger_api, customer.sandbox, customer.worker)
    second.goes_through("second_tenant")
    services.refuse(TransferCase.objects.get(), reviewer)
    assert only("transfer.refused").tenant_slug == "other"


# --- The page ------------------------------------------------------------------------------------


def test_entries_are_found_by_their_target_and_never_written(desk: Client, tenant: Tenant) -> None:
    desk.post(
        f"/admin/tenants/tenant/{tenant.pk}/change/",
        tenant_form(name=tenant.name, slug=tenant.slug, approval="always"),
    )
    entry = AuditEntry.objects.get()
    base = "/admin/tenants/auditentry/"
    assert "tenant.changed" in desk.get(f"{base}?q={entry.target_id}").content.decode()
    filtered = desk.get(f"{base}?tenant_slug=cakes&act=tenant.changed&actor={entry.actor}")
    assert "tenant.changed" in filtered.content.decode()
    assert desk.get(f"{base}{entry.pk}/change/").status_code == 200
    assert desk.post(f"{base}{entry.pk}/change/", {"actor": "x"}).status_code == 403
    assert desk.get(f"{base}add/").status_code == 403
    assert desk.post(f"{base}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
