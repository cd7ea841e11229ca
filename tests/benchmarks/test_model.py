"""The load model, and the page that is written from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import cost, model
from benchmarks.model import FOREIGN, Assumed

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "scaling.md").read_text()
BEGIN, END = "<!-- python -m benchmarks.model --tables -->", "<!-- end -->"
OF = model.measured()


def test_the_page_s_tables_are_the_model_s() -> None:
    shown = PAGE.split(BEGIN)[1].split(END)[0].strip()
    assert shown == model.tables(OF), "python -m benchmarks.model --tables prints them"


def test_what_others_allow_does_not_grow_with_our_machines() -> None:
    one, ten = model.limits(OF, 1, 1, Assumed()), model.limits(OF, 10, 1, Assumed())
    for name in FOREIGN:
        assert one[name] == ten[name]
    for name in ("web CPU", "worker CPU", "worker slots"):
        assert ten[name] == pytest.approx(10 * one[name])


def test_what_costs_twice_as_much_is_used_up_at_half() -> None:
    dearer = {**OF, "cpu_seconds": {n: 2 * each for n, each in OF["cpu_seconds"].items()}}
    before, after = model.limits(OF, 1, 1, Assumed()), model.limits(dearer, 1, 1, Assumed())
    assert after["web CPU"] == pytest.approx(before["web CPU"] / 2)
    assert after["PostgreSQL CPU"] == pytest.approx(before["PostgreSQL CPU"] / 2)


def test_every_account_of_ycloud_s_brings_its_own_quota() -> None:
    one, three = model.limits(OF, 1, 1, Assumed()), model.limits(OF, 1, 3, Assumed())
    assert three["YCloud's quota"] == pytest.approx(3 * one["YCloud's quota"])


def test_more_that_waits_than_the_quota_bears_is_looked_at_later() -> None:
    few = model.needs(OF, 100, 1_000, 1, Assumed())
    many = model.needs(OF, 100, 1_000_000, 1, Assumed())
    assert few["waiting looks stretched by"] == 1.0
    assert many["waiting looks stretched by"] > 1.0
    assert many["calls to YCloud an hour"] <= Assumed().quota_per_hour


def test_only_what_grew_is_counted_for_a_thousand() -> None:
    grown = cost._grown({"a": 10, "b": 5}, {"a": 30, "b": 5, "c": 2}, 5.0)
    assert grown == {"a": 100, "c": 10}


def test_what_was_measured_says_where_and_when() -> None:
    assert OF["machine"]["cores"] >= 1
    assert OF["at"] in PAGE
    assert OF["onboardings"] >= 100
