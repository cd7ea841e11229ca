"""Which conditions hold by the facts of a WABA or a number, and since when: pure functions.

Nothing here asks the database or YCloud. A condition has a topic; what an onboarding stops at and
a fact that says the same share it, so that nobody reads one thing twice.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from onboarding import reasons
from onboarding.models import PhoneNumber, WhatsAppBusinessAccount

LOOK, ENDS, BEFORE = "look", "ends", "before"
"""What a due time is: we look again; it ends by itself; somebody should act before it."""

Row = WhatsAppBusinessAccount | PhoneNumber


@dataclass(frozen=True, slots=True)
class Condition:
    """One that holds. `word`: YCloud's own, where it is new to us. `ends_at`: as `ends` says."""

    code: str
    ends_at: datetime | None = None
    ends: str = LOOK
    word: str = ""

    @property
    def topic(self) -> str:
        """What it is about."""
        return topic(self.code)


# --- A WABA ---------------------------------------------------------------------------------------

_REVIEW = {"APPROVED": "", "PENDING": "account_in_review", "REJECTED": "account_rejected"}
_BANS = {
    "SCHEDULE_FOR_DISABLE": "account_disable_scheduled",
    "DISABLE": "account_banned",
    "REINSTATE": "",
}
_VERIFICATION = {
    "VERIFIED": "",
    "NOT_VERIFIED": "business_not_verified",
    "PENDING_SUBMISSION": "business_not_verified",
    "EXPIRED": "business_not_verified",
    "REVOKED": "business_not_verified",
    "PENDING": "business_verification_pending",
    "PENDING_NEED_MORE_INFO": "business_verification_more",
    "FAILED": "business_verification_failed",
    "REJECTED": "business_verification_failed",
    "INELIGIBLE": "business_verification_failed",
}
_RESTRICTIONS = {
    "RESTRICTED_ADD_PHONE_NUMBER_ACTION": "account_restricted",
    "RESTRICTED_BIZ_INITIATED_MESSAGING": "account_restricted_starting",
    "RESTRICTED_CUSTOMER_INITIATED_MESSAGING": "account_restricted_answering",
}


def of_account(account: WhatsAppBusinessAccount) -> list[Condition]:
    """What holds of a WABA now, the worst first."""
    if account.lost:
        return [Condition(account.lost)]  # what was known before says nothing any more
    found = []
    if account.payment_method_attached is False:
        found.append(Condition("payment_missing"))
    found += _by_word(account.account_review_status, _REVIEW, "account_review_new")
    found += _by_ban(account)
    found += _by_restrictions(account.restrictions)
    business = account.business_verification_status
    found += _by_word(business, _VERIFICATION, "business_verification_new")
    return _ordered(found)


def _by_word(
    word: str, codes: Mapping[str, str], new: str, ends_at: datetime | None = None
) -> list[Condition]:
    """The condition of a word; `new`: of one that nobody has told us of."""
    if not word.strip():
        return []
    code = codes.get(word.strip().upper())
    if code is None:
        return [Condition(new, word=shown_word(word))]
    ends = BEFORE if ends_at else LOOK
    return [Condition(code, ends_at, ends)] if code else []


def _by_ban(account: WhatsAppBusinessAccount) -> list[Condition]:
    scheduled = account.ban_state.strip().upper() == "SCHEDULE_FOR_DISABLE"
    at = day_of(account.ban_date) if scheduled else None
    return _by_word(account.ban_state, _BANS, "account_ban_new", at)


def _by_restrictions(told: object) -> list[Condition]:
    """One condition of each kind: the one that lasts longest. Those that are over do not count."""
    latest: dict[str, Condition] = {}
    for each in told if isinstance(told, list) else []:
        word = str(each.get("restrictionType") or "") if isinstance(each, dict) else ""
        if not word.strip():
            continue
        code = _RESTRICTIONS.get(word.strip().upper(), "account_restriction_new")
        over = moment(each.get("expiration"))
        if over is not None and over <= timezone.now():
            continue
        new = shown_word(word) if code == "account_restriction_new" else ""
        known = latest.get(code)
        if known is None or (known.ends_at and (over is None or over > known.ends_at)):
            latest[code] = Condition(code, over, ENDS, new)
    return list(latest.values())


# --- A number -------------------------------------------------------------------------------------

_NAME = {
    "APPROVED": "",
    "AVAILABLE_WITHOUT_REVIEW": "",
    "PENDING_REVIEW": "name_review",
    "DECLINED": "name_declined",
    "EXPIRED": "name_expired",
    "NONE": "name_missing",
}
_NEW_NAME = {**dict.fromkeys(_NAME, ""), "PENDING_REVIEW": "new_name_review"}
_NEW_NAME["DECLINED"] = "new_name_declined"
_QUALITY = {"GREEN": "", "UNKNOWN": "", "YELLOW": "quality_medium", "RED": "quality_low"}
_STATUS = {
    "CONNECTED": "",
    "PENDING": "",  # before the act it is as it should be; its onboarding says what is waited for
    "MANUAL_REVIEW": "number_in_review",
    "FLAGGED": "number_flagged",
    "WARNED": "number_warned",
    "RATE_LIMITED": "number_rate_limited",
    "RESTRICTED": "number_restricted",
    "BLOCKED": "number_blocked",
}
_LOST = {
    "BANNED": "number_banned",
    "DISCONNECTED": "number_disconnected",
    "MIGRATED": "number_migrated",
    "UNVERIFIED": "number_not_verified",
}


