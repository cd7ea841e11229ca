"""`erase_tenant`: nothing of the tenant is left but hashes, and nobody else loses anything."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from onboarding import cases, services, steps, tasks, tombstones, transitions
from onboarding.models import (
    IdempotentAnswer,
    MailAddress,
    MetaToken,
    Notice,
    Onboarding,
    OutboundEvent,
    PhoneNumber,
    ProviderCall,
    SignupEvent,
    Tombstone,
    TombstoneKey,
    WebhookEvent,
    WhatsAppBusinessAccount,
    YCloudAccount,
    YCloudAssignment,
)
from onboarding.services import erase
from onboarding.steps import health
from sandbox.webhooks import SECRET
from tenants import walls
from tenants.models import AuditEntry, Invitation, Membership, Tenant, User
from tests.conftest import Sandbox, Worker, api_of, pages_of
from tests.onboarding.test_transfer import Held
from tests.onboarding.test_webhooks import event, send
from tests.test_journey import Customer

MARK = "Zebrafish"


@pytest.fixture
def customer(api: APIClient, sandbox: Sandbox, worker: Worker) -> Customer:
    return Customer(api, sandbox, worker)


@pytest.fixture
def asker(stranger_api: APIClient, sandbox: Sandbox, worker: Worker) -> Customer:
    return Customer(stranger_api, sandbox, worker)


def erased(slug: str = "cakes") -> str:
    out = StringIO()
    call_command("erase_tenant", slug, "--yes", stdout=out)
    return out.getvalue()


def with_a_path_to_tenant() -> set[type[models.Model]]:
    """Every model that is a tenant's by some chain of foreign keys that cannot be empty."""
    found: set[type[models.Model]] = {Tenant}
    while True:
        more = {
            model
            for model in apps.get_models(include_auto_created=True)
            if model not in found
            and any(
                isinstance(field, models.ForeignKey)
                and not field.null
                and field.related_model in found
                for field in model._meta.fields
            )
        }
        if not more:
            return found
        found |= more


@pytest.fixture
def planted(
    customer: Customer, asker: Customer, tenant: Tenant, owner: User, reviewer: User, worker: Worker
) -> list[str]:
    """Rows in all tables of the tenant, and the words that must be gone: names, ids, numbers."""
    customer.goes_through("approve")
    done = Onboarding.objects.get(public_id=customer.id)
    asker.goes_through("second_tenant")  # opens a case about the account
    assert cases.is_proven(Onboarding.objects.get(public_id=asker.id).transfer_cases.get())
    services.withdraw(Onboarding.objects.get(public_id=asker.id), "customer")
    asker.goes_through("approve")  # an account of its own, too
    assert asker.state == "connected"
    customer.goes_through("several_numbers")
    number, account = done.number, done.business_account
    assert number is not None
    assert account is not None
    Tenant.objects.filter(pk=tenant.pk).update(name=MARK)
    User.objects.filter(pk=owner.pk).update(first_name=MARK, email=f"{MARK}@cakes.example")
    EmailAddress.objects.create(user=owner, email=f"{MARK}@cakes.example", verified=True)
    WhatsAppBusinessAccount.objects.filter(pk=account.pk).update(name=MARK)
    PhoneNumber.objects.filter(pk=number.pk).update(verified_name=MARK)
    Onboarding.objects.filter(pk=done.pk).update(meta_session_id=MARK, error_message=MARK)
    done.transitions.create(to_state="connected", actor=owner.username, note=MARK)
    done.events.create(event="FINISH", error_message=MARK, actor="customer")
    ProviderCall.objects.filter(onboarding=done).update(message=MARK, request_id=MARK)
    Notice.objects.create(
        tenant=tenant, key=f"{MARK}:1", audience="owners", number=number, reason="health_banned"
    )
    services.note(done, MARK, reviewer)
    MailAddress.objects.create(tenant=tenant, onboarding=done, email=f"{MARK}@guest.example")
    link, _ = services.create_link(tenant, created_by=reviewer, expected_number=number.e164)
    link.openings.create(standing="open", method="GET", agent="browser", agent_text=MARK)
    MetaToken.objects.create(tenant=tenant, onboarding=done, token=MARK, obtained_at=timezone.now())
    Invitation.objects.create(
        tenant=tenant, email=f"{MARK}@new.example", role="member", token_hash=MARK,
        invited_by=owner, sent_at=timezone.now(), expires_at=timezone.now(),
    )  # fmt: skip
    IdempotentAnswer.objects.create(
        asker=f"user-{owner.pk}", key=MARK, fingerprint="x", status=201, body=MARK,
        created_at=timezone.now(),
    )  # fmt: skip
    OutboundEvent.objects.create(type="onboarding.connected", tenant=tenant, data={"id": MARK})
    at_ycloud = YCloudAccount.objects.create(name="Second", slug="second", api_key="x")
    YCloudAssignment.objects.create(tenant=tenant, ycloud_account=at_ycloud)
    LogEntry.objects.create(
        user=reviewer, content_type=ContentType.objects.get_for_model(Tenant),
        object_id=str(tenant.pk), object_repr=MARK, action_flag=CHANGE,
    )  # fmt: skip
    bodies = [
        event(id="evt_a", whatsappBusinessAccount={"id": account.waba_id, "name": MARK}),
        event(id="evt_b", type="whatsapp.phone_number.updated",
              whatsappPhoneNumber={"id": number.phone_number_id, "verifiedName": MARK}),
        event(id="evt_c", type="brand.new", text=f"about {number.e164} of {MARK}"),
    ]  # fmt: skip
    for body in bodies:
        WebhookEvent.objects.create(
            event_id=body["id"], type=body["type"], body=body,
            waba_id=body.get("whatsappBusinessAccount", {}).get("id", ""),
        )  # fmt: skip
    words = [MARK, owner.email, owner.username, account.waba_id]
    for each in PhoneNumber.objects.for_tenant(tenant):
        words += [each.phone_number_id, each.e164]
    return words


