"""Rows for the intake, written inside the environment of who answers: `product` or `bare`.

    python -m benchmarks.intake_rows product 20 2000

Prints as JSON who asks (their cookies) and which onboardings are theirs.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from typing import Any

COLUMNS: dict[str, Any] = {"connection_mode": "business_platform"}


def product(tenants: int, attempts: int) -> dict[str, Any]:
    """Tenants with a signed-in owner each, attempts at Meta's window, and connected numbers."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()
    from tenants import walls

    with walls.seeing_everything("a benchmark"):
        return _product(tenants, attempts)


def _product(tenants: int, attempts: int) -> dict[str, Any]:
    from django.utils import timezone

    from onboarding.models import Onboarding, PhoneNumber, Transition, WhatsAppBusinessAccount
    from onboarding.models.account import Proof
    from tenants.models import Membership, Tenant, User

    askers, rows, connected = [], [], []
    far = timezone.now() + timedelta(days=30)
    for index in range(tenants):
        tenant = Tenant.objects.create(slug=f"intake-{index}", name=f"Intake {index}")
        user = User.objects.create(username=f"i{index}@example.com", email=f"i{index}@example.com")
        Membership.objects.create(tenant=tenant, user=user, role=Membership.Role.OWNER)
        askers.append(_cookies(user))
        same = {"tenant": tenant, "started_by": user, **COLUMNS}
        rows += [Onboarding(**same, launched_at=timezone.now()) for _ in range(attempts // tenants)]
        waba = f"77{index:013}"
        account = WhatsAppBusinessAccount.objects.create(
            tenant=tenant, waba_id=waba, name=f"Shop {index}", proof=Proof.GRANT, read_at=far,
            account_review_status="APPROVED", payment_method_attached=True, country="ES",
        )  # fmt: skip
        number = PhoneNumber.objects.create(
            tenant=tenant, business_account=account, phone_number_id=f"78{index:013}",
            proof=Proof.GRANT, e164=f"+3460{index:07}", status="CONNECTED", quality="GREEN",
            verified_name=f"Shop {index}", code_verification_status="VERIFIED",
            name_status="APPROVED", messaging_limit="TIER_1K", connected_at=timezone.now(),
        )  # fmt: skip
        connected.append(
            Onboarding(
                **same, state="connected", claimed_waba_id=waba, proven=True,
                claimed_phone_number_id=number.phone_number_id, business_account=account,
                number=number, launched_at=timezone.now(), connected_at=timezone.now(),
            )
        )  # fmt: skip
    Onboarding.objects.bulk_create([*rows, *connected])
    Transition.objects.bulk_create(
        [Transition(onboarding=row, to_state=row.state, actor="customer") for row in rows]
    )
    each = attempts // tenants
    return {
        "askers": askers,
        "attempts": [
            [str(r.public_id) for r in rows[i * each : (i + 1) * each]] for i in range(tenants)
        ],
        "connected": [str(row.public_id) for row in connected],
    }


def bare(askers: int, attempts: int) -> dict[str, Any]:
    """Its tables, signed-in users, and rows."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.bare.settings"
    import django

    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.utils import timezone

    from benchmarks.bare.models import Attempt

    call_command("migrate", "-v", "0", run_syncdb=True)
    now = timezone.now()
    rows = [
        Attempt(
            state="connected", waba_id=f"77{index:013}", phone_number_id=f"78{index:013}",
            phone_number=f"+3460{index:07}", account_name=f"Shop {index}", quality="GREEN",
            number_status="CONNECTED", messaging_limit="TIER_1K", proven=True, launched_at=now,
            connected_at=now,
        )
        for index in range(max(askers, attempts))
    ]  # fmt: skip
    Attempt.objects.bulk_create(rows)
    users = [get_user_model().objects.create(username=f"i{index}") for index in range(askers)]
    return {
        "askers": [_cookies(user) for user in users],
        "connected": [str(row.public_id) for row in rows[:askers]],
    }


def _cookies(user: Any) -> dict[str, str]:
    """As a browser that has signed in sends them."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.utils.module_loading import import_string

    session = import_string(f"{settings.SESSION_ENGINE}.SessionStore")()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    token = "a" * 32
    return {
        "Cookie": f"{settings.SESSION_COOKIE_NAME}={session.session_key}; csrftoken={token}",
        "X-CSRFToken": token,
    }


if __name__ == "__main__":
    of = {"product": product, "bare": bare}[sys.argv[1]]
    json.dump(of(int(sys.argv[2]), int(sys.argv[3])), sys.stdout)
