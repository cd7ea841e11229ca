"""Without proof an account that another tenant holds looks like one that nobody shows.

Everything that a customer can see of two attempts is compared, step by step: one claims a WABA
that another tenant holds, the other one that does not exist. The clock stands still between the
steps, so that times have to be the same to the microsecond.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from onboarding import tasks, transitions
from onboarding.models import Onboarding, PhoneNumber, WebhookEvent, WhatsAppBusinessAccount
from sandbox.envelope import RefusalError
from tenants.models import Membership, Tenant, User
from tests.conftest import Sandbox, Worker, api_of, pages_of, person
from tests.test_journey import API, Customer

START = "2026-11-24T10:00:00Z"
NOBODYS = "990000000000001"
READS = ("retrieve_account", "tp_bind", "smb_bind")
CHANCE = r"""(csrfmiddlewaretoken\W+value=\W+|nonce=\W|"launch_id": ")[\w-]+"""
"""What differs each time that a page is made."""
"""One of each round trip to YCloud: the list of numbers is asked for beside the account."""


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(START, tick=False) as moved:
        yield moved


@pytest.fixture
def worker(clock: Any) -> Worker:
    return Worker(clock)


@pytest.fixture(autouse=True)
def _unproven(settings: Any, sandbox: Sandbox) -> None:
    settings.META_APP_SECRET = ""
    settings.ONBOARDING_UNPROVEN = "continue"


@pytest.fixture
def held(owner: User, sandbox: Sandbox, worker: Worker) -> PhoneNumber:
    """A connected number of the cake shop."""
    customer = Customer(api_of(owner), sandbox, worker)
    customer.goes_through("approve")
    assert customer.state == "connected"
    return PhoneNumber.objects.get()


class Guesser:
    """Somebody who claims a WABA, and all that they can see of what becomes of it."""

    def __init__(self, slug: str, sandbox: Sandbox, worker: Worker, mode: str) -> None:
        tenant = Tenant.objects.create(name="Guess Ltd", slug=slug)
        user = person(f"guess@{slug}.example")
        Membership.objects.create(user=user, tenant=tenant, role=Membership.Role.OWNER)
        self.slug, self.worker = slug, worker
        self.customer = Customer(api_of(user), sandbox, worker)
        self.pages: Client = pages_of(user)
        self.mode = mode
        self.waba_id = ""
        self.seen: list[tuple[str, Any]] = []

    def claims(self, waba_id: str, number_id: str) -> None:
        self.waba_id, self.number_id = waba_id, number_id
        self.customer.starts(self.mode)
        self.customer.posts(waba_id=waba_id, phone_number_id=number_id, event="FINISH")
        self.customer.posts(code="AQ-code", login_status="connected")

    @property
    def row(self) -> Onboarding:
        return Onboarding.objects.get(public_id=self.customer.id)

    def looks(self, step: str) -> None:
        """Everything that this customer's browser and program are given."""
        at, api = f"{API}{self.customer.id}/", self.customer.api
        one = api.get(at)
        shown = {
            "api": one.json(),
            "etag": one["ETag"],
            "list": api.get(API).json(),
            "timeline": api.get(f"{at}timeline/").json(),
        }
        for name, address in (
            ("card", f"/connect/{self.customer.id}/card/"),
            ("page", f"/connect/?onboarding={self.customer.id}"),
        ):
            answer = self.pages.get(address)
            shown[name] = (answer.status_code, answer.get("ETag"), answer.content.decode())
        self.seen.append((step, self.masked(repr(shown))))

    def masked(self, text: str) -> str:
        """Without what differs between any two attempts."""
        row = self.row
        for mine in (str(row.public_id), str(row.launch_id), row.reference, self.waba_id,
                     self.number_id, self.slug):  # fmt: skip
            text = text.replace(mine, "…")
        return re.sub(CHANCE, r"\1…", text)

    @property
    def round_trips(self) -> int:
        return self.row.calls.filter(kind__in=READS).count()


def watched(guesser: Guesser, story: Callable[[Guesser], None], clock: Any) -> Guesser:
    clock.move_to(START)
    clock.shift(3600)
    story(guesser)
    return guesser


def a_minute(guesser: Guesser) -> None:
    """What the page shows while the account is looked for, and where it stops."""
    guesser.looks("claimed")
    for seconds in (0, 2, 2, 3, 13, 30, 9, 2, 2, 7):
        guesser.worker.later(seconds)
        guesser.looks(f"{timezone.now():%M:%S}")
    assert guesser.customer.stop == ("needs_attention", "account_unconfirmed")


@pytest.fixture
def two(sandbox: Sandbox, worker: Worker, held: PhoneNumber, clock: Any) -> Any:
    """The same story of both; what they saw is the same at each step."""

    def play(story: Callable[[Guesser], None], mode: str = "business_platform") -> list[Guesser]:
        both = []
        for slug, waba_id, number_id in (
            ("guess-one", held.business_account.waba_id, held.phone_number_id),
            ("guess-two", NOBODYS, "990000000000002"),
        ):
            guesser = Guesser(slug, sandbox, worker, mode)

            def whole(who: Guesser, waba: str = waba_id, number: str = number_id) -> None:
                who.claims(waba, number)
                story(who)

            both.append(watched(guesser, whole, clock))
        one, other = both
        for (step, seen), (_, seen_too) in zip(one.seen, other.seen, strict=True):
            assert seen == seen_too, step
        return both

    return play


@pytest.mark.parametrize("mode", ["business_platform", "business_app"])
@pytest.mark.parametrize("binds", ["auto", "always", "never"])
def test_state_words_times_and_versions_are_the_same_at_each_step(
    two: Any, settings: Any, mode: str, binds: str
) -> None:
    settings.YCLOUD_TP_BIND = binds
    held, hidden = two(a_minute, mode)
    assert held.row.reason == "account_held", "staff read the true reason"
    assert hidden.row.reason == "account_not_visible"
    assert held.round_trips == hidden.round_trips, "a call less would show in the times"


def test_a_held_account_is_never_bound_for_somebody_else(two: Any, sandbox: Sandbox) -> None:
    held, _ = two(a_minute)
    assert not held.row.calls.filter(kind__in=("tp_bind", "smb_bind", "register")).exists()
    assert f"POST /whatsapp/businessAccounts/{held.waba_id}/tp/bind" not in sandbox.calls


def test_each_look_takes_as_many_round_trips(two: Any) -> None:
    trips: dict[str, list[int]] = {}

    def story(guesser: Guesser) -> None:
        for _ in range(3):
            guesser.worker.run()
            trips.setdefault(guesser.slug, []).append(guesser.round_trips)
            guesser.worker.clock.shift(5)

    two(story)
    assert trips["guess-one"] == trips["guess-two"] == [3, 5, 7]


def test_resuming_searching_and_withdrawing_tell_nothing_either(two: Any) -> None:
    def story(guesser: Guesser) -> None:
        a_minute(guesser)
        guesser.customer.acts("resume")
        guesser.looks("resumed")
        guesser.worker.later(65)
        guesser.looks("stopped again")
        guesser.customer.acts("search")
        guesser.looks("searched")
        guesser.worker.later(15)
        guesser.looks("search ended")
        guesser.customer.acts("launch")
        guesser.looks("launched again")

    held, hidden = two(story)
    assert held.round_trips == hidden.round_trips


def test_withdrawing_on_the_way_is_the_same(two: Any) -> None:
    def story(guesser: Guesser) -> None:
        guesser.worker.run()
        guesser.customer.acts("withdraw")
        guesser.looks("withdrawn")

    two(story)


@pytest.mark.parametrize("when", ["looking", "stopped"])
def test_what_happens_to_the_holders_number_does_not_move_the_guessers_row(
    two: Any, held: PhoneNumber, when: str
) -> None:
    def story(guesser: Guesser) -> None:
        guesser.worker.run()
        if when == "stopped":
            guesser.worker.later(70)
        guesser.looks("before")
        for kind in ("business_account.updated", "phone_number.quality_updated"):
            event = WebhookEvent.objects.create(
                event_id=f"{guesser.slug}-{kind}", type=f"whatsapp.{kind}", body={},
                waba_id=held.business_account.waba_id, phone_number_id=held.phone_number_id,
            )  # fmt: skip
            tasks.apply_webhook_event(event_id=event.event_id)
        guesser.worker.run()
        guesser.looks("after")

    two(story)


def test_an_event_still_wakes_the_holders_own_attempts(
    held: PhoneNumber, tenant: Tenant, other_tenant: Tenant
) -> None:
    def claim(of: Tenant, **more: str) -> Onboarding:
        return Onboarding.objects.create(
            tenant=of, connection_mode="business_platform", state="awaiting_payment", **more
        )

    ids = {"waba_id": held.business_account.waba_id, "phone_number_id": held.phone_number_id}
    claims = {f"claimed_{name}": value for name, value in ids.items()}
    own, foreign = claim(tenant, **claims), claim(other_tenant, **claims)
    for kind in ("business_account.updated", "phone_number.quality_updated"):
        WebhookEvent.objects.create(event_id=kind, type=f"whatsapp.{kind}", body={}, **ids)
        tasks.apply_webhook_event(event_id=kind)
    own.refresh_from_db()
    foreign.refresh_from_db()
    assert (own.wakes, foreign.wakes) == (2, 0)


@pytest.mark.parametrize(
    ("status", "code"), [(400, "BAD_REQUEST"), (403, "FORBIDDEN"), (422, "WHATSAPP_SOMETHING")]
)
def test_a_refused_bind_of_an_unproven_account_is_no_reason_of_its_own(
    two: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, status: int, code: str
) -> None:
    """YCloud may refuse to bind what was not shared, with whatever code."""

    def refuse(call: Any, waba_id: str) -> Any:
        raise RefusalError(status, code, "not shared")

    monkeypatch.setattr(sandbox.server.ycloud, "_tp_bind", refuse)
    held, hidden = two(a_minute)
    assert held.round_trips == hidden.round_trips
    refused = hidden.row.calls.get(kind="tp_bind")
    assert refused.code == code, "staff read it among the calls"


def test_nothing_of_the_holder_is_shown(two: Any, held: PhoneNumber) -> None:
    account = held.business_account
    account.name = "Secret Recipe Ltd"
    account.save()
    guesser, _ = two(a_minute)
    told = repr(guesser.seen)
    for theirs in ("Secret Recipe", held.e164, "John's Cake Shop", "cakes"):
        assert theirs not in told
    seen = guesser.customer.sees()
    assert seen["choices"] == []
    for field in ("account_name", "phone_number", "number_status", "quality", "messaging_limit"):
        assert seen[field] is None, field
    assert guesser.row.business_account is None
    assert guesser.row.number is None


def test_the_holder_keeps_everything(two: Any, held: PhoneNumber, tenant: Tenant) -> None:
    before = WhatsAppBusinessAccount.objects.values().get()
    two(a_minute)
    after = WhatsAppBusinessAccount.objects.values().get()
    assert before == after, "what was read for somebody else is not written"


def test_whoever_loses_a_race_for_an_account_reads_the_same(
    stranger_api: APIClient, sandbox: Sandbox, worker: Worker, tenant: Tenant, clock: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Two claim an account that nobody holds yet: the second finds it taken while it writes."""
    window = sandbox.finish(scenario="approve")
    customer = Customer(stranger_api, sandbox, worker)
    customer.starts()
    customer.hands_over(window)
    WhatsAppBusinessAccount.objects.create(tenant=tenant, waba_id=window["waba_id"])
    monkeypatch.setattr("onboarding.steps.gates.known_account", lambda row: None)
    worker.run()
    assert customer.stop == ("signed_up", "account_unconfirmed")
    worker.later(70)
    assert customer.stop == ("needs_attention", "account_unconfirmed")
    row = Onboarding.objects.get()
    assert (row.reason, row.business_account) == ("account_held", None)


def test_a_proven_account_that_another_tenant_holds_reads_the_same_too(
    held: PhoneNumber, sandbox: Sandbox, worker: Worker, stranger_api: APIClient, settings: Any
) -> None:
    settings.META_APP_SECRET = "sandbox-app-secret"
    customer = Customer(stranger_api, sandbox, worker)
    customer.goes_through("second_tenant")
    row = Onboarding.objects.get(public_id=customer.id)
    assert row.claimed_waba_id == held.business_account.waba_id
    assert customer.stop == ("signed_up", "account_unconfirmed")
    worker.later(70)
    assert customer.stop == ("needs_attention", "account_unconfirmed")


def test_waking_a_stopped_row_by_hand_goes_the_same_way(two: Any) -> None:
    def story(guesser: Guesser) -> None:
        guesser.worker.run()
        guesser.worker.later(70)
        transitions.wake([guesser.row.pk])
        guesser.worker.run()
        guesser.looks("woken")

    two(story)
