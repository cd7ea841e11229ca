"""After the run: what was lost, what was repeated outside the written rule, what is wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

from onboarding.models import (
    Onboarding,
    PhoneNumber,
    ProviderCall,
    Transition,
    WhatsAppBusinessAccount,
)
from tests.faults.scripts import API, Browser, Signup

Ended = ProviderCall.Outcome
WATCH = timedelta(seconds=59.5)
BIND_WATCH = timedelta(seconds=34.5)


@dataclass
class Report:
    """Findings in words, by kind."""

    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.repeated or self.wrong)


def is_settled(signup: Signup, states: dict[str, str]) -> bool:
    return states.get(signup.public_id) == signup.script.expected


def audit(signups: list[Signup], sandbox: Any, browsers: dict[str, Browser]) -> Report:
    """Compare our database, the stand-in's memory and what each tenant is shown."""
    report = Report()
    rows = {str(r.public_id): r for r in Onboarding.objects.select_related("tenant", "number")}
    for signup in signups:
        row = rows.get(signup.public_id)
        if row is None:
            report.lost.append(f"{signup.script.name}: the row is gone")
        elif row.state != signup.script.expected:
            told = f"{row.state}/{row.reason} instead of {signup.script.expected}"
            report.lost.append(f"{signup.script.name} {signup.public_id}: {told} {signup.faults}")
    _registers(signups, sandbox, report)
    _binds(report)
    _exchanges(report)
    _owners(signups, sandbox, rows, report)
    _isolation(signups, browsers, report)
    return report


def _registers(signups: list[Signup], sandbox: Any, report: Report) -> None:
    journal: dict[str, list[ProviderCall]] = defaultdict(list)
    for call in ProviderCall.objects.filter(kind="register").order_by("at", "pk"):
        if call.outcome != Ended.NOT_SENT:
            journal[call.target].append(call)
    heard: Counter[str] = Counter()
    for call in sandbox.world.calls:
        if call["path"].endswith("/register"):
            heard[call["path"].split("/")[4]] += 1
    for number, times in heard.items():
        if times > len(journal[number]):
            report.repeated.append(
                f"number {number}: {times} registers, {len(journal[number])} intents"
            )
    for signup in signups:
        calls = journal.get(signup.number_id, [])
        if not signup.script.registers and not signup.script.steals and calls:
            report.repeated.append(f"{signup.script.name} {signup.public_id}: registered")
        for earlier, later in pairwise(calls):
            if not _may_repeat(earlier, later):
                gap = (later.at - earlier.at).total_seconds()
                ended = f"{earlier.outcome} {earlier.status} {earlier.meta_code}"
                told = f"{ended}, again after {gap:.0f} s"
                report.repeated.append(f"{signup.script.name} {signup.number_id}: {told}")


def _may_repeat(earlier: ProviderCall, later: ProviderCall) -> bool:
    if earlier.outcome == Ended.LOST:
        return later.at - earlier.at >= WATCH
    if earlier.outcome == Ended.REFUSED:
        return earlier.status == 429 or earlier.meta_code == "2388001"
    return False


def _binds(report: Report) -> None:
    binds: dict[tuple[Any, str, str], list[ProviderCall]] = defaultdict(list)
    for call in ProviderCall.objects.filter(kind__in=("tp_bind", "smb_bind")).order_by("at", "pk"):
        if call.outcome != Ended.NOT_SENT and call.status != 429:
            binds[call.onboarding_id, call.kind, call.target].append(call)
    for (row, kind, target), calls in binds.items():
        resumed = list(
            Transition.objects.filter(
                onboarding_id=row, from_state="needs_attention", to_state="signed_up"
            ).values_list("at", flat=True)
        )
        for earlier, later in pairwise(calls):
            again = any(earlier.at < at < later.at for at in resumed)
            lost = earlier.outcome == Ended.LOST and later.at - earlier.at >= BIND_WATCH
            if not (again or lost) or len(calls) > 2 + 2 * len(resumed):
                told = [(c.outcome, c.status, str(c.at)) for c in calls]
                report.repeated.append(f"{kind} {target} by {row}: {told}")


def _exchanges(report: Report) -> None:
    tries: dict[str, list[ProviderCall]] = defaultdict(list)
    for call in ProviderCall.objects.filter(kind="exchange_code").order_by("at", "pk"):
        tries[call.target].append(call)
    for target, calls in tries.items():
        for earlier, later in pairwise(calls):
            if earlier.outcome in (Ended.DONE, Ended.REFUSED):
                report.repeated.append(
                    f"exchange {target}: {earlier.outcome}, then {later.outcome}"
                )


def _owners(
    signups: list[Signup], sandbox: Any, rows: dict[str, Onboarding], report: Report
) -> None:
    honest = {s.waba_id: s.tenant for s in signups if s.waba_id and not s.script.steals}
    for account in WhatsAppBusinessAccount.objects.select_related("tenant"):
        if honest.get(account.waba_id) != account.tenant.slug:
            report.wrong.append(f"WABA {account.waba_id} is with {account.tenant.slug}")
    for number in PhoneNumber.objects.select_related("tenant", "business_account"):
        if number.business_account.tenant_id != number.tenant_id:
            report.wrong.append(f"number {number.phone_number_id} is with another tenant")
    for row in rows.values():
        if row.state != "connected":
            continue
        number_id = row.number.phone_number_id if row.number else ""
        there = sandbox.world.numbers.get(number_id)
        if there is None or sandbox.world.settled(there)["answer"]["status"] != "CONNECTED":
            report.wrong.append(f"{row.public_id} is connected, its number at YCloud is not")


def _isolation(signups: list[Signup], browsers: dict[str, Browser], report: Report) -> None:
    of_tenant: dict[str, set[str]] = defaultdict(set)
    for signup in signups:
        of_tenant[signup.tenant] |= {signup.public_id, *signup.earlier}
    for tenant, browser in browsers.items():
        seen, page = set(), f"{API}?limit=100"
        while page:
            body = browser.get(page).json()
            seen |= {each["id"] for each in body["results"]}
            page = body["next"]
        if foreign := seen - of_tenant[tenant]:
            report.wrong.append(f"{tenant} sees {foreign}")
        if missing := of_tenant[tenant] - seen:
            report.wrong.append(f"{tenant} does not see {missing}")
        others = [s.public_id for s in signups if s.tenant != tenant][:20]
        for public_id in others:
            if browser.get(f"{API}{public_id}/").status_code != 404:
                report.wrong.append(f"{tenant} reads {public_id}")
