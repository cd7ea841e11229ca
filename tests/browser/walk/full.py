"""The full walk, of `make test-browser`: each state in each size, scheme and language.

Not collected by `make test`. LANGS=ar,en and CASES=card,question-new (beginnings of names) narrow
it, SHARD=1/2 takes every second case.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.walk.walker import ALL_LOOKS, ARTEFACTS, LANGUAGES, Walker
from tests.states import CASES, Case


def asked(name: str) -> list[str]:
    return [each.strip() for each in os.environ.get(name, "").split(",") if each.strip()]


def cases() -> list[Case]:
    """Those that were asked for, of this shard."""
    beginnings = asked("CASES")
    named = [c for c in CASES if not beginnings or c.name.startswith(tuple(beginnings))]
    shard, of = (int(each) for each in os.environ.get("SHARD", "1/1").split("/"))
    return named[shard - 1 :: of]


LANGS = asked("LANGS") or list(LANGUAGES)
LOOKS = [look for look in ALL_LOOKS if look.language in LANGS]


@pytest.fixture
def keeping(browser: Browser, site: str, transactional_db: None) -> Iterator[Walker]:
    """A walker that keeps a picture of what it saw."""
    made = Walker(browser, site, keep=ARTEFACTS)
    yield made
    made.close()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_nothing_is_wrong(keeping: Walker, case: Case) -> None:
    faults = keeping.walk(case, LOOKS)
    assert not faults, "\n".join(faults)
