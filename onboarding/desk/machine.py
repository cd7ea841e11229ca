"""How the machine is, in signs: balance, caps, worker, beat, queues, webhooks."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from onboarding import vitals, ycloud_accounts
from onboarding.desk.drawn import Sign, ago, duration, percent
from onboarding.desk.links import Links
from onboarding.ycloud_accounts import Access

LATE_SECONDS = 60
"""What is due is taken within a second or two; a minute late is trouble."""

NEARLY = 0.8
"""Of a limit: from here on somebody should know."""


def signs(links: Links) -> list[Sign]:
    """All of them, in the order of what would hurt customers most."""
    accounts = ycloud_accounts.active()
    several = len(accounts) > 1
    calls = vitals.calls_of_the_hour()
    return [
        *(balance(each, several) for each in accounts),
        beat(),
        overdue(links),
        unapplied(links),
        webhooks(links),
        queues(),
        *(quota_used(links, each, calls.get(each.id, 0), several) for each in accounts),
        new_customers(links),
    ]


def _of(label: str, account: Access, several: bool) -> str:
    """Where there are several YCloud accounts, each one's figures bear its name."""
    return f"{label}: {account.name}" if several else label


def balance(account: Access, several: bool = False) -> Sign:
    """At zero every customer's number stops."""
    label = _of(_("Balance at YCloud"), account, several)
    with ycloud_accounts.using(account):
        found = vitals.balance()
    if found is None:
        return Sign(label, _("not known"), _("It is read every ten minutes."), "quiet")
    read = _("read %(when)s") % {"when": ago(timezone.now() - found.at)}
    shown = f"{found.amount:,.2f} {found.currency}"
    if found.is_low:
        least = settings.YCLOUD_BALANCE_WARNING
        told = _("Below %(least)s: top it up at YCloud, or numbers stop.") % {"least": least}
        return Sign(label, shown, told, "stop")
    return Sign(label, shown, read, "good")


def beat() -> Sign:
    """Whether a worker runs what beat sends."""
    label, seconds = _("Worker and beat"), vitals.beat_seconds()
    if seconds is None:
        told = _("Nothing goes on by itself. Start the worker and beat.")
        return Sign(label, _("no sign for 30 s"), told, "stop")
    when = _("last sign %(span)s ago") % {"span": duration(seconds)}
    return Sign(label, _("at work"), when, "good")


def overdue(links: Links) -> Sign:
    """Rows that a worker should have taken."""
    label, found = _("Waiting for a worker"), vitals.overdue()
    link = links.onboardings(overdue="yes")
    return _waiting(label, found, link, _("Workers are behind: start more of them."))


def unapplied(links: Links) -> Sign:
    """Webhook events that are stored and not applied."""
    label, found = _("Webhook events to apply"), vitals.unapplied_webhooks()
    link = links.to("events", applied_at__isnull="True")
    return _waiting(label, found, link, _("Workers are behind with YCloud's events."))


def _waiting(label: str, found: vitals.Waiting, link: str, trouble: str) -> Sign:
    if not found.rows:
        return Sign(label, "0", _("nothing waits"), "good", link)
    late = found.oldest_seconds > LATE_SECONDS
    oldest = _("the oldest for %(span)s") % {"span": duration(found.oldest_seconds)}
    told = f"{trouble} ({oldest})" if late else oldest
    return Sign(label, str(found.rows), told, "stop" if late else "good", link)


def webhooks(links: Links) -> Sign:
    """What YCloud sent in the last hour, and how late it was."""
    label, found = _("Webhooks, last hour"), vitals.webhook_delay()
    link = links.to("events", came="hour")
    if found.last_at is None:
        told = _("None ever came: the schedule alone goes on, more slowly.")
        return Sign(label, "0", told, "act", link)
    last = _("last one %(when)s") % {"when": ago(timezone.now() - found.last_at)}
    if found.p95_seconds is None:
        return Sign(label, str(found.events), last, "quiet", link)
    delay = _("19 of 20 within %(span)s") % {"span": duration(max(found.p95_seconds, 0))}
    tone = "act" if found.p95_seconds > LATE_SECONDS else "good"
    return Sign(label, str(found.events), f"{delay}, {last}", tone, link)


def queues() -> Sign:
    """Messages in Celery's queues; they are nudges, so a lost one costs seconds."""
    label, found = _("Messages in queues"), vitals.queue_lengths()
    if found is None:
        told = _("Redis does not answer. Nothing is lost; the page and the workers are slower.")
        return Sign(label, _("not known"), told, "stop")
    each = ", ".join(f"{name} {length}" for name, length in found.items())
    total = sum(found.values())
    return Sign(label, str(total), each, "act" if total > 1000 else "good")


def quota_used(links: Links, account: Access, used: int, several: bool = False) -> Sign:
    """Our calls of the last hour against our share."""
    most = account.per_hour
    told = _("of %(most)s calls an hour") % {"most": f"{most:,}"}
    tone = "act" if used >= most * NEARLY else "good"
    link = links.to("calls", quota="hour", **_only(account, several))
    label = _of(_("Quota at YCloud"), account, several)
    return Sign(label, f"{used:,}", told, tone, link, min(percent(used, most), 100.0))


def _only(account: Access, several: bool) -> dict[str, str]:
    if not several:
        return {}
    of = "ycloud_account__isnull" if account.id is None else "ycloud_account__id__exact"
    return {of: "True" if account.id is None else str(account.id)}


def new_customers(links: Links) -> Sign:
    """Against what Meta lets this partner take."""
    found = vitals.new_customers()
    told = ngettext(
        "of %(most)s that Meta allows in 7 days", "of %(most)s that Meta allows in 7 days",
        found.most,
    ) % {"most": f"{found.most:,}"}  # fmt: skip
    tone = "act" if found.is_near else "good"
    if found.used >= found.most:
        tone, told = "stop", _("Meta's cap of %(most)s is reached.") % {"most": f"{found.most:,}"}
    link = links.to("accounts", new="yes")
    length = min(percent(found.used, found.most), 100.0)
    return Sign(_("New customers"), f"{found.used:,}", told, tone, link, length)
