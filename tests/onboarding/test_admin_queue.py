"""The queue: what is shown, in which order, narrowed by what; anything finds its row."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from onboarding import search
from onboarding.admin import counting
from onboarding.admin.onboardings import OnboardingAdmin
from onboarding.models import (
    Onboarding,
    PhoneNumber,
    ProviderCall,
    SearchWord,
    WhatsAppBusinessAccount,
)
from tenants.models import Tenant, User
from tests.onboarding.desk import LIST

AGES = {"in_review": 2, "needs_attention": 5, "awaiting_payment": 9, "registering": 30}


def made(tenant: Tenant, **columns: Any) -> Onboarding:
    days = columns.pop("days", 0)
    row = Onboarding.objects.create(**{"tenant": tenant, "connection_mode": "business_platform",
                                       **columns})  # fmt: skip
    since = timezone.now() - timedelta(days=days, minutes=1)
    Onboarding.objects.filter(pk=row.pk).update(state_changed_at=since)
    return row


def with_number(tenant: Tenant, ids: str, e164: str, **names: str) -> Onboarding:
    account = WhatsAppBusinessAccount.objects.create(
        tenant=tenant, waba_id=f"1{ids}", name=names.get("account", ""),
        country=names.get("country", ""),
    )  # fmt: skip
    number = PhoneNumber.objects.create(
        tenant=tenant, business_account=account, phone_number_id=f"2{ids}", e164=e164,
        verified_name=names.get("display", ""),
    )  # fmt: skip
    return made(tenant, business_account=account, number=number, state="registering",
                claimed_waba_id=f"1{ids}", claimed_phone_number_id=f"2{ids}",
                claimed_business_id=f"3{ids}")  # fmt: skip


def listed(desk: Client, query: str = "") -> list[Onboarding]:
    answer = desk.get(f"{LIST}?{query}")
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


# --- What is shown ------------------------------------------------------------------------------


def test_what_waits_for_us_comes_first_and_then_what_waits_longest(
    desk: Client, tenant: Tenant
) -> None:
    for state, days in AGES.items():
        made(tenant, state=state, days=days)
    shown = [row.state for row in listed(desk)]
    assert shown == ["needs_attention", "in_review", "registering", "awaiting_payment"]


def test_what_has_ended_is_hidden_until_it_is_asked_for(desk: Client, tenant: Tenant) -> None:
    for state in ("in_review", "connected", "rejected", "cancelled"):
        made(tenant, state=state, meta_session_id="the-session")
    assert len(listed(desk)) == 1
    assert len(listed(desk, "show=ended")) == 3
    assert len(listed(desk, "show=all")) == 4
    assert len(listed(desk, "q=the-session")) == 4
    assert len(listed(desk, "state=connected")) == 1
    assert len(listed(desk, "state__exact=connected")) == 1


def test_a_line_says_whose_where_why_who_is_next_how_long_and_who_looks_after_it(
    desk: Client, tenant: Tenant, reviewer: User
) -> None:
    row = with_number(tenant, "0001", "+34612345678", account="Cake WABA", country="ES")
    since = timezone.now() - timedelta(days=3, minutes=1)
    Onboarding.objects.filter(pk=row.pk).update(
        state="needs_attention", reason="account_banned", state_changed_at=since,
        assigned_to=reviewer,
    )  # fmt: skip
    page = desk.get(LIST).content.decode()
    for word in ("John&#x27;s Cake Shop", "Cake WABA", "needs attention", "the customer",
                 "unproven", "+34 612 34 56 78", "ES · Platform", "3\xa0days",
                 "reviewer@partner.example", f"{row.pk}/decide/reject/"):  # fmt: skip
        assert word in page, word


def test_a_page_takes_as_many_queries_for_fifty_rows_as_for_one(
    desk: Client, tenant: Tenant
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            listed(desk)
        return len(seen)

    with_number(tenant, "0000", "+34600000000")
    one = queries()
    for n in range(30):
        with_number(tenant, f"10{n:02}", f"+346000010{n:02}")
    assert queries() == one


def test_rows_are_counted_to_a_limit_and_it_says_so(
    desk: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onboarding.admin.counting.MOST", 3)
    for _ in range(5):
        made(tenant, state="in_review")
    page = desk.get(LIST).content.decode()
    assert "More than 3 onboardings: narrow the list to see the others" in page
    assert "more than 3" in page
    assert "Show all" not in page
    assert "Clear all filters" not in page


def test_no_address_shows_all_of_a_long_list(desk: Client) -> None:
    """Django shows all only of what is counted to at most so many."""
    assert OnboardingAdmin.list_max_show_all < counting.MOST


def test_what_narrows_the_list_is_taken_off_by_a_link(desk: Client, tenant: Tenant) -> None:
    made(tenant, state="in_review")
    for query in ("q=nothing", "state=connected"):
        page = desk.get(f"{LIST}?{query}").content.decode()
        assert '0 results (<a href="?">Clear all filters</a>)' in " ".join(page.split()), query


def test_the_pages_hold_each_row_once_in_order(
    desk: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onboarding.admin.base.ReadOnlyAdmin.list_per_page", 3)
    rows = [made(tenant, state="registering", days=8 - n) for n in range(8)]
    found = [row for page in (1, 2, 3) for row in listed(desk, f"p={page}")]
    assert found == rows


# --- Filters ------------------------------------------------------------------------------------


def test_several_states_at_once(desk: Client, tenant: Tenant) -> None:
    for state in ("in_review", "connecting", "connected"):
        made(tenant, state=state)
    found = {row.state for row in listed(desk, "state=in_review&state=connected")}
    assert found == {"in_review", "connected"}


def test_the_filters_narrow_the_list(desk: Client, tenant: Tenant, other_tenant: Tenant) -> None:
    made(tenant, state="in_review", reason="approval_needed", proven=True)
    old = made(
        other_tenant, connection_mode="business_app", state="awaiting_payment",
        reason="payment_missing", days=8, claimed_waba_id="77",
    )  # fmt: skip
    for query in (
        "state=awaiting_payment", "reason=payment_missing", "mode=business_app", "age=week",
        f"tenant__id__exact={other_tenant.pk}", "proof=unproven", "mover=ycloud",
    ):  # fmt: skip
        assert listed(desk, query) == [old], query
    assert listed(desk, "age=month") == []


def test_the_country_is_the_accounts_or_that_of_the_numbers_code(
    desk: Client, tenant: Tenant
) -> None:
    by_account = with_number(tenant, "0001", "+4915112345678", country="ES")
    by_code = with_number(tenant, "0002", "+34612345678")
    with_number(tenant, "0003", "+351912345678", country="PT")
    assert set(listed(desk, "country=ES")) == {by_account, by_code}
    assert listed(desk, "country=MX") == []


def test_the_assignee_is_me_nobody_or_somebody(
    desk: Client, tenant: Tenant, reviewer: User, owner: User
) -> None:
    mine, free = made(tenant, assigned_to=reviewer), made(tenant)
    assert listed(desk, "assigned=me") == listed(desk, f"assigned={reviewer.pk}") == [mine]
    assert listed(desk, "assigned=nobody") == [free]
    assert listed(desk, "assigned=somebody") == [mine]


@pytest.mark.parametrize(
    ("state", "reason", "who"),
    [
        ("started", "", "customer"),
        ("in_review", "unproven", "partner"),
        ("awaiting_payment", "payment_missing", "ycloud"),
        ("registering", "display_name_review", "meta"),
        ("needs_attention", "pin_mismatch", "customer"),
        ("needs_attention", "register_refused", "partner"),
        ("linked", "", "nobody"),
    ],
)
def test_the_next_move_is_shown_and_filtered_alike(
    desk: Client, tenant: Tenant, state: str, reason: str, who: str
) -> None:
    from onboarding.admin.onboardings import movers

    row = made(tenant, state=state, reason=reason)
    assert movers.of(row) == who
    for key in movers.LABELS:
        assert (listed(desk, f"mover={key}") == [row]) == (key == who), key


def test_tenants_are_chosen_by_typing(desk: Client, tenant: Tenant) -> None:
    for n in range(60):
        Tenant.objects.create(name=f"Bakery {n}", slug=f"bakery-{n}")
    page = desk.get(LIST).content.decode()
    assert "Bakery 31" not in page
    found = desk.get(
        "/admin/autocomplete/",
        {"app_label": "onboarding", "model_name": "onboarding", "field_name": "tenant",
         "term": "bakery 31"},
    ).json()  # fmt: skip
    assert [each["text"] for each in found["results"]] == ["Bakery 31"]


# --- Search -------------------------------------------------------------------------------------


@pytest.fixture
def wanted(tenant: Tenant, owner: User, other_tenant: Tenant) -> Onboarding:
    Tenant.objects.filter(pk=tenant.pk).update(external_id="crm-4711")
    other = with_number(other_tenant, "99990000", "+4915112345678", account="Something Else")
    ProviderCall.objects.create(onboarding=other, kind="register", outcome="done",
                                request_id="req_other")  # fmt: skip
    row = with_number(tenant, "23456789", "+34612345678", account="Müller & Söhne GmbH",
                      display="Fine Pâtisserie")  # fmt: skip
    Onboarding.objects.filter(pk=row.pk).update(
        meta_session_id="sess-0001", started_by=owner, expected_number="+34612345678"
    )
    ProviderCall.objects.create(onboarding=row, kind="register", outcome="done",
                                request_id="req_0001")  # fmt: skip
    return row


@pytest.mark.parametrize(
    "term",
    [
        "123456789", "12345", "223456789", "323456789",
        "+34 612 34 56 78", "34612345678", "0034612345678", "612 34 56 78", "(612) 34-56-78",
        "0612345678", "+34 612", "sess-0001", "req_0001", "crm-4711", "cakes", "John's Cake",
        "cake shop", "CAKE", "müller", "söhne gmbh", "Fine Pât", "pâtisserie",
        "owner@cakes.example", "owner@",
    ],
)  # fmt: skip
def test_anything_finds_its_row_and_no_other(desk: Client, wanted: Onboarding, term: str) -> None:
    found = desk.get(LIST, {"q": f" {term} "}).context["cl"].result_list
    assert list(found) == [wanted]


def test_its_reference_and_its_uuid_find_it(desk: Client, wanted: Onboarding) -> None:
    for term in (wanted.reference, wanted.reference.lower(), str(wanted.public_id),
                 wanted.public_id.hex, wanted.reference[:8]):  # fmt: skip
        assert list(desk.get(LIST, {"q": term}).context["cl"].result_list) == [wanted], term


@pytest.mark.parametrize(
    "term", ["nothing-like-it", "müller cakes", "ake", "999", "req_000", "%", "_", "'", "+"]
)
def test_what_is_not_there_finds_nothing(desk: Client, wanted: Onboarding, term: str) -> None:
    assert list(desk.get(LIST, {"q": term}).context["cl"].result_list) == []


def test_a_search_and_a_filter_hold_both(desk: Client, wanted: Onboarding) -> None:
    assert listed(desk, "q=cake&state=registering") == [wanted]
    assert listed(desk, "q=cake&state=connected") == []


def test_the_words_follow_the_names(wanted: Onboarding, tenant: Tenant) -> None:
    def words() -> set[str]:
        return set(SearchWord.objects.filter(tenant=tenant).values_list("word", flat=True))

    account = wanted.business_account
    assert account is not None
    assert {"john", "cakes", "crm", "4711", "müller", "fine"} <= words()
    Tenant.objects.filter(pk=tenant.pk).update(name="Baker")
    WhatsAppBusinessAccount.objects.filter(pk=account.pk).update(name="New")
    assert {"baker", "new"} <= words()
    assert not words() & {"john", "müller"}


def test_names_that_were_there_before_the_migration_are_found(wanted: Onboarding) -> None:
    before = set(SearchWord.objects.values_list("tenant", "account", "number", "word"))
    SearchWord.objects.all().delete()
    for _ in range(2):  # it may run again, and beside the triggers
        with connection.schema_editor() as editor:
            import_module("onboarding.migrations.0021_filled").words(None, editor)
        after = SearchWord.objects.values_list("tenant", "account", "number", "word")
        assert set(after) == before
        assert len(after) == len(before) > 10


def test_an_account_that_moves_takes_its_words_along(
    wanted: Onboarding, other_tenant: Tenant
) -> None:
    account = wanted.business_account
    assert account is not None
    WhatsAppBusinessAccount.objects.filter(pk=account.pk).update(tenant=other_tenant)
    word = SearchWord.objects.get(word="müller")
    assert (word.tenant, word.account) == (other_tenant, account)


def test_a_search_reads_no_table_from_end_to_end(wanted: Onboarding) -> None:
    """Each of its queries, planned as for tables that are large."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    for term in ("123456789", "+34 612 34 56 78", wanted.reference, "cake shop", "owner@cakes"):
        with CaptureQueriesContext(connection) as seen:
            list(Onboarding.objects.filter(search.matching(term)))
        for query in seen.captured_queries:
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {query['sql']}")
                # The wall's own look at the onboarding of a call is never run for staff.
                plan = "\n".join(line for (line,) in cursor.fetchall() if '"row"' not in line)
            assert "Seq Scan" not in plan, (term, query["sql"], plan)
            assert "Index" in plan, (term, query["sql"], plan)


@pytest.mark.parametrize("query", ["step=%00", "q=%00", "reason=%00", "assigned=%C2%B2", "state=x"])
def test_a_filter_that_makes_no_sense_breaks_no_list(desk: Client, query: str) -> None:
    assert desk.get(f"/admin/onboarding/onboarding/?{query}").status_code in (200, 302)
    assert desk.get(f"/admin/onboarding/phonenumber/?{query}").status_code in (200, 302)
