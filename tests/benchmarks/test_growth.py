"""The short version of the rows about growth: the measuring measures, and sees what grows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import call_command

from benchmarks import growth, loaded
from benchmarks.growth import Asked
from benchmarks.report import Row
from onboarding.models import Onboarding
from tests.conftest import person

FEW, MANY = 10, 1000


@pytest.fixture
def rows(db: None) -> None:
    call_command("generate_onboardings", "--yes-really", "--count=200", stdout=StringIO())
    person(loaded.WHO, staff=True, superuser=True)
    loaded.mark()


def of(few: Callable[[], object], many: Callable[[], object]) -> dict[str, Row]:
    asked = {FEW: {"it": Asked(few)}, MANY: {"it": Asked(many)}}
    found = growth.compare(asked, 5, use=lambda size: None)
    return {row.name: row for row in growth.rows(found, FEW, MANY)}


def quick() -> None:
    time.sleep(0.01)


def test_everything_that_is_measured_answers_and_sends_as_many_statements_twice(
    rows: None,
) -> None:
    for name, each in {**growth.intake(), **growth.worker()}.items():  # the desk: test_desk_plans
        each.once()
        assert each.queries() == each.queries(), name


def test_what_takes_as_long_meets_the_goal(db: None) -> None:
    assert of(quick, quick)[f"it, {MANY:,}"].is_met


def test_what_takes_longer_with_more_rows_misses_it(db: None) -> None:
    row = of(quick, lambda: time.sleep(0.1))[f"it, {MANY:,}"]
    assert row.is_met is False


def test_one_statement_more_is_seen_and_named(db: None) -> None:
    ask = Onboarding.objects.exists
    row = of(ask, lambda: [ask(), ask()])["queries of all of these"]
    assert row.is_met is False
    assert row.why == "it: 1 more"


def test_a_request_that_is_refused_is_not_measured(rows: None) -> None:
    ask = growth.intake()["GET …/{id}/"]
    with pytest.raises(AssertionError):
        replace(ask, answers=418).once()


def test_the_queries_of_an_api_request_are_as_many_as_they_were(rows: None) -> None:
    """A few more are a few round trips more for each page that polls: say so on purpose."""
    asked = growth.intake()
    counted = {name: asked[name].queries() for name in asked if name.startswith(("GET", "POST"))}
    # Session, user with memberships, the row; a test's transaction adds what takes its scope back,
    # and a savepoint where a request alone has its transaction.
    assert counted == {"GET …/{id}/": 9, "GET …/{id}/, 304": 9, "POST …/signup/": 16}
