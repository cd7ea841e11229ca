"""The desk: each figure is as many as the list behind it, counted in few queries, for staff."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from onboarding import figures, tally, tasks, vitals
from onboarding.desk.drawn import Bar, Figure, Row, Sign
from onboarding.models import Onboarding, ProviderCall, WebhookEvent
from onboarding.reasons import REASONS
from onboarding.states import OPEN, State
from tenants.models import Tenant, User
from tests.conftest import pages_of, person

DESK = "/admin/"
MOST_QUERIES = 16


@pytest.fixture(autouse=True)
def _nothing_kept(db: None) -> None:
    cache.clear()


def generate(count: int, **more: Any) -> None:
    options = [f"--{name}={value}" for name, value in more.items()]
    call_command(
        "generate_onboardings", "--yes-really", f"--count={count}", *options, stdout=StringIO()
    )


@pytest.fixture
def many(db: None) -> None:
    generate(600, tenants=12)
    WebhookEvent.objects.create(event_id="1", type="x", body={}, sent_at=timezone.now())
    ProviderCall.objects.create(kind="balance", target="", outcome="done")
    online = Onboarding.objects.filter(state="connected").values("pk")[:1]
    Onboarding.objects.filter(pk__in=online).update(connected_at=timezone.now())
    due = Onboarding.objects.filter(state="signed_up").values("pk")[:1]
    Onboarding.objects.filter(pk__in=due).update(next_look_at=timezone.now() - timedelta(seconds=9))


@pytest.fixture
def desk(reviewer: User) -> Client:
    return pages_of(reviewer)


def looker(*codenames: str) -> Client:
    """Staff with these rights alone."""
    user = person("looker@partner.example", staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return pages_of(user)


def shown(client: Client, address: str = DESK) -> dict[str, Any]:
    answer = client.get(address)
    assert answer.status_code == 200
    return dict(answer.context["desk"])


def linked(found: Any) -> Iterator[tuple[str, int]]:
    """Each (address, count) anywhere in what is drawn."""
    if isinstance(found, dict):
        if "rows" in found and "link" in found:
            yield found["link"], found["rows"]
        for each in found.values():
            yield from linked(each)
    elif isinstance(found, list | tuple):
        for each in found:
            yield from linked(each)
    elif isinstance(found, Row):
        yield from linked((found.total, found.cells))
    elif isinstance(found, Figure):
        yield found.link, found.count
        yield from linked(found.more)
    elif isinstance(found, Bar):
        yield found.link, found.count
        yield from linked((found.lost,))
    elif isinstance(found, Sign) and found.link:
        yield found.link, int(str(found.value).replace(",", ""))


# --- Figures and the lists behind them ------------------------------------------------------------


def follow(client: Client, links: list[tuple[str, int]]) -> None:
    for address, count in links:
        assert address, "a figure without its rows"
        listed = client.get(address)
        assert listed.status_code == 200, address
        assert listed.context["cl"].result_count == count, address


def test_each_figure_leads_to_as_many_rows_as_it_says(many: None, desk: Client) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        links = list(linked(shown(desk)))
        assert len(links) > 60
        follow(desk, links)


@pytest.mark.parametrize("days", [7, 90])
def test_the_ways_figures_lead_to_their_rows_in_each_window(
    many: None, desk: Client, days: int
) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        found = shown(desk, f"{DESK}?days={days}")
        links = list(linked([found["funnel"], found["steps"], found["took"]]))
        assert len(links) > 10
        assert all(f"={days}" in address for address, _count in links)
        follow(desk, links)


def test_the_figures_of_a_full_desk_are_not_all_nothing(many: None, desk: Client) -> None:
    found = shown(desk)
    assert [tile.count > 0 for tile in found["tiles"]] == [True] * 5
    assert len(found["open"]) == len(OPEN) + 1
    assert found["unwell"]
    assert found["steps"]
    assert found["took"]
    counts = [bar.count for bar in found["funnel"]]
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) == len(figures.STAGES)


def test_whom_they_wait_for_is_each_open_one_once(many: None) -> None:
    rows = Onboarding.objects.filter(state__in=OPEN).exclude(state="needs_attention")
    split = [Onboarding.objects.filter(figures.waits_for(who)) for who in figures.WAITED_FOR]
    assert sum(each.count() for each in split) == rows.count()
    assert set().union(*(each.values_list("pk", flat=True) for each in split)) == set(
        rows.values_list("pk", flat=True)
    )


def test_the_ages_are_each_open_one_once(many: None) -> None:
    split = [Onboarding.objects.filter(figures.open_for(band)) for band in figures.BANDS]
    whole = Onboarding.objects.filter(figures.open_for("any"))
    assert sum(each.count() for each in split) == whole.count() > 0
    assert all(split)


def test_every_stage_is_those_who_came_and_those_who_stopped(many: None) -> None:
    stages = list(figures.STAGES)
    for before, stage in pairwise(stages):
        came = Onboarding.objects.filter(figures.reached(stage)).count()
        stopped = Onboarding.objects.filter(figures.stopped_before(stage)).count()
        assert came + stopped == Onboarding.objects.filter(figures.reached(before)).count()


def test_by_state_names_each_state(many: None) -> None:
    counts = figures.by_state()
    assert set(counts) == set(State)
    assert sum(counts.values()) == Onboarding.objects.count()


def test_a_reason_is_waited_for_by_whom_the_catalogue_names(tenant: Tenant) -> None:
    row = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_platform", state="awaiting_number",
        reason="number_choice",
    )  # fmt: skip
    assert REASONS["number_choice"].who == "customer"
    assert figures.who_moves(row.state, row.reason) == "customer"
    assert Onboarding.objects.filter(figures.waits_for("customer")).get() == row
    assert figures.who_moves("awaiting_payment", "") == "ycloud"


def test_the_time_to_connect_is_from_the_click(tenant: Tenant) -> None:
    now = timezone.now()
    for minutes in (1, 2, 3, 4, 100):
        Onboarding.objects.create(
            tenant=tenant, connection_mode="business_platform", state="connected",
            launched_at=now - timedelta(minutes=minutes), connected_at=now,
        )  # fmt: skip
    found = figures.time_to_connect()[7]
    assert (found.rows, found.p50) == (5, 180.0)
    assert found.p95 is not None
    assert 4 * 60 < found.p95 < 6000


def test_what_waits_for_us_comes_before_longer_waits_for_others(
    tenant: Tenant, desk: Client
) -> None:
    for state, reason, days in (
        ("awaiting_number", "number_choice", 40),
        ("needs_attention", "pin_mismatch", 3),
        ("in_review", "", 1),
    ):
        row = Onboarding.objects.create(
            tenant=tenant, connection_mode="business_platform", state=state, reason=reason
        )
        Onboarding.objects.filter(pk=row.pk).update(
            state_changed_at=timezone.now() - timedelta(days=days)
        )
    assert [each["age"] for each in shown(desk)["stuck"]] == ["3 days", "24 hours", "40 days"]


def test_the_oldest_comes_first_with_who_moves_next(tenant: Tenant, desk: Client) -> None:
    for days, reason in ((1, "number_choice"), (9, "payment_missing")):
        state = "awaiting_number" if days == 1 else "awaiting_payment"
        row = Onboarding.objects.create(
            tenant=tenant, connection_mode="business_platform", state=state, reason=reason
        )
        Onboarding.objects.filter(pk=row.pk).update(
            state_changed_at=timezone.now() - timedelta(days=days)
        )
    first, second = shown(desk)["stuck"]
    assert (first["age"], str(first["who"])) == ("9 days", "YCloud")
    assert (second["age"], str(second["who"])) == ("24 hours", "The customer")
    assert desk.get(first["link"]).status_code == 200


# --- Counted by the database, in few queries ------------------------------------------------------


def queries(client: Client) -> int:
    client.get(DESK)
    with CaptureQueriesContext(connection) as asked:
        client.get(DESK)
    return len(asked)


def test_the_number_of_queries_is_small_and_the_same_however_many_rows(db: None) -> None:
    viewer = looker(
        *(f"view_{name}" for name in
          ("onboarding", "phonenumber", "whatsappbusinessaccount", "webhookevent", "providercall"))
    )  # fmt: skip
    generate(200, tenants=2)  # enough for the ten to have numbers and accounts
    tally.keep()
    before = queries(viewer)
    generate(600, tenants=30, seed=2)
    assert queries(viewer) == before <= MOST_QUERIES


def test_what_is_counted_once_a_minute_is_shown_with_its_time(many: None, desk: Client) -> None:
    with time_machine.travel(timezone.now() - timedelta(minutes=2), tick=False):
        tasks.count_for_desk()
        at = timezone.now()
    Onboarding.objects.update(launched_at=None)
    found = shown(desk)
    assert found["counted_at"] == at
    assert found["funnel"][0].count > 0
    assert f"as of {timezone.localtime(at):%H:%M}" in desk.get(DESK).content.decode()


def test_without_redis_they_are_counted_on_the_spot(
    many: None, desk: Client, settings: Any
) -> None:
    tally.keep()
    Onboarding.objects.update(launched_at=None)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    }
    found = shown(desk)
    assert found["funnel"][0].count == 0
    assert sign(desk, "Messages in queues").tone == "stop"


# --- Who sees it ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [0, 200])
def test_a_superuser_sees_the_desk(desk: Client, rows: int) -> None:
    if rows:
        generate(rows)
    page = desk.get(DESK).content.decode()
    assert ("To do next" in page) is bool(rows)
    assert ("Nobody has begun yet" in page) is not rows
    assert "How the system is" in page


@pytest.mark.parametrize("rows", [0, 200])
def test_each_groups_members_see_the_desk(db: None, rows: int) -> None:
    if rows:
        generate(rows)
    made, _ = Group.objects.get_or_create(name="Who may look")
    made.permissions.set(Permission.objects.filter(codename="view_onboarding"))
    for group in Group.objects.all():
        user = person(f"{group.pk}@partner.example", staff=True)
        user.groups.add(group)
        page = pages_of(user).get(DESK).content.decode()
        assert ("To do next" if rows else "Nobody has begun yet") in page, group


@pytest.mark.parametrize("rows", [0, 50])
def test_staff_who_may_not_look_see_a_calm_page_without_figures(db: None, rows: int) -> None:
    if rows:
        generate(rows)
    client = looker("view_tenant")
    answer = client.get(DESK)
    assert "desk" not in answer.context
    page = answer.content.decode()
    assert "To do next" not in page
    assert "an administrator can give you that right" in page


def test_who_may_change_onboardings_sees_the_desk_too(db: None) -> None:
    assert shown(looker("change_onboarding"))["is_empty"]


def test_a_reason_of_a_newer_release_is_shown_as_it_is(tenant: Tenant, desk: Client) -> None:
    Onboarding.objects.create(
        tenant=tenant, connection_mode="business_platform", state="awaiting_number",
        reason="not_known_here",
    )  # fmt: skip
    (row,) = shown(desk)["stuck"]
    assert (row["what"], str(row["who"])) == ("not_known_here", "The customer")


def test_nobody_is_led_to_a_list_that_they_may_not_open(many: None) -> None:
    client = looker("view_onboarding")
    for address in {address.partition("?")[0] for address, _ in linked(shown(client)) if address}:
        assert client.get(address).status_code == 200
    assert "/admin/onboarding/phonenumber/" not in client.get(DESK).content.decode()


def test_an_empty_product_says_what_to_do_first(db: None, desk: Client) -> None:
    steps = shown(desk)["first_steps"]
    assert [bool(step.link) for step in steps] == [True, True, False]
    for step in steps[:2]:
        assert desk.get(step.link).status_code == 200
    assert not any(step.link for step in shown(looker("view_onboarding"))["first_steps"])


def test_the_themes_list_of_applications_is_not_below_it(many: None, desk: Client) -> None:
    assert 'class="app-onboarding' not in desk.get(DESK).content.decode()


# --- How the machine is ---------------------------------------------------------------------------


def sign(client: Client, label: str) -> Sign:
    return next(each for each in shown(client)["signs"] if str(each.label) == label)


def test_what_stops_everything_is_said_at_the_top(many: None, desk: Client) -> None:
    assert sign(desk, "Worker and beat").tone == "stop"
    assert "Start the worker and beat." in desk.get(DESK).content.decode().split("desk-tiles")[0]
    tasks.beat_alive()
    assert sign(desk, "Worker and beat").tone == "good"


def test_a_low_balance_is_an_alarm(many: None, desk: Client, settings: Any) -> None:
    assert sign(desk, "Balance at YCloud").tone == "quiet"
    kept = (12.5, "USD", timezone.now().isoformat())
    cache.set(vitals._BALANCE, kept)
    assert (sign(desk, "Balance at YCloud").value, sign(desk, "Balance at YCloud").tone) == (
        "12.50 USD", "stop",
    )  # fmt: skip
    settings.YCLOUD_BALANCE_WARNING = 5
    assert sign(desk, "Balance at YCloud").tone == "good"


def test_metas_cap_warns_before_it_is_reached(many: None, desk: Client, settings: Any) -> None:
    used = vitals.new_customers().used
    for most, tone in ((used * 2, "good"), (int(used * 1.1), "act"), (used, "stop")):
        settings.META_NEW_CUSTOMERS_PER_7_DAYS = most
        assert sign(desk, "New customers").tone == tone, most


def test_what_waits_too_long_for_a_worker_is_an_alarm(many: None, desk: Client) -> None:
    assert (sign(desk, "Waiting for a worker").value, sign(desk, "Waiting for a worker").tone) == (
        "1", "good",
    )  # fmt: skip
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert sign(desk, "Waiting for a worker").tone == "stop"


# --- Other languages ------------------------------------------------------------------------------


def test_it_is_english_whatever_the_reader_speaks(many: None, desk: Client) -> None:
    desk.cookies["django_language"] = "ar"
    page = desk.get(DESK, headers={"accept-language": "ar"}).content.decode()
    assert 'lang="en"' in page
    assert 'dir="rtl"' not in page
