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

    `once`: its address or its rows serve one visit, so each visit gets its own. `does` has that
    meaning too.
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
    once: bool = False
    deep: bool = False

    @property
    def is_kept(self) -> bool:
        """Whether one planting serves every visit: nothing but looking is done."""
        return not (self.does or self.once)

    @property
    def is_special(self) -> bool:
        """Whether its browser is another one than that of most cases."""
        return bool(self.before or self.browser)

    @property
    def is_scriptless(self) -> bool:
        """Whether its browser runs no JavaScript."""
        return self.browser.get("java_script_enabled") is False

    @property
    def group(self) -> str:
        """What it is about: the first word of its name."""
        return self.name.partition("-")[0]
