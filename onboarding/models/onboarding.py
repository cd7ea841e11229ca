"""Onboarding: one attempt to connect one number for one tenant. The row is the queue too."""

import uuid
from datetime import datetime
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _

from onboarding.models.account import PhoneNumber, WhatsAppBusinessAccount
from onboarding.models.fields import SealedTextField
from onboarding.models.link import SignupLink
from onboarding.models.ycloud_account import YCloudAccount
from onboarding.states import MILESTONES, OPEN, State
from tenants.access import Asker
from tenants.models import Tenant, TenantOwned, TenantOwnedQuerySet, User


class ConnectionMode(models.TextChoices):
    BUSINESS_PLATFORM = "business_platform", _("new or API number")
    BUSINESS_APP = "business_app", _("number in the WhatsApp Business app")


class Grant(models.TextChoices):
    """What became of the code that Meta's window gave."""

    NONE = "none", _("no code")
    WAITING = "waiting", _("waiting for the exchange")
    GRANTED = "granted", _("exchanged")
    REFUSED = "refused", _("refused")
    LOST = "lost", _("no answer in time")


SEARCHED = {
    "claimed_waba_id": "onboarding_claimed_waba",
    "claimed_phone_number_id": "onboarding_claimed_phone",
    "claimed_business_id": "onboarding_claimed_business",
    "meta_session_id": "onboarding_meta_session",
    "expected_number": "onboarding_expected",
}
"""Columns that people search by, with their indexes."""

LEADS_TO = ("started_by", "link", "business_account", "number", "approved_by")
"""Rows that it may belong to. Most are not there when it begins, and each move writes every index
of the row anew: so each has an index of what is there, and none of what is not."""

WAITS_FOR_US = Case(
    When(state__in=[State.IN_REVIEW, State.NEEDS_ATTENTION], then=Value(0)),
    default=Value(1),
    output_field=models.SmallIntegerField(),
)
"""What stands until somebody of the partner's acts comes first on the desk."""


class OnboardingQuerySet(TenantOwnedQuerySet["Onboarding"]):
    def visible_to(self, asker: Asker) -> Self:
        """A guest sees what links of their tenant began, nothing that members began."""
        rows = super().visible_to(asker)
        return rows.filter(link__isnull=False) if asker.is_guest else rows

    def begun_by(self, asker: Asker) -> Self:
        """Attempts of this very person or link; of keys, those that no person and no link began."""
        if asker.is_guest:
            return self.filter(link_id=asker.link_id)
        return self.filter(started_by=asker.user, link__isnull=True)