def left_of(words: list[str]) -> list[tuple[str, str]]:
    """(table, word) for each word that is in any column of any table."""
    found = []
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        for table in tables:
            for word in words:
                cursor.execute(
                    f'SELECT count(*) FROM "{table}" AS row WHERE row::text ILIKE %s',
                    [f"%{word}%"],
                )
                if cursor.fetchone()[0]:
                    found.append((table, word))
    return found


def test_nothing_of_the_tenant_is_left_in_any_table(
    planted: list[str], tenant: Tenant, asker: Customer
) -> None:
    asked_for_it = {"onboarding_onboarding", "onboarding_signupevent", "onboarding_providercall"}
    before = {table for table, _ in left_of(planted)}
    assert before >= asked_for_it | {
        "tenants_tenant", "tenants_user", "account_emailaddress", "django_admin_log",
        "onboarding_whatsappbusinessaccount", "onboarding_phonenumber", "onboarding_transition",
        "onboarding_notice", "onboarding_signuplink", "onboarding_webhookevent",
    }  # fmt: skip
    # The other tenant claimed the account as well: what its own browser said is its own.
    SignupEvent.objects.filter(onboarding__tenant__slug="other", waba_id=planted[3]).delete()
    ProviderCall.objects.filter(onboarding__tenant__slug="other", target=planted[3]).delete()
    erased()
    assert left_of(planted) == []
    gone = {model: model._base_manager.count() for model in with_a_path_to_tenant()}
    theirs = erase.plan(Tenant.objects.get(slug="other")).keys
    for model, count in gone.items():
        if model is not User and model._meta.app_label in ("onboarding", "tenants", "account"):
            assert count == len(theirs.get(model, ())), model


def test_each_table_of_a_tenant_is_found(planted: list[str], tenant: Tenant) -> None:
    ours = {m for m in with_a_path_to_tenant() if m._meta.app_label in ("onboarding", "tenants")}
    found = {model for model, keys in erase.plan(tenant).keys.items() if keys}
    assert ours <= found, "plant a row of each new table of a tenant"


def test_another_tenant_keeps_everything(planted: list[str], asker: Customer) -> None:
    def all_of(slug: str) -> dict[str, Any]:
        found = erase.plan(Tenant.objects.get(slug=slug)).keys
        return {
            model._meta.label: list(model._base_manager.filter(pk__in=keys).order_by("pk").values())
            for model, keys in found.items()
            if model._meta.label != "onboarding.TransferCase"
        }

    before, seen = all_of("other"), asker.sees()
    erased()
    assert all_of("other") == before
    assert asker.sees() == seen


def test_without_yes_it_only_counts(planted: list[str], tenant: Tenant) -> None:
    out = StringIO()
    call_command("erase_tenant", "cakes", stdout=out)
    told = out.getvalue()
    assert "Nothing was erased" in told
    assert "2  onboarding\n" in told
    assert "YCloud's binding of these remains" in told
    assert Tenant.objects.filter(slug="cakes").exists()
    assert not Tombstone.objects.exists()


def test_it_says_what_remains_at_ycloud(planted: list[str]) -> None:
    told = erased()
    assert "YCloud's binding of these remains" in told
    assert f"WABA {planted[3]}" in told


