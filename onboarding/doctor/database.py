"""The database: that it forgets nothing, keeps tenants apart, and is as new as the code."""

from __future__ import annotations

from collections.abc import Iterator

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from onboarding import tombstones
from onboarding.doctor.finding import Finding, Level, error, for_live, ok, todo, warning
from tenants.models import User

OLDEST = 15
"""The oldest PostgreSQL that production may run (docs/production.md)."""


def reachable() -> Iterator[Finding]:
    """PostgreSQL answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version_num")
            version = int(cursor.fetchone()[0]) // 10_000
    except DatabaseError as failed:
        what = _("PostgreSQL does not answer (%(kind)s).") % {"kind": type(failed).__name__}
        fix = _("Start it, and look at DATABASE_URL.")
        yield error("database", what, fix, why=_("Nothing works without it."))
        return
    what = _("PostgreSQL %(version)d answers.") % {"version": version}
    if version >= OLDEST:
        yield ok("database", what)
    else:
        fix = _("Move to PostgreSQL %(oldest)d or newer.") % {"oldest": OLDEST}
        yield warning("database", what, fix)


def migrations() -> Iterator[Finding]:
    """Every migration of the code is applied."""
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not pending:
        yield ok("migrations", _("Every migration is applied."))
        return
    names = ", ".join(str(each) for each, _backwards in pending[:5])
    what = _("%(n)d migrations are not applied: %(names)s.") % {"n": len(pending), "names": names}
    yield error("migrations", what, _("Run `manage.py migrate` as the owner's role."))


def durability() -> Iterator[Finding]:
    """An intent that a crash of the database forgets cannot keep an act from being repeated."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('synchronous_commit'), current_setting('fsync')")
        commit, fsync = cursor.fetchone()
    if commit != "off" and fsync == "on":
        yield ok("durability", _("What the database has committed survives its crash."))
        return
    what = _("PostgreSQL runs with synchronous_commit=%(commit)s and fsync=%(fsync)s.") % {
        "commit": commit, "fsync": fsync,
    }  # fmt: skip
    fix = _("Switch both on: after a crash an act could be repeated that nobody remembers.")
    yield error("durability", what, fix)


def wall() -> Iterator[Finding]:
    """The app's role is bound by row-level security and cannot switch it off."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper OR rolbypassrls, EXISTS (SELECT 1 FROM pg_tables WHERE "
            "tablename = 'onboarding_onboarding' AND tableowner = current_user) "
            "FROM pg_roles WHERE rolname = current_user"
        )
        unbound, owns = cursor.fetchone()
    if not unbound and not owns:
        yield ok("wall", _("PostgreSQL keeps tenants apart for the app's role."))
        return
    what = (
        _("The app's database role is not bound by row-level security.")
        if unbound
        else _("The app's database role owns the tables, so it could switch their walls off.")
    )
    fix = _("Use a role of its own in DATABASE_URL (deploy/roles.sh); migrate as the owner.")
    yield error("wall", what, fix)


def time_zone() -> Iterator[Finding]:
    """Django sets UTC on each connection; a pooler may lose it."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW TimeZone")
        (zone,) = cursor.fetchone()
    if zone == "UTC":
        return
    what = _("The database speaks in the time zone %(zone)s, not in UTC.") % {"zone": zone}
    yield warning("time_zone", what, _("Have the pooler keep sessions (pool_mode = session)."))


def keys() -> Iterator[Finding]:
    """FIELD_ENCRYPTION_KEYS: one in ordinary times, several while rotating."""
    count = len(settings.FIELD_ENCRYPTION_KEYS)
    if count == 1:
        yield ok("encryption_keys", _("One key of FIELD_ENCRYPTION_KEYS is in use."))
    else:
        what = _("%(n)d keys are set in FIELD_ENCRYPTION_KEYS: a rotation is under way.")
        fix = _("Run `manage.py rotate_keys`; take the old ones out when it says that you may.")
        yield todo("encryption_keys", what % {"n": count}, fix)
    if not tombstones.can_be_read():
        what = _(
            "The key of the tombstones cannot be opened: events about erased tenants are kept "
            "again."
        )
        yield error("tombstones", what, _("Put the old key back into FIELD_ENCRYPTION_KEYS."))


def staff() -> Iterator[Finding]:
    """A second factor for staff, superusers before all."""
    if settings.STAFF_MFA_REQUIRED:
        yield ok("staff_mfa", _("Staff need a second factor."))
    else:
        what = _("Staff need no second factor (STAFF_MFA_REQUIRED).")
        why = _("One stolen password opens every tenant.")
        yield for_live("staff_mfa", what, _("Set STAFF_MFA_REQUIRED=true."), why=why)
    factors = Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES)
    without = User.objects.filter(is_superuser=True, is_active=True).exclude(
        pk__in=factors.values("user")
    )
    if count := without.count():
        what = _("%(n)d superusers have no second factor yet.") % {"n": count}
        fix = _("Have them set one up at their next login, or take the right from them.")
        yield for_live("superusers", what, fix, level=Level.WARNING)


def retention() -> Iterator[Finding]:
    """For how long what is kept for a while is kept."""
    what = _("Journals and webhook bodies are kept for %(n)d days (RETENTION_DAYS).")
    yield ok("retention", what % {"n": settings.RETENTION_DAYS})
