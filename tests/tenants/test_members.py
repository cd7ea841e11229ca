"""Roles and members: owners manage, members look, strangers find nothing; the last owner stays."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from onboarding import services
from tenants import invitations, members
from tenants.models import AuditEntry, Invitation, Membership, Tenant, User
from tests.at_once import at_once
from tests.conftest import pages_of, person

COMPANY = "/company/cakes/"
PAGE = f"{COMPANY}members/"
OWNER, MEMBER = Membership.Role.OWNER, Membership.Role.MEMBER


@pytest.fixture
def second_owner(tenant: Tenant) -> User:
    user = person("second@cakes.example")
    Membership.objects.create(user=user, tenant=tenant, role=OWNER)
    return user


def membership(user: User, tenant: Tenant) -> Membership:
    return Membership.objects.get(user=user, tenant=tenant)


def role(user: User, tenant: Tenant) -> str | None:
    return (
        Membership.objects.filter(user=user, tenant=tenant).values_list("role", flat=True).first()
    )


def acts(tenant: Tenant) -> list[str]:
    return list(
        AuditEntry.objects.filter(tenant_slug=tenant.slug).order_by("pk").values_list("act", flat=1)
    )


# --- The pages ------------------------------------------------------------------------------------


def test_the_company_of_a_person_with_one_is_opened_at_once(owner: User) -> None:
    assert pages_of(owner).get("/company/")["Location"] == COMPANY


def test_a_person_with_several_companies_chooses(owner: User, other_tenant: Tenant) -> None:
    Membership.objects.create(user=owner, tenant=other_tenant)
    page = pages_of(owner).get("/company/").content.decode()
    assert COMPANY in page
    assert "/company/other/" in page


def test_a_person_without_a_company_is_told_so(reviewer: User) -> None:
    assert pages_of(reviewer).get("/company/").status_code == 403


def test_nobody_is_sent_to_the_login(client: Client, tenant: Tenant) -> None:
    assert client.get(PAGE)["Location"] == f"/accounts/login/?next={PAGE}"


def test_a_member_sees_who_belongs_to_the_company_and_no_owners_button(
    owner: User, member: User
) -> None:
    page = pages_of(member).get(PAGE).content.decode()
    assert "owner@cakes.example" in page
    assert "Invite" not in page
    assert "Make a" not in page


OWNERS_ACTS = ["invite/", "members/role/", "members/remove/"]
INVITATIONS_ACTS = ["resend/", "revoke/"]


def addresses(owner: User, tenant: Tenant) -> list[str]:
    row = invitations.invite(owner, tenant, "new@cakes.example", "member")
    return [COMPANY + act for act in OWNERS_ACTS] + [
        f"{COMPANY}invitations/{row.public_id}/{act}" for act in INVITATIONS_ACTS
    ]


def test_owners_acts_are_403_for_a_member_and_404_for_a_stranger(
    owner: User, member: User, stranger: User, tenant: Tenant
) -> None:
    mine = membership(owner, tenant).pk
    sent = {"member": mine, "role": "member", "email": "x@y.example"}
    for address in addresses(owner, tenant):
        assert pages_of(member).post(address, sent).status_code == 403, address
        assert pages_of(stranger).post(address, sent).status_code == 404, address
        assert pages_of(owner).get(address).status_code == 405, address
    assert role(owner, tenant) == OWNER
    assert Invitation.objects.filter(revoked_at=None).count() == 1


def test_a_stranger_finds_no_page_and_leaves_nothing(stranger: User, tenant: Tenant) -> None:
    assert pages_of(stranger).get(PAGE).status_code == 404
    assert pages_of(stranger).post(COMPANY + "leave/").status_code == 404


def test_another_tenants_membership_and_invitation_are_404(
    owner: User, stranger: User, tenant: Tenant, other_tenant: Tenant
) -> None:
    foreign = membership(stranger, other_tenant)
    row = invitations.invite(stranger, other_tenant, "new@other.example", "member")
    pages = pages_of(owner)
    sent = {"member": foreign.pk, "role": "member"}
    assert pages.post(COMPANY + "members/role/", sent).status_code == 404
    assert pages.post(COMPANY + "members/remove/", sent).status_code == 404
    assert pages.post(f"{COMPANY}invitations/{row.public_id}/revoke/").status_code == 404
    assert pages.post(f"{COMPANY}invitations/{row.public_id}/resend/").status_code == 404
    assert Membership.objects.filter(pk=foreign.pk).exists()


@pytest.mark.parametrize("sent", [{}, {"member": "x"}, {"member": "1", "role": "king"}])
def test_nonsense_is_told_and_changes_nothing(owner: User, sent: dict[str, str]) -> None:
    assert pages_of(owner).post(COMPANY + "members/role/", sent).status_code == 400


# --- The acts -------------------------------------------------------------------------------------


def test_an_owner_makes_an_owner_and_takes_it_back(
    owner: User, member: User, tenant: Tenant
) -> None:
    pages = pages_of(owner)
    row = membership(member, tenant)
    pages.post(COMPANY + "members/role/", {"member": row.pk, "role": "owner"})
    assert role(member, tenant) == OWNER
    pages.post(COMPANY + "members/role/", {"member": row.pk, "role": "member"})
    assert role(member, tenant) == MEMBER
    assert acts(tenant) == ["membership.role_changed"] * 2


def test_the_audit_names_keys_and_roles(owner: User, member: User, tenant: Tenant) -> None:
    members.change_role(owner, tenant, membership(member, tenant).pk, OWNER)
    entry = AuditEntry.objects.get()
    assert entry.actor == "customer"
    assert entry.before == {"role": "member"}
    assert entry.after == {"by_user": owner.pk, "user": member.pk, "role": "owner"}


def test_a_removed_member_has_no_access_from_the_next_request_on(
    owner: User, member: User, tenant: Tenant
) -> None:
    theirs = pages_of(member)
    assert theirs.get(PAGE).status_code == 200
    pages_of(owner).post(COMPANY + "members/remove/", {"member": membership(member, tenant).pk})
    assert theirs.get(PAGE).status_code == 404
    assert theirs.get("/connect/").status_code == 403
    assert theirs.get("/api/v1/onboardings/").json()["results"] == []
    assert acts(tenant) == ["membership.removed"]


def test_a_member_leaves(member: User, tenant: Tenant) -> None:
    assert pages_of(member).post(COMPANY + "leave/")["Location"] == "/accounts/"
    assert role(member, tenant) is None
    assert acts(tenant) == ["membership.left"]


def test_the_last_owner_can_neither_leave_nor_be_demoted_nor_removed(
    owner: User, member: User, tenant: Tenant
) -> None:
    pages = pages_of(owner)
    mine = membership(owner, tenant).pk
    for address, sent in (
        ("leave/", {}),
        ("members/role/", {"member": mine, "role": "member"}),
        ("members/remove/", {"member": mine}),
    ):
        answer = pages.post(COMPANY + address, sent, follow=True)
        assert "The last owner has to stay" in answer.content.decode(), address
    assert role(owner, tenant) == OWNER
    assert acts(tenant) == []


def test_one_of_two_owners_may_leave(owner: User, second_owner: User, tenant: Tenant) -> None:
    members.leave(owner, tenant)
    with pytest.raises(members.LastOwnerError):
        members.leave(second_owner, tenant)


@pytest.mark.parametrize("act", ["remove", "demote"])
def test_what_a_removed_or_demoted_owner_had_invited_ends_with_their_role(
    owner: User, second_owner: User, tenant: Tenant, act: str
) -> None:
    row = invitations.invite(second_owner, tenant, "friend@evil.example", "owner")
    target = membership(second_owner, tenant).pk
    if act == "remove":
        members.remove(owner, tenant, target)
    else:
        members.change_role(owner, tenant, target, MEMBER)
    row.refresh_from_db()
    assert row.revoked_at is not None


# --- Two at once ----------------------------------------------------------------------------------


def faults_of(*acts: Any) -> list[str]:
    """The names of what the acts raised when all began together."""
    return [type(told).__name__ for told in at_once(*acts) if isinstance(told, Exception)]


@pytest.mark.parametrize("attempt", range(5))
def test_two_owners_who_leave_at_once_cannot_both_go(
    transactional_db: None, owner: User, second_owner: User, tenant: Tenant, attempt: int
) -> None:
    errors = faults_of(
        lambda: members.leave(owner, tenant), lambda: members.leave(second_owner, tenant)
    )
    assert errors == ["LastOwnerError"]
    assert Membership.objects.filter(tenant=tenant, role=OWNER).count() == 1


@pytest.mark.parametrize("attempt", range(5))
def test_two_owners_who_demote_each_other_at_once_cannot_both_succeed(
    transactional_db: None, owner: User, second_owner: User, tenant: Tenant, attempt: int
) -> None:
    first, second = membership(owner, tenant).pk, membership(second_owner, tenant).pk
    errors = faults_of(
        lambda: members.change_role(owner, tenant, second, MEMBER),
        lambda: members.change_role(second_owner, tenant, first, MEMBER),
    )
    assert errors == [PermissionDenied.__name__]
    assert Membership.objects.filter(tenant=tenant, role=OWNER).count() == 1


def test_two_companies_of_one_name_get_slugs_of_their_own(
    owner: User, transactional_db: None
) -> None:
    errors = faults_of(*[lambda: members.found_tenant(owner, "Ocean Café")] * 3)
    assert errors == []
    slugs = Tenant.objects.filter(name="Ocean Café").values_list("slug", flat=True)
    assert len(set(slugs)) == 3
    assert all(re.fullmatch("ocean-cafe-[a-z0-9]{4}", slug) for slug in slugs), "tells no order"


def test_what_an_owner_opened_ends_when_they_are_owner_no_more(
    owner: User, second_owner: User, tenant: Tenant
) -> None:
    link, _ = services.create_link(tenant, actor="customer", created_by=second_owner)
    invitations.invite(second_owner, tenant, "back@cakes.example", "owner")
    members.leave(second_owner, tenant)
    link.refresh_from_db()
    assert link.is_revoked
    assert invitations.open_ones(tenant) == []
    acts = list(AuditEntry.objects.values_list("act", flat=True))
    assert {"link.revoked", "invitation.revoked"} <= set(acts)


def test_links_of_others_stay_when_an_owner_goes(
    owner: User, second_owner: User, tenant: Tenant
) -> None:
    link, _ = services.create_link(tenant, actor="customer", created_by=owner)
    members.leave(second_owner, tenant)
    link.refresh_from_db()
    assert not link.is_revoked
