"""For the walk: planted rows stand still, because no worker runs beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.walk.walker import Walker


@pytest.fixture(autouse=True)
def _worker() -> None:
    """In place of the worker of the other browser tests: nothing moves here."""


@pytest.fixture
def walker(browser: Browser, site: str, transactional_db: None) -> Iterator[Walker]:
    made = Walker(browser, site)
    yield made
    made.close()
