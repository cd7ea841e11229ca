"""A hundred thousand numbers that wait, written by PostgreSQL itself: one row told many times.

`generate_onboardings` tells whole stories, most of them over; here every row waits, as many new
ones as old ones, of few large and many small tenants, and half of them in accounts of several.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db.models import Model

TENANTS = 50
LARGE = 0.2
"""The share of one tenant; the others have the rest evenly."""

OLDEST = timedelta(days=30)
YOUNGEST = timedelta(minutes=10)
SIBLINGS = 5

# Of ten rows: what is read of them is (account and numbers) or (numbers of five at once).
STATES = (
    *[("awaiting_payment", "payment_missing")] * 3,
    *[("registering", "display_name_review")] * 2,
    *[("connecting", "takes_longer")] * SIBLINGS,
)
CALLS = {"signed_up": 3, "awaiting_payment": 2, "registering": 2, "connecting": 1}


def load(count: int) -> None:
    """So many rows that wait, each with an account and a number, none of them due."""
    from django.db import connection
    from django.utils import timezone

    from benchmarks.simulated import signups
    from onboarding.models import Onboarding, PhoneNumber, WhatsAppBusinessAccount

    tenants = [signups.tenant(f"crowd-{n}").pk for n in range(TENANTS)]
    one = tenants[0]
    account = WhatsAppBusinessAccount.objects.create(tenant_id=one, waba_id="9", proof="grant")
    number = PhoneNumber.objects.create(
        tenant_id=one, business_account=account, phone_number_id="9", status="PENDING"
    )
    row = Onboarding.objects.create(tenant_id=one, connection_mode="business_platform")
    now = timezone.now()
    given: dict[str, Any] = {
        "count": count, "now": now, "tenants": tenants, "large": int(10 * LARGE),
        "oldest": OLDEST.total_seconds(), "youngest": YOUNGEST.total_seconds(),
        "states": [state for state, _ in STATES], "reasons": [reason for _, reason in STATES],
    }  # fmt: skip
    ten, of_ten = "(n / 10)", "(n %% 10)"
    tenant = (
        f"CASE WHEN {ten} %% 10 < %(large)s THEN (%(tenants)s)[1] "
        f"ELSE (%(tenants)s)[2 + {ten} %% {TENANTS - 1}] END"
    )
    first = f"CASE WHEN {of_ten} >= {10 - SIBLINGS} THEN n - {of_ten} + {10 - SIBLINGS} ELSE n END"
    with connection.cursor() as cursor:

        def tell(model: type[Model], template: Model, **columns: str) -> None:
            cursor.execute(_told(model, columns), {**given, "template": template.pk})

        tell(WhatsAppBusinessAccount, account, tenant_id=tenant, waba_id="'99' || n")
        # Keys are given out one after the other, so the n-th row's is the template's and n.
        its_account = f"{account.pk} + ({first})"
        tell(
            PhoneNumber, number, tenant_id=tenant, phone_number_id="'98' || n",
            business_account_id=its_account,
        )  # fmt: skip
        ages = "%(youngest)s + random() * (%(oldest)s - %(youngest)s)"
        tell(
            Onboarding, row, tenant_id=tenant, public_id="gen_random_uuid()",
            launch_id="gen_random_uuid()",
            state=f"(%(states)s::text[])[1 + {of_ten}]",
            reason=f"(%(reasons)s::text[])[1 + {of_ten}]",
            state_changed_at=f"%(now)s - make_interval(secs => {ages})",
            business_account_id=its_account, number_id=f"{number.pk} + n",
            claimed_waba_id=f"'99' || ({first})", claimed_phone_number_id="'98' || n",
        )  # fmt: skip
        Onboarding.objects.filter(pk=row.pk).delete()
        for table in (Onboarding, PhoneNumber, WhatsAppBusinessAccount):
            cursor.execute(f"ANALYZE {table._meta.db_table}")


def _told(model: type[Model], columns: dict[str, str]) -> str:
    """The template's row for each n, with these columns of its own. Our own words alone."""
    meta: Any = model._meta
    names = [field.column for field in meta.concrete_fields if not field.primary_key]
    values = [columns.get(name, f'told."{name}"') for name in names]
    quoted = ", ".join(f'"{name}"' for name in names)
    return (
        f"INSERT INTO {meta.db_table} ({quoted}) SELECT {', '.join(values)} "  # noqa: S608
        f"FROM {meta.db_table} AS told, generate_series(1, %(count)s) AS n "
        "WHERE told.id = %(template)s"
    )


def make_due(within: timedelta, *, overdue: bool = False) -> None:
    """Due dates spread evenly over this time, still to come or already past; each row was looked
    at so long before it is due.
    """
    from django.db import connection
    from django.utils import timezone

    seconds = within.total_seconds()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE onboarding_onboarding SET lease_until = NULL, looks = 0, reason = '', "
            "next_look_at = due, updated_at = due - make_interval(secs => %(seconds)s) "
            "FROM (SELECT id AS key, %(now)s::timestamptz + "
            "make_interval(secs => random() * %(way)s) AS due FROM onboarding_onboarding) AS given "
            "WHERE id = key AND state = ANY(%(states)s)",
            {
                "now": timezone.now(), "way": -seconds if overdue else seconds,
                "seconds": seconds, "states": [state for state, _ in set(STATES)],
            },
        )  # fmt: skip
