"""When an onboarding first came so far: kept by each move, and read from the moves of old rows."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from onboarding import transitions
from onboarding.models import Onboarding, Transition, WhatsAppBusinessAccount
from onboarding.states import MILESTONES, State
from tenants import walls
from tenants.models import Tenant

S = State
backfill = import_module("onboarding.migrations.0019_milestones_kept")


@pytest.fixture
def row(tenant: Tenant) -> Onboarding:
    return Onboarding.objects.create(tenant=tenant, connection_mode="business_platform")


def goes(row: Onboarding, *states: State, **facts: Any) -> None:
    for state in states:
        transitions.move(row, state, actor="worker", **facts)


def kept(row: Onboarding) -> list[str]:
    row.refresh_from_db()
    return [name.removesuffix("_at") for name in MILESTONES if getattr(row, name)]


def test_a_straight_way_reaches_each_milestone_in_its_order(row: Onboarding) -> None:
    begin = timezone.now()
    for seconds, state in enumerate((S.SIGNED_UP, S.LINKED, S.REGISTERING, S.CONNECTING)):
        with time_machine.travel(begin + timedelta(seconds=seconds), tick=False):
            goes(row, state)
    with time_machine.travel(begin + timedelta(seconds=9), tick=False):
        goes(row, S.CONNECTED)
    row.refresh_from_db()
    seconds_of = [(getattr(row, name) - begin).total_seconds() for name in MILESTONES]
    assert seconds_of == [0, 1, 2, 3, 9]


def test_a_move_that_skips_states_proves_what_lies_before(row: Onboarding) -> None:
    goes(row, S.SIGNED_UP, S.NEEDS_ATTENTION)
    assert kept(row) == ["finished"]
    goes(row, S.REGISTERING)
    assert kept(row) == ["finished", "linked", "paid"]


@pytest.mark.parametrize("state", [S.NEEDS_ATTENTION, S.CANCELLED, S.AWAITING_ACCOUNT])
def test_a_stop_proves_nothing_more(row: Onboarding, state: State) -> None:
    goes(row, S.SIGNED_UP, state)
    assert kept(row) == ["finished"]


def test_a_review_of_an_account_that_nobody_read_is_not_paid(
    row: Onboarding, tenant: Tenant
) -> None:
    goes(row, S.SIGNED_UP, S.IN_REVIEW)
    assert kept(row) == ["finished"]
    account = WhatsAppBusinessAccount.objects.create(tenant=tenant, waba_id="1")
    goes(row, S.SIGNED_UP)
    goes(row, S.IN_REVIEW, business_account=account)
    assert kept(row) == ["finished", "linked", "paid"]


def test_a_relaunch_and_a_second_time_keep_the_first(row: Onboarding) -> None:
    goes(row, S.SIGNED_UP, S.CANCELLED)
    row.refresh_from_db()
    first = row.finished_at
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        goes(row, S.STARTED, S.SIGNED_UP)
    row.refresh_from_db()
    assert row.finished_at == first


def test_a_look_that_changes_nothing_reaches_nothing(tenant: Tenant) -> None:
    row = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_platform", state="registering"
    )
    goes(row, S.REGISTERING, note="looked")
    assert kept(row) == []


def fill() -> None:
    with connection.schema_editor() as editor:
        backfill.fill(apps, editor)


def test_old_rows_get_the_milestones_that_moves_would_have_kept(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_command("generate_onboardings", "--yes-really", "--count", "400", stdout=StringIO())
    columns = ("pk", *MILESTONES)
    before = sorted(Onboarding.objects.values_list(*columns))
    assert any(row[4] for row in before)
    Onboarding.objects.update(**{name: None for name in MILESTONES if name != "connected_at"})
    monkeypatch.setattr(backfill, "BATCH", 7)
    with walls.seeing_nothing():
        fill()
    assert sorted(Onboarding.objects.values_list(*columns)) == before


def test_filling_again_changes_nothing_and_an_empty_table_is_no_fault(row: Onboarding) -> None:
    goes(row, S.SIGNED_UP, S.LINKED)
    row.refresh_from_db()
    before = (row.finished_at, row.linked_at)
    fill()
    row.refresh_from_db()
    assert (row.finished_at, row.linked_at) == before
    Transition.objects.all().delete()
    Onboarding.objects.all().delete()
    fill()
