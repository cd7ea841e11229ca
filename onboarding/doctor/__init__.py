"""Whether everything is set up as the product needs it, here and outside, and how to mend it.

`manage.py doctor` and the *Set-up* page show the same findings. One thing it can mend itself: our
webhook endpoint at YCloud.
"""

from __future__ import annotations

from collections.abc import Iterable

from onboarding.doctor import (
    clock,
    dashboard,
    database,
    mail,
    meta,
    partner,
    probe,
    run,
    site,
    workers,
    ycloud,
)
from onboarding.doctor.finding import OPERATOR, PARTNER, Finding, Group, Level
from onboarding.doctor.install import CannotInstallError, install_webhook, webhook_url
from onboarding.doctor.run import Check

__all__ = [
    "CHECKS",
    "OPERATOR",
    "PARTNER",
    "CannotInstallError",
    "Finding",
    "Group",
    "Level",
    "examine",
    "install_webhook",
    "webhook_url",
]


CHECKS: tuple[Check, ...] = (
    Check("sandbox", Group.META, meta.sandbox),
    Check("ids", Group.META, meta.ids),
    Check("signup_version", Group.META, meta.signup_version),
    Check("sdk_version", Group.META, meta.sdk_version),
    Check("sdk", Group.META, meta.sdk, outside=True),
    Check("dialog", Group.META, meta.dialog),
    Check("app_secret", Group.META, meta.app_secret, outside=True),
    Check("meta_clock", Group.META, clock.meta, outside=True),
    Check("proof", Group.META, meta.proven),
    Check("cap", Group.META, meta.cap, database=True),
    Check("dashboard", Group.META, dashboard.look, database=True),
    Check("address", Group.SITE, site.address, outside=True),
    Check("served", Group.SITE, site.served, outside=True),
    Check("plain", Group.SITE, site.plain, outside=True),
    Check("healthz", Group.SITE, site.healthz, outside=True),
    Check("debug", Group.SITE, site.debug),
    Check("proxies", Group.SITE, site.proxies),
    Check("account", Group.YCLOUD, ycloud.account, database=True, calls=True, also=Group.WEBHOOK),
    Check("share", Group.YCLOUD, ycloud.share, database=True),
    Check("ycloud_clock", Group.YCLOUD, clock.ycloud, outside=True),
    Check("reached", Group.WEBHOOK, probe.reached, database=True, calls=True),
    Check("heard", Group.WEBHOOK, probe.heard, database=True),
    Check("redis", Group.WORKERS, workers.redis, outside=True),
    Check("queues", Group.WORKERS, workers.queues, outside=True),
    Check("beat", Group.WORKERS, workers.beat),
    Check("lengths", Group.WORKERS, workers.lengths),
    Check("lag", Group.WORKERS, workers.lag, database=True),
    Check("reachable", Group.DATABASE, database.reachable),
    Check("migrations", Group.DATABASE, database.migrations, database=True),
    Check("durability", Group.DATABASE, database.durability, database=True),
    Check("wall", Group.DATABASE, database.wall, database=True),
    Check("time_zone", Group.DATABASE, database.time_zone, database=True),
    Check("database_clock", Group.DATABASE, clock.database, database=True),
    Check("keys", Group.DATABASE, database.keys, database=True),
    Check("staff", Group.DATABASE, database.staff, database=True),
    Check("retention", Group.DATABASE, database.retention),
    Check("mail", Group.MAIL, mail.server, outside=True),
    Check("sender", Group.MAIL, mail.sender),
    Check("looks", Group.PARTNER, partner.looks),
    Check("outbound", Group.PARTNER, partner.outbound, database=True),
)
"""Every look, in the order of the page."""


def examine(groups: Iterable[Group] = ()) -> list[Finding]:
    """Look at everything of these groups (of all, without any); raises nothing."""
    return run.examine(CHECKS, groups)
