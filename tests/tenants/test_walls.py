"""The second wall: PostgreSQL shows no foreign row, whatever a view forgets."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.shortcuts import get_object_or_404
from django.test import Client
from rest_framework.test import APIClient

from onboarding.api import rows
from onboarding.models import (
    Onboarding,
    PhoneNumber,
    ProviderCall,
    SignupEvent,
    Transition,
    WhatsAppBusinessAccount,
)
from tenants import walls
from tenants.models import Membership, Tenant, TenantOwnedQuerySet, User
from tests.conftest import api_of, pages_of

ROOT = Path(__file__).resolve().parent.parent.parent
API = "/api/v1/onboardings/"


def rows_of(tenant: Tenant) -> Onboarding:
    """One row of each walled table for this tenant."""
    waba = WhatsAppBusinessAccount.objects.create(tenant=tenant, waba_id=f"9{tenant.pk}")
    number = PhoneNumber.objects.create(
        tenant=tenant, business_account=waba, phone_number_id=f"8{tenant.pk}", e164="+34600"
    )
    row = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_app", state="in_review", reason="approval_needed",
        business_account=waba, number=number,
    )  # fmt: skip
    Transition.objects.create(onboarding=row, to_state="in_review", actor="worker")
    SignupEvent.objects.create(onboarding=row, event="FINISH", actor="customer")
    ProviderCall.objects.create(onboarding=row, kind="register", target="8", outcome="done")
    return row


@pytest.fixture
def ours(tenant: Tenant) -> Onboarding:
    return rows_of(tenant)


@pytest.fixture
def theirs(other_tenant: Tenant) -> Onboarding:
    return rows_of(other_tenant)


@pytest.fixture
def no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every view forgets its filter."""
    monkeypatch.setattr(TenantOwnedQuerySet, "visible_to", lambda self, asker: self.all())
    monkeypatch.setattr(
        type(Onboarding.objects.all()), "visible_to", lambda self, asker: self.all()
    )
    # A prepared query (tenants/prepared.py) without its filter is refused before it is asked.
    monkeypatch.setattr(
        rows,
        "_found",
        lambda _rows, public_id, _asker: get_object_or_404(Onboarding, public_id=public_id),
    )


def test_the_role_of_these_tests_is_the_apps_and_owns_nothing(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == ("onboarding_app", False, False)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
        assert cursor.fetchone() == (0,)


MODELS = [m for m in apps.get_models() if m._meta.managed and not m._meta.proxy]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m._meta.label)
def test_each_table_is_behind_the_wall_or_a_named_exception(db: None, model: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relname = %s",
            [model._meta.db_table],
        )
        (walled,) = cursor.fetchone()
    assert walled != (model._meta.label in walls.READ_BEFORE_A_TENANT_IS_KNOWN)


WALLED = [Tenant, Onboarding, WhatsAppBusinessAccount, PhoneNumber, Transition, SignupEvent,
          ProviderCall]  # fmt: skip


@pytest.mark.parametrize("model", WALLED, ids=lambda m: m.__name__)
def test_a_tenants_transaction_sees_its_own_rows_alone(
    ours: Onboarding, theirs: Onboarding, model: Any
) -> None:
    assert model.objects.count() == 2
    with walls.seeing([ours.tenant_id]):
        (row,) = model.objects.all()
        tenant_id = row.pk if model is Tenant else getattr(row, "tenant_id", None)
        assert (tenant_id or row.onboarding.tenant_id) == ours.tenant_id
    assert model.objects.count() == 2


@pytest.mark.parametrize("model", WALLED, ids=lambda m: m.__name__)
def test_who_names_no_scope_sees_nothing(ours: Onboarding, model: Any) -> None:
    with walls.seeing_nothing():
        assert model.objects.count() == 0


def test_a_foreign_row_cannot_be_changed_or_made(ours: Onboarding, theirs: Onboarding) -> None:
    with walls.seeing([ours.tenant_id]):
        assert Onboarding.objects.filter(pk=theirs.pk).update(error_message="x") == 0
        assert Onboarding.objects.filter(pk=theirs.pk).delete()[0] == 0
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            Onboarding.objects.create(tenant_id=theirs.tenant_id, connection_mode="business_app")
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            Onboarding.objects.filter(pk=ours.pk).update(tenant_id=theirs.tenant_id)


def test_what_is_seen_ends_with_the_block_also_after_a_fault(
    ours: Onboarding, theirs: Onboarding
) -> None:
    @walls.seeing_everything("a test")
    def fails() -> None:
        assert Onboarding.objects.count() == 2
        raise ZeroDivisionError

    with walls.seeing_nothing():
        with pytest.raises(ZeroDivisionError):
            fails()
        assert Onboarding.objects.count() == 0
        with walls.seeing([ours.tenant_id]):
            with walls.seeing_everything("a test"):
                assert Onboarding.objects.count() == 2
            assert Onboarding.objects.count() == 1
        assert Onboarding.objects.count() == 0


def test_a_failed_statement_leaves_no_wide_connection(transactional_db: None) -> None:
    @walls.seeing_everything("a test")
    def fails() -> None:
        Onboarding.objects.raw("SELECT nonsense")[0]

    with walls.seeing_nothing():
        with pytest.raises(DatabaseError):
            fails()
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('onboarding.scope', true)")
            assert cursor.fetchone() == ("",)


