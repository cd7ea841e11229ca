"""Who is reviewed: the tenant's policy, else the partner's; and why, on the record."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from onboarding import review
from onboarding.models import Onboarding
from tenants.models import Tenant, User
from tests.conftest import Sandbox, Worker
from tests.onboarding.desk import onboarded, record


@pytest.mark.parametrize("whose", ["tenant", "partner"])
@pytest.mark.parametrize(
    ("policy", "known", "state"),
    [
        ("never", False, "connected"),
        ("never", True, "connected"),
        ("new_tenants", False, "in_review"),
        ("new_tenants", True, "connected"),
        ("always", False, "in_review"),
        ("always", True, "in_review"),
    ],
)
def test_the_gate_keeps_each_policy_for_new_and_known_tenants(
    tenant: Tenant, owner: User, sandbox: Sandbox, worker: Worker, settings: Any,
    whose: str, policy: str, known: bool, state: str,
) -> None:  # fmt: skip
    others = {"never": "always"}.get(policy, "never")
    settings.ONBOARDING_APPROVAL = policy if whose == "partner" else others
    if whose == "tenant":
        Tenant.objects.update(approval=policy)
    if known:
        Onboarding.objects.create(tenant=tenant, connection_mode="business_app", state="connected")
    assert onboarded(owner, sandbox, worker, "approve").state == state


def test_another_tenants_connection_makes_nobody_known(
    tenant: Tenant, other_tenant: Tenant, settings: Any
) -> None:
    settings.ONBOARDING_APPROVAL = "new_tenants"
    Onboarding.objects.create(
        tenant=other_tenant, connection_mode="business_app", state="connected"
    )
    assert review.is_new(tenant)
    assert not review.is_new(other_tenant)


@pytest.mark.parametrize(
    ("own", "partner", "told"),
    [
        ("always", "never", "Reviewed because the tenant&#x27;s policy says “always”."),
        ("", "always", "Reviewed because ONBOARDING_APPROVAL says “always”."),
        ("new_tenants", "never", "says “new tenants only” and this one is new."),
    ],
)
def test_the_record_says_why_it_is_reviewed(
    desk: Client, tenant: Tenant, settings: Any, own: str, partner: str, told: str
) -> None:
    settings.ONBOARDING_APPROVAL = partner
    Tenant.objects.update(approval=own)
    row = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_app", state="in_review", reason="approval_needed"
    )
    assert told in record(desk, row)
    Onboarding.objects.update(reason="unproven")
    assert "Reviewed because nothing of Meta&#x27;s proves the account." in record(desk, row)


def test_a_known_tenant_is_said_to_be_let_through(
    desk: Client, tenant: Tenant, settings: Any
) -> None:
    settings.ONBOARDING_APPROVAL = "new_tenants"
    row = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_app", state="connected"
    )
    assert "Not reviewed: ONBOARDING_APPROVAL says “new tenants only”" in record(desk, row)


def test_the_tenants_page_explains_the_policy(desk: Client, tenant: Tenant) -> None:
    page = desk.get(f"/admin/tenants/tenant/{tenant.pk}/change/").content.decode()
    assert "Whether a reviewer says yes before a number is registered." in page
    assert "new tenants only" in page
