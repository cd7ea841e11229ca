"""Mail to staff: an alert for a trouble of all tenants, and a digest of what is stuck.

One letter goes to all of them as hidden copies. A digest has a row whose key names the digest
before it, so that two workers make one; the row is claimed like a notice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from onboarding import notices, post, progress
from onboarding.messages import troubles
from onboarding.models import Notice, Onboarding, PhoneNumber, StaffLetter, Standing
from onboarding.reasons import REASONS, STAFF_WHO_LABELS
from onboarding.states import FINAL, State
from tenants.letters import letter, one_line
from tenants.models import User

Kind = StaffLetter.Kind

SHOWN = 10
"""Rows of one reason; the desk shows all of them."""

GIVE_UP = timedelta(days=2)
SENDING_TAKES = timedelta(minutes=10)
Entry = dict[str, Any]


def tell_staff() -> int:
    """Mail alerts that wait, and a digest where one is due; how many letters were mailed."""
    troubles.watch()
    _give_up_old()
    _write_digest()
    keys = list(
        StaffLetter.objects.filter(standing=Standing.WAITING)
        .order_by("began_at")
        .values_list("pk", flat=True)[:SHOWN]
    )
    to = recipients() if keys else []
    if not to:
        return 0
    with post.server() as server:
        if server is None:
            return 0
        return sum(_send(key, to, server) for key in post.in_time(keys, server))


def recipients() -> list[str]:
    """Staff who want it and may see onboardings."""
    staff = User.objects.filter(is_active=True, is_staff=True, wants_digests=True)
    return [u.email for u in staff.exclude(email="") if u.has_perm("onboarding.view_onboarding")]


def _give_up_old() -> None:
    now = timezone.now()
    late = Q(standing=Standing.WAITING, began_at__lt=now - GIVE_UP)
    died = Q(standing=Standing.SENDING, claimed_at__lt=now - SENDING_TAKES)
    StaffLetter.objects.filter(late | died).update(standing=Standing.FAILED)


def _send(key: int, to: list[str], server: Any) -> bool:
    free = StaffLetter.objects.filter(pk=key, standing=Standing.WAITING)
    if not free.update(standing=Standing.SENDING, claimed_at=timezone.now()):
        return False
    row = StaffLetter.objects.get(pk=key)
    if row.kind == Kind.ALERT:
        return _close(row, post.sent(alert(row, to, server), f"alert {key}"))
    news = _news()
    groups = _groups_of(news) if news else []
    if not groups:
        return _close(row, Standing.OVERTAKEN)
    # What is new is claimed with the digest: if its end is not known, it is not new again.
    told = Notice.objects.filter(pk__in=[notice.pk for notice in news])
    told.update(standing=Standing.SENDING, claimed_at=row.claimed_at, letter=row.letter)
    made = digest_of(groups, to, message=row.letter, server=server)
    return _close(row, post.sent(made, f"digest {key}"))


def _close(row: StaffLetter, ended: Standing) -> bool:
    """Write how it ended, on the letter and on what it was to tell; whether it was mailed."""
    again, was_mailed = ended == Standing.WAITING, ended == Standing.MAILED
    how = {
        "standing": ended,
        "claimed_at": None if again else row.claimed_at,
        "mailed_at": timezone.now() if was_mailed else None,
    }
    StaffLetter.objects.filter(pk=row.pk).update(**how)
    told = Notice.objects.filter(letter=row.letter, standing=Standing.SENDING)
    told.update(**how, letter=None if again else row.letter)
    return was_mailed


# --- Alerts ---------------------------------------------------------------------------------------


def alert(
    row: StaffLetter, to: Sequence[str], server: Any = None, language: str = ""
) -> EmailMultiAlternatives:
    """The letter about a trouble of all tenants."""
    words = troubles.words_of(row.trouble)
    told = {
        "what": words.what,
        "why": words.why,
        "remedy": words.remedy,
        "detail": one_line(row.detail, 200),
        **_addresses(),
    }
    return letter(
        "alert", str(words.what), told, language=language, bcc=to, message=row.letter, server=server
    )


def _addresses() -> dict[str, str]:
    return {
        "desk_url": f"{settings.SITE_URL}/admin/",
        "account_url": f"{settings.SITE_URL}/accounts/letters/",
    }


# --- Digests --------------------------------------------------------------------------------------


def _write_digest() -> None:
    """The row of the next digest, where there is something new and the last one is old enough."""
    last = StaffLetter.objects.filter(kind=Kind.DIGEST).order_by("-pk").first()
    if last is not None:
        if last.standing in (Standing.WAITING, Standing.SENDING):
            return
        told_at = last.claimed_at or last.began_at
        nothing_told = last.standing == Standing.OVERTAKEN
        pause = timedelta(0) if nothing_told else timedelta(hours=settings.STAFF_DIGEST_HOURS)
        if told_at > timezone.now() - pause:
            return
    if _news():
        key = f"digest:{last.pk if last else 0}"
        StaffLetter.objects.get_or_create(key=key, defaults={"kind": Kind.DIGEST})


def _news() -> list[Notice]:
    """What became stuck since the last digest and still is; the rest is marked as overtaken."""
    due = Notice.objects.filter(
        audience=Notice.Audience.STAFF, standing=Standing.WAITING, claimed_at__isnull=True,
        due_at__lte=timezone.now(),
    ).select_related("onboarding", "number")  # fmt: skip
    still: list[Notice] = []
    over: list[Notice] = []
    for notice in due.order_by("pk")[:1000]:
        (still if _is_true(notice) else over).append(notice)
    Notice.objects.filter(pk__in=[n.pk for n in over]).update(standing=Standing.OVERTAKEN)
    return still


def _is_true(notice: Notice) -> bool:
    row, number = notice.onboarding, notice.number
    if row is not None:
        return notices.is_stuck(row.state, row.reason) and row.reason == notice.reason
    return number is not None and number.health == notice.reason


def _groups_of(news: Sequence[Notice]) -> list[Entry]:
    """All that is stuck, by reason, the oldest first; what is new is marked."""
    new = {n.onboarding_id for n in news if n.onboarding_id}
    new_numbers = {n.number_id for n in news if n.number_id}
    groups = [
        *_groups(_stuck(), "reason", "state_changed_at", new),
        *_groups(_unwell(), "health", "health_since", new_numbers),
    ]
    return sorted(groups, key=lambda group: group["oldest"])


def digest_of(groups: Sequence[Entry], to: Sequence[str], **more: Any) -> EmailMultiAlternatives:
    """The letter with these groups."""
    count = sum(group["count"] for group in groups)
    told = ngettext("%(count)s number needs somebody", "%(count)s numbers need somebody", count)
    subject = told % {"count": count}
    return letter("digest", subject, {"groups": groups, **_addresses()}, bcc=to, **more)


def _stuck() -> QuerySet[Onboarding]:
    """What `notices.is_stuck` says, as a query."""
    wrong = [code for code in REASONS if notices.is_stuck(State.NEEDS_ATTENTION, code)]
    ours = [code for code in wrong if notices.is_stuck(State.SIGNED_UP, code)]
    rows = Onboarding.objects.exclude(state__in=sorted(FINAL | notices.QUIET_STATES))
    in_hand = Q(reason__in=ours) | Q(state=State.NEEDS_ATTENTION, reason__in=wrong)
    return rows.filter(in_hand).select_related("tenant", "number")


def _unwell() -> QuerySet[PhoneNumber]:
    return PhoneNumber.objects.exclude(health="").select_related("tenant")


def _groups(rows: QuerySet[Any], code: str, at: str, new: set[int]) -> list[Entry]:
    """The rows by the column `code`: how many, and the oldest by the column `at`."""
    counts = rows.order_by().values_list(code).annotate(count=Count("pk"))
    found: list[Entry] = []
    for reason, count in counts:
        if reason not in REASONS:
            continue
        oldest = rows.filter(**{code: reason}).order_by(at, "pk")[:SHOWN]
        entries = [{**_entry(row), "is_new": row.pk in new} for row in oldest]
        if entries:  # else the last of them went on just now
            found.append(_group(reason, entries, count))
    return found


def _group(code: str, entries: list[Entry], count: int) -> Entry:
    reason = REASONS[code]
    return {
        "what": str(reason.staff_what),
        "todo": str(next(iter(reason.staff_remedy), "")),
        "who": str(STAFF_WHO_LABELS[reason.who]),
        "count": count,
        "rows": entries,
        "more": max(count - len(entries), 0),
        "oldest": entries[0]["at"],
    }


def _entry(row: Onboarding | PhoneNumber) -> Entry:
    if isinstance(row, Onboarding):
        at, e164 = row.state_changed_at, row.number.e164 if row.number else ""
        page = f"onboarding/{row.pk}"
    else:
        at, e164 = row.health_since or row.created_at, row.e164
        page = f"phonenumber/{row.pk}"
    return {
        "tenant": one_line(row.tenant.name),
        "number": progress.display_number(e164) if e164 else "",
        "at": at,
        "since": _since(at),
        "link": f"{settings.SITE_URL}/admin/onboarding/{page}/change/",
    }


def _since(at: datetime) -> str:
    when = date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT")
    return gettext("since %(when)s") % {"when": when}
