"""Every check, whatever the others do: outside ones side by side, the database's in between."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, replace

from django.db import DatabaseError, connection, connections, transaction
from django.utils import translation
from django.utils.translation import gettext

from onboarding.doctor.finding import Finding, Group, error, unknown
from tenants.redaction import redact

logger = logging.getLogger(__name__)

WHOLE_SECONDS = 25.0
"""Of the whole run; what has not answered by then is a finding itself."""

Look = Callable[[], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """One look. `outside`: it waits for somebody else and asks no database of ours. `calls`: it
    asks both, so it holds no transaction while it waits. `also`: it finds things of a second group
    too.
    """

    name: str
    group: Group
    look: Look
    outside: bool = False
    database: bool = False
    calls: bool = False
    also: Group | None = None


def examine(checks: Iterable[Check], groups: Iterable[Group] = ()) -> list[Finding]:
    """Take each look of these groups (of all, without any); raises nothing."""
    wanted = set(groups) or set(Group)
    chosen = [check for check in checks if {check.group, check.also} & wanted]
    until = time.monotonic() + WHOLE_SECONDS
    outside = [check for check in chosen if check.outside]
    answers = _begin(outside)
    there = not any(check.database for check in chosen) or _is_there()
    found = {
        check.name: _here(check) if there or not check.database else _down(check)
        for check in chosen
        if not check.outside
    }
    found |= _collected(outside, answers, until)
    order = list(Group)
    told = [each for check in chosen for each in found[check.name] if each.group in wanted]
    return sorted(told, key=lambda each: order.index(each.group or Group.META))


def _is_there() -> bool:
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _down(check: Check) -> list[Finding]:
    told = gettext("%(name)s: could not be looked at without the database.") % {"name": check.name}
    remedy = gettext("Mend the database first, then look again.")
    return [replace(unknown(f"{check.name}_unseen", told, remedy), group=check.group)]


def _here(check: Check) -> list[Finding]:
    """What the check finds; a check that raises is a finding itself."""
    # A statement that fails would spoil the transaction of a test or a request for all others.
    alone = check.database and not check.calls
    apart = transaction.atomic() if alone else nullcontext()
    try:
        with apart:
            return [replace(each, group=each.group or check.group) for each in check.look()]
    except Exception as failed:
        logger.warning("doctor: the check %s failed: %s", check.name, type(failed).__name__)
        told = redact(f"{type(failed).__name__}: {failed}")[:300]
        what = gettext("The check “%(name)s” itself failed: %(error)s") % {
            "name": check.name, "error": told,
        }  # fmt: skip
        remedy = gettext("Mend what it names; if that is nothing of yours, tell the developers.")
        return [replace(error(f"{check.name}_failed", what, remedy), group=check.group)]


Answers = queue.SimpleQueue[tuple[str, list[Finding]]]


def _begin(checks: list[Check]) -> Answers:
    """A thread for each: they are few, and one that hangs must hold up neither us nor the exit."""
    answers: Answers = queue.SimpleQueue()
    language = translation.get_language()

    def take(check: Check) -> None:
        try:
            with translation.override(language):
                answers.put((check.name, _here(check)))
        finally:
            connections.close_all()

    for check in checks:
        threading.Thread(
            target=take, args=(check,), daemon=True, name=f"doctor-{check.name}"
        ).start()
    return answers


def _collected(checks: list[Check], answers: Answers, until: float) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    while len(found) < len(checks):
        try:
            name, findings = answers.get(timeout=max(until - time.monotonic(), 0.01))
        except queue.Empty:
            break
        found[name] = findings
    for check in checks:
        if check.name not in found:
            what = gettext("%(name)s: no answer within %(seconds)d s.") % {
                "name": check.name, "seconds": WHOLE_SECONDS,
            }  # fmt: skip
            late = unknown(f"{check.name}_late", what, gettext("Look again; then look at the net."))
            found[check.name] = [replace(late, group=check.group)]
    return found
