"""What runs every few seconds finds what is due by an index of it, however many rows there are.

Asked of the planner (as in test_desk_plans.py): can the statement be answered by the one index? One
Asked of the planner (as in test_desk_plans.py): can the statement be answered by this index? One
cheapest depends on the figures of the day (of an empty table there are none), so the choice is only
between those that are named.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from onboarding import link_mail, meta, retention, schedule, tasks, transitions
from onboarding.messages import send
from onboarding.outbound import queue
from tests.planner import leave_only

FAR = timedelta(days=7)

DUE: list[tuple[str, Callable[[], object], tuple[str, ...]]] = [
    ("the sweep", lambda: transitions.claim_due(200), ("onboarding_due",)),
    (
        "connected numbers", lambda: transitions.claim_numbers(50, timezone.now() + FAR),
        ("number_due",),
    ),
    ("pressure", schedule.wanted_calls_an_hour, ("onboarding_due",)),
    ("forgotten codes", meta.forgotten_codes, ("onboarding_code_waiting",)),
    ("dead codes", meta.wipe_dead_codes, ("onboarding_code_waiting",)),
    ("forgotten events", tasks.apply_forgotten_events, ("webhook_event_unapplied",)),
    ("letters to give up", send.give_up_old, ("notice_waiting", "notice_sending")),
    ("letters that are due", lambda: list(send._due()[:50]), ("notice_waiting",)),
    ("links to mail", link_mail.send_due, ("link_mail_under_way",)),
    ("events to share", queue.share_due, ("outbound_event_unshared",)),
    ("deliveries", lambda: queue.claim_due(50), ("delivery_due",)),
]  # fmt: skip


def scans_of(ask: Callable[[], object], indexes: tuple[str, ...]) -> list[str]:
    """The scans of each statement where reading whole tables costs more than anything else."""
    with CaptureQueriesContext(connection) as asked:
        ask()
    leave_only(indexes)
    found = []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in asked.captured_queries:
            sql = query["sql"]
            if not re.match(r"\s*(SELECT|UPDATE|WITH|DELETE)\b", sql) or "set_config" in sql:
                continue
            cursor.execute("EXPLAIN (COSTS OFF) " + sql)
            found += [line for (line,) in cursor.fetchall() if " Scan " in line]
    return found


def tables_read_whole(scans: list[str]) -> list[str]:
    """Of those that grow with the onboardings; endpoints and locked tenants are a handful."""
    whole = (re.search(r"Seq Scan on (onboarding_\w+)", scan) for scan in scans)
    return [each[1] for each in whole if each and each[1] != "onboarding_webhookendpoint"]


@pytest.mark.parametrize(("ask", "indexes"), [d[1:] for d in DUE], ids=[d[0] for d in DUE])
def test_what_is_due_is_found_by_its_partial_index(
    db: None, ask: Callable[[], object], indexes: tuple[str, ...]
) -> None:
    scans = scans_of(ask, indexes)
    for index in indexes:
        assert any(re.search(rf"(using|on) {index}\b", scan) for scan in scans), scans
    assert not tables_read_whole(scans), scans


def test_each_index_of_what_is_due_holds_nothing_else(db: None) -> None:
    partial = {index for _name, _ask, indexes in DUE for index in indexes}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
            "WHERE indpred IS NOT NULL AND relname = ANY(%s)",
            [sorted(partial)],
        )
        assert {name for (name,) in cursor.fetchall()} == partial


def test_what_is_forgotten_by_age_is_found_by_an_index(db: None) -> None:
    now = timezone.now()
    scans = [
        scan
        for rows in retention._addresses(now, now)[:1]
        for scan in scans_of(
            lambda rows=rows: list(rows.values_list("pk", flat=True)[:1000]),  # type: ignore[misc]
            ("mail_address_unconfirmed",),
        )
    ]
    assert any("mail_address_unconfirmed" in scan for scan in scans), scans


@pytest.mark.parametrize("column", ["started_by", "link", "business_account", "number"])
def test_rows_of_another_row_are_found_by_the_index_of_what_is_there(db: None, column: str) -> None:
    from onboarding.models import Onboarding

    rows = Onboarding.objects.filter(**{f"{column}_id": 42}).order_by()
    index = f"onboarding_of_{column}"
    scans = scans_of(lambda: list(rows.values_list("pk", flat=True)), (index,))
    assert any(index in scan for scan in scans), scans
