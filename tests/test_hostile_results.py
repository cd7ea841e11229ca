"""What a hostile browser may post: forged, foreign, replayed. Nothing moves, nothing is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from onboarding.models import Onboarding, WhatsAppBusinessAccount
from tests.conftest import Sandbox, Worker
from tests.test_journey import API, Customer


class Scene:
    """A victim who is connected, and a thief of another tenant at work on an attempt."""

    def __init__(self, victim: Customer, thief: Customer, window: Any) -> None:
        self.victim, self.thief, self.window = victim, thief, window
        self.sandbox, self.worker = victim.sandbox, victim.worker

    def posts(self, **result: str) -> None:
        self.thief.posts(**result)

    def grants(self, **window: str) -> Any:
        """A real grant of the thief's own, from a window that he went through."""
        return self.sandbox.finish(scenario="approve")


def forged_ids(scene: Scene) -> None:
    scene.posts(waba_id=scene.window["waba_id"], phone_number_id=scene.window["phone_number_id"],
                event="FINISH", login_status="unknown")  # fmt: skip


def forged_ids_beside_a_real_grant(scene: Scene) -> None:
    own = scene.grants()
    scene.posts(waba_id=scene.window["waba_id"], event="FINISH")
    scene.posts(code=own["code"], login_status="connected")


def a_foreign_number_beside_an_own_account(scene: Scene) -> None:
    own = scene.grants()
    scene.posts(waba_id=own["waba_id"], phone_number_id=scene.window["phone_number_id"],
                event="FINISH")  # fmt: skip
    scene.posts(code=own["code"], login_status="connected")


def the_victims_code_again(scene: Scene) -> None:
    scene.posts(waba_id=scene.window["waba_id"], event="FINISH")
    scene.posts(code=scene.window["code"], login_status="connected")


def the_victims_code_alone(scene: Scene) -> None:
    scene.posts(code=scene.window["code"], login_status="connected")


def an_invented_code(scene: Scene) -> None:
    scene.posts(waba_id=scene.window["waba_id"], event="FINISH")
    scene.posts(code="AQ" + "x" * 60, login_status="connected")


def a_coexistence_event_with_foreign_ids(scene: Scene) -> None:
    scene.posts(waba_id=scene.window["waba_id"], event="FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING",
                login_status="unknown")  # fmt: skip


def a_cancel_with_foreign_ids(scene: Scene) -> None:
    scene.posts(waba_id=scene.window["waba_id"], event="CANCEL", error_code="3441030")


HOSTILE: list[Callable[[Scene], None]] = [
    forged_ids,
    forged_ids_beside_a_real_grant,
    a_foreign_number_beside_an_own_account,
    the_victims_code_again,
    the_victims_code_alone,
    an_invented_code,
    a_coexistence_event_with_foreign_ids,
    a_cancel_with_foreign_ids,
]


def victims_rows() -> list[Any]:
    """Everything the victim's tenant has, as the database has it."""
    told = []
    with connection.cursor() as cursor:
        for table in ("onboarding", "whatsappbusinessaccount", "phonenumber"):
            cursor.execute(
                f"SELECT row_to_json(row)::text FROM onboarding_{table} AS row "
                "JOIN tenants_tenant AS t ON t.id = row.tenant_id "
                "WHERE t.slug = 'cakes' ORDER BY row.id"
            )
            told += cursor.fetchall()
    return told


@pytest.fixture
def scene(api: APIClient, stranger_api: APIClient, sandbox: Sandbox, worker: Worker) -> Scene:
    victim = Customer(api, sandbox, worker)
    window = victim.goes_through("approve")
    worker.later(30)
    assert victim.state == "connected"
    thief = Customer(stranger_api, sandbox, worker)
    thief.starts()
    return Scene(victim, thief, window)


@pytest.mark.parametrize("policy", ["continue", "review", "stop"])
@pytest.mark.parametrize("attack", HOSTILE, ids=lambda attack: attack.__name__)
def test_a_hostile_result_moves_nothing_and_tells_nothing(
    scene: Scene, attack: Callable[[Scene], None], settings: Any, policy: str
) -> None:
    settings.ONBOARDING_UNPROVEN = policy
    before = victims_rows()
    account = WhatsAppBusinessAccount.objects.get(tenant__slug="cakes")
    registers = scene.sandbox.registers
    attack(scene)
    scene.worker.run()
    for _ in range(3):
        scene.worker.later(45)
    assert victims_rows() == before, "the victim has what it had"
    assert scene.sandbox.registers == registers, "nothing was registered for the thief"
    for row in Onboarding.objects.filter(tenant__slug="other"):
        assert row.state not in ("connected", "connecting", "registering"), row.state
        told = str([
            scene.thief.api.get(f"{API}{row.public_id}/").json(),
            scene.thief.api.get(f"{API}{row.public_id}/timeline/").json(),
            scene.thief.api.get(f"/connect/{row.public_id}/card/").content.decode(),
        ])  # fmt: skip
        number = scene.victim.sees()["phone_number"]
        for secret in (account.name, number, number[-6:], "cakes", "account_held"):
            assert secret not in told, secret


@pytest.mark.parametrize("act", ["signup", "launch", "search", "account", "number", "withdraw"])
def test_a_result_posted_to_a_foreign_attempt_is_not_found(scene: Scene, act: str) -> None:
    before = victims_rows()
    foreign, unknown = scene.victim.id, "0b9c7ad2-4f0e-4a34-9f0a-000000000000"
    sent = {"waba_id": "1", "phone_number_id": "1", "event": "CANCEL", "code": "AQ" + "x" * 40}
    answers = [scene.thief.api.post(f"{API}{id}/{act}/", sent) for id in (foreign, unknown)]
    assert [answer.status_code for answer in answers] == [404, 404]
    told = [{**answer.json()["error"], "request_id": ""} for answer in answers]
    assert told[0] == told[1], "a foreign attempt looks like none"
    assert victims_rows() == before


def test_the_same_result_replayed_again_and_again_registers_once(
    api: APIClient, sandbox: Sandbox, worker: Worker
) -> None:
    customer = Customer(api, sandbox, worker)
    customer.starts()
    window = sandbox.finish(scenario="approve")
    for round_ in range(40):
        customer.hands_over(window)
        if round_ % 10 == 0:
            worker.run()
    worker.later(30)
    assert customer.state == "connected"
    assert sandbox.registers == 1
    assert Onboarding.objects.filter(state="connected").count() == 1
