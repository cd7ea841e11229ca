"""Every reason says what, why, what to do and who; every state has its words on the card."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from onboarding import progress, reasons, requirements
from onboarding.models import Onboarding
from onboarding.states import State
from tenants.models import Tenant

ROOT = Path(__file__).resolve().parent.parent.parent / "onboarding"


@pytest.mark.parametrize("code", reasons.REASONS)
def test_each_reason_is_complete(code: str) -> None:
    reason = reasons.REASONS[code]
    assert str(reason.what)
    assert str(reason.why)
    assert reason.who in reasons.WHO_LABELS
    assert reason.remedy or reason.tone == "wait"
    assert not str(reason.what).endswith(".")
    assert "You cancelled" not in str(reason.what)
    assert reasons.public(code) in reasons.REASONS


def test_what_customers_read_has_no_technical_words() -> None:
    for code in {reasons.public(code) for code in reasons.REASONS}:
        reason = reasons.REASONS[code]
        text = " ".join(map(str, (reason.what, reason.why, *reason.remedy)))
        assert not re.search(r"\bWABA|\bcoexistence\b|\bAPI\b|HTTP", text), code


def test_the_true_reasons_of_an_unconfirmed_account_look_the_same_to_customers() -> None:
    hidden = ("account_not_visible", "account_not_granted", "account_held")
    assert {reasons.public(code) for code in hidden} == {"account_unconfirmed"}


def test_each_reason_in_the_code_is_in_the_catalogue() -> None:
    written = set()
    for path in ROOT.rglob("*.py"):
        for found in re.findall(
            r"(?:stop\(|wait\(\s*S\.\w+,\s*|reason=)\"([a-z_]+)\"", path.read_text()
        ):
            written.add(found)
    assert len(written) > 15
    assert written <= set(reasons.REASONS)


@pytest.mark.parametrize("state", State)
def test_each_state_has_a_card(tenant: Tenant, state: State) -> None:
    row = Onboarding.objects.create(tenant=tenant, connection_mode="business_platform", state=state)
    card = progress.card(row)
    html = render_to_string("_card.html", {"card": card})
    assert f'data-state="{state}"' in html
    assert card["waiting_text"]


@pytest.mark.parametrize("code", reasons.REASONS)
def test_each_reason_has_a_card_and_a_requirement(tenant: Tenant, code: str) -> None:
    row = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_platform", state="needs_attention", reason=code
    )
    (shown,) = requirements.of(row)
    assert shown.code == reasons.public(code)
    (true,) = requirements.of(row, staff=True)
    assert true.code == code
    assert str(shown.what) in progress.card(row)["waiting_text"] + str(
        progress.card(row)["requirement"]
    )


@pytest.mark.parametrize(
    ("e164", "shown"),
    [
        ("+34612345678", "+34 612 34 56 78"),
        ("+12025550123", "+1 202-555-0123"),
        ("x", "x"),
        ("", ""),
    ],
)
def test_numbers_are_shown_in_groups(e164: str, shown: str) -> None:
    assert progress.display_number(e164) == shown


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("TIER_250", "250 customers a day"),
        ("TIER_100K", "100,000 customers a day"),
        ("TIER_UNLIMITED", "unlimited"),
        ("TIER_NOT_SET", ""),
        ("TIER_NEW", "TIER_NEW"),
    ],
)
def test_limits_are_told_in_words(word: str, shown: str) -> None:
    assert progress.limit_label(word) == shown


def test_a_page_asks_less_often_the_longer_it_waits(tenant: Tenant) -> None:
    row = Onboarding(tenant=tenant, state="registering", state_changed_at=timezone.now())
    young = progress.poll_seconds(row)
    row.state_changed_at = timezone.now() - timedelta(minutes=5)
    assert young < progress.poll_seconds(row)
    row.state = "rejected"
    assert progress.poll_seconds(row) == 0


def test_a_connected_number_is_still_looked_at_for_it_may_be_lost(tenant: Tenant) -> None:
    row = Onboarding(tenant=tenant, state="connected", state_changed_at=timezone.now())
    assert 10 <= progress.poll_seconds(row) <= 30


SPOKEN = re.compile(r"\b[Yy]our\b|[Yy]ou (shared|use|need|can|chose)|Press “|this page")


@pytest.mark.parametrize("code", reasons.REASONS)
def test_staff_read_nothing_that_is_said_to_a_customer(code: str) -> None:
    reason = reasons.REASONS[code]
    told = [*map(str, (reason.staff_what, reason.staff_why, *reason.staff_remedy))]
    for text in told:
        assert not SPOKEN.search(text), text
    assert reason.staff_remedy, "the desk's next move is its first line"
    first = str(reason.staff_remedy[0])
    assert len(first) <= 60, first


def test_the_acts_that_help_are_acts_of_the_desk() -> None:
    from onboarding.admin.onboardings.acts import BY_NAME

    for reason in reasons.REASONS.values():
        assert set(reason.for_staff.acts) <= set(BY_NAME), reason.code
