"""Erase a tenant: fences first, leases waited for, then one transaction that leaves hashes only.

What goes is found by following the foreign keys from the tenant and from the people who belong to
nobody else, so that a table added later goes too. What cannot be followed is scrubbed: calls to the
providers (the quota still counts them) and YCloud's webhook events.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from onboarding import moving, tombstones, transitions
from onboarding.models import (
    IdempotentAnswer,
    Onboarding,
    PhoneNumber,
    ProviderCall,
    SignupLink,
    WebhookEvent,
    WhatsAppBusinessAccount,
)
from onboarding.states import OPEN
from tenants import audit
from tenants.models import Membership, Tenant, User

Keys = dict[type[models.Model], set[Any]]


@dataclass
class Plan:
    """What would go, found afresh each time."""

    tenant: Tenant
    keys: Keys
    buried: set[str]
    """Ids that get a tombstone: what the tenant held, or Meta granted it."""
    scrubbed: set[str]
    """Those, and what it claimed and nobody else has to do with."""
    numbers: set[str]
    """The digits of its numbers, which events may name too."""
    counts: dict[str, int] = field(default_factory=dict)
    """How many rows of each table go, or are scrubbed."""

    def count(self) -> None:
        """Count it, while it is all there."""
        found = {model._meta.model_name or "": len(keys) for model, keys in self.keys.items()}
        found |= {
            "calls scrubbed": calls_of(self).count(),
            "webhook events scrubbed": events_of(self).count(),
            "sessions ended": len(list(sessions_of(self))),
        }
        self.counts = {name: count for name, count in sorted(found.items()) if count}


def plan(tenant: Tenant) -> Plan:
    """Find all that belongs to the tenant."""
    buried, scrubbed = _ids(tenant)
    numbers = PhoneNumber.objects.for_tenant(tenant).exclude(e164="")
    digits = {"".join(filter(str.isdigit, e164)) for e164 in numbers.values_list("e164", flat=True)}
    keys = _follow({Tenant: {tenant.pk}, User: _people_of(tenant)})
    found = Plan(tenant, keys, buried, scrubbed, digits)
    found.count()
    return found


def overtake(tenant: Tenant) -> None:
    """The fences of all its open attempts: no worker writes to them any more."""
    with transaction.atomic():
        transitions.bump(Onboarding.objects.for_tenant(tenant).filter(state__in=OPEN))


def give_up(tenant: Tenant) -> None:
    """It is not erased after all: what was overtaken goes on."""
    transitions.wake(
        Onboarding.objects.for_tenant(tenant)
        .filter(state__in=OPEN, next_look_at__isnull=True)
        .values_list("pk", flat=True)
    )


def erase(tenant: Tenant, actor: str) -> Plan | None:
    """Erase it, unless a worker is still at it (None: overtake again and come back)."""
    with transaction.atomic():
        rows = Onboarding.objects.for_tenant(tenant)
        locked = list(rows.select_for_update(of=("self",)).order_by("pk"))
        Tenant.objects.select_for_update().get(pk=tenant.pk)  # nothing new can refer to it now
        if rows.count() != len(locked) or not moving.is_quiet(locked):
            return None
        found = plan(tenant)
        waiting = _others_who_ask(tenant)
        audit.record(actor, "tenant.erased", tenant, before=found.counts)
        _scrub(found)
        for key in list(sessions_of(found)):
            Session.objects.filter(pk=key).delete()
        tombstones.bury(found.buried)
        _delete(found.keys)
        transitions.wake(waiting)
    return found


def calls_of(found: Plan) -> models.QuerySet[ProviderCall]:
    """Calls for its attempts, and those about its ids that belong to no attempt."""
    rows = found.keys.get(Onboarding, set())
    alone = Q(onboarding__isnull=True, target__in=found.scrubbed)
    return ProviderCall.objects.filter(Q(onboarding__in=rows) | alone)


def events_of(found: Plan) -> models.QuerySet[WebhookEvent]:
    """Events about its ids and numbers, wherever the body names them."""
    about = Q(waba_id__in=found.scrubbed) | Q(phone_number_id__in=found.scrubbed)
    words = [re.escape(each) for each in sorted(found.scrubbed | found.numbers) if each]
    events = WebhookEvent.objects.annotate(text=Cast("body", models.TextField()))
    if words:
        about |= Q(text__regex=rf"\y({'|'.join(words)})\y")
    theirs = _strong(Onboarding.objects.exclude(tenant=found.tenant), exclude=found.tenant)
    return events.filter(about).exclude(waba_id__in=theirs).exclude(phone_number_id__in=theirs)


def sessions_of(found: Plan) -> Iterator[str]:
    """The sessions of the people who go."""
    people = {str(key) for key in found.keys.get(User, set())}
    read = import_module(settings.SESSION_ENGINE).SessionStore().decode
    for session in Session.objects.iterator(chunk_size=500):
        if read(session.session_data).get("_auth_user_id") in people:
            yield session.pk


def _people_of(tenant: Tenant) -> set[int]:
    """Who belongs to this tenant alone and is no staff."""
    members = User.objects.filter(memberships__tenant=tenant, is_staff=False, is_superuser=False)
    elsewhere = Membership.objects.exclude(tenant=tenant).values("user")
    return set(members.exclude(pk__in=elsewhere).values_list("pk", flat=True))


def _ids(tenant: Tenant) -> tuple[set[str], set[str]]:
    """(ids to bury, ids to scrub). What another tenant holds or proves stays out of both."""
    ours = Onboarding.objects.for_tenant(tenant)
    others = Onboarding.objects.exclude(tenant=tenant)
    theirs = _strong(others, exclude=tenant)
    buried = _strong(ours, only=tenant) - theirs
    return buried, buried | (_claimed(ours) - theirs - _claimed(others))


def _strong(
    attempts: models.QuerySet[Onboarding],
    *,
    only: Tenant | None = None,
    exclude: Tenant | None = None,
) -> set[str]:
    """Ids that are held, or that a grant names."""
    held: set[str] = set()
    for model, column in ((WhatsAppBusinessAccount, "waba_id"), (PhoneNumber, "phone_number_id")):
        rows = model.objects.filter(tenant=only) if only else model.objects.exclude(tenant=exclude)
        held.update(rows.values_list(column, flat=True))
    granted = attempts.exclude(granted_waba_ids=[]).values_list("granted_waba_ids", flat=True)
    return held.union(*granted)


def _claimed(attempts: models.QuerySet[Onboarding]) -> set[str]:
    pairs = attempts.values_list("claimed_waba_id", "claimed_phone_number_id")
    return {each for pair in pairs for each in pair if each}


def _others_who_ask(tenant: Tenant) -> list[int]:
    """Open attempts of other tenants at what becomes free."""
    ids = list(WhatsAppBusinessAccount.objects.for_tenant(tenant).values_list("waba_id", flat=True))
    asking = Q(claimed_waba_id__in=ids) | Q(granted_waba_ids__overlap=ids)
    rows = Onboarding.objects.filter(asking, state__in=OPEN).exclude(tenant=tenant)
    return list(rows.values_list("pk", flat=True))


def _scrub(found: Plan) -> None:
    theirs = _strong(Onboarding.objects.exclude(tenant=found.tenant), exclude=found.tenant)
    calls = ProviderCall.objects.filter(pk__in=list(calls_of(found).values_list("pk", flat=True)))
    calls.filter(outcome=ProviderCall.Outcome.OPEN).update(outcome=ProviderCall.Outcome.LOST)
    # A number that has moved away keeps its count of registrations: it is another tenant's now.
    calls.exclude(target__in=theirs).update(target="")
    calls.update(onboarding=None, path="", message="", request_id="", seen="")
    # What a key's repeated request would be answered goes by itself within a day; it is sealed.
    askers = [f"user-{key}" for key in found.keys.get(User, ())]
    askers += [f"link-{key}" for key in found.keys.get(SignupLink, ())]
    IdempotentAnswer.objects.filter(asker__in=askers).delete()
    scrub_events(found)


def scrub_events(found: Plan) -> None:
    """Empty the events about the tenant. Once more after the commit: one may have come meanwhile,
    from a request that did not see the tombstones yet.
    """
    WebhookEvent.objects.filter(pk__in=list(events_of(found).values_list("pk", flat=True))).update(
        waba_id="",
        phone_number_id="",
        body={},
        standing=WebhookEvent.Standing.NOT_OURS,
        applied_at=Coalesce("applied_at", timezone.now()),
    )


def _follow(roots: Keys) -> Keys:
    """All rows that cannot be without these: foreign keys followed backwards, to the end."""
    found: Keys = {model: set(keys) for model, keys in roots.items()}
    fresh = list(roots.items())
    while fresh:
        model, keys = fresh.pop()
        for relation in _relations(model):
            if relation.on_delete is models.SET_NULL:
                continue
            child = relation.related_model
            rows = child._base_manager.filter(**{f"{relation.field.name}__in": keys})
            new = set(rows.values_list("pk", flat=True)) - found.get(child, set())
            if new:
                found.setdefault(child, set()).update(new)
                fresh.append((child, new))
    return found


def _relations(model: type[models.Model]) -> list[Any]:
    """The foreign keys of other tables that point here, hidden ones too."""
    return [
        each
        for each in model._meta.get_fields(include_hidden=True)
        if each.auto_created and not each.concrete and (each.one_to_many or each.one_to_one)
    ]


def _delete(keys: Keys) -> None:
    order: TopologicalSorter[type[models.Model]] = TopologicalSorter()
    for model, rows in keys.items():
        pointing = [r for r in _relations(model) if r.on_delete is models.SET_NULL]
        for relation in pointing:
            column = relation.field.name
            of_these = relation.related_model._base_manager.filter(**{f"{column}__in": rows})
            of_these.update(**{column: None})
        order.add(
            model,
            *(
                r.related_model
                for r in _relations(model)
                if r.related_model in keys
                and r.related_model is not model
                and r.on_delete is not models.SET_NULL
            ),
        )
    for model in order.static_order():
        rows = keys[model]
        of_model = ContentType.objects.get_for_model(model)
        LogEntry.objects.filter(
            content_type=of_model, object_id__in=[str(key) for key in rows]
        ).delete()
        model._base_manager.filter(pk__in=rows).delete()
