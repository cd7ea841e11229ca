"""What staff can do about an onboarding: the right that each act needs, and where it fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from onboarding import reasons, requirements, services
from onboarding.admin.onboardings.asks import AskForm, AssignForm, LinkForm, NoteForm, RejectForm
from onboarding.models import Onboarding
from onboarding.states import FINAL, WITHDRAWABLE, State
from tenants.models import User

S = State

Fits = Callable[[Onboarding], bool]
Do = Callable[[Onboarding, User, dict[str, Any]], object]


@dataclass(frozen=True, slots=True)
class Act:
    """One service, as a button.

    `form`: what it has to be told first; `confirm`: what has to be read first.
    """

    name: str
    label: Any
    right: str
    fits: Fits
    do: Do
    done: Any
    form: type[AskForm] | None = None
    confirm: Any = ""
    in_list: bool = True
    tone: str = ""

    @property
    def asks(self) -> bool:
        """It has a page of its own, which is opened first."""
        return self.form is not None or bool(self.confirm)

    def allowed(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(f"onboarding.{self.right}"))


def _of_people(name: str) -> Fits:
    return lambda row: name in requirements.acts(row)


ALL: tuple[Act, ...] = (
    Act(
        "approve", _("Approve"), "approve_onboarding",
        lambda row: row.state == S.IN_REVIEW,
        lambda row, by, _told: services.approve(row, by),
        _("Approved."), tone="primary",
    ),
    Act(
        "reject", _("Reject"), "reject_onboarding",
        lambda row: row.state in (S.IN_REVIEW, S.NEEDS_ATTENTION),
        lambda row, by, told: services.reject(row, by, told["note"]),
        _("Rejected."), form=RejectForm, tone="danger",
        confirm=_("The customer reads what you write here. A rejection is final."),
    ),
    Act(
        "resume", _("Resume"), "resume_onboarding",
        _of_people("resume"),
        lambda row, by, _told: services.resume(row, by.get_username()),
        _("A fresh pass is under way."),
    ),
    Act(
        "reread", _("Read again at YCloud"), "reread_onboarding",
        lambda row: row.state not in FINAL | {S.STARTED, S.CANCELLED},
        lambda row, by, _told: services.reread(row, by.get_username()),
        _("It is being read again."),
    ),
    Act(
        "search", _("Look for the account"), "search_onboarding",
        _of_people("search"),
        lambda row, by, _told: services.look_for_account(row, by.get_username()),
        _("The account is being looked for."),
    ),
    Act(
        "retry", _("Register again"), "retry_registration",
        # A closed budget opens by itself, and then it is registered by itself.
        lambda row: services.may_register(row) and row.reason != "register_budget",
        lambda row, by, _told: services.retry_registration(row, by.get_username()),
        _("The number is registered again by the next step."),
        confirm=_(
            "The next step registers the number again, within its budget. Meta blocks a number "
            "for 72 hours that is registered too often, so do this only when the cause is mended."
        ),
    ),
    Act(
        "link", _("Send a new link"), "send_new_link",
        services.may_send_link,
        lambda row, by, told: services.send_new_link(row, told["email"], by),
        _("A new link is on its way."), form=LinkForm, in_list=False,
        confirm=_(
            "A signup link for the same tenant, way to connect and expected number is mailed; for "
            "a number that was lost, one for that number. It revokes the earlier links for it: "
            "without an expected number, all of the tenant's links that name none, and whoever "
            "signed up by one is signed out."
        ),
    ),
    Act(
        "transfer", _("Open a transfer case"), "decide_transfer",
        lambda row: row.reason == "account_held",
        lambda row, by, _told: services.open_case(row, by),
        _("It has a transfer case."),
    ),
    Act(
        "withdraw", _("Withdraw"), "withdraw_onboarding",
        lambda row: row.state in WITHDRAWABLE,
        lambda row, by, _told: services.withdraw(row, by.get_username()),
        _("Withdrawn."), tone="danger",
        confirm=_("The attempt ends. The customer may start again; nothing changes at YCloud."),
    ),
    Act(
        "assign", _("Assign"), "assign_onboarding",
        lambda row: True,
        lambda row, by, told: services.assign(row, told["to"], by, had=told.get("had", -1)),
        _("Assigned."), form=AssignForm,
    ),
    Act(
        "note", _("Add a note"), "note_onboarding",
        lambda row: True,
        lambda row, by, told: services.note(row, told["note"], by),
        _("Noted."), form=NoteForm,
        confirm=_("For staff alone: no customer and no program of theirs reads it."),
    ),
)  # fmt: skip

BY_NAME = {act.name: act for act in ALL}


def now(request: HttpRequest, row: Onboarding) -> list[Act]:
    """The acts that this member of staff may do and that fit the row's state: first those that
    help, as the catalogue of reasons says, at last those that end it.
    """
    help_most = helping(row)
    fitting = [act for act in ALL if act.allowed(request) and act.fits(row)]

    def place(act: Act) -> int:
        if act.name in help_most:
            return help_most.index(act.name)
        return len(ALL) + (act.tone == "danger")

    return sorted(fitting, key=place)


def helping(row: Onboarding) -> tuple[str, ...]:
    """The names of the acts that help, the likeliest first."""
    code = row.reason
    if row.state == S.CONNECTED and row.number is not None:
        code = row.number.health
    known = reasons.REASONS[code].for_staff.acts if code in reasons.REASONS else ()
    return known or (("approve", "reject") if row.state == S.IN_REVIEW else ())
