"""What one look tells: a thing, how it stands, why it matters, how to mend it and who has to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.conf import settings

from onboarding.ycloud_accounts import Access

OPERATOR = "operator"
"""Whoever runs this installation: settings, servers, certificates."""

PARTNER = "partner"
"""Whoever administers the partner's Meta app and YCloud account."""


class Level(StrEnum):
    """How it stands, best first. `todo`: only a person can confirm it, and nobody has yet."""

    OK = "ok"
    TODO = "todo"
    UNKNOWN = "unknown"
    WARNING = "warning"
    ERROR = "error"


class Group(StrEnum):
    """Where it belongs, in the order of the page."""

    META = "meta"
    SITE = "site"
    YCLOUD = "ycloud"
    WEBHOOK = "webhook"
    WORKERS = "workers"
    DATABASE = "database"
    MAIL = "mail"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `what` is as measured now; `value` is there to be copied.

    `group` is the check's unless the finding names another; `remedy` is empty where all is well.
    """

    code: str
    level: Level
    what: str
    remedy: str = ""
    why: str = ""
    who: str = OPERATOR
    value: str = ""
    group: Group | None = None

    @property
    def is_well(self) -> bool:
        return self.level in (Level.OK, Level.TODO)


def ok(code: str, what: str, **more: Any) -> Finding:
    """All is well."""
    return Finding(code, Level.OK, what, **more)


def todo(code: str, what: str, remedy: str, **more: Any) -> Finding:
    """A person has to do or confirm it."""
    return Finding(code, Level.TODO, what, remedy, **more)


def unknown(code: str, what: str, remedy: str, **more: Any) -> Finding:
    """It could not be found out."""
    return Finding(code, Level.UNKNOWN, what, remedy, **more)


def warning(code: str, what: str, remedy: str, **more: Any) -> Finding:
    """It works, and somebody should know."""
    return Finding(code, Level.WARNING, what, remedy, **more)


def error(code: str, what: str, remedy: str, **more: Any) -> Finding:
    """It does not work, or harms."""
    return Finding(code, Level.ERROR, what, remedy, **more)


def of_account(account: Access, found: Iterable[Finding]) -> list[Finding]:
    """Findings about one YCloud account; those of further ones bear its name."""
    if account.id is None:
        return list(found)
    return [
        replace(each, code=f"{each.code}-{account.slug}", what=f"{account.name}: {each.what}")
        for each in found
    ]


def for_live(
    code: str, what: str, remedy: str, *, level: Level = Level.ERROR, **more: Any
) -> Finding:
    """What is wrong in production and only still to be done while the sandbox is in use."""
    chosen = Level.TODO if settings.SANDBOX_ORIGIN else level
    return Finding(code, chosen, what, remedy, **more)
