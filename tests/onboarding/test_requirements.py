"""What is due, pending or wrong with WABAs and numbers: derived, ordered, once each, with times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from onboarding import progress, reasons, requirements
from onboarding.models import Onboarding, PhoneNumber, WhatsAppBusinessAccount
from onboarding.progress import cards
from onboarding.reasons.standing import STAFF_ONLY, STANDINGS
from onboarding.requirements import conditions
from onboarding.requirements.conditions import topic
from onboarding.states import State
from tenants.models import Tenant

ROOT = Path(__file__).resolve().parent.parent.parent
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
KEYS = {
    "code", "standing", "what", "why", "remedy", "who", "since", "due", "due_kind",
}  # fmt: skip
HOSTILE = "<script>alert(1)</script>\u202eRTL\x00 " + "x" * 500


def account(**facts: Any) -> WhatsAppBusinessAccount:
    well = {
        "account_review_status": "APPROVED", "payment_method_attached": True,
        "business_verification_status": "verified", "created_at": NOW, "read_at": NOW,
    }  # fmt: skip
    return WhatsAppBusinessAccount(**{"pk": 1, "waba_id": "1", **well, **facts})


def number(**facts: Any) -> PhoneNumber:
    well = {
        "status": "CONNECTED", "name_status": "APPROVED", "quality": "GREEN",
        "code_verification_status": "VERIFIED", "created_at": NOW, "read_at": NOW,
        "next_look_at": NOW + timedelta(days=7), "is_on_biz_app": False,
    }  # fmt: skip
    return PhoneNumber(**{"pk": 1, "phone_number_id": "2", "e164": "+34612000000", **well, **facts})


def codes(row: Any, *, staff: bool = True) -> list[str]:
    found = (requirements.of_account if row._meta.model_name != "phonenumber"
             else requirements.of_number)(row, staff=staff)  # fmt: skip
    return [each.code for each in found]


def restriction(kind: str, **more: Any) -> dict[str, Any]:
    return {"restrictionType": kind, **more}


# --- Which conditions ----------------------------------------------------------------------------


def test_where_all_is_well_nothing_is_due() -> None:
    assert codes(account()) == []
    assert codes(number()) == []


@pytest.mark.parametrize(
    ("facts", "code", "standing"),
    [
        ({"payment_method_attached": False}, "payment_missing", "due"),
        ({"account_review_status": "PENDING"}, "account_in_review", "pending"),
        ({"account_review_status": "REJECTED"}, "account_rejected", "wrong"),
        ({"ban_state": "SCHEDULE_FOR_DISABLE"}, "account_disable_scheduled", "due"),
        ({"ban_state": "DISABLE"}, "account_banned", "wrong"),
        ({"business_verification_status": "not_verified"}, "business_not_verified", "notice"),
        ({"business_verification_status": "pending"}, "business_verification_pending", "pending"),
        (
            {"business_verification_status": "pending_need_more_info"},
            "business_verification_more", "due",
        ),
        ({"business_verification_status": "failed"}, "business_verification_failed", "notice"),
        ({"lost": "account_removed"}, "account_removed", "wrong"),
    ],
)  # fmt: skip
def test_each_fact_of_an_account_has_its_condition(
    facts: dict[str, Any], code: str, standing: str
) -> None:
    (found,) = requirements.of_account(account(**facts))
    assert (found.code, found.standing) == (code, standing)


@pytest.mark.parametrize(
    ("facts", "code", "standing"),
    [
        ({"name_status": "PENDING_REVIEW"}, "name_review", "pending"),
        ({"name_status": "DECLINED"}, "name_declined", "due"),
        ({"name_status": "EXPIRED"}, "name_expired", "due"),
        ({"name_status": "NONE"}, "name_missing", "notice"),
        ({"new_name_status": "PENDING_REVIEW"}, "new_name_review", "pending"),
        ({"new_name_status": "DECLINED"}, "new_name_declined", "notice"),
        ({"quality": "YELLOW"}, "quality_medium", "notice"),
        ({"quality": "RED"}, "quality_low", "due"),
        ({"status": "FLAGGED"}, "number_flagged", "due"),
        ({"status": "WARNED"}, "number_warned", "due"),
        ({"status": "RATE_LIMITED"}, "number_rate_limited", "pending"),
        ({"status": "RESTRICTED"}, "number_restricted", "pending"),
        ({"status": "BLOCKED"}, "number_blocked", "pending"),
        ({"status": "MANUAL_REVIEW"}, "number_in_review", "pending"),
        ({"health": "number_offboarded"}, "number_offboarded", "wrong"),
        ({"status": "BANNED", "next_look_at": None}, "number_banned", "wrong"),
        ({"status": "UNVERIFIED", "next_look_at": None}, "number_not_verified", "due"),
        (
            {"status": "PENDING", "code_verification_status": "NOT_VERIFIED"},
            "number_not_verified", "due",
        ),
    ],
)  # fmt: skip
def test_each_fact_of_a_number_has_its_condition(
    facts: dict[str, Any], code: str, standing: str
) -> None:
    (found,) = requirements.of_number(number(**facts))
    assert (found.code, found.standing) == (code, standing)


def test_a_reinstated_account_is_well() -> None:
    assert codes(account(ban_state="REINSTATE")) == []


def test_one_reading_of_a_connected_number_alone_alarms_nobody() -> None:
    """Its health says so after a second one."""
    assert codes(number(status="BANNED")) == []


def test_an_expired_code_of_a_number_that_works_is_no_trouble() -> None:
    assert codes(number(code_verification_status="EXPIRED")) == []


def test_a_lost_number_shows_what_became_of_it_and_nothing_older() -> None:
    assert codes(number(health="number_removed", quality="RED", status="FLAGGED")) == [
        "number_removed"
    ]


def test_a_number_of_the_app_says_to_keep_it_open_once_it_is_connected() -> None:
    assert codes(number(is_on_biz_app=True)) == ["app_keep_open", "app_features"]
    assert codes(number(is_on_biz_app=True, next_look_at=None)) == []


# --- Restrictions, and by when -------------------------------------------------------------------


def test_a_restriction_ends_when_meta_says_so() -> None:
    ends = timezone.now() + timedelta(days=3)
    told = [restriction("RESTRICTED_BIZ_INITIATED_MESSAGING", expiration=ends.isoformat())]
    (found,) = requirements.of_account(account(restrictions=told))
    assert (found.code, found.due, found.due_kind) == ("account_restricted_starting", ends, "ends")


def test_a_restriction_that_is_over_does_not_count() -> None:
    over = (timezone.now() - timedelta(seconds=1)).isoformat()
    told = [restriction("RESTRICTED_BIZ_INITIATED_MESSAGING", expiration=over)]
    assert codes(account(restrictions=told)) == []


def test_of_two_restrictions_of_a_kind_the_longer_one_counts() -> None:
    kind = "RESTRICTED_CUSTOMER_INITIATED_MESSAGING"
    soon, late = (timezone.now() + timedelta(days=days) for days in (1, 9))
    for told in ([soon, late], [late, soon]):
        listed = [restriction(kind, expiration=at.isoformat()) for at in told]
        (found,) = requirements.of_account(account(restrictions=listed))
        assert found.due == late
    (found,) = requirements.of_account(
        account(restrictions=[restriction(kind), restriction(kind, expiration=soon.isoformat())])
    )
    assert found.due is None, "one without an end is longer than any"


@pytest.mark.parametrize(
    "told", ["", None, 7, {}, [None], [7], [[]], [{}], [{"restrictionType": None}],
             [{"expiration": "soon"}], [{"restrictionType": "  "}]],
)  # fmt: skip
def test_restrictions_that_are_none_are_none(told: Any) -> None:
    assert codes(account(restrictions=told)) == []


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("December 9, 2026", datetime(2026, 12, 9, tzinfo=UTC)),
        ("2026-12-09", datetime(2026, 12, 9, tzinfo=UTC)),
        ("2026-12-09T10:00:00Z", datetime(2026, 12, 9, 10, tzinfo=UTC)),
        ("soon", None),
        ("", None),
    ],
)
def test_the_day_of_a_ban_is_read_where_it_is_one(text: str, day: datetime | None) -> None:
    row = account(ban_state="SCHEDULE_FOR_DISABLE", ban_date=text)
    (found,) = requirements.of_account(row)
    assert (found.due, found.due_kind) == (day, "before" if day else None)


def test_what_is_pending_tells_when_we_look_again() -> None:
    row = number(name_status="PENDING_REVIEW")
    (found,) = requirements.of_number(row)
    assert (found.due, found.due_kind) == (row.next_look_at, "look")


# --- Words that are new to us --------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [
        account(account_review_status="SOMETHING_NEW"), account(ban_state="SOMETHING_NEW"),
        account(business_verification_status="SOMETHING_NEW"),
        account(restrictions=[restriction("SOMETHING_NEW")]),
        number(status="SOMETHING_NEW"), number(name_status="SOMETHING_NEW"),
        number(new_name_status="SOMETHING_NEW"), number(quality="SOMETHING_NEW"),
    ],
)  # fmt: skip
def test_a_new_word_is_a_notice_for_staff_and_nothing_for_customers(row: Any) -> None:
    of = requirements.of_number if isinstance(row, PhoneNumber) else requirements.of_account
    (found,) = of(row, staff=True)
    assert found.standing == "notice"
    assert "SOMETHING_NEW" in found.why
    assert of(row) == []


def test_a_hostile_word_is_short_and_cannot_turn_or_break_the_text() -> None:
    (found,) = requirements.of_number(number(status=HOSTILE), staff=True)
    word = found.why.partition("\u2068")[2]
    assert word.endswith("\u2069")
    assert len(word) <= 41
    assert "\u202e" not in word
    assert "\x00" not in word


# --- Every combination ---------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["", "PENDING", "APPROVED", "REJECTED", "DISABLE", "SCHEDULE_FOR_DISABLE", "REINSTATE",
     "BANNED", "verified", "pending", "failed", "expired", "PENDING_REVIEW", "DECLINED", "NONE",
     "EXPIRED",
     "GREEN", "YELLOW", "RED", "UNKNOWN", "CONNECTED", "FLAGGED", "WARNED", "RESTRICTED", "BLOCKED",
     "UNVERIFIED", "DISCONNECTED", "MIGRATED", "NOT_VERIFIED", HOSTILE]
) | st.text(max_size=40)  # fmt: skip
KINDS = st.sampled_from([*conditions._RESTRICTIONS, "NEW"])
TIMES = st.none() | st.sampled_from(["2999-01-01T00:00:00Z", "2000-01-01 00:00:00+00:00", "x", ""])
RESTRICTIONS = st.lists(
    st.fixed_dictionaries({"restrictionType": KINDS, "expiration": TIMES}) | st.none(), max_size=5
)
FLAGS = st.none() | st.booleans()
ACCOUNTS = st.builds(
    account, account_review_status=WORDS, ban_state=WORDS, ban_date=WORDS,
    business_verification_status=WORDS, payment_method_attached=FLAGS, restrictions=RESTRICTIONS,
    lost=st.sampled_from(["", "account_removed"]),
)  # fmt: skip
NUMBERS = st.builds(
    number, status=WORDS, name_status=WORDS, new_name_status=WORDS, quality=WORDS,
    code_verification_status=WORDS, is_on_biz_app=FLAGS,
    health=st.sampled_from(["", "", *sorted(reasons.LOST)]),
    next_look_at=st.none() | st.just(NOW),
)  # fmt: skip


def is_valid(found: list[requirements.Requirement], *, first: int = 0) -> bool:
    known = [each.code for each in found]
    assert len(set(known)) == len(known)
    order = [STANDINGS.index(each.standing) for each in found[first:]]
    assert order == sorted(order)
    for each in found:
        assert set(each.as_json()) == KEYS
        assert each.what
        assert each.why
        assert each.since.tzinfo is not None
        assert (each.due is None) == (each.due_kind is None)
    return True


@settings(max_examples=200, deadline=None)
@given(row=ACCOUNTS, staff=st.booleans())
def test_any_facts_of_an_account_give_valid_requirements(
    row: WhatsAppBusinessAccount, staff: bool
) -> None:
    found = requirements.of_account(row, staff=staff)
    assert is_valid(found)
    assert staff or not {each.code for each in found} & STAFF_ONLY


@settings(max_examples=200, deadline=None)
@given(row=NUMBERS, staff=st.booleans())
def test_any_facts_of_a_number_give_valid_requirements(row: PhoneNumber, staff: bool) -> None:
    found = requirements.of_number(row, staff=staff)
    assert is_valid(found)
    assert staff or not {each.code for each in found} & STAFF_ONLY


@settings(max_examples=300, deadline=None)
@given(
    waba=ACCOUNTS, sender=NUMBERS, state=st.sampled_from(State),
    reason=st.sampled_from(["", *sorted(reasons.REASONS)]), staff=st.booleans(),
)  # fmt: skip
def test_an_onboarding_shows_its_stop_first_and_says_nothing_twice(
    waba: WhatsAppBusinessAccount, sender: PhoneNumber, state: str, reason: str, staff: bool
) -> None:
    row = Onboarding(
        state=state, reason=reason, state_changed_at=NOW, updated_at=NOW, business_account=waba,
        number=sender, created_at=NOW,
    )  # fmt: skip
    found = requirements.of(row, staff=staff)
    stop = requirements.stop_of(row, staff=staff)
    assert is_valid(found, first=1 if stop else 0)
    if stop is not None:
        assert found[0] == stop
    topics = [topic(each.code) for each in found]
    assert len(set(topics)) == len(topics)


def test_each_topic_is_of_codes_that_there_are() -> None:
    assert set(conditions._TOPICS) <= set(reasons.REASONS)


# --- Beside a stop -------------------------------------------------------------------------------


def onboarding(state: str, reason: str = "", **more: Any) -> Onboarding:
    return Onboarding(
        tenant=Tenant(name="John's Cake Shop", slug="cakes"), state=state, reason=reason,
        state_changed_at=NOW, updated_at=NOW, created_at=NOW, **more,
    )  # fmt: skip


def test_a_stop_for_payment_shows_payment_once() -> None:
    row = onboarding(
        "awaiting_payment", "payment_missing",
        business_account=account(payment_method_attached=False),
    )  # fmt: skip
    assert [each.code for each in requirements.of(row)] == ["payment_missing"]


def test_a_wait_shows_what_else_is_due() -> None:
    row = onboarding(
        "awaiting_payment", "payment_missing",
        business_account=account(
            payment_method_attached=False, business_verification_status="pending"
        ),
        number=number(name_status="DECLINED", status="PENDING", next_look_at=None),
    )  # fmt: skip
    assert [each.code for each in requirements.of(row)] == [
        "payment_missing", "name_declined", "business_verification_pending",
    ]  # fmt: skip


def test_an_attempt_to_reconnect_does_not_tell_that_the_number_is_lost() -> None:
    lost = number(health="number_removed")
    row = onboarding("registering", business_account=account(), number=lost)
    assert requirements.of(row) == []


@pytest.mark.parametrize("state", ["started", "cancelled", "rejected"])
def test_an_attempt_that_has_ended_shows_nothing_of_the_account(state: str) -> None:
    row = onboarding(state, business_account=account(ban_state="DISABLE"))
    assert requirements.of(row) == []


def test_a_condition_does_not_speak_of_buttons_that_are_not_there() -> None:
    (found,) = requirements.of_account(account(account_review_status="REJECTED"))
    assert not any("Check again" in line for line in found.remedy)


# --- Since when ----------------------------------------------------------------------------------


def test_a_condition_keeps_the_time_at_which_it_began_and_loses_it_when_it_ends() -> None:
    row = number(quality="RED")
    row.standing_since = requirements.settled(row, NOW)["standing_since"]
    row.status = "FLAGGED"
    later = requirements.settled(row, NOW + timedelta(hours=5))
    row.standing_since = later["standing_since"]
    since = {each.code: each.since for each in requirements.of_number(row)}
    assert since == {"quality_low": NOW, "number_flagged": NOW + timedelta(hours=5)}
    assert later["standing"] == "due"
    row.quality = "GREEN"
    again = requirements.settled(row, NOW + timedelta(hours=6))
    assert set(again["standing_since"]) == {"number_flagged"}  # type: ignore[call-overload]


@pytest.mark.parametrize("kept", [None, [], "x", {"quality_low": None}, {"quality_low": "x"}])
def test_times_that_are_none_are_replaced_by_the_last_reading(kept: Any) -> None:
    (found,) = requirements.of_number(number(quality="RED", standing_since=kept))
    assert found.since == NOW


# --- On the card ---------------------------------------------------------------------------------


def card_of(row: Onboarding, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(cards, "timeline", lambda row: [])
    monkeypatch.setattr(cards, "milestones", lambda row: [])
    return str(render_to_string("_card.html", {"card": progress.card(row)}))


def test_a_connected_card_stays_a_success_and_tells_what_else_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = onboarding("connected", business_account=account(), number=number(name_status="DECLINED"))
    html = card_of(row, monkeypatch)
    assert "Your number is connected</h2>" in html
    assert "Meta did not accept the display name of your number" in html
    assert "Next move: You" in html


def test_the_card_of_an_app_number_says_once_to_keep_the_app(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = onboarding(
        "connected", business_account=account(), number=number(is_on_biz_app=True),
        connection_mode="business_app",
    )  # fmt: skip
    html = card_of(row, monkeypatch)
    assert html.count("open it at least every week") == 1
    assert "Keep the WhatsApp Business app on your phone" not in html
    assert "Some things work differently" in html


def test_words_of_ycloud_s_are_never_markup_on_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = dict.fromkeys(("status", "quality", "name_status", "verified_name"), HOSTILE)
    row = onboarding(
        "connected", business_account=account(ban_date=HOSTILE, name=HOSTILE),
        number=number(**hostile),
    )  # fmt: skip
    assert "<script" not in card_of(row, monkeypatch)


# --- The page that lists them --------------------------------------------------------------------


def test_docs_name_each_condition_with_its_standing_and_who() -> None:
    text = (ROOT / "docs" / "requirements.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    for reason in reasons.standing.ALL:
        if reason.code in STAFF_ONLY:
            assert f"`{reason.code}`" in text, reason.code
            continue
        (row,) = [line for line in rows if f"`{reason.code}`" in line]
        told = [cell.strip() for cell in row.split("|")]
        assert told[2:4] == [reasons.standing_of(reason.code), reason.who], reason.code
