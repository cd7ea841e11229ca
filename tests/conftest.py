"""Personas, the sandbox at the wire, and a worker that tests drive by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import Client
from rest_framework.test import APIClient
from structlog.contextvars import clear_contextvars

from onboarding import meta, quota, services, steps, transitions, ycloud
from onboarding.models import Onboarding
from onboarding.models.onboarding import Grant
from sandbox import scenarios
from sandbox.server import SandboxServer
from sandbox.webhooks import SECRET
from tenants import throttle, walls
from tenants.keys import create_key
from tenants.models import ApiKey, Membership, Tenant, User
from tests import emptying

# Files are looked up when they are asked for: each test's client builds the middleware anew, and
# listing all of them took a fifth of the run.
django_settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(autouse=True)
def _sees_all_rows(request: pytest.FixtureRequest) -> None:
    """Tests themselves look at all rows; a request sees only what the entrance gives it."""
    named = {"db", "transactional_db"} & set(request.fixturenames)
    uses_database = named or request.node.get_closest_marker("django_db")
    walls.current.set(walls.EVERYTHING if uses_database else walls.NOTHING)


@pytest.fixture(autouse=True)
def _tells_of_itself_only() -> None:
    """What a request or a task of the test before bound for its lines is not in this one's."""
    clear_contextvars()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The database is made by its owner; from then on tests are the app's role, as in production.

    TRUNCATE is the one right beyond it, for what cannot be deleted (tests/emptying.py).
    """
    options, patched = connection.settings_dict.setdefault("OPTIONS", {}), pytest.MonkeyPatch()
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute("GRANT USAGE ON SCHEMA public TO onboarding_app")
            cursor.execute(
                "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE "
                "ON ALL TABLES IN SCHEMA public TO onboarding_app"
            )
            cursor.execute(
                "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO onboarding_app"
            )
        # Of the class: beside a browser's loop Django makes another connection than here.
        patched.setattr(DatabaseOperations, "sql_flush", emptying.Emptying())
        options["assume_role"] = "onboarding_app"
        connection.close()
    yield
    patched.undo()
    with django_db_blocker.unblock():
        connection.close()
        del options["assume_role"]


def person(email: str, *, staff: bool = False, superuser: bool = False) -> User:
    """A user who can sign in with the password "secret-secret"."""
    user = User(username=email, email=email, is_staff=staff, is_superuser=superuser)
    user.set_password("secret-secret")
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@pytest.fixture(autouse=True)
def _redis_is_asked_anew() -> None:
    """A test that took Redis away leaves no pause before the next one's questions."""
    quota.store.breaker.until, quota.store.breaker.missed = 0.0, False


@pytest.fixture(autouse=True)
def _fast_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def tenant(db: None) -> Tenant:
    return Tenant.objects.create(name="John's Cake Shop", slug="cakes")


@pytest.fixture
def other_tenant(db: None) -> Tenant:
    return Tenant.objects.create(name="Other Company", slug="other")


@pytest.fixture
def owner(tenant: Tenant) -> User:
    user = person("owner@cakes.example")
    Membership.objects.create(user=user, tenant=tenant, role=Membership.Role.OWNER)
    return user


@pytest.fixture
def member(tenant: Tenant) -> User:
    user = person("member@cakes.example")
    Membership.objects.create(user=user, tenant=tenant)
    return user


@pytest.fixture
def stranger(other_tenant: Tenant) -> User:
    user = person("stranger@other.example")
    Membership.objects.create(user=user, tenant=other_tenant, role=Membership.Role.OWNER)
    return user


@pytest.fixture
def reviewer(db: None) -> User:
    return person("reviewer@partner.example", staff=True, superuser=True)


BACKEND = "tenants.login.Backend"


def api_of(user: User) -> APIClient:
    """The API as the page of a signed-in user calls it."""
    client = APIClient()
    client.force_login(user, backend=BACKEND)
    return client


def pages_of(user: User) -> Client:
    """The site as a signed-in user sees it."""
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


@pytest.fixture
def api(owner: User) -> APIClient:
    return api_of(owner)


@pytest.fixture
def stranger_api(stranger: User) -> APIClient:
    return api_of(stranger)


