"""Prepared queries answer as the ORM's own do, whoever asks and how many values there are."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from onboarding.models import Onboarding
from tenants.models import Membership, Tenant, User
from tenants.prepared import Prepared
from tests.at_once import at_once


def members(*user_ids: int) -> QuerySet[Membership]:
    rows = Membership.objects.select_related("tenant", "user").filter(user_id__in=user_ids)
    return rows.order_by("pk")


@pytest.fixture
def people(db: None) -> list[User]:
    made = []
    for index in range(3):
        user = User.objects.create(username=f"u{index}", email=f"u{index}@example.com")
        tenant = Tenant.objects.create(slug=f"t{index}", name=f"T{index}")
        Membership.objects.create(user=user, tenant=tenant, role=Membership.Role.OWNER)
        made.append(user)
    return made


def test_the_rows_are_those_of_the_query_itself(people: list[User]) -> None:
    prepared = Prepared(members)
    for asked in (people[:1], people[1:2], people[1:], people):
        keys = [user.pk for user in asked]
        assert prepared.rows(*keys) == list(members(*keys))


def test_rows_come_with_all_their_columns_and_what_was_selected_along(people: list[User]) -> None:
    prepared = Prepared(members)
    prepared.rows(people[0].pk)
    with CaptureQueriesContext(connection) as asked:
        row = prepared.get(people[1].pk)
        assert (row.tenant.slug, row.user.email, row.role) == ("t1", "u1@example.com", "owner")
    assert len(asked) == 1
    (same,) = members(people[1].pk)
    shown = [vars(each.tenant) | {"_state": None} for each in (row, same)]
    assert shown[0] == shown[1]


def test_the_same_sql_is_sent_that_the_query_itself_sends(people: list[User]) -> None:
    keys = [people[0].pk, people[2].pk]
    with CaptureQueriesContext(connection) as asked:
        list(members(*keys))
        Prepared(members).rows(*keys)
    assert asked[0]["sql"] == asked[1]["sql"]


def test_the_query_is_built_once_for_each_number_of_values(people: list[User]) -> None:
    built = []

    def build(*user_ids: int) -> QuerySet[Membership]:
        built.append(len(user_ids))
        return members(*user_ids)

    prepared = Prepared(build)
    for _ in range(3):
        prepared.rows(people[0].pk)
        prepared.rows(people[0].pk, people[1].pk)
    assert built == [1, 2]


def test_one_of_none_is_nobody_and_asks_nothing(people: list[User]) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert Prepared(members).rows() == []
    assert len(asked) == 0


def test_what_is_not_there_is_the_models_own_error(people: list[User]) -> None:
    with pytest.raises(Membership.DoesNotExist):
        Prepared(members).get(0)


def test_texts_and_times_are_values_too(people: list[User]) -> None:
    prepared = Prepared(lambda slug, since: Tenant.objects.filter(slug=slug, created_at__gt=since))
    long_ago, later = datetime(2001, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)
    assert [row.slug for row in prepared.rows("t1", long_ago)] == ["t1"]
    assert prepared.rows("t1", later) == []
    assert prepared.rows("'; DROP TABLE tenants_tenant; --", long_ago) == []


def test_a_column_that_holds_no_negative_is_compared_too(people: list[User]) -> None:
    """Django answers "none" by itself where a value is beyond what the field holds."""
    row = Onboarding.objects.create(
        tenant=Tenant.objects.get(slug="t1"), connection_mode="business_platform", fence=7
    )
    held = Prepared(lambda fence: Onboarding.objects.filter(fence=fence))
    assert held.rows(7) == [row]


def test_what_django_answers_by_itself_is_left_to_it_each_time(db: None) -> None:
    """A small column cannot hold the mark, so Django says "none" for it; it can hold the value."""
    found = Prepared(lambda days: Tenant.objects.filter(pk__in=[days] if days < 100 else []))
    assert found.rows(1) == []
    made = Tenant.objects.create(slug="small", name="Small", pk=7)
    assert found.rows(7) == [made]


def test_a_value_that_no_condition_asks_for_is_refused(db: None) -> None:
    with pytest.raises(ValueError, match="does not ask"):
        Prepared(lambda _forgotten: Tenant.objects.all()).rows(1)


@pytest.mark.django_db(transaction=True)
def test_a_lock_outside_a_transaction_is_refused_each_time() -> None:
    locked = Prepared(lambda pk: Tenant.objects.select_for_update().filter(pk=pk))
    with transaction.atomic():
        locked.rows(1)
    with pytest.raises(TransactionManagementError):
        locked.rows(1)


@pytest.mark.django_db(transaction=True)
def test_threads_that_ask_at_once_have_each_their_own_rows() -> None:
    tenants = [Tenant.objects.create(slug=f"t{index}", name="T") for index in range(8)]
    prepared = Prepared(lambda pk: Tenant.objects.filter(pk=pk))

    def asks(tenant: Tenant) -> bool:
        return all(prepared.get(tenant.pk).slug == tenant.slug for _ in range(50))

    found = at_once(*[partial(asks, tenant) for tenant in tenants])
    assert found == [True] * len(tenants)
