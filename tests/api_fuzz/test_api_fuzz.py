"""The whole OpenAPI with every role: no fault of ours, no undocumented answer, no foreign row.

schemathesis makes the cases, valid and invalid; `make test-api` many more of them than `make test`
(API_CASES: for each operation, role and way of making them).
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.generation.case import Case

from config.wsgi import application
from tests.api_fuzz.world import Role, World, build

CASES = int(os.environ.get("API_CASES", "2"))
SEED = int(os.environ.get("API_SEED", "1"))
ROLES = ("nobody", "guest", "member", "owner", "stranger", "staff", "key", "small-key",
         "revoked-key")  # fmt: skip
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
ASKED = ("not_a_server_error", "status_code_conformance", "content_type_conformance",
         "response_schema_conformance", "response_headers_conformance")  # fmt: skip
count: Counter[str] = Counter()


@pytest.fixture
def schema(world: World) -> Any:
    return schemathesis.openapi.from_wsgi("/api/schema/?format=json", application)


@pytest.fixture
def world(db: None, settings: Any) -> Iterator[World]:
    settings.API_RATE_PER_MINUTE = settings.LAUNCHES_PER_MINUTE = 10**6
    settings.LINKS_PER_HOUR = settings.LINK_OPENINGS_PER_MINUTE = 10**6
    made = build()
    refusals = logging.getLogger("django.request")
    refusals.setLevel(logging.ERROR)
    # As Django's own test client does (and undoes): a request must not end the test's transaction.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield made
    refusals.setLevel(logging.NOTSET)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_the_roles_are_all_played(world: World) -> None:
    assert tuple(role.name for role in world.roles) == ROLES


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ROLES)
def test_no_case_fails_or_tells_what_is_not_documented(
    schema: Any, world: World, name: str
) -> None:
    role = next(each for each in world.roles if each.name == name)
    found: list[str] = []
    operations = [result.ok() for result in schema.get_all_operations()]
    for operation in operations:
        for mode in MODES:
            play(operation, mode, role, world, found)
    assert count[name] >= 0.9 * CASES * len(operations) * len(MODES), "cases were not made"
    assert not found, "\n\n".join(found[:10])
    print(f"{name}: {count[name]} cases, {dict(statuses[name])}")


statuses: dict[str, Counter[int]] = {name: Counter() for name in ROLES}


def play(operation: Any, mode: GenerationMode, role: Role, world: World, found: list[str]) -> None:
    """Some cases of one operation; each in a savepoint that is taken back."""
    turn = iter(range(10**9))

    @seed(SEED)
    @settings(
        max_examples=CASES, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Case) -> None:
        with transaction.atomic():
            found.extend(faults_of(case, role, world, next(turn)))
            transaction.set_rollback(True)

    with contextlib.suppress(Unsatisfiable):  # nothing about it can be wrong: it takes nothing
        run()


def faults_of(case: Case, role: Role, world: World, turn: int) -> list[str]:
    """What is wrong with the answer to this case."""
    name_real_rows(case, world, turn)
    # Who asks is the role's matter: what was made up for the ways in is left out.
    ways_in = ("authorization", "cookie", "x-csrftoken")
    kept = {k: v for k, v in (case.headers or {}).items() if k.lower() not in ways_in}
    case.headers, case.cookies = {**kept, **role.headers}, {}
    answer = case.call(cookies=role.cookies)
    count[role.name] += 1
    statuses[role.name][answer.status_code] += 1
    asked = f"{role.name}: {case.method} {case.formatted_path} {case.query} {case.body!r:.300}"
    told = f"{answer.status_code} {answer.text[:500]}"
    try:
        case.validate_response(answer, checks=CHECKS.get_by_names(list(ASKED)))
    except Exception as error:
        return [f"{asked}\n{told}\n{error!s:.600}"]
    sent = f"{case.formatted_path}{case.query}{case.body}"
    leaked = [m for m in world.foreign_to(role) if m in answer.text and m not in sent]
    return [f"{asked}\n{told}\ntells {leaked}"] if leaked else []


def name_real_rows(case: Case, world: World, turn: int) -> None:
    """An id that was made up names nothing; two of three cases name a row that is there."""
    parameters = dict(case.path_parameters or {})
    if turn % 3 == 2:
        return
    for name in parameters:
        kind = name
        if name == "id":
            kind = "link" if "signup-links" in case.path else "onboarding"
        known = world.ids.get(kind, [])
        if known:
            parameters[name] = known[(turn * 7) % len(known)]
    case.path_parameters = parameters