def test_a_connection_that_is_made_again_sees_what_it_saw(transactional_db: None) -> None:
    Tenant.objects.create(name="Cakes", slug="cakes")
    with walls.seeing_nothing(), walls.seeing_everything("a worker"):
        connection.close()
        assert Tenant.objects.count() == 1
    assert Tenant.objects.count() == 1


def test_a_list_without_its_filter_shows_nothing_foreign(
    ours: Onboarding, theirs: Onboarding, owner: User, no_filter: None
) -> None:
    results = api_of(owner).get(API).json()["results"]
    assert [row["id"] for row in results] == [str(ours.public_id)]


def test_a_view_without_its_filter_finds_nothing_foreign(
    theirs: Onboarding, owner: User, no_filter: None
) -> None:
    api, pages = api_of(owner), pages_of(owner)
    one = f"{API}{theirs.public_id}/"
    assert api.get(one).status_code == 404
    assert api.get(f"{one}timeline/").status_code == 404
    assert api.post(f"{one}withdraw/").status_code == 404
    assert pages.get(f"/connect/?onboarding={theirs.public_id}").status_code == 404
    assert pages.get(f"/connect/{theirs.public_id}/card/").status_code == 404


def test_a_guest_without_the_filter_finds_nothing_foreign(
    guest_api: APIClient, theirs: Onboarding, no_filter: None
) -> None:
    assert guest_api.get(f"{API}{theirs.public_id}/").status_code == 404


def test_a_person_of_two_tenants_sees_both(
    ours: Onboarding, theirs: Onboarding, owner: User
) -> None:
    Membership.objects.create(user=owner, tenant=theirs.tenant)
    assert len(api_of(owner).get(API).json()["results"]) == 2


def test_staff_see_every_tenants_rows_at_the_desk_alone(
    ours: Onboarding, theirs: Onboarding, reviewer: User
) -> None:
    desk = pages_of(reviewer)
    page = desk.get("/admin/onboarding/onboarding/").content.decode()
    assert ours.tenant.name.split("'")[0] in page
    assert theirs.tenant.name in page
    assert api_of(reviewer).get(API).json()["results"] == []


def test_somebody_who_is_no_staff_sees_nothing_at_the_desk(
    ours: Onboarding, owner: User, client: Client
) -> None:
    for who in (client, pages_of(owner)):
        assert who.get("/admin/onboarding/onboarding/").status_code == 302


@pytest.mark.django_db
def test_a_fault_of_ours_leaves_nothing_half_done(
    owner: User, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = api_of(owner)
    api.raise_request_exception = False

    def fails(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("onboarding.api.views.OnboardingViewSet._shown", fails)
    answer = api.post(API, {"connection_mode": "business_app"})
    assert answer.status_code == 500
    assert Onboarding.objects.count() == 0


MAY_SEE_EVERYTHING = {
    "manage.py": 1,  # a command
    "config/celery.py": 1,  # a worker's task
    "onboarding/entrance.py": 2,
    "onboarding/gauges.py": 1,  # counts for Prometheus  # staff at the desk; the partner's keys
    "onboarding/api/idempotency.py": 2,  # an asker's own kept answers
    "onboarding/budget.py": 1,  # registers of a number count whoever asked for them
    "onboarding/meta.py": 2,  # a code works once, in whatever row it came
    "onboarding/outbound_events.py": 1,  # whether any endpoint of the partner's listens
    "onboarding/migrations/0019_milestones_kept.py": 1,  # fills columns of all rows
    "onboarding/migrations/0021_filled.py": 2,  # fills tables and columns, as the tables' owner
    "onboarding/tasks.py": 1,  # the exchange, when no worker can be reached
    "tenants/invitations.py": 2,  # read and accepted by somebody who is no member yet
    "tenants/members.py": 1,  # a tenant that signs itself up
    "tenants/audit.py": 1,  # written by anybody, read by staff
}
"""Each call of `seeing_everything` in the product; another one is a decision, not an accident."""


def test_who_may_see_everything_is_listed_here() -> None:
    found: dict[str, int] = {}
    for path in [
        ROOT / "manage.py",
        *(p for d in ("config", "tenants", "onboarding") for p in (ROOT / d).rglob("*.py")),
    ]:
        calls = [
            node for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")) == "seeing_everything"
        ]  # fmt: skip
        if calls:
            found[str(path.relative_to(ROOT))] = len(calls)
    assert found == MAY_SEE_EVERYTHING


def test_nobody_else_tells_the_connection_what_to_see() -> None:
    for directory in ("config", "tenants", "onboarding"):
        for path in (ROOT / directory).rglob("*.py"):
            if path.name != "walls.py":
                assert "onboarding.scope" not in path.read_text(), path
                assert "walls.current" not in path.read_text(), path


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ("SELECT id FROM onboarding_onboarding WHERE next_look_at <= now() "
         "ORDER BY next_look_at LIMIT 10 FOR UPDATE SKIP LOCKED", "next_look_at <= now()"),
        ("SELECT * FROM onboarding_onboarding WHERE tenant_id = 1", "tenant_id = 1"),
        ("SELECT * FROM onboarding_transition WHERE onboarding_id = 1", "onboarding_id = 1"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("scope", ["everything", "tenants"])
def test_the_walls_leave_the_indexes_in_use(
    db: None, query: str, condition: str, scope: str
) -> None:
    """Which index is the planner's choice and hangs on what is in the table; that one is used does
    not: a policy that came first would leave a scan with a filter.
    """
    seen = walls.seeing_everything("a worker") if scope == "everything" else walls.seeing([1])
    with seen, connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {query}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert f"Index Cond: ({condition})" in plan, plan
