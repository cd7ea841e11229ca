"""The short version of `make bench-desk`: no figure reads a whole table, and the measuring works.

Wall clocks lie on a busy machine, so plans are asked for: an index alone answers each count.
"""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks import desk as bench
from onboarding import figures, vitals
from onboarding.models import Onboarding
from tests.conftest import pages_of, person

ROWS = 500


@pytest.fixture
def rows(db: None) -> None:
    call_command("generate_onboardings", "--yes-really", f"--count={ROWS}", stdout=StringIO())
    with connection.cursor() as cursor:
        for other in ("seqscan", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{other} = off")


def plans_of(count: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        count()
    found = []
    for query in asked.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + query["sql"])
            found.append("\n".join(line for (line,) in cursor.fetchall()))
    return found


@pytest.mark.parametrize(
    ("count", "plan"),
    [
        (figures.standings, "Index Only Scan using onboarding_standing"),
        (figures.connected_today, "Index Only Scan using onboarding_connected"),
        (figures.unwell, "Index Only Scan using number_unwell"),
        (figures.funnels, "Index Only Scan using onboarding_launched"),
        (figures.lost_steps, "Index Only Scan using onboarding_launched"),
        (figures.time_to_connect, "Index Only Scan using onboarding_connected"),
        (lambda: list(figures.stuck(10)), "Index Scan using onboarding_stuck"),
        (vitals.new_customers, "Index Only Scan using account_newest"),
        (vitals.overdue, "Index Scan using onboarding_due"),
        (vitals.unapplied_webhooks, "using webhook_event_unapplied"),
        (vitals.webhook_delay, "using webhook_event_recent"),
    ],
)
def test_each_figure_is_counted_from_an_index(
    rows: None, count: Callable[[], object], plan: str
) -> None:
    if count is figures.standings:  # of few rows without statistics any index is as cheap to sort
        with connection.cursor() as cursor:
            for other in ("indexscan", "sort", "incremental_sort", "hashagg"):
                cursor.execute(f"SET LOCAL enable_{other} = off")
    for found in plans_of(count):
        assert plan in found
        assert "Seq Scan on onboarding" not in found


def test_what_is_measured_answers_and_is_told(rows: None) -> None:
    cache.clear()
    client = pages_of(person("bench@partner.example", staff=True, superuser=True))
    asked = bench.requests(client)
    assert len(asked) == 11
    found = {name: bench.median_ms(ask, 1) for name, ask in asked.items()}
    table = bench.report({ROWS: found, ROWS * 2: {name: 2 * ms for name, ms in found.items()}})
    assert table.count("2.00") >= len(asked)


def test_searches_and_filters_that_are_measured_find_rows(rows: None) -> None:
    client = pages_of(person("bench@partner.example", staff=True, superuser=True))
    for name, ask in bench.requests(client).items():
        answer = ask()
        if name.startswith("queue,"):
            listed = answer.context["cl"].result_count
            assert 0 < listed < Onboarding.objects.count(), name
