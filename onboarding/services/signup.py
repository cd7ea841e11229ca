"""The customer's part: start, launch Meta's window, hand over what it gave."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from onboarding import instruments, meta, tasks, transitions, ycloud_accounts
from onboarding.models import Onboarding, SignupEvent, SignupLink
from onboarding.models.onboarding import ConnectionMode, Grant
from onboarding.services.errors import RefusedError, move
from onboarding.states import FINAL, State
from tenants.access import Asker
from tenants.models import Tenant

S = State

BEFORE = (S.STARTED, S.CANCELLED)
"""Meta's window has not finished, so far as we know."""

MODE_OF_EVENT = "FINISH_WHATSAPP_BUSINESS_APP_ONBOARDING"
_DETAILS = ("login_status", "current_step", "error_code", "error_message")
_FORGOTTEN: dict[str, Any] = {
    **dict.fromkeys(_DETAILS, ""),
    "meta_session_id": "",
    "claimed_waba_id": "",
    "claimed_phone_number_id": "",
    "claimed_business_id": "",
    "claimed_at": None,
    "searched_at": None,
    "grant": Grant.NONE,
    "code": "",
    "code_received_at": None,
    "code_by_dialog": False,
    "granted_waba_ids": [],
    "proven": None,
    "business_account": None,
    "number": None,
    "choices": [],
    "approved_at": None,
    "approved_by": None,
}


def start(
    asker: Asker, tenant: Tenant, connection_mode: str, *, expected_number: str = ""
) -> tuple[Onboarding, bool]:
    """The asker's attempt in this mode; reused while Meta's window gave nothing: (row, made).

    `expected_number`: the only one that will be connected (a reconnection); a link may ask too.
    Raises RefusedError where the guest's link has expired: what it began goes on, nothing new.
    """
    with transaction.atomic():
        Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        link = SignupLink.objects.get(pk=asker.link_id) if asker.link_id else None
        expected = expected_number or (link.expected_number if link else "")
        mode = link.connection_mode if link and not expected_number else ""
        if mode and connection_mode != mode:
            raise RefusedError("not_offered", _("Your link is for another kind of number."))
        row = (
            Onboarding.objects.for_tenant(tenant)
            .begun_by(asker)
            .filter(connection_mode=connection_mode, state__in=BEFORE, expected_number=expected)
            .first()
        )
        if row is not None:
            return _again(row, asker), False
        if link is not None and link.is_expired:
            raise RefusedError("link_expired", _("Your link has expired: nothing new is begun."))
        row = Onboarding.objects.create(
            tenant=tenant,
            connection_mode=connection_mode,
            started_by=asker.user,
            link=link,
            expected_number=expected,
            ycloud_account_id=ycloud_accounts.for_new(tenant.pk),
        )
        transitions.begun(row, asker.actor)
    return row, True


def relaunch(row: Onboarding, asker: Asker) -> Onboarding:
    """A new launch of Meta's window in the same attempt. Raises RefusedError."""
    with transaction.atomic():
        row = transitions.lock(row.pk)
        if row.state not in BEFORE:
            raise RefusedError("not_now", _("Meta's window was finished already."))
        return _again(row, asker)


def _again(row: Onboarding, asker: Asker) -> Onboarding:
    """Forget what an earlier window said; the timeline keeps it."""
    for name, blank in _FORGOTTEN.items():
        setattr(row, name, blank)
    row.launch_id = uuid.uuid4()
    row.ycloud_account_id = ycloud_accounts.for_new(row.tenant_id)
    row.save()
    if row.state == S.CANCELLED:
        move(row, S.STARTED, asker.actor)
    return row


def record_signup_result(
    row: Onboarding, asker: Asker, result: dict[str, str], *, by_dialog: bool = False
) -> Onboarding:
    """Keep whatever the page got back, in any order, any number of times. Calls nobody.

    `by_dialog`: it came by Meta's full-page dialog, which never gives ids.
    Returns the row that took it: another one when the ids name a second account or number.
    What it raises ends the transaction that it may be called in.
    """
    with transaction.atomic(savepoint=False):
        row = transitions.lock(row.pk)
        _keep_event(row, asker, result)
        if _names_another(row, result):
            known = _other_attempt(row, result)
            if known is None and row.link is not None and row.link.is_expired:
                return row  # its event is kept; an expired link begins nothing
            row = (
                transitions.lock(known.pk)
                if known
                else Onboarding.objects.create(
                    tenant=row.tenant,
                    connection_mode=row.connection_mode,
                    started_by=row.started_by,
                    link=row.link,
                    ycloud_account_id=row.ycloud_account_id,
                    expected_number=row.expected_number,
                    launched_at=row.launched_at,
                )
            )
            if known is None:
                transitions.begun(row, asker.actor)
        was_before, held = row.state in BEFORE, _columns(row)
        _take_details(row, result)
        took_ids = _take_ids(row, result)
        took_code = _take_code(row, result)
        if took_code:
            row.code_by_dialog = by_dialog
        facts = {name: value for name, value in _columns(row).items() if held[name] != value}
        if not (was_before and _after_window(row, asker.actor, result, facts)):
            row.save(update_fields=[*facts, "updated_at"])
        told = took_ids or took_code or result.get("login_status")
        if told and not was_before and row.state not in FINAL:
            transitions.wake([row.pk])
            row.refresh_from_db(fields=("version", "wakes", "next_look_at"))
        if took_code:
            tasks.request_exchange(row.pk)  # which nudges at its end
        elif row.state not in BEFORE:
            tasks.nudge(row.pk)
    return row


