"""`generate_onboardings`: rows that look real, removed without a trace, never among real ones."""

from __future__ import annotations

from collections import Counter
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from django.utils import timezone

from onboarding import transitions
from onboarding.models import (
    Onboarding,
    PhoneNumber,
    ProviderCall,
    SignupEvent,
    Transition,
    WhatsAppBusinessAccount,
)
from onboarding.reasons import REASONS
from onboarding.states import TRANSITIONS, State
from tenants.models import Tenant, User

MODELS = (
    Onboarding, Transition, SignupEvent, ProviderCall, WhatsAppBusinessAccount, PhoneNumber, Tenant,
    User,
)  # fmt: skip


def generate(*options: str) -> str:
    out = StringIO()
    call_command("generate_onboardings", "--yes-really", *options, stdout=out)
    return out.getvalue()


def test_rows_in_every_state_stand_where_their_history_ends(db: None) -> None:
    generate("--count", "1500", "--tenants", "10")
    assert Onboarding.objects.count() == 1500
    assert set(Onboarding.objects.values_list("state", flat=True)) == set(State.values)
    for row in Onboarding.objects.prefetch_related("transitions")[:300]:
        moves = list(row.transitions.all())
        assert (moves[-1].to_state, moves[-1].reason) == (row.state, row.reason)
        assert moves[-1].at == row.state_changed_at
        for move in moves[1:]:
            assert State(move.to_state) in TRANSITIONS[State(move.from_state)]


def test_every_reason_is_in_the_catalogue_and_no_time_is_to_come(db: None) -> None:
    generate("--count", "1000")
    used = set(Onboarding.objects.values_list("reason", flat=True))
    used |= set(PhoneNumber.objects.values_list("health", flat=True))
    assert used - {""} <= set(REASONS)
    assert not Onboarding.objects.filter(state_changed_at__gt=timezone.now()).exists()
    assert not Onboarding.objects.filter(state_changed_at__lt=F("created_at")).exists()


def test_no_worker_takes_a_made_up_row(db: None) -> None:
    generate("--count", "300")
    assert transitions.claim_due(10) == []
    assert transitions.claim_numbers(10, timezone.now()) == []


def test_the_same_seed_tells_the_same_stories(db: None) -> None:
    def told() -> Counter[tuple[str, str]]:
        generate("--count", "200", "--tenants", "3", "--seed", "7")
        found = Counter(Onboarding.objects.values_list("state", "reason"))
        generate("--remove")
        return found

    assert told() == told()


def test_a_second_run_adds_to_the_first(db: None) -> None:
    generate("--count", "100", "--tenants", "5")
    generate("--count", "100", "--tenants", "5", "--seed", "2")
    assert Onboarding.objects.count() == 200
    assert Tenant.objects.count() == 5


def test_they_are_removed_without_a_trace_and_nothing_else_is(tenant: Tenant, owner: User) -> None:
    Onboarding.objects.create(tenant=tenant, connection_mode="business_platform")
    before = {model: model.objects.count() for model in MODELS}  # type: ignore[attr-defined]
    generate("--count", "300")
    assert "300" in generate("--remove")
    assert {model: model.objects.count() for model in MODELS} == before  # type: ignore[attr-defined]


def test_it_refuses_where_customers_may_be_real(db: None, settings: Any) -> None:
    with pytest.raises(CommandError, match="sandbox"):
        call_command("generate_onboardings")
    assert not Onboarding.objects.exists()
    settings.SANDBOX_ORIGIN = "http://127.0.0.1:9"
    call_command("generate_onboardings", "--count", "5", stdout=StringIO())
    assert Onboarding.objects.count() == 5
