"""A requirement, and how one is made of a reason of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise

from onboarding import reasons
from onboarding.reasons.base import CHECK_AGAIN
from onboarding.requirements.conditions import LOOK

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing to be done, waited for or known.

    `due`: a time, or None; `due_kind` says which: we look again (`look`), it ends by itself
    (`ends`), or somebody should act before it (`before`).
    """

    code: str
    what: str
    why: str
    remedy: tuple[str, ...]
    who: str
    who_label: str
    tone: str
    standing: str
    standing_label: str
    since: datetime
    due: datetime | None
    due_kind: str | None

    def as_json(self) -> dict[str, Any]:
        """The API's object: the agreed keys, and the remedy."""
        return {
            "code": self.code,
            "standing": self.standing,
            "what": self.what,
            "why": self.why,
            "remedy": list(self.remedy),
            "who": self.who,
            "since": self.since,
            "due": self.due,
            "due_kind": self.due_kind,
        }


def made(
    code: str,
    since: datetime,
    due: datetime | None,
    staff: bool,
    *,
    pace: Text | None = None,
    due_kind: str = LOOK,
    word: str = "",
    of_page: bool = True,
) -> Requirement:
    """From the catalogue. `pace`: a line more; `of_page`: with what only an attempt's page has."""
    reason = reasons.REASONS[code]
    labels = reasons.STAFF_WHO_LABELS if staff else reasons.WHO_LABELS
    lines = reason.staff_remedy if staff else reason.remedy
    remedy = [line for line in lines if of_page or line != CHECK_AGAIN]
    why = reason.staff_why if staff else reason.why
    standing = reasons.standing_of(code)
    return Requirement(
        code=reason.code,
        what=str(reason.staff_what if staff else reason.what),
        why=f"{why} {word}".rstrip(),
        remedy=tuple(str(line) for line in ([*remedy, pace] if pace else remedy)),
        who=reason.who,
        who_label=str(labels[reason.who]),
        tone=reason.tone,
        standing=standing,
        standing_label=str(reasons.standing.LABELS[standing]),
        since=since,
        due=due,
        due_kind=due_kind if due else None,
    )
