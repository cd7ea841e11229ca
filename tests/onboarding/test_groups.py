"""The shipped groups: what they may, what they may not, and that they take nothing away."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.test import Client

from onboarding import groups
from onboarding.admin.onboardings.acts import ALL
from onboarding.models import Onboarding
from tenants.models import Tenant
from tests.conftest import pages_of, person
from tests.onboarding.desk import LIST, record


@pytest.fixture
def shipped(db: None) -> None:
    """As the migration leaves them; a test with a database of its own empties all tables."""
    groups.ship(apps)


def member_of(name: str) -> Client:
    user = person(f"{name.lower()}@partner.example", staff=True)
    user.groups.add(Group.objects.get(name=name))
    return pages_of(user)


def rights_of(name: str) -> set[str]:
    group = Group.objects.get(name=name)
    return set(group.permissions.values_list("codename", flat=True))


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("name", list(groups.GROUPS))
def test_a_group_sees_everything_and_edits_nothing_by_hand(name: str) -> None:
    seen = {right for right in rights_of(name) if right.startswith("view_")}
    viewable = Permission.objects.filter(
        content_type__app_label__in=groups.APPS, codename__startswith="view_"
    )
    assert seen == set(viewable.values_list("codename", flat=True))
    edits = {r for r in rights_of(name) if r.startswith(("add_", "change_", "delete_"))}
    assert edits == set()


@pytest.mark.usefixtures("shipped")
def test_reviewers_decide_and_operators_run(tenant: Tenant) -> None:
    acts = {act.right for act in ALL}
    assert rights_of("Reviewers") & acts == {
        "approve_onboarding", "reject_onboarding", "note_onboarding", "assign_onboarding",
        "decide_transfer",
    }  # fmt: skip
    assert rights_of("Operators") & acts == acts - {
        "approve_onboarding", "reject_onboarding", "decide_transfer",
    }  # fmt: skip


@pytest.mark.usefixtures("shipped")
def test_a_member_of_each_group_is_offered_its_own_acts(in_review: Onboarding) -> None:
    reviewers, operators = (record(member_of(name), in_review) for name in groups.GROUPS)
    assert "decide/approve/" in reviewers
    assert "decide/withdraw/" not in reviewers
    assert "decide/approve/" not in operators
    assert "decide/withdraw/" in operators


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("name", list(groups.GROUPS))
def test_a_member_opens_the_queue_and_no_form_of_users(name: str, reviewer: object) -> None:
    desk = member_of(name)
    assert desk.get(LIST).status_code == 200
    assert desk.get("/admin/tenants/user/add/").status_code == 403
    assert desk.get("/admin/tenants/tenant/add/").status_code == 403
    assert desk.post(LIST + "add/").status_code == 403


def test_groups_that_somebody_made_keep_what_they_have(db: None) -> None:
    Group.objects.filter(name__in=groups.GROUPS).delete()
    mine = Group.objects.create(name="Reviewers")
    own = Permission.objects.get(codename="add_signuplink")
    mine.permissions.add(own)
    groups.ship(apps)
    groups.ship(apps)
    assert Group.objects.filter(name="Reviewers").count() == 1
    assert {"add_signuplink", "approve_onboarding"} <= rights_of("Reviewers")


def test_the_migration_makes_the_rights_before_the_groups(db: None) -> None:
    """As on a new database, where no permission is there yet."""
    Group.objects.filter(name__in=groups.GROUPS).delete()
    Permission.objects.filter(content_type__app_label__in=groups.APPS).delete()
    migration = import_module("onboarding.migrations.0020_groups").Migration
    migration.operations[-1].code(apps, None)
    assert "approve_onboarding" in rights_of("Reviewers")
    assert "retry_registration" in rights_of("Operators")
