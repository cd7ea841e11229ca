"""The dashboard, the alert rules and docs/operations.md speak of what is really exported."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from config import logs, metrics
from onboarding import tasks
from onboarding.models import WebhookEvent
from tests import labels
from tests.conftest import Sandbox

DOCS = Path(__file__).resolve().parent.parent / "docs"
DASHBOARD = json.loads((DOCS / "monitoring" / "grafana-dashboard.json").read_text())
RULES = [
    rule
    for group in yaml.safe_load((DOCS / "monitoring" / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
OPERATIONS = (DOCS / "operations.md").read_text()
TABLE = dict(re.findall(r"^\| `(onboarding_\w+)` \| ([^|]*) \|", OPERATIONS, re.M))

METRIC = re.compile(r"\bonboarding_[a-z0-9_]+")
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
PARTS_OF_A_HISTOGRAM = ("_bucket", "_count", "_sum")


def queries() -> list[str]:
    panels = [t["expr"] for p in DASHBOARD["panels"] for t in p.get("targets", ())]
    return panels + [rule["expr"] for rule in RULES]


def base(name: str) -> str:
    """The name by which the table knows a series."""
    for ending in PARTS_OF_A_HISTOGRAM:
        if name.endswith(ending) and name.removesuffix(ending) in TABLE:
            return name.removesuffix(ending)
    return name


@pytest.fixture
def exported(db: None, sandbox: Sandbox) -> dict[str, set[str]]:
    """Each name at /metrics as the table calls it, with its labels."""
    tasks.read_balance()
    tasks.beat_alive()
    WebhookEvent.objects.create(event_id="e", type="t", body={})
    metrics.gauges.forget()
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(Client().get("/metrics").content.decode()):
        if family.name.startswith("onboarding_"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            found.setdefault(name, set())
            for sample in family.samples:
                found[name] |= sample.labels.keys() - {"le"}
    return found


SHARED_ONLY = {
    "onboarding_processes", "onboarding_resident_memory_bytes", "onboarding_cpu_seconds_total",
}  # fmt: skip
"""There where processes share a directory (tests/test_running.py)."""


def test_every_metric_is_in_the_table_and_the_table_names_no_other(
    exported: dict[str, set[str]],
) -> None:
    assert TABLE.keys() - SHARED_ONLY == exported.keys()


def test_the_table_names_the_labels(exported: dict[str, set[str]]) -> None:
    for name, told in exported.items():
        assert told <= set(re.findall(r"`(\w+)`", TABLE[name])), name


def test_there_is_something_to_look_at() -> None:
    assert len(queries()) > 60
    assert len(TABLE) > 45


@pytest.mark.parametrize("query", queries())
def test_a_query_asks_for_what_is_exported(query: str) -> None:
    known = labels.known()
    for name in METRIC.findall(query):
        assert base(name) in TABLE, name
    for label, _, value in MATCHER.findall(query):
        for word in value.split("|"):
            assert word in known[label], f"{label}={word}"
    for by in re.findall(r"\bby \(([^)]*)\)", query):
        for label in by.replace(" ", "").split(","):
            assert label in known, label
    assert query.count("(") == query.count(")")
    assert not re.search(r"rate\(onboarding_\w+_seconds[\[{]", query), "a gauge has no rate"


def test_the_dashboard_can_be_imported() -> None:
    assert {"title", "uid", "schemaVersion", "panels", "templating"} <= DASHBOARD.keys()
    (source,) = DASHBOARD["templating"]["list"]
    assert (source["type"], source["query"]) == ("datasource", "prometheus")
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    rows = [p["title"] for p in DASHBOARD["panels"] if p["type"] == "row"]
    assert rows == ["Who is stuck", "Funnel", "YCloud", "Queue and workers", "Webhooks", "HTTP"]
    for panel in DASHBOARD["panels"]:
        assert panel["type"] == "row" or panel["datasource"]["uid"] == "${datasource}"


def test_no_two_panels_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, panel["title"]
                taken.add((x, y))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert re.fullmatch(r"\d+[smhd]", rule["for"])
    assert len(rule["annotations"]["summary"]) > 20
    assert len(rule["annotations"]["runbook"]) > 40
    assert f"| {rule['alert']} ({rule['labels']['severity']}) |" in OPERATIONS


def test_each_alert_has_a_name_of_its_own() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("field", logs.FIELDS)
def test_every_field_of_the_log_is_explained(field: str) -> None:
    assert re.search(rf"^\|[^|]*`{field}`", OPERATIONS, re.M), field


def test_the_readme_names_the_settings() -> None:
    readme = (DOCS.parent / "README.md").read_text()
    for name in ("LOG_FORMAT", "LOG_LEVEL", "METRICS_TOKEN", "METRICS_PORT", "SENTRY_DSN",
                 "PROMETHEUS_MULTIPROC_DIR", "OTEL_EXPORTER_OTLP_ENDPOINT"):  # fmt: skip
        assert f"`{name}`" in readme
    assert "docs/operations.md" in readme
