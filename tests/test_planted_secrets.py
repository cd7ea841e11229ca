"""Keys, codes, tokens and passwords are planted and used; then everything that is kept is searched.

Log lines (everything, at DEBUG, as the site's handlers write them), every row of every table as the
database has it, every key of Redis with the broker's messages opened, every page,
/metrics, and what would have left for Sentry and an OpenTelemetry collector.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import redis
from django.conf import settings as site
from django.core import mail
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from config import logs
from onboarding import services, tasks
from onboarding.models import Onboarding
from sandbox import meta
from sandbox.webhooks import SECRET, sign
from tenants import keys
from tenants.models import ApiKey, Tenant, User
from tests.config import test_sentry, test_tracing
from tests.conftest import Sandbox, Worker, api_of, pages_of
from tests.test_journey import API, Customer

PASSWORD = "planted-Password-7fQ2x"
WRONG = "planted-Wrong-guess-9kW1"

pytestmark = pytest.mark.django_db(transaction=True)


class Traces:
    """What was planted, and every place where it must not be."""

    def __init__(
        self, log: io.StringIO, sentry: test_sentry.Kept, spans: test_tracing.Traced
    ) -> None:
        self.log, self.sentry, self.traced = log, sentry, spans
        self.pages: list[str] = []
        self.planted: dict[str, str] = {}

    def plant(self, what: str, value: str) -> str:
        assert len(value) >= 8, what
        self.planted[what] = value
        return value

    def watch(self, client: Any) -> Any:
        """Keep what this client is answered, but for the answer that shows a secret once."""
        ask = client.request

        def request(**sent: Any) -> Any:
            answer = ask(**sent)
            if not answer.streaming:
                heads = " ".join(f"{k}: {v}" for k, v in answer.headers.items())
                self.pages.append(f"{heads}\n{answer.content.decode()}")
            return answer

        client.request = request
        return client

    def found(self) -> list[str]:
        places = {
            "a log line": self.log.getvalue().splitlines(),
            "a page": self.pages,
            "a row": list(rows()),
            "Redis": list(redis_values()),
            "/metrics": [Client().get("/metrics").content.decode()],
            "a Sentry event": [json.dumps(event) for event in self.sentry.sent],
            "a span": [span.to_json() for span in self.traced.spans],
        }
        return [
            f"{what} in {place}: {text[:300]}"
            for what, value in self.planted.items()
            for place, texts in places.items()
            for text in texts
            if value in text
        ]


def rows() -> Iterator[str]:
    """Each row of each table, as text, with the table's name."""
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" AS t')
            yield from (f"{table}: {row}" for (row,) in cursor.fetchall())


def redis_values() -> Iterator[str]:
    """Each key with its value; a message of the broker's with its body opened."""
    with redis.Redis.from_url(site.REDIS_URL) as store:
        yield from values_of(store)


def values_of(store: Any) -> Iterator[str]:
    read = {
        b"string": lambda key: [store.get(key)],
        b"list": lambda key: store.lrange(key, 0, -1),
        b"set": lambda key: store.smembers(key),
        b"hash": lambda key: [part for pair in store.hgetall(key).items() for part in pair],
        b"zset": lambda key: store.zrange(key, 0, -1),
    }
    for key in store.scan_iter():
        for value in read[store.type(key)](key):
            text = value.decode(errors="replace")
            yield f"{key!r}: {text}"
            for body in re.findall(r'"body":\s*"([A-Za-z0-9+/=]+)"', text):
                yield base64.b64decode(body).decode(errors="replace")


@pytest.fixture
def sentry(settings: Any) -> Iterator[test_sentry.Kept]:
    yield from test_sentry.listening(settings)


@pytest.fixture
def spans(settings: Any) -> Iterator[test_tracing.Traced]:
    yield from test_tracing.listening(settings)


@pytest.fixture
def traces(sentry: test_sentry.Kept, spans: test_tracing.Traced) -> Iterator[Traces]:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.json_lines())
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield Traces(written, sentry, spans)
    root.removeHandler(handler)
    root.setLevel(level)


def test_what_was_planted_is_found_where_it_is_kept_in_clear(
    traces: Traces, tenant: Tenant
) -> None:
    traces.plant("a name", tenant.name)
    traces.plant("a word", "planted-in-a-log-line")
    tasks.apply_webhook_event.apply_async(kwargs={"event_id": traces.plant("an id", "evt_plant12")})
    logging.getLogger("x").debug("planted-in-a-log-line")
    found = " ".join(traces.found())
    assert "a name in a row" in found
    assert "a word in a log line" in found
    assert "an id in Redis" in found
    logging.getLogger("x").error("planted-in-a-log-line")
    Client().get("/healthz")
    Client().get("/connect/")
    found = " ".join(traces.found())
    assert "a word in a Sentry event" in found
    assert "GET connect/" in {span.name for span in traces.traced.spans}


