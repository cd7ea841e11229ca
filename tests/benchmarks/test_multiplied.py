"""Copies of a block are onboardings as the block's own: whole, and nobody else's."""

from __future__ import annotations

from collections import Counter
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F

from benchmarks import multiplied
from onboarding.models import Onboarding, PhoneNumber, ProviderCall, Transition
from tenants.models import Membership, Tenant

BLOCK, COPIES = 30, 3


@pytest.fixture
def copied(transactional_db: None) -> None:
    """The tables hold the block and nothing else, and count from 1."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        for model in multiplied.models():
            table = model._meta.db_table
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), 1, false)")
        cursor.execute("SET ROLE onboarding_app")
    call_command(
        "generate_onboardings", "--yes-really", f"--count={BLOCK}", "--tenants=5", stdout=StringIO()
    )
    multiplied.multiply(BLOCK, COPIES)


def stories(rows: Any) -> Counter[tuple[str, str]]:
    return Counter(rows.values_list("state", "reason"))


def test_each_copy_tells_the_same_stories(copied: None) -> None:
    first = stories(Onboarding.objects.filter(pk__lte=BLOCK))
    everything = stories(Onboarding.objects.all())
    assert everything == Counter({story: (COPIES + 1) * many for story, many in first.items()})
    assert Tenant.objects.count() == 5 * (COPIES + 1)


def test_a_copy_belongs_to_tenants_of_its_own(copied: None) -> None:
    of_copies = Onboarding.objects.filter(pk__gt=BLOCK)
    assert not of_copies.filter(tenant__pk__lte=5).exists()
    strangers = Onboarding.objects.exclude(started_by__memberships__tenant=F("tenant"))
    assert not strangers.exists()
    assert Membership.objects.count() == 5 * (COPIES + 1)


def test_a_copys_account_and_number_are_its_own(copied: None) -> None:
    held = Onboarding.objects.filter(number__isnull=False)
    assert held.exists()
    assert not held.exclude(number__tenant=F("tenant")).exists()
    assert not held.exclude(number__phone_number_id=F("claimed_phone_number_id")).exists()
    assert not held.exclude(business_account__waba_id=F("claimed_waba_id")).exists()
    numbers = PhoneNumber.objects.values_list("phone_number_id", "e164")
    assert len({each for each, _ in numbers}) == len({e164 for _, e164 in numbers}) == len(numbers)


def test_a_copy_has_its_history(copied: None) -> None:
    for model in (Transition, ProviderCall):
        own = model.objects.filter(onboarding__pk__lte=BLOCK).count()
        assert own
        assert model.objects.count() == own * (COPIES + 1)


def test_rows_can_be_added_afterwards(copied: None) -> None:
    tenant = Tenant.objects.create(name="Cakes", slug="cakes")
    row = Onboarding.objects.create(tenant=tenant, connection_mode="business_app", state="started")
    assert row.pk == BLOCK * (COPIES + 1) + 1
