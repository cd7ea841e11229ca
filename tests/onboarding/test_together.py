"""What follows from one reading is written together; how many statements and commits that takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from rest_framework.test import APIClient

from onboarding import durable, meta, steps, tasks, transitions
from onboarding.models import Onboarding, PhoneNumber, ProviderCall, Transition
from onboarding.steps import gates
from tests.conftest import Sandbox, Worker
from tests.test_journey import Customer


def window_is_finished(customer: Customer) -> Onboarding:
    """The code is exchanged; the worker's part begins."""
    customer.starts()
    customer.hands_over(customer.sandbox.finish(scenario="approve"))
    row = Onboarding.objects.get()
    meta.exchange_code(row.pk)
    return row


class Written:
    """Statements, and what has to reach the disk: commits and single writes outside of one."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.waited = 0
        self._lazily = False

    def note(self, execute: Callable[..., Any], sql: str, *how: Any) -> Any:
        self.statements.append(sql)
        self._lazily |= "synchronous_commit" in sql
        done = execute(sql, *how)
        writes = sql.startswith(("INSERT", "UPDATE", "DELETE"))
        alone = writes and not connection.in_atomic_block and how[2]["cursor"].rowcount
        self.waited += bool(alone and not self._lazily)
        if not connection.in_atomic_block:
            self._lazily = False
        return done

    def commit(self) -> None:
        self.waited += not self._lazily
        self._lazily = False


@contextmanager
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[Written]:
    told, commit = Written(), connection._commit

    def counted() -> None:
        told.commit()
        commit()

    monkeypatch.setattr(connection, "_commit", counted)
    with connection.execute_wrapper(told.note):
        yield told


@pytest.mark.django_db(transaction=True)
def test_a_straight_journey_waits_for_the_disk_twice(
    api: APIClient, sandbox: Sandbox, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the act's intent, before its call, and with the move to `connected`."""
    row = window_is_finished(Customer(api, sandbox, worker))
    with written(monkeypatch) as told:
        claimed = transitions.claim(row.pk)
        assert claimed is not None
        steps.run(claimed)
    row.refresh_from_db()
    assert row.state == "connected"
    assert told.waited == 2
    assert len(told.statements) <= 55


def test_a_worker_that_was_overtaken_leaves_its_calls_in_the_journal_and_nothing_else(
    api: APIClient, sandbox: Sandbox, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = window_is_finished(Customer(api, sandbox, worker))
    moves, keep = Transition.objects.count(), gates.keep_number

    def overtaken(*how: Any) -> PhoneNumber:
        kept = keep(*how)
        transitions.bump(Onboarding.objects.all())
        return kept

    monkeypatch.setattr(gates, "keep_number", overtaken)
    claimed = transitions.claim(row.pk)
    assert claimed is not None
    steps.run(claimed)
    assert not PhoneNumber.objects.exists()
    assert Transition.objects.count() == moves
    read = ProviderCall.objects.exclude(kind="exchange_code").values_list("kind", flat=True)
    assert sorted(read) == ["list_numbers", "retrieve_account"]
    assert sandbox.registers == 0


def test_the_intent_is_committed_before_the_call_and_the_moves_with_it(
    api: APIClient, sandbox: Sandbox, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = window_is_finished(Customer(api, sandbox, worker))
    depth = len(connection.savepoint_ids)
    seen: list[tuple[int, str, str]] = []
    answer = sandbox.server.ycloud._register

    def noted(*how: Any) -> Any:
        # In the sandbox's thread: what the worker holds open at this moment.
        seen.append((len(held), claimed.state, "open"))
        return answer(*how)

    monkeypatch.setattr(sandbox.server.ycloud, "_register", noted)
    held = connection.savepoint_ids
    claimed = transitions.claim(row.pk)
    assert claimed is not None
    steps.run(claimed)
    assert seen == [(depth, "registering", "open")]


@pytest.fixture
def as_in_production(transactional_db: None) -> Iterator[None]:
    """The embedded server of the tests never waits for the disk."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO on")
    yield
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_lazy_commit_does_not_wait_for_the_disk_and_only_that_one(as_in_production: None) -> None:
    with durable.lazily():
        assert _synchronous_commit() == "off"
    assert _synchronous_commit() == "on"


@pytest.mark.django_db(transaction=True)
def test_a_lazy_statement_is_the_only_one(as_in_production: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH one AS (SELECT 1 AS n) SELECT n" + durable.returning() + ", "
            "current_setting('synchronous_commit') FROM one"
        )
        assert cursor.fetchone() == (1, "off", "off")
    assert _synchronous_commit() == "on"


@pytest.mark.django_db(transaction=True)
def test_inside_another_transaction_nothing_is_lazy(as_in_production: None) -> None:
    with transaction.atomic():
        with durable.lazily():
            assert _synchronous_commit() == "on"
        assert _synchronous_commit() == "on"


def _synchronous_commit() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        return str(cursor.fetchone()[0])


def test_a_code_is_exchanged_before_anybody_looks_at_its_row(
    api: APIClient, sandbox: Sandbox, worker: Worker, monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    published: list[str] = []
    monkeypatch.setattr(
        tasks, "_published", lambda task, kwargs: published.append(task.name) or True
    )
    customer = Customer(api, sandbox, worker)
    customer.starts()
    window = sandbox.finish(scenario="approve")
    ids = {name: window[name] for name in ("waba_id", "phone_number_id", "event")}
    with django_capture_on_commit_callbacks(execute=True):
        customer.posts(code=window["code"], **ids)
    assert published == ["onboarding.tasks.exchange_code"]
