"""A case: one thing that the customer's pages can show, and how to come to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page

from tests.states.world import World


@dataclass(frozen=True, slots=True)
class Case:
    """`plants` makes the rows and returns the address; `does` acts on the page; `sees` is what has
    to be visible before anybody looks.

    `deep`: the same layout as another case with other words, for the full walk alone. `fails`:
    parts of addresses whose failing belongs to the case.
    """

    name: str
    plants: Callable[[World], str]
    sees: str = "main h1"
    does: Callable[[Page, World], None] | None = None
    before: Callable[[Page], None] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    browser: Mapping[str, Any] = field(default_factory=dict)
    fails: tuple[str, ...] = ()
    deep: bool = False

    @property
    def group(self) -> str:
        """What it is about: the first word of its name."""
        return self.name.partition("-")[0]