_TOPICS = {
    # A code is about what its fact is about; stops and lost numbers say the same in other words.
    "payment_missing": "payment",
    "display_name_review": "name",
    "health_account_banned": "ban",
    "number_limited": "status",
    **dict.fromkeys(reasons.LOST - {"health_account_banned"}, "status"),
    **{
        code: about
        for about, new, codes in (
            ("review", "account_review_new", _REVIEW),
            ("ban", "account_ban_new", _BANS),
            ("business", "business_verification_new", _VERIFICATION),
            ("new_name", "name_new", _NEW_NAME),
            ("name", "name_new", _NAME),
            ("quality", "quality_new", _QUALITY),
            ("status", "number_status_new", _STATUS),
            ("status", "number_status_new", _LOST),
        )
        for code in (*codes.values(), new)
        if code
    },
}


def topic(code: str) -> str:
    """What a code is about; itself where nothing else is about it."""
    return _TOPICS.get(code, code)


def of_number(number: PhoneNumber) -> list[Condition]:
    """What holds of a number now, the worst first."""
    if number.health:
        return [Condition(number.health)]
    found = _by_status(number)
    found += _by_word(number.name_status, _NAME, "name_new")
    found += _by_word(number.new_name_status, _NEW_NAME, "name_new")
    found += _by_word(number.quality, _QUALITY, "quality_new")
    if number.is_on_biz_app and is_watched(number):
        found += [Condition("app_keep_open"), Condition("app_features")]
    return _ordered(found)


def is_watched(number: PhoneNumber) -> bool:
    """It was connected here, and its health is looked after since."""
    return number.next_look_at is not None


def _by_status(number: PhoneNumber) -> list[Condition]:
    word = number.status.strip().upper()
    if word in _LOST:
        # Of a connected number one reading alone alarms nobody: its health has the last word.
        return [] if is_watched(number) else [Condition(_LOST[word])]
    unverified = number.code_verification_status.strip().upper() in ("NOT_VERIFIED", "EXPIRED")
    if unverified and word in ("", "PENDING") and not number.is_on_biz_app:
        return [Condition("number_not_verified")]
    return _by_word(number.status, _STATUS, "number_status_new")


# --- Both -----------------------------------------------------------------------------------------


def _ordered(found: Iterable[Condition]) -> list[Condition]:
    """The worst first, each code once."""
    once = {each.code: each for each in reversed(list(found))}
    kept = reversed(list(once.values()))
    order = reasons.standing.STANDINGS
    return sorted(kept, key=lambda each: order.index(reasons.standing_of(each.code)))


def settled(row: Row, at: datetime) -> dict[str, object]:
    """The columns to write with the row's facts: since when each condition holds, and the worst.

    One that held before keeps its time; one that began has `at`.
    """
    known = row.standing_since if isinstance(row.standing_since, dict) else {}
    codes = [each.code for each in of_row(row)]
    since = {code: known.get(code) or at.astimezone(UTC).isoformat() for code in codes}
    return {"standing_since": since, "standing": reasons.worst(codes)}


def of_row(row: Row) -> list[Condition]:
    """What holds of either."""
    conditions: dict[type, Callable[..., list[Condition]]]
    conditions = {WhatsAppBusinessAccount: of_account, PhoneNumber: of_number}
    return conditions[type(row)](row)


def shown(standing_since: object) -> list[str]:
    """Of noted conditions the codes that a customer may read, the worst first."""
    known = standing_since if isinstance(standing_since, dict) else {}
    codes = [c for c in known if c in reasons.REASONS and c not in reasons.standing.STAFF_ONLY]
    order = reasons.standing.STANDINGS.index
    shown = dict.fromkeys(reasons.public(code) for code in codes)
    return sorted(shown, key=lambda code: (order(reasons.standing_of(code)), code))


def since(row: Row, code: str) -> datetime | None:
    """Since when it holds; None where that was not noted."""
    known = row.standing_since if isinstance(row.standing_since, dict) else {}
    return moment(known.get(code))


def next_end(account: WhatsAppBusinessAccount) -> datetime | None:
    """When the first condition of a WABA ends by itself: a reason to look then."""
    ends = [each.ends_at for each in of_account(account) if each.ends_at and each.ends == ENDS]
    return min(ends, default=None)


def moment(text: object) -> datetime | None:
    """A time as YCloud writes it (RFC 3339, or with a blank); None for what is none."""
    try:
        found = parse_datetime(text) if isinstance(text, str) else None
        if found is not None and found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        return found.astimezone(UTC) if found else None
    except (ValueError, OverflowError):
        return None


def day_of(text: str) -> datetime | None:
    """The day of a ban: a text for people, "December 9, 2022"; None for another kind of text."""
    exact = moment(text)
    if exact is not None:
        return exact
    for shape in ("%B %d, %Y", "%b %d, %Y", "%Y-%m-%d"):
        try:
            day = datetime.strptime(text.strip(), shape).replace(tzinfo=UTC)
        except ValueError:
            continue
        return day if day.year > 1 else None
    return None


def shown_word(word: str) -> str:
    """A word of somebody else's, short, on one line, and unable to turn the text around it."""
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in word)
    return f"\u2068{' '.join(kept.split())[:40]}\u2069"
