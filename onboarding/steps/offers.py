"""Which account is meant, where no ids came: the grant's only one, or a choice with names."""

from __future__ import annotations

from onboarding import schedule, ycloud
from onboarding.models import Onboarding, ProviderCall, WhatsAppBusinessAccount
from onboarding.states import State
from onboarding.steps.look import Pass
from onboarding.steps.outcome import Outcome, stop, wait
from ycloud_client import (
    BusinessAccount,
    NotFoundError,
    PermissionDeniedError,
    WabaId,
    YCloudError,
)

S = State
Choice = dict[str, str | None]

NAMES_AT_ONCE = 5
"""Names that one look reads at most: a grant may cover any number of accounts."""

PATIENCE_SECONDS = 10.0
"""Somebody waits for the choice; without names it can be made too."""


def account_of_grant(look: Pass) -> Outcome | None:
    """No ids came, or they are not trusted any more: the grant tells which account is meant.

    What another tenant holds is never offered; in a search, what nobody holds comes first.
    """
    row = look.row
    owners = _owners(row)
    offered, granted = _offered(row, owners), row.granted_waba_ids
    if not offered:
        if row.searched_at is not None:
            return Outcome(S.CANCELLED, "account_not_found")
        if len(granted) != 1:
            return stop("account_held" if granted else "ids_missing")
        offered = granted  # another tenant's: the gate `owner` says so, as of a hidden one
    if len(granted) > 1 and not (row.searched_at and len(offered) == 1):
        choices = _named(look, offered)
        return wait(S.AWAITING_ACCOUNT, "account_choice", schedule.next_look(row), choices=choices)
    look.note(claimed_waba_id=offered[0])
    return None


def _owners(row: Onboarding) -> dict[str, int]:
    held = WhatsAppBusinessAccount.objects.filter(waba_id__in=row.granted_waba_ids)
    return dict(held.values_list("waba_id", "tenant_id"))


def _offered(row: Onboarding, owners: dict[str, int]) -> list[str]:
    ours = [w for w in row.granted_waba_ids if owners.get(w, row.tenant_id) == row.tenant_id]
    free = [waba_id for waba_id in ours if waba_id not in owners]
    return (free or ours) if row.searched_at else ours


# --- Names ----------------------------------------------------------------------------------------


def _named(look: Pass, offered: list[str]) -> list[Choice]:
    """The choices, each with its account's name where we know it: nobody knows an id by heart.

    Each account is asked for until YCloud has answered once. A choice without `account_name` has
    not been answered yet; null says that YCloud shows none.
    """
    known = _known_names(look.row, offered)
    unknown = [waba_id for waba_id in offered if waba_id not in known]
    known |= _read_names(look, unknown[:NAMES_AT_ONCE])
    return [
        {"waba_id": waba_id, **({"account_name": known[waba_id]} if waba_id in known else {})}
        for waba_id in offered
    ]


def _known_names(row: Onboarding, offered: list[str]) -> dict[str, str | None]:
    """Those that were told before, by an earlier look or by an account that the tenant has."""
    told = {c["waba_id"]: c["account_name"] for c in row.choices if "account_name" in c}
    ours = WhatsAppBusinessAccount.objects.filter(tenant=row.tenant_id, waba_id__in=offered)
    return told | dict(ours.exclude(name="").values_list("waba_id", "name"))


def _read_names(look: Pass, waba_ids: list[str]) -> dict[str, str | None]:
    """The names that YCloud told now; no fault of a read keeps the choice from being offered."""
    if not waba_ids:
        return {}
    look.commit()  # nothing is called inside a transaction
    try:
        answers = ycloud.read(look.row, *map(_retrieve, waba_ids), seconds=PATIENCE_SECONDS)
    except YCloudError:  # the quota is full, or the YCloud account was ended here
        return {}
    pairs = zip(waba_ids, answers, strict=True)
    return {waba_id: _name(answer) for waba_id, answer in pairs if _is_told(answer)}


def _retrieve(waba_id: str) -> ycloud.Wanted[BusinessAccount]:
    of = WabaId(waba_id)
    return ProviderCall.Kind.RETRIEVE_ACCOUNT, of, lambda c: c.retrieve_business_account(of)


def _is_told(answer: BusinessAccount | YCloudError) -> bool:
    """Whether asking again would tell no more: an account that is not bound yet is not shown."""
    return isinstance(answer, BusinessAccount | NotFoundError | PermissionDeniedError)


def _name(answer: BusinessAccount | YCloudError) -> str | None:
    if isinstance(answer, YCloudError):
        return None
    most = WhatsAppBusinessAccount._meta.get_field("name").max_length
    return (answer.name or "").replace("\x00", "").strip()[:most] or None