@pytest.fixture
def guest_api(tenant: Tenant) -> APIClient:
    """A guest who opened a signup link of the tenant."""
    _, token = services.create_link(tenant)
    client = APIClient()
    client.get(f"/s/{token}/")
    return client


def partner_api(*scopes: str) -> APIClient:
    """The API as the partner's backend calls it; without a list, with every scope."""
    _, key = create_key("crm", scopes or ApiKey.Scope.values, actor="command")
    client = APIClient(enforce_csrf_checks=True)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


@pytest.fixture
def partner(db: None) -> APIClient:
    """The partner's backend with a key of every scope."""
    return partner_api()


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


class Sandbox:
    """The sandbox as tests use it: choose a scenario, press a button, look at the calls."""

    def __init__(self, server: SandboxServer) -> None:
        self.server = server
        self.url = server.url

    def next(self, scenario: str, **params: Any) -> None:
        self.server.control("/control/", {"scenario": scenario, "params": params})

    def act(self, act: str, **target: Any) -> None:
        self.server.control("/control/act", {"act": act, **target})

    def fault(self, match: str, fault: str, **more: Any) -> None:
        self.server.control("/control/fault", {"match": match, "fault": fault, **more})

    def finish(self, mode: str = "business_platform", scenario: str = "", **params: Any) -> Any:
        """What Meta's window gives back when the customer comes to its end."""
        if scenario:
            scenarios.find(scenario)
        sent = {"connection_mode": mode, "scenario": scenario, "params": params}
        return self.server.control("/control/signup", sent)

    @property
    def calls(self) -> list[str]:
        """Method and path of each call to YCloud, oldest first."""
        return [f"{c['method']} {c['path']}" for c in self.server.world.calls]

    @property
    def registers(self) -> int:
        return sum(call.endswith("/register") for call in self.calls)

    def deliveries(self) -> list[dict[str, Any]]:
        return list(self.server.sender.log)


@pytest.fixture
def sandbox(sandbox_server: SandboxServer, settings: Any) -> Iterator[Sandbox]:
    """An empty sandbox, and the settings that point at it."""
    sandbox_server.world.reset()
    sandbox_server.sender.log.clear()
    sandbox_server.sender.url = ""
    # Tests move the clock back and forth, which no window of real time survives.
    sandbox_server.ycloud.per_second = sandbox_server.ycloud.per_hour = 10**6
    sandbox_server.ycloud.per_hour_of.clear()
    sandbox_server.ycloud.forget_windows()
    url = sandbox_server.url
    settings.YCLOUD_API_BASE_URL = f"{url}/v2"
    settings.YCLOUD_API_KEY = "sandbox-key"
    settings.YCLOUD_WEBHOOK_SECRETS = [SECRET]
    settings.META_GRAPH_BASE_URL = f"{url}/graph"
    settings.META_APP_SECRET = "sandbox-app-secret"
    settings.SANDBOX_ORIGIN = url
    settings.META_SDK_URL = f"{url}/sdk.js"
    settings.META_DIALOG_URL = f"{url}/dialog/oauth"
    yield Sandbox(sandbox_server)
    ycloud.close()


class Worker:
    """The worker's part, one sweep at a time, with time that tests move."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock

    def run(self, rounds: int = 20) -> None:
        """Exchange waiting codes and take the steps of everything due, until nothing is."""
        for _ in range(rounds):
            for row in Onboarding.objects.filter(grant=Grant.WAITING):
                meta.exchange_code(row.pk)
            due = transitions.claim_due(100)
            if not due:
                return
            for onboarding_id, fence in due:
                row = transitions.take_over(onboarding_id, fence)
                if row is not None:
                    steps.run(row)

    def later(self, seconds: float) -> None:
        """Time passes; then everything due is done."""
        self.clock.shift(seconds)
        self.run()


@pytest.fixture
def worker() -> Iterator[Worker]:
    with time_machine.travel("2026-11-24T10:00:00Z", tick=True) as clock:
        yield Worker(clock)


@pytest.fixture(autouse=True)
def _empty_cache(request: pytest.FixtureRequest) -> None:
    asked = {"db", "transactional_db"} & set(request.fixturenames)
    if asked or request.node.get_closest_marker("django_db"):
        cache.clear()
        throttle._away.until = 0.0  # a test without Redis must not open the limits of the next one
