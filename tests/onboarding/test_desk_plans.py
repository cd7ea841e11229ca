"""The short version of `make bench-desk`: no figure reads a whole table, and the measuring works.

Wall clocks lie on a busy machine, so plans are asked for: an index alone answers each count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks import desk as bench
from benchmarks import loaded
from onboarding import figures, vitals
from onboarding.admin.counting import BoundedPaginator
from onboarding.admin.onboardings import OnboardingAdmin
from onboarding.models import Onboarding
from tests.conftest import pages_of, person
from tests.planner import leave_only

ROWS = 500


@pytest.fixture
def rows(db: None) -> None:
    call_command("generate_onboardings", "--yes-really", f"--count={ROWS}", stdout=StringIO())


def plans_of(count: Callable[[], object], *indexes: str) -> list[str]:
    """What the planner makes of each query where it has these indexes and those of constraints.

    What reads the table or sorts is switched off too. What is left is what these indexes can do.
    """
    with CaptureQueriesContext(connection) as asked:
        count()
    leave_only(indexes)
    found = []
    with connection.cursor() as cursor:
        for other in ("seqscan", "bitmapscan", "sort", "hashagg"):
            cursor.execute(f"SET LOCAL enable_{other} = off")
        for query in asked.captured_queries:
            cursor.execute("EXPLAIN (COSTS OFF) " + query["sql"])
            found.append("\n".join(line for (line,) in cursor.fetchall()))
    return found


@pytest.mark.parametrize(
    ("count", "index"),
    [
        (figures.standings, "onboarding_stuck"),
        (figures.connected_today, "onboarding_connected"),
        (figures.unwell, "number_unwell"),
        (figures.funnels, "onboarding_launched"),
        (figures.lost_steps, "onboarding_launched"),
        (figures.time_to_connect, "onboarding_connected"),
        (vitals.new_customers, "account_newest"),
    ],
)
def test_each_figure_is_counted_from_an_index_alone(
    rows: None, count: Callable[[], object], index: str
) -> None:
    for found in plans_of(count, index):
        assert f"Index Only Scan using {index} on" in found, found


@pytest.mark.parametrize(
    ("count", "index"),
    [
        (vitals.overdue, "onboarding_due"),
        (vitals.unapplied_webhooks, "webhook_event_unapplied"),
        (vitals.webhook_delay, "webhook_event_recent"),
    ],
)
def test_what_waits_is_counted_by_an_index(
    rows: None, count: Callable[[], object], index: str
) -> None:
    for found in plans_of(count, index):
        assert f"using {index} on" in found, found


def test_the_longest_stuck_are_read_in_the_order_of_an_index(rows: None) -> None:
    keys, _rows = plans_of(lambda: list(figures.stuck(10)), "onboarding_stuck")
    assert "using onboarding_stuck on" in keys, keys
    assert "Sort" not in keys, keys


@pytest.mark.parametrize("narrowed", [{}, {"state__in": ["in_review", "started", "connecting"]}])
def test_a_far_page_is_reached_by_an_index_alone(rows: None, narrowed: dict[str, Any]) -> None:
    queue = Onboarding.objects.filter(**narrowed).order_by(*OnboardingAdmin.ordering)
    pages = BoundedPaginator(queue, 5)
    _count, keys, *_rows = plans_of(
        lambda: list(pages.page(2).object_list), "onboarding_desk_order"
    )
    assert "Index Only Scan using onboarding_desk_order on" in keys, keys
    assert "Sort" not in keys, keys


def test_what_is_measured_answers_and_is_told(rows: None) -> None:
    cache.clear()
    asked = bench.requests(measuring())
    blank = dict.fromkeys(asked, HttpResponse)  # its times are made up below
    found = bench.compare({ROWS: asked, ROWS * 2: blank}, 1, use=lambda size: None)
    twice = {name: replace(each, ms=2 * each.ms) for name, each in found[ROWS].items()}
    found[ROWS * 2] = twice
    assert set(bench.ratios(found).values()) == {2.0}
    assert len(bench.report(found).splitlines()) == len(asked) + 1


def test_searches_and_filters_that_are_measured_find_rows(rows: None) -> None:
    for name, ask in bench.requests(measuring()).items():
        answer = ask()
        if name.startswith("queue, "):
            listed = answer.context["cl"].result_count
            finds_all = name.endswith("everything") or "sorted" in name
            assert listed <= Onboarding.objects.count() - (not finds_all), name
            assert (listed == 0) == (name == "queue, search: nothing"), name


def measuring() -> Client:
    """The browser that measures, with what made-up rows lack."""
    client = pages_of(person(loaded.WHO, staff=True, superuser=True))
    loaded.mark()
    return client