def test_nothing_of_a_signup_leaves_a_secret_behind(
    traces: Traces, tenant: Tenant, owner: User, sandbox: Sandbox, worker: Worker
) -> None:
    link, token = services.create_link(tenant)
    traces.plant("a signup link's token", token)
    traces.plant("our key at YCloud", site.YCLOUD_API_KEY)
    traces.plant("Meta's app secret", site.META_APP_SECRET)
    guest = traces.watch(APIClient())
    assert guest.get(f"/s/{token}/").status_code == 302
    assert guest.get(f"/s/{token}x/").status_code == 404
    customer = Customer(guest, sandbox, worker)
    customer.starts()
    window = sandbox.finish(scenario="approve")
    traces.plant("a code", window["code"])
    customer.hands_over(window)
    worker.run()
    worker.later(30)
    assert customer.state == "connected"
    guest.get(f"/connect/?onboarding={customer.id}")
    guest.get(f"{API}{customer.id}/timeline/")
    for n, kept in enumerate(sandbox.server.world.tokens):
        traces.plant(f"Meta's token {n}", kept)
    desk = traces.watch(pages_of(staff()))
    row = Onboarding.objects.get()
    for address in (
        f"onboarding/onboarding/{row.pk}/change/",
        "onboarding/onboarding/",
        f"onboarding/signuplink/{link.pk}/change/",
        "onboarding/providercall/",
    ):
        assert desk.get(f"/admin/{address}").status_code == 200
    assert traces.found() == []


def test_nothing_of_the_full_page_dialog_leaves_a_secret_behind(
    traces: Traces, tenant: Tenant, sandbox: Sandbox, worker: Worker
) -> None:
    _, token = services.create_link(tenant)
    leaving = Client()
    leaving.get(f"/s/{token}/")
    handed = leaving.post("/connect/elsewhere/").content.decode()
    hand_over = re.search(r'/s/(h[.][^/"]+)/', handed)
    assert hand_over
    traces.plant("a hand-over", hand_over[1])
    asked = parse_qs(urlsplit(leaving.post("/connect/dialog/", {"use": "new"})["Location"]).query)
    state = traces.plant("a state", asked["state"][0])
    code = traces.plant("a code", meta.new_code(sandbox.server.world, [], asked["redirect_uri"][0]))
    back = traces.watch(Client())
    back.get(f"/s/{hand_over[1]}/")
    back.get(f"/s/{hand_over[1]}x/")
    for cookies, place in (
        (Client().cookies, "/connect/lost/"),
        (leaving.cookies, "/connect/?onboarding="),
        (leaving.cookies, "/connect/lost/"),
    ):
        back.cookies = cookies.copy()
        answer = back.get("/connect/return/", {"state": state, "code": code})
        assert answer["Location"].startswith(place)
        assert back.post(f"/connect/return/?state={state}&code={code}").status_code == 405
    worker.run()
    assert Onboarding.objects.get().grant == "granted"
    for n, kept in enumerate(sandbox.server.world.tokens):
        traces.plant(f"Meta's token {n}", kept)
    back.get("/connect/")
    assert traces.found() == []


def staff() -> User:
    from tests.conftest import person

    return person("desk@partner.example", staff=True, superuser=True)


def test_a_code_that_cannot_be_exchanged_leaves_no_trace(
    traces: Traces, api: APIClient, sandbox: Sandbox, worker: Worker
) -> None:
    customer = Customer(traces.watch(api), sandbox, worker)
    for fault in ("500", "garbage", "timeout"):
        customer.starts()
        window = sandbox.finish(scenario="approve")
        traces.plant(f"a code ({fault})", window["code"])
        sandbox.fault("access_token", fault, times=1)
        customer.hands_over(window)
        worker.run()
        worker.later(90)
    assert traces.found() == []