def test_the_audit_keeps_that_it_was_erased_by_its_slug_alone(planted: list[str]) -> None:
    erased()
    entry = AuditEntry.objects.get(act="tenant.erased")
    assert (entry.actor, entry.tenant_slug) == ("command", "cakes")
    assert entry.before["onboarding"] == 2


def test_people_of_other_tenants_and_staff_stay(
    planted: list[str], tenant: Tenant, owner: User, member: User, reviewer: User
) -> None:
    other = Tenant.objects.get(slug="other")
    Membership.objects.create(user=member, tenant=other)
    Membership.objects.create(user=reviewer, tenant=tenant)
    erased()
    assert not User.objects.filter(pk=owner.pk).exists()
    assert [m.tenant for m in member.memberships.all()] == [other]
    assert User.objects.filter(pk=reviewer.pk).exists()


def test_sessions_of_people_who_go_end(planted: list[str], owner: User, stranger: User) -> None:
    gone, stays = pages_of(owner), pages_of(stranger)
    erased()
    assert not Session.objects.filter(pk=gone.session.session_key).exists()
    assert stays.get("/connect/").status_code == 200


def test_an_unknown_slug_is_refused(db: None) -> None:
    with pytest.raises(CommandError, match="no tenant"):
        call_command("erase_tenant", "nobody", "--yes")


# --- Tombstones ----------------------------------------------------------------------------------


def test_a_later_event_is_not_ours_and_keeps_no_id(planted: list[str], client: Client) -> None:
    waba_id, number_id = planted[3], planted[4]
    erased()
    for name, about in (
        ("evt_w", {"whatsappBusinessAccount": {"id": waba_id}}),
        ("evt_n", {"whatsappPhoneNumber": {"id": number_id, "wabaId": waba_id}}),
    ):
        assert send(client, event(id=name, **about), secret=SECRET).status_code == 204
        stored = WebhookEvent.objects.get(event_id=name)
        assert (stored.standing, stored.body, stored.waba_id, stored.phone_number_id) == (
            "not_ours", {}, "", "",
        )  # fmt: skip
    tasks.apply_forgotten_events()
    assert "onboarding_webhookevent" not in {table for table, _ in left_of([waba_id, number_id])}


def test_an_event_about_somebody_else_is_kept_as_before(planted: list[str], client: Client) -> None:
    erased()
    send(client, event(id="evt_x", whatsappBusinessAccount={"id": "42"}), secret=SECRET)
    assert WebhookEvent.objects.get(event_id="evt_x").waba_id == "42"


def test_a_hash_alone_gives_nothing_away_and_survives_a_rotation(
    tenant: Tenant, settings: Any
) -> None:
    tombstones.bury(["123"])
    old = settings.FIELD_ENCRYPTION_KEYS
    settings.FIELD_ENCRYPTION_KEYS = ["bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldy0=", *old]
    assert tombstones.covers("123")
    for row in TombstoneKey.objects.all():
        row.save()  # what a rotation does: written anew with the first key
    settings.FIELD_ENCRYPTION_KEYS = settings.FIELD_ENCRYPTION_KEYS[:1]
    assert tombstones.covers("123")
    assert not tombstones.covers("124")
    settings.FIELD_ENCRYPTION_KEYS = old
    assert not tombstones.covers("123"), "without its key nobody can tell"
    with pytest.raises(RuntimeError):
        tombstones.bury(["125"])


def test_who_proves_an_erased_account_may_have_it(
    customer: Customer, asker: Customer, client: Client
) -> None:
    window = customer.goes_through("approve")
    erased()
    assert tombstones.covers(window["waba_id"])
    asker.goes_through("second_tenant")
    assert asker.state == "connected"
    assert not tombstones.covers(window["waba_id"], window["phone_number_id"])
    body = event(id="evt_y", whatsappBusinessAccount={"id": window["waba_id"]})
    send(client, body, secret=SECRET)
    assert WebhookEvent.objects.get(event_id="evt_y").body == body


def test_who_only_claims_an_erased_account_is_looked_at_first(
    customer: Customer, asker: Customer, other_tenant: Tenant, reviewer: User
) -> None:
    Tenant.objects.filter(pk=other_tenant.pk).update(unproven="continue")
    customer.goes_through("approve")
    erased()
    asker.starts()
    asker.hands_over(asker.sandbox.finish(scenario="second_tenant"), code=False)
    asker.posts(login_status="unknown")
    asker.worker.run()
    assert asker.stop == ("in_review", "unproven")
    services.approve(Onboarding.objects.get(public_id=asker.id), reviewer)
    asker.worker.run()
    assert asker.state == "connected"
    assert not tombstones.covers(asker.waba_id)