class Onboarding(TenantOwned):
    """See `states.py` for the life of a row and `transitions.py` for its only writers."""

    # Its index is the one that begins with the tenant (`onboarding_of_tenant`).
    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, db_index=False, verbose_name=_("tenant")
    )
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    connection_mode = models.CharField(_("mode"), max_length=20, choices=ConnectionMode)
    started_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, db_index=False
    )
    link = models.ForeignKey(
        SignupLink, on_delete=models.PROTECT, null=True, blank=True, db_index=False
    )
    # By which it is onboarded: copied when it begins, then its WABA's. None: the environment's.
    ycloud_account = models.ForeignKey(
        YCloudAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        db_index=False, verbose_name=_("YCloud account"),
    )  # fmt: skip

    state = models.CharField(_("state"), max_length=20, choices=State, default=State.STARTED)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    state_changed_at = models.DateTimeField(_("in this state since"), auto_now_add=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    launched_at = models.DateTimeField(_("launched"), null=True, blank=True)
    # The milestones (states.MILESTONES): the first time each was reached, by transitions alone.
    finished_at = models.DateTimeField(_("Meta's window finished"), null=True, blank=True)
    linked_at = models.DateTimeField(_("account found"), null=True, blank=True)
    paid_at = models.DateTimeField(_("payment method seen"), null=True, blank=True)
    registered_at = models.DateTimeField(_("number accepted"), null=True, blank=True)
    connected_at = models.DateTimeField(_("connected"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    # What the browser said. Claims have no constraint: anybody can claim anything.
    launch_id = models.UUIDField(default=uuid.uuid4, editable=False)
    login_status = models.CharField(max_length=40, blank=True)
    current_step = models.CharField(_("Meta's step"), max_length=80, blank=True)
    error_code = models.CharField(_("Meta's error"), max_length=40, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    meta_session_id = models.CharField(_("Meta's session"), max_length=100, blank=True)
    claimed_waba_id = models.CharField(_("claimed WABA"), max_length=40, blank=True)
    claimed_phone_number_id = models.CharField(_("claimed number"), max_length=40, blank=True)
    claimed_business_id = models.CharField(max_length=40, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    expected_number = models.CharField(_("expected number"), max_length=20, blank=True)
    searched_at = models.DateTimeField(_("account searched"), null=True, blank=True)

    # The grant. The code is a secret that lives 30 s; it is wiped after its exchange.
    grant = models.CharField(_("grant"), max_length=10, choices=Grant, default=Grant.NONE)
    code = SealedTextField(blank=True, default="", editable=False)
    code_received_at = models.DateTimeField(null=True, blank=True)
    # Meta's full-page dialog (services/dialog.py): the hash of its `state` while it is out, and
    # whether the code came that way: its exchange has to name the same way back.
    dialog_hash = models.CharField(max_length=64, blank=True, default="", db_default="")
    dialog_at = models.DateTimeField(null=True, blank=True)
    code_by_dialog = models.BooleanField(default=False, db_default=False)
    granted_waba_ids = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    proven = models.BooleanField(_("proven"), null=True, blank=True)

    # What the steps found, after proof.
    business_account = models.ForeignKey(
        WhatsAppBusinessAccount, on_delete=models.PROTECT, null=True, blank=True, db_index=False
    )
    number = models.ForeignKey(
        PhoneNumber, on_delete=models.PROTECT, null=True, blank=True, db_index=False
    )
    choices = models.JSONField(default=list, blank=True)
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True)
    approved_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )

    # Who of the partner's staff looks after it; says nothing to the customer.
    assigned_to = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        db_index=False, verbose_name=_("assigned to"),
    )  # fmt: skip

    # The queue.
    next_look_at = models.DateTimeField(_("next look"), null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveBigIntegerField(default=0)
    wakes = models.PositiveBigIntegerField(default=0)
    looks = models.PositiveIntegerField(default=0)
    faults = models.PositiveIntegerField(default=0)

    objects: ClassVar[OnboardingQuerySet] = OnboardingQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("onboarding")
        verbose_name_plural = _("onboardings")
        constraints = [
            models.UniqueConstraint(
                fields=["number"],
                condition=Q(state__in=sorted(OPEN)),
                name="onboarding_one_open_per_number",
            ),
            models.UniqueConstraint(
                fields=["business_account"],
                condition=Q(state__in=sorted(OPEN), number__isnull=True),
                name="onboarding_one_open_per_account",
            ),
            models.CheckConstraint(
                condition=Q(state__in=State.values), name="onboarding_state_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_look_at"],
                condition=Q(next_look_at__isnull=False),
                name="onboarding_due",
            ),
            # Codes that wait for their exchange: a few, looked for every three seconds.
            models.Index(
                fields=["code_received_at"], condition=Q(grant="waiting"),
                name="onboarding_code_waiting",
            ),
            *(
                models.Index(
                    fields=[column], condition=Q(**{f"{column}__isnull": False}),
                    name=f"onboarding_of_{column}",
                )
                for column in LEADS_TO
            ),
            models.Index(fields=["tenant", "-created_at"], name="onboarding_of_tenant"),
            models.Index(fields=["-created_at", "-id"], name="onboarding_newest"),
            models.Index(fields=["state", "state_changed_at"], name="onboarding_by_state"),
            # The desk's order, its assignees, and the ids that people search by (search.py).
            models.Index(
                WAITS_FOR_US, "state_changed_at", F("id").desc(), include=["state", "tenant"],
                name="onboarding_desk_order",
            ),
            models.Index(
                fields=["state_changed_at"], condition=Q(proven=False), name="onboarding_refuted"
            ),
            models.Index(
                fields=["assigned_to"],
                condition=Q(assigned_to__isnull=False),
                name="onboarding_assigned",
            ),
            *(
                models.Index(fields=[column], condition=~Q(**{column: ""}), name=name)
                for column, name in SEARCHED.items()
            ),
            # The desk's. The tenant is in each because the wall asks for it: without it no count
            # could be answered from the index alone (docs/decisions/0012-the-desks-figures.md).
            models.Index(
                WAITS_FOR_US, "state_changed_at", condition=Q(state__in=sorted(OPEN)),
                include=["state", "reason", "tenant"], name="onboarding_stuck",
            ),
            models.Index(
                fields=["launched_at"], condition=Q(launched_at__isnull=False),
                include=[*MILESTONES, "current_step", "tenant"], name="onboarding_launched",
            ),
            models.Index(
                fields=["connected_at"], condition=Q(connected_at__isnull=False),
                include=["launched_at", "tenant"], name="onboarding_connected",
            ),
        ]  # fmt: skip
        permissions = [
            ("approve_onboarding", _("Can approve onboardings")),
            ("reject_onboarding", _("Can reject onboardings")),
            ("resume_onboarding", _("Can resume onboardings")),
            ("withdraw_onboarding", _("Can withdraw onboardings")),
            ("reread_onboarding", _("Can have onboardings read again at YCloud")),
            ("search_onboarding", _("Can have lost accounts looked for")),
            ("retry_registration", _("Can have a number registered again")),
            ("send_new_link", _("Can mail a new signup link for an onboarding")),
            ("assign_onboarding", _("Can assign onboardings to staff")),
            ("note_onboarding", _("Can write internal notes on onboardings")),
        ]

    def __str__(self) -> str:
        return f"{self.tenant}: {self.number or self.claimed_waba_id or self.reference}"

    @property
    def opened_at(self) -> datetime | None:
        """The click of the launch in hand; None where it was begun again and not opened since.

        `launched_at` is the last click of all: what is counted of an attempt forgets none.
        """
        clicked = self.launched_at
        is_earlier = clicked is not None and clicked < self.state_changed_at
        return None if self.state == State.STARTED and is_earlier else clicked

    @property
    def reference(self) -> str:
        """What people copy into a message to support."""
        return self.public_id.hex[:12].upper()
