"""Fixtures of the desk."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from onboarding.models import Onboarding
from tenants.models import User
from tests.conftest import Sandbox, Worker, pages_of
from tests.onboarding.desk import onboarded


@pytest.fixture
def desk(reviewer: User) -> Client:
    return pages_of(reviewer)


@pytest.fixture
def in_review(owner: User, sandbox: Sandbox, worker: Worker, settings: Any) -> Onboarding:
    settings.ONBOARDING_APPROVAL = "always"
    row = onboarded(owner, sandbox, worker, "approve")
    assert row.state == "in_review"
    return row
