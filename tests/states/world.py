"""What a case plants its rows into: a company of its own, its people, a link, an attempt."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.test import Client
from django.utils import timezone

from onboarding import services
from onboarding.models import (
    Onboarding,
    PhoneNumber,
    SignupEvent,
    SignupLink,
    Transition,
    WhatsAppBusinessAccount,
)
from onboarding.states import MILESTONES, State, milestones_behind
from tenants.models import Membership, Tenant, User

S = State
BACKEND = "tenants.login.Backend"
PASSWORD = "secret-secret"
COMPANY = "John's Cake Shop"
NUMBER = "+34612345678"

_serial = itertools.count(1)

_WAY: dict[State, tuple[State, ...]] = {
    S.STARTED: (S.STARTED,),
    S.CANCELLED: (S.STARTED, S.CANCELLED),
    S.SIGNED_UP: (S.STARTED, S.SIGNED_UP),
    S.LINKED: (S.STARTED, S.SIGNED_UP, S.LINKED),
    S.REGISTERING: (S.STARTED, S.SIGNED_UP, S.LINKED, S.REGISTERING),
    S.CONNECTING: (S.STARTED, S.SIGNED_UP, S.LINKED, S.REGISTERING, S.CONNECTING),
    S.CONNECTED: (S.STARTED, S.SIGNED_UP, S.LINKED, S.REGISTERING, S.CONNECTING, S.CONNECTED),
    S.REJECTED: (S.STARTED, S.SIGNED_UP, S.LINKED, S.IN_REVIEW, S.REJECTED),
}
"""How an attempt came to a state; to those that are not named, over `linked`."""


@dataclass
class World:
    """One company and what was planted for it. Nothing here is ever due, so no worker moves it."""

    serial: int = field(default_factory=lambda: next(_serial))
    guest_token: str = ""
    signed_in: User | None = None
    session: dict[str, Any] = field(default_factory=dict)
    more_cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tenant = Tenant.objects.create(name=COMPANY, slug=f"cakes-{self.serial}")

    # --- People -----------------------------------------------------------------------------------

    def person(self, name: str, *, password: str = PASSWORD) -> User:
        """Somebody who can sign in; no two worlds share an address."""
        email = f"{name}{self.serial}@cakes.example"
        user = User(username=email, email=email)
        user.set_password(password or None)
        user.save()
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        return user

    def joins(self, user: User, role: str = "member", tenant: Tenant | None = None) -> User:
        Membership.objects.create(user=user, tenant=tenant or self.tenant, role=role)
        return user

    def owner(self) -> User:
        """The company's owner, who sits at this browser."""
        self.signed_in = self.joins(self.person("owner"), "owner")
        return self.signed_in

    def member(self) -> User:
        """A member, who sits at this browser; the owner is somebody else."""
        self.joins(self.person("owner"), "owner")
        self.signed_in = self.joins(self.person("member"))
        return self.signed_in

    def guest(self, **link: Any) -> SignupLink:
        """A guest sits at this browser, let in by a link."""
        made, self.guest_token = services.create_link(self.tenant, **link)
        return made

    def another_company(self, name: str) -> Tenant:
        return Tenant.objects.create(name=name, slug=f"other-{next(_serial)}")

    def cookies(self) -> dict[str, str]:
        """What this browser holds: a login, a guest's cookie, or nothing."""
        client = Client()
        if self.guest_token:
            client.get(f"/s/{self.guest_token}/")
        if self.signed_in or self.session:
            self._sign_in(client)
        kept = {name: morsel.value for name, morsel in client.cookies.items()}
        kept.pop(settings.LANGUAGE_COOKIE_NAME, None)  # the walk says the language
        return {**kept, **self.more_cookies}

    def _sign_in(self, client: Client) -> None:
        if self.signed_in:
            client.force_login(self.signed_in, backend=BACKEND)
        session = client.session
        # Just signed in: the pages of the login ask nobody again who they are.
        session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
        session.update(self.session)
        session.save()
        client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key

    # --- Attempts ---------------------------------------------------------------------------------

    def account(self, **facts: Any) -> WhatsAppBusinessAccount:
        told = {
            "waba_id": f"77{next(_serial):013}", "name": COMPANY, "proof": "grant",
            "account_review_status": "APPROVED", "payment_method_attached": True,
            "business_verification_status": "VERIFIED", "currency": "EUR", "country": "ES",
            "messaging_limit": "TIER_250", "read_at": timezone.now(),
        }  # fmt: skip
        return WhatsAppBusinessAccount.objects.create(tenant=self.tenant, **{**told, **facts})

    def number(self, account: WhatsAppBusinessAccount, **facts: Any) -> PhoneNumber:
        told = {
            "phone_number_id": f"78{next(_serial):013}", "proof": "grant", "e164": NUMBER,
            "verified_name": COMPANY, "status": "PENDING", "name_status": "APPROVED",
            "code_verification_status": "VERIFIED", "quality": "GREEN",
            "messaging_limit": "TIER_250", "read_at": timezone.now(),
        }  # fmt: skip
        return PhoneNumber.objects.create(
            tenant=self.tenant, business_account=account, **{**told, **facts}
        )

    def attempt(
        self, state: State, reason: str = "", *, ago: timedelta = timedelta(minutes=5), **told: Any
    ) -> Onboarding:
        """An attempt that stands in `state` since `ago`, with what happened before.

        `account`, `number`: their facts, or None for none; `looks_in`: when we look again; other
        names are the row's columns.
        """
        account, number = self._found(state, told)
        now = timezone.now()
        looks_in = told.pop("looks_in", timedelta(minutes=7))
        row = Onboarding.objects.create(
            **{
                "tenant": self.tenant,
                "connection_mode": "business_platform",
                "state": state,
                "reason": reason,
                "business_account": account,
                "number": number,
                "started_by": None if self.guest_token else self.signed_in,
                "link": self._link(),
                "launched_at": now - ago - timedelta(minutes=6),
                "next_look_at": now + looks_in,
                "meta_session_id": "session-6f1b0d",
                **told,
            }
        )
        # In Meta's window since it was begun; all else came after the window.
        begun = timedelta(minutes=7) if state == S.STARTED else timedelta()
        self._history(row, state, now - ago - begun)
        row.refresh_from_db()
        return row

    def _found(self, state: State, told: dict[str, Any]) -> tuple[Any, Any]:
        """The account and the number that an attempt in this state has, unless told otherwise."""
        early = state in (S.STARTED, S.CANCELLED, S.SIGNED_UP, S.AWAITING_ACCOUNT)
        has_number = state in (S.REGISTERING, S.CONNECTING, S.CONNECTED)
        facts = told.pop("account", None if early else {})
        of_number = told.pop("number", {} if has_number else None)
        account = None if facts is None else self.account(**facts)
        if account is None or of_number is None:
            return account, None
        if state == S.CONNECTED:
            now = timezone.now()
            watched = {"connected_at": now, "next_look_at": now + timedelta(days=6)}
            of_number = {"status": "CONNECTED", **watched, **of_number}
        return account, self.number(account, **of_number)

    def _link(self) -> SignupLink | None:
        if not self.guest_token:
            return None
        return SignupLink.objects.for_tenant(self.tenant).order_by("-pk").first()

    def _history(self, row: Onboarding, state: State, at: datetime) -> None:
        way = _WAY.get(state, (*_WAY[S.LINKED], state))
        came_from, reached = "", {}
        for index, each in enumerate(way):
            moved_at = at - timedelta(seconds=40) * (len(way) - 1 - index)
            is_last = index == len(way) - 1
            move = Transition.objects.create(
                onboarding=row, from_state=came_from, to_state=each,
                reason=row.reason if is_last else "",
                actor="customer" if index < 2 else "worker",
                note="The website shows another company's name." if each == S.REJECTED else "",
            )  # fmt: skip
            Transition.objects.filter(pk=move.pk).update(at=moved_at)
            for name in milestones_behind(each, has_account=row.business_account is not None):
                reached.setdefault(name, moved_at)
            came_from = each
        assert set(reached) <= set(MILESTONES)
        begun = at - timedelta(minutes=7)
        Onboarding.objects.filter(pk=row.pk).update(
            state_changed_at=at, created_at=begun, updated_at=at, **reached
        )
        if S.SIGNED_UP in way:
            SignupEvent.objects.create(onboarding=row, event="FINISH", actor="customer")
