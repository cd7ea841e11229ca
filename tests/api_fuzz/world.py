"""Two tenants with rows of every kind, and everybody who may ask the API for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from onboarding import services, transitions
from onboarding.models import Notice, Onboarding, PhoneNumber, SignupLink, WhatsAppBusinessAccount
from tenants import keys
from tenants.models import ApiKey, Membership, Tenant, User
from tests.conftest import api_of, person

OTHERS = "Zq7FOREIGNzq7"
"""In every text of the tenant that nobody but its own people and keys may read."""


@dataclass
class Role:
    """Somebody at the API: headers and cookies as their program or browser would send them."""

    name: str
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    may_read: tuple[str, ...] = ()
    """The slugs of the tenants whose rows they may read; of others nothing may be told."""


@dataclass
class World:
    """What the cases find: each one begins in the same world."""

    roles: list[Role]
    ids: dict[str, list[str]]
    markers: dict[str, list[str]]

    def foreign_to(self, role: Role) -> list[str]:
        """Texts that no answer to this role may hold."""
        return [m for slug, ms in self.markers.items() if slug not in role.may_read for m in ms]


def build() -> World:
    """The world; needs the database."""
    ours = Tenant.objects.create(name="Ours Aa1OURSaa1", slug="ours")
    theirs = Tenant.objects.create(name=f"Theirs {OTHERS}", slug="theirs")
    owner, member, stranger = (person(f"{n}@x.example") for n in ("owner", "member", "stranger"))
    Membership.objects.create(user=owner, tenant=ours, role=Membership.Role.OWNER)
    Membership.objects.create(user=member, tenant=ours)
    Membership.objects.create(user=stranger, tenant=theirs, role=Membership.Role.OWNER)
    staff = person("staff@x.example", staff=True, superuser=True)
    ids: dict[str, list[str]] = {"slug": [ours.slug, theirs.slug]}
    markers: dict[str, list[str]] = {}
    tokens: dict[str, str] = {}
    for tenant, word, tail in ((ours, "Aa1OURSaa1", "111"), (theirs, OTHERS, "222")):
        link, tokens[tenant.slug] = services.create_link(tenant)
        _rows(tenant, link, word, tail, ids)
        ids.setdefault("link", []).append(str(link.public_id))
        markers[tenant.slug] = [word, f"+346000{tail}", f"7000{tail}", f"8000{tail}"]
    return World([
        Role("nobody"),
        Role("guest", *_guest(tokens["ours"]), may_read=("ours",)),
        Role("member", *_login(member), may_read=("ours",)),
        Role("owner", *_login(owner), may_read=("ours",)),
        Role("stranger", *_login(stranger), may_read=("theirs",)),
        Role("staff", *_login(staff)),
        Role("key", *_key("all", list(ApiKey.Scope.values)), may_read=("ours", "theirs")),
        Role("small-key", *_key("few", ["onboardings:read"]), may_read=("ours", "theirs")),
        Role("revoked-key", {"Authorization": f"Bearer {_revoked()}"}),
    ], ids, markers)  # fmt: skip


def _rows(tenant: Tenant, link: SignupLink, word: str, tail: str, ids: dict[str, Any]) -> None:
    waba = WhatsAppBusinessAccount.objects.create(
        tenant=tenant, waba_id=f"7000{tail}", name=f"Account {word}", payment_method_attached=True
    )
    number = PhoneNumber.objects.create(
        tenant=tenant, business_account=waba, phone_number_id=f"8000{tail}",
        e164=f"+346000{tail}", verified_name=f"Number {word}", status="CONNECTED",
        connected_at=timezone.now(), health="number_offboarded",
    )  # fmt: skip
    Notice.objects.create(
        tenant=tenant, key=f"x{tail}", audience="owners", number=number, reason="number_offboarded"
    )
    states: list[dict[str, Any]] = [
        {"state": "started"},
        {"state": "cancelled", "reason": "no_confirmation"},
        {"state": "awaiting_payment", "reason": "payment_missing"},
        {"state": "in_review", "reason": "approval_needed"},
        {"state": "needs_attention", "reason": "account_held"},
        {"state": "awaiting_account", "reason": "account_choice",
         "choices": [{"waba_id": f"7000{tail}"}], "granted_waba_ids": [f"7000{tail}"]},
        {"state": "connected", "business_account": waba, "number": number},
    ]  # fmt: skip
    for given in states:
        for by_link in (True, False):
            row = Onboarding.objects.create(
                tenant=tenant, connection_mode="business_platform", claimed_waba_id=f"7000{tail}",
                error_message=word, link=link if by_link else None, **given,
            )  # fmt: skip
            transitions.begun(row, "customer")
            ids.setdefault("onboarding", []).append(str(row.public_id))
    ids.setdefault("waba_id", []).append(waba.waba_id)
    ids.setdefault("phone_number_id", []).append(number.phone_number_id)


def _cookies(client: Any) -> tuple[dict[str, str], dict[str, str]]:
    token = client.get("/api/v1/csrf/").json()["csrfToken"]
    kept = {name: morsel.value for name, morsel in client.cookies.items()}
    return {"X-CSRFToken": token}, kept


def _login(user: User) -> tuple[dict[str, str], dict[str, str]]:
    return _cookies(api_of(user))


def _guest(token: str) -> tuple[dict[str, str], dict[str, str]]:
    from rest_framework.test import APIClient

    client = APIClient()
    client.get(f"/s/{token}/")
    return _cookies(client)


def _key(name: str, scopes: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    _, key = keys.create_key(name, scopes, actor="command")
    return {"Authorization": f"Bearer {key}"}, {}


def _revoked() -> str:
    row, key = keys.create_key("gone", ["onboardings:read"], actor="command")
    keys.revoke_key(row, actor="command")
    return key
