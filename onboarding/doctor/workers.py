"""Workers, beat, the queues, and Redis, which carries the nudges."""

from __future__ import annotations

from collections.abc import Iterator

import redis as redis_client
from celery import current_app
from django.conf import settings
from django.utils.translation import gettext as _

from onboarding import vitals
from onboarding.doctor.finding import Finding, error, ok, unknown, warning

LATE_SECONDS = 60.0
LONG_QUEUE = 500
BEAT_SECONDS = 20.0


def redis() -> Iterator[Finding]:
    """Redis answers, and throws nothing away by itself."""
    try:
        with redis_client.Redis.from_url(
            settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2
        ) as server:
            server.ping()
            yield ok("redis", _("Redis answers."))
            yield _memory(server)
    except redis_client.RedisError as failed:
        yield error(
            "redis", _("Redis does not answer (%(kind)s).") % {"kind": type(failed).__name__},
            _("Start it, and look at REDIS_URL."),
            why=_("Logins are refused and workers get no nudges; no onboarding is lost."),
        )  # fmt: skip


def _memory(server: redis_client.Redis) -> Finding:
    try:
        told = server.config_get("maxmemory*")
    except redis_client.ResponseError:
        what = _("Redis does not tell its memory policy.")
        return unknown("redis_memory", what, _("Set maxmemory-policy to noeviction there."))
    policy = str(told.get("maxmemory-policy", "?"))
    if policy == "noeviction":
        return ok("redis_memory", _("Redis throws nothing away by itself (noeviction)."))
    what = _("Redis may throw things away when memory is short (%(policy)s).") % {"policy": policy}
    why = _("Messages, sessions and counters would go without a word.")
    return warning("redis_memory", what, _("Set maxmemory-policy to noeviction."), why=why)


def queues() -> Iterator[Finding]:
    """Each queue has a worker that answers."""
    if vitals.queue_lengths() is None:
        return  # Redis is away, which is told already; Celery would try for a long time
    found = current_app.control.inspect(timeout=1.5).active_queues() or {}
    served = {queue["name"] for worker in found.values() for queue in worker}
    missing = sorted(set(settings.WORKER_QUEUES) - served)
    if not missing:
        what = _("%(n)d workers serve all queues.") % {"n": len(found)}
        yield ok("workers", what)
        return
    names = ", ".join(missing)
    yield error(
        "workers", _("No worker answers for: %(names)s.") % {"names": names},
        _("Start one: celery -A config worker -Q %(names)s.") % {"names": ",".join(missing)},
        why=_("Nothing of that kind is done: a code of Meta's is lost after 30 s."),
    )  # fmt: skip


def lengths() -> Iterator[Finding]:
    """Messages that wait."""
    found = vitals.queue_lengths()
    if found is None:
        return  # Redis is away, which is told already
    waiting = ", ".join(f"{name} {n}" for name, n in sorted(found.items()))
    what = _("Messages that wait: %(waiting)s.") % {"waiting": waiting}
    if max(found.values(), default=0) < LONG_QUEUE:
        yield ok("queues", what)
    else:
        yield warning("queues", what, _("Start more workers for that queue."))


def beat() -> Iterator[Finding]:
    """Beat sends and a worker runs what it sends."""
    age = vitals.beat_seconds()
    if age is not None and age <= BEAT_SECONDS:
        yield ok("beat", _("Beat is alive (%(n)d s ago).") % {"n": age})
        return
    what = _("No sign of beat in the last %(n)d s.") % {"n": BEAT_SECONDS}
    fix = _("Start one, and only one: celery -A config beat.")
    why = _("What waits is looked at by nobody.")
    yield error("beat", what, fix, why=why)


def lag() -> Iterator[Finding]:
    """Onboardings and events that should have been taken by now."""
    for code, found, name in (
        ("overdue", vitals.overdue(), _("onboardings")),
        ("unapplied", vitals.unapplied_webhooks(), _("webhook events")),
    ):
        told = {"rows": found.rows, "name": name, "seconds": round(found.oldest_seconds)}
        if found.oldest_seconds <= LATE_SECONDS:
            yield ok(code, _("No %(name)s wait for a worker.") % told)
            continue
        what = _("%(rows)d %(name)s wait for a worker, the oldest for %(seconds)d s.") % told
        yield error(code, what, _("Look at the workers' log; start more of them."))
