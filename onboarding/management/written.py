"""Writes made-up onboardings with everything around them, in batches; removes them again.

They are known by their tenants' slugs. Their times are given, so the columns that Django fills
with "now" are told not to.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from unittest import mock

from django.contrib.auth.hashers import make_password
from django.db import models, transaction
from django.utils import timezone

from onboarding.management import made_up
from onboarding.management.made_up import Story
from onboarding.models import (
    Onboarding,
    PhoneNumber,
    ProviderCall,
    SignupEvent,
    Transition,
    WhatsAppBusinessAccount,
)
from onboarding.models.account import Proof
from onboarding.models.onboarding import ConnectionMode, Grant
from onboarding.states import State, milestones_behind
from tenants.models import Membership, Tenant, User

S = State

PREFIX = "generated-"
BATCH = 2000
FAR = timedelta(days=45)
"""Nobody looks at these rows before: neither YCloud nor the sandbox knows them."""

WRITTEN = (Onboarding, Transition, SignupEvent, ProviderCall, WhatsAppBusinessAccount, PhoneNumber)


def write(count: int, tenants: int, seed: int, *, now: datetime | None = None) -> Iterator[int]:
    """Write `count` onboardings; yields how many there are after each batch."""
    rng = random.Random(seed)  # noqa: S311 - made-up rows, no secrets
    now = now or timezone.now()
    newest = Onboarding.objects.order_by("-pk").values_list("pk", flat=True).first()
    owners = _tenants(rng, tenants, now)
    indexes = iter(range((newest or 0) + 1, (newest or 0) + 1 + count))
    done = 0
    while batch := list(islice(indexes, BATCH)):
        with transaction.atomic(), _times_as_given():
            _Batch(rng, now).write([(index, rng.choice(owners)) for index in batch])
        done += len(batch)
        yield done


def remove() -> int:
    """Delete all of them with what belongs to them; how many onboardings there were."""
    tenants = Tenant.objects.filter(slug__startswith=PREFIX)
    rows = Onboarding.objects.filter(tenant__in=tenants)
    count = rows.count()
    with transaction.atomic():
        for journal in (Transition, SignupEvent, ProviderCall):
            _drop(journal.objects.filter(onboarding__in=rows))
        for owned in (Onboarding, PhoneNumber, WhatsAppBusinessAccount):
            _drop(owned.objects.filter(tenant__in=tenants))
        User.objects.filter(username__startswith=PREFIX).delete()
        tenants.delete()
    return count


def _drop(rows: models.QuerySet[Any]) -> None:
    """One DELETE, without reading the rows first."""
    rows._raw_delete(rows.db)


@contextmanager
def _times_as_given() -> Iterator[None]:
    with ExitStack() as undone:
        for model in WRITTEN:
            for field in model._meta.fields:
                for flag in ("auto_now", "auto_now_add"):
                    if getattr(field, flag, False):
                        undone.enter_context(mock.patch.object(field, flag, new=False))
        yield


def _tenants(rng: random.Random, count: int, now: datetime) -> list[tuple[Tenant, User]]:
    """Tenants, each with an owner who cannot sign in; those of an earlier run are used again."""
    password = make_password(None)
    for index in range(count):
        slug = f"{PREFIX}{index}"
        if not Tenant.objects.filter(slug=slug).exists():
            tenant = Tenant.objects.create(slug=slug, name=made_up.name_of(rng, index))
            name = f"{slug}@example.com"
            user = User.objects.create(username=name, email=name, password=password)
            Membership.objects.create(tenant=tenant, user=user, role=Membership.Role.OWNER)
    found = Membership.objects.filter(tenant__slug__startswith=PREFIX).order_by("tenant__pk")
    return [(each.tenant, each.user) for each in found.select_related("tenant", "user")[:count]]


class _Batch:
    """The rows of one batch, collected and then written table by table."""

    def __init__(self, rng: random.Random, now: datetime) -> None:
        self.rng, self.now = rng, now
        self.accounts: list[WhatsAppBusinessAccount] = []
        self.numbers: list[PhoneNumber] = []
        self.rows: list[Onboarding] = []
        self.moves: list[Transition] = []
        self.events: list[SignupEvent] = []
        self.calls: list[ProviderCall] = []

    def write(self, whose: list[tuple[int, tuple[Tenant, User]]]) -> None:
        """One onboarding for each index, with its account, number and journal."""
        for index, (tenant, owner) in whose:
            self._plan(index, tenant, owner, made_up.tell(self.rng, self.now))
        WhatsAppBusinessAccount.objects.bulk_create(self.accounts)
        PhoneNumber.objects.bulk_create(self.numbers)
        Onboarding.objects.bulk_create(self.rows)
        Transition.objects.bulk_create(self.moves)
        SignupEvent.objects.bulk_create(self.events)
        ProviderCall.objects.bulk_create(self.calls)

    def _plan(self, index: int, tenant: Tenant, owner: User, story: Story) -> None:
        account = number = None
        if story.came_to(S.LINKED):
            account = self._account(index, tenant, story)
        if account and (story.came_to(S.REGISTERING) or story.came_to(S.CONNECTED)):
            number = self._number(index, tenant, account, story)
        row = self._row(index, tenant, owner, story)
        row.business_account, row.number = account, number
        self.rows.append(row)
        self._history(row, story)

    def _account(self, index: int, tenant: Tenant, story: Story) -> WhatsAppBusinessAccount:
        country, _, currency = made_up.COUNTRIES[index % len(made_up.COUNTRIES)]
        reason, linked = story.end.reason, _at(story, S.LINKED)
        review = {"account_rejected": "REJECTED", "account_in_review": "PENDING"}
        account = WhatsAppBusinessAccount(
            tenant=tenant, waba_id=f"99{index:013}", name=made_up.name_of(self.rng, index),
            proof=Proof.GRANT, proven_at=linked, country=country, currency=currency,
            account_review_status=review.get(reason, "APPROVED"),
            payment_method_attached=reason != "payment_missing",
            ban_state="DISABLE" if reason == "account_banned" else "",
            messaging_limit="TIER_250", created_at=linked or story.begin, read_at=story.end.at,
        )  # fmt: skip
        self.accounts.append(account)
        return account

    def _number(
        self, index: int, tenant: Tenant, account: WhatsAppBusinessAccount, story: Story
    ) -> PhoneNumber:
        prefix = made_up.COUNTRIES[index % len(made_up.COUNTRIES)][1]
        connected = story.end.at if story.end.state == S.CONNECTED else None
        number = PhoneNumber(
            tenant=tenant, business_account=account, phone_number_id=f"98{index:013}",
            proof=Proof.GRANT, e164=f"+{prefix}7{index:08}", verified_name=account.name,
            status="CONNECTED" if connected else "PENDING", code_verification_status="VERIFIED",
            name_status="APPROVED", quality=self.rng.choice(("GREEN", "GREEN", "GREEN", "YELLOW")),
            messaging_limit="TIER_250", created_at=account.created_at,
            connected_at=connected, read_at=story.end.at,
            next_look_at=self.now + FAR if connected else None,
        )  # fmt: skip
        if connected and self.rng.random() < made_up.UNWELL:
            number.health, number.status = self.rng.choice(made_up.HEALTH)
            number.health_since = self._between(connected)
        self.numbers.append(number)
        return number

    def _row(self, index: int, tenant: Tenant, owner: User, story: Story) -> Onboarding:
        end, back = story.end, _at(story, S.SIGNED_UP)
        rng = self.rng
        in_app = rng.random() < 0.25
        mode = ConnectionMode.BUSINESS_APP if in_app else ConnectionMode.BUSINESS_PLATFORM
        row = Onboarding(
            tenant=tenant, started_by=owner, state=end.state, reason=end.reason,
            connection_mode=mode,
            state_changed_at=end.at, created_at=story.begin - timedelta(seconds=rng.uniform(5, 90)),
            updated_at=end.at, launched_at=story.begin,
            **_milestones(story),
            next_look_at=None if end.state in _QUIET else self.now + FAR,
            meta_session_id=f"session-{rng.getrandbits(48):012x}",
        )  # fmt: skip
        if back:
            row.claimed_waba_id, row.claimed_phone_number_id = f"99{index:013}", f"98{index:013}"
            row.claimed_at, row.proven = back, end.reason != "unproven"
            row.grant = Grant.GRANTED if row.proven else Grant.NONE
        elif end.reason.startswith("meta_"):
            row.current_step = rng.choice(made_up.STEPS)
            if end.reason == "meta_error":
                row.error_code = rng.choice(made_up.WINDOW_ERRORS)
        if end.reason == "account_choice":
            row.choices = [
                {"waba_id": f"99{index:013}", "account_name": row.tenant.name},
                {"waba_id": f"97{index:013}", "account_name": f"{row.tenant.name} (old)"},
            ]
        return row

    def _history(self, row: Onboarding, story: Story) -> None:
        came_from = ""
        for move in story.moves:
            by_person = move.state in (S.STARTED, S.CANCELLED, S.SIGNED_UP)
            self.moves.append(
                Transition(
                    onboarding=row,
                    from_state=came_from,
                    to_state=move.state,
                    reason=move.reason,
                    actor="customer" if by_person else "worker",
                    at=move.at,
                )
            )
            came_from = move.state
        if row.current_step:
            self._window(row, "ERROR" if row.error_code else "CANCEL", story.end.at)
        elif row.claimed_at:
            self._window(row, "FINISH", row.claimed_at)
        if row.business_account and self.rng.random() < 0.5:
            self._call(row, story)

    def _window(self, row: Onboarding, event: str, at: datetime) -> None:
        self.events.append(
            SignupEvent(
                onboarding=row,
                event=event,
                waba_id=row.claimed_waba_id,
                actor="customer",
                at=at,
                phone_number_id=row.claimed_phone_number_id,
                current_step=row.current_step,
                error_code=row.error_code,
                session_id=row.meta_session_id,
            )
        )

    def _call(self, row: Onboarding, story: Story) -> None:
        kinds = [ProviderCall.Kind.RETRIEVE_ACCOUNT, ProviderCall.Kind.LIST_NUMBERS]
        if row.number:
            kinds.append(ProviderCall.Kind.REGISTER)
        for kind in kinds:
            is_act = kind == ProviderCall.Kind.REGISTER
            refused = is_act and story.end.reason == "register_refused"
            self.calls.append(
                ProviderCall(
                    onboarding=row,
                    kind=kind,
                    lane="working",
                    at=story.end.at,
                    target=row.claimed_phone_number_id if is_act else row.claimed_waba_id,
                    outcome="refused" if refused else "done",
                    method="POST" if is_act else "GET",
                    status=400 if refused else 200,
                    code="PARAM_INVALID" if refused else "",
                    request_id=f"req_{self.rng.getrandbits(64):016x}",
                    took_ms=int(self.rng.lognormvariate(5.6, 0.5)),
                    ended_at=story.end.at,
                )
            )

    def _between(self, begin: datetime) -> datetime:
        return begin + (self.now - begin) * self.rng.random()


_QUIET = {S.CONNECTED, S.REJECTED, S.CANCELLED, S.NEEDS_ATTENTION, S.IN_REVIEW}
"""States whose rows nobody looks at on a schedule."""


def _milestones(story: Story) -> dict[str, datetime]:
    reached: dict[str, datetime] = {}
    for move in story.moves:
        has_account = move.reason != "unproven"
        for name in milestones_behind(move.state, has_account=has_account):
            reached.setdefault(name, move.at)
    return reached


def _at(story: Story, state: State) -> datetime | None:
    return next((move.at for move in story.moves if move.state == state), None)