def test_a_fault_of_ours_while_a_secret_is_in_hand_leaves_no_trace(
    traces: Traces, owner: User, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = traces.watch(api_of(owner))
    id_ = api.post(API, {"connection_mode": "business_app"}).json()["id"]
    api.raise_request_exception = False

    def fails(row: Any, asker: Any, result: dict[str, str]) -> None:
        raise ValueError(f"could not take {result}")

    monkeypatch.setattr(services, "record_signup_result", fails)
    code = traces.plant("a code", "AQ" + "plantedCode" * 8)
    assert api.post(f"{API}{id_}/signup/", {"code": code}).status_code == 500
    monkeypatch.setattr(services, "open_link", fails)
    token = traces.plant("a token", services.create_link(tenant)[1])
    client = traces.watch(Client(raise_request_exception=False))
    assert client.get(f"/s/{token}/").status_code == 500
    assert "could not take" in traces.log.getvalue()
    assert traces.found() == []


def test_logins_leave_no_password_and_no_mailed_code(traces: Traces, owner: User) -> None:
    owner.set_password(traces.plant("a password", PASSWORD))
    owner.save()
    traces.plant("a wrong password", WRONG)
    client = traces.watch(Client())
    for password in (WRONG, PASSWORD):
        client.post("/accounts/login/", {"login": owner.email, "password": password})
    assert client.get("/accounts/email/").status_code == 200
    client.post("/accounts/logout/")
    client.post("/accounts/password/reset/", {"email": owner.email})
    (address,) = re.findall(r"/accounts/password/reset/key/(\S+?)/?\s", mail.outbox[-1].body)
    traces.plant("a reset key", address.split("-", 1)[1])
    client.get(f"/accounts/password/reset/key/{address}/")
    assert traces.found() == []


def test_keys_links_and_invitations_are_kept_as_hashes(
    traces: Traces, tenant: Tenant, owner: User
) -> None:
    _, key = keys.create_key("crm", list(ApiKey.Scope.values), actor="command")
    traces.plant("an API key", key.rsplit("_", 1)[1] if key.count("_") == 2 else key[13:])
    backend = APIClient()  # its answers show the links' addresses, once
    backend.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    sent = {"tenant": "cakes", "email": "new@cakes.example"}
    made = backend.post("/api/v1/signup-links/", sent, HTTP_IDEMPOTENCY_KEY="planted-1")
    assert made.status_code == 201
    traces.plant("a mailed link's token", made.json()["url"].rstrip("/").rsplit("/", 1)[1])
    again = backend.post("/api/v1/signup-links/", sent, HTTP_IDEMPOTENCY_KEY="planted-1")
    assert again.json() == made.json(), "it is kept, sealed"
    watched = traces.watch(APIClient())
    watched.credentials(HTTP_AUTHORIZATION=f"Bearer {key}x")
    assert watched.get("/api/v1/tenants/").status_code == 401
    assert watched.get(f"/api/v1/tenants/?api_key={key}").status_code == 400
    tasks.mail_waiting_links()
    page = traces.watch(pages_of(owner))
    page.post("/company/cakes/invite/", {"email": "friend@cakes.example", "role": "member"})
    (token,) = re.findall(r"/invitation/([\w-]+)/", mail.outbox[-1].body)
    traces.plant("an invitation's token", token)
    page.get(f"/invitation/{token}/")
    page.get("/company/cakes/")
    assert traces.found() == []


def test_the_links_in_letters_leave_no_trace(
    traces: Traces, tenant: Tenant, worker: Worker
) -> None:
    row = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_app", state="signed_up"
    )
    services.notify(row, "guest@cakes.example")
    assert tasks.send_notices() == 1
    letter = str(mail.outbox[-1].body)
    client = traces.watch(Client(raise_request_exception=False))
    for word in ("confirm", "stop"):
        (token,) = re.findall(rf"/mail/{word}/(\S+)/", letter)
        traces.plant(f"the token to {word}", token)
        for path in (f"/mail/{word}/{token}/", f"/mail/{word}/", f"/mail/{word}/{token}x/"):
            client.get(path)
        client.put(f"/mail/{word}/{token}/")
        client.post(f"/mail/{word}/")
    desk = traces.watch(pages_of(staff()))
    address = row.mail_addresses.get()
    for page in (f"mailaddress/{address.pk}/change/", f"notice/{address.notices.get().pk}/change/"):
        assert desk.get(f"/admin/onboarding/{page}").status_code == 200
    assert traces.found() == []


def test_signing_secrets_are_sealed(traces: Traces, owner: User, settings: Any) -> None:
    settings.OUTBOUND_ALLOW_PRIVATE = True
    settings.YCLOUD_WEBHOOK_SECRETS = [SECRET]
    traces.plant("YCloud's signing secret", SECRET)
    _, secret = services.create_endpoint("https://127.0.0.1:9009/hook", actor="command")
    traces.plant("our signing secret", secret)
    traces.plant("its key", secret.removeprefix("whsec_"))
    body = json.dumps({"id": "evt_1", "type": "x", "createTime": "2026-11-27T00:00:00Z"}).encode()
    client = traces.watch(Client())
    for signature in (sign(SECRET, int(time.time()), body), f"t=1,s={SECRET}"):
        client.post("/webhooks/ycloud/", body, content_type="application/json",
                    headers={"YCloud-Signature": signature})  # fmt: skip
    api_of(owner).post(API, {"connection_mode": "business_app"})
    tasks.deliver_outbound()
    assert traces.found() == []