def _columns(row: Onboarding) -> dict[str, Any]:
    """Its values, to find what is to be written: a row has fifty columns, a result names a few."""
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def _keep_event(row: Onboarding, asker: Asker, result: dict[str, str]) -> None:
    kept = {name: value for name, value in result.items() if name != "code"}
    SignupEvent.objects.create(
        onboarding=row, actor=asker.actor, with_code=bool(result.get("code")), **kept
    )


def _names_another(row: Onboarding, result: dict[str, str]) -> bool:
    """The first complete ids win; other ones, after Meta's window was finished, are a new row."""
    if row.state in BEFORE:
        return False
    return any(
        result.get(name) and held and result[name] != held
        for name, held in (
            ("waba_id", row.claimed_waba_id),
            ("phone_number_id", row.claimed_phone_number_id),
        )
    )


def _other_attempt(row: Onboarding, result: dict[str, str]) -> Onboarding | None:
    """The attempt that the same ids opened before: they open it once, however often they come."""
    same = {f"claimed_{n}": result[n] for n in ("waba_id", "phone_number_id") if result.get(n)}
    others = Onboarding.objects.for_tenant(row.tenant).exclude(pk=row.pk)
    mine = others.filter(started_by=row.started_by, link=row.link, **same)
    return mine.exclude(state__in=FINAL).order_by("-created_at").first()


def _take_details(row: Onboarding, result: dict[str, str]) -> None:
    for name in _DETAILS:
        if result.get(name):
            setattr(row, name, result[name])
    row.meta_session_id = result.get("session_id") or row.meta_session_id
    if result.get("event") == "LAUNCHED":
        instruments.launched(row, row.launched_at)
        row.launched_at = timezone.now()
    if result.get("event") == MODE_OF_EVENT:
        # Meta enters coexistence by itself now (Sept 2026), whatever was chosen before.
        row.connection_mode = ConnectionMode.BUSINESS_APP


def _take_ids(row: Onboarding, result: dict[str, str]) -> bool:
    took = False
    for name in ("waba_id", "phone_number_id", "business_id"):
        held = getattr(row, f"claimed_{name}")
        if result.get(name) and (not held or (row.state in BEFORE and held != result[name])):
            setattr(row, f"claimed_{name}", result[name])
            took = True
    if took and row.claimed_at is None:
        row.claimed_at = timezone.now()
    return took


def _take_code(row: Onboarding, result: dict[str, str]) -> bool:
    """Keep the code sealed until its exchange; only the first that works counts."""
    code = result.get("code")
    if not code or (row.grant in (Grant.WAITING, Grant.GRANTED) and row.state not in BEFORE):
        return False
    if not settings.META_APP_SECRET:
        row.code_received_at = timezone.now()
        return True  # nobody can exchange it: it is not kept
    if meta.was_answered(code):
        return False  # sent once more, because our answer was lost on its way to the page
    row.code_received_at = meta.first_tried_at(code) or timezone.now()
    row.code, row.grant, row.granted_waba_ids = code, Grant.WAITING, []
    return True


def _after_window(
    row: Onboarding, actor: str, result: dict[str, str], facts: dict[str, Any]
) -> bool:
    """Move an attempt whose window said something, `facts` with it; whether it moved."""
    event = result.get("event", "").upper()
    # A LAUNCHED that comes late (requests overtake each other) must not reopen what has ended.
    if result.get("waba_id") or result.get("code") or event.startswith("FINISH"):
        move(row, S.SIGNED_UP, actor, due=timezone.now(), **facts)
        return True
    if event in ("CANCEL", "ERROR") or result.get("error_code") or result.get("error_message"):
        failed = event == "ERROR" or result.get("error_code") or result.get("error_message")
        return _cancel(row, actor, "meta_error" if failed else "meta_cancelled", facts)
    if result.get("login_status") not in (None, "", "connected") and row.state == S.STARTED:
        return _cancel(row, actor, "no_confirmation", facts)
    return False


def _cancel(row: Onboarding, actor: str, reason: str, facts: dict[str, Any]) -> bool:
    # What is learned of an end that said less: an error after a close, a word after silence.
    vague = {"no_confirmation"} | ({"meta_cancelled"} if reason == "meta_error" else set())
    cancels = row.state == S.STARTED or row.reason in vague
    if cancels:
        move(row, S.CANCELLED, actor, reason=reason, **facts)
    return cancels