def test_who_waited_for_the_account_goes_on_by_itself(customer: Customer, asker: Customer) -> None:
    customer.goes_through("approve")
    asker.goes_through("second_tenant")
    asker.worker.later(61)
    assert asker.stop == ("needs_attention", "account_unconfirmed")
    erased()
    asker.worker.run()
    assert asker.state == "connected"


def test_ids_that_were_only_claimed_get_no_tombstone(customer: Customer) -> None:
    customer.starts()
    customer.posts(waba_id="555", event="FINISH", login_status="unknown")
    erased()
    assert not tombstones.covers("555")


# --- Workers -------------------------------------------------------------------------------------


def test_nothing_is_erased_while_a_lease_lasts(customer: Customer, worker: Worker) -> None:
    customer.goes_through("payment_missing")
    row = Onboarding.objects.get()
    transitions.wake([row.pk])
    working = transitions.claim(row.pk)
    assert working is not None
    erase.overtake(row.tenant)
    assert erase.erase(row.tenant, "command") is None
    steps.run(working)
    row.refresh_from_db()
    assert (row.state, row.next_look_at) == ("awaiting_payment", None), "it wrote nothing"
    worker.clock.shift(46)
    assert erase.erase(row.tenant, "command") is not None


def test_what_was_not_erased_after_all_goes_on(customer: Customer) -> None:
    customer.goes_through("payment_missing")
    row = Onboarding.objects.get()
    erase.overtake(row.tenant)
    assert transitions.claim_due(1) == []
    erase.give_up(row.tenant)
    assert transitions.claim(row.pk) is not None


@pytest.mark.django_db(transaction=True)
def test_a_worker_in_the_middle_of_a_call_brings_nothing_back(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = Tenant.objects.create(slug="cakes", name=MARK)
    window = sandbox.finish(scenario="payment_missing")
    row = Onboarding.objects.create(
        tenant=tenant, connection_mode="business_platform", state="signed_up", proven=True,
        claimed_waba_id=window["waba_id"], granted_waba_ids=[window["waba_id"]], grant="granted",
        next_look_at=timezone.now(),
    )  # fmt: skip
    working = transitions.claim(row.pk)
    assert working is not None
    ycloud = Held(sandbox, monkeypatch)

    @walls.seeing_everything("a worker")
    def work() -> None:
        try:
            steps.run(working)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        assert ycloud.arrived.wait(30)
        erase.overtake(tenant)
        # As after a pause of the whole process: the lease has ended and the call hangs still.
        Onboarding.objects.update(lease_until=None)
        assert erase.erase(tenant, "command") is not None
        ycloud.go_on.set()
        done.exception()
    assert left_of([window["waba_id"], MARK]) == []
    assert not Onboarding.objects.exists()


def test_an_api_key_of_the_page_is_a_404_afterwards(customer: Customer, stranger: User) -> None:
    customer.goes_through("approve")
    erased()
    assert api_of(stranger).get(f"/api/v1/onboardings/{customer.id}/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_reading_of_a_connected_number_that_was_under_way_keeps_no_id(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Health is read without a lease, so an answer may come after the end."""
    tenant = Tenant.objects.create(slug="cakes", name=MARK)
    account = WhatsAppBusinessAccount.objects.create(tenant=tenant, waba_id="777000777")
    number = PhoneNumber.objects.create(
        tenant=tenant, business_account=account, phone_number_id="888000888"
    )
    Onboarding.objects.create(
        tenant=tenant, connection_mode="business_platform", state="connected",
        business_account=account, number=number, connected_at=timezone.now(),
    )  # fmt: skip
    ycloud = Held(sandbox, monkeypatch)

    @walls.seeing_everything("a worker")
    def work() -> None:
        try:
            health.look(account.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        assert ycloud.arrived.wait(30)
        erased()
        ycloud.go_on.set()
        done.result()
    assert left_of(["777000777", "888000888"]) == []
    assert ProviderCall.objects.count() == 1, "the quota counts it"


def test_an_event_that_came_in_between_is_emptied_afterwards(planted: list[str]) -> None:
    found = erase.plan(Tenant.objects.get(slug="cakes"))
    erased()
    WebhookEvent.objects.create(event_id="evt_z", type="x", waba_id=planted[3], body={"a": MARK})
    erase.scrub_events(found)
    assert "onboarding_webhookevent" not in {table for table, _ in left_of([MARK, planted[3]])}
