"""The rows of a sheet of tenants: made or brought up to date, all of them or none; never deleted.

A row is whose external_id it has, else whose slug. A column that is not there changes nothing; an
empty cell empties the field, but an empty external_id stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import tablib
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _
from import_export import resources
from import_export.results import Result, RowResult

from tenants import audit, invitations
from tenants.admin_audit import differing
from tenants.models import Invitation, Membership, Tenant, User
from tenants.sheet import COLUMNS, LINE, OWNER, safe

NAMES_SOMEBODY = ("name",)
"""Not kept in the trail with its value, as in the admin."""

MOST_INVITED = 100
"""Through the browser: letters go out one by one while it waits. The command takes any number."""


@dataclass
class Invited:
    """What came of the letters, after the commit."""

    mailed: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)


class TenantResource(resources.ModelResource):
    """`by`: who imports, and invites. Without somebody there are no invitations."""

    class Meta:
        model = Tenant
        fields = COLUMNS
        export_order = COLUMNS
        clean_model_instances = True
        skip_unchanged = True
        report_skipped = True
        skip_html_diff = True
        store_instance = True
        store_row_values = True
        use_transactions = True

    def __init__(self, by: User | None = None, most_invited: int | None = MOST_INVITED) -> None:
        super().__init__()
        self.by = by
        self.most_invited = most_invited
        self.invited = Invited()
        self._wanted: list[tuple[Tenant, str]] = []

    # --- Import ----------------------------------------------------------------------------------

    def before_import(self, dataset: tablib.Dataset, **_more: Any) -> None:
        """Look up once whom the rows are about."""
        told = {name: _column(dataset, name) for name in ("external_id", "slug")}
        about = Q(external_id__in=told["external_id"] - {""}) | Q(slug__in=told["slug"])
        known = list(Tenant.objects.filter(about))
        self._by_id = {row.external_id: row for row in known if row.external_id}
        self._by_slug = {row.slug: row for row in known}
        self._lines: dict[tuple[str, str], int] = {}
        self._wanted.clear()

    def before_import_row(self, row: dict[str, Any], **_more: Any) -> None:
        errors: dict[str, str] = {}
        for name in ("external_id", "slug"):
            value = row.get(name)
            first = self._lines.setdefault((name, value), row[LINE]) if value else row[LINE]
            if first != row[LINE]:
                errors[name] = _("“%(value)s” is in line %(line)d already.") % {
                    "value": value, "line": first,
                }  # fmt: skip
        if row.get(OWNER):
            self._check_owner(row[OWNER], errors)
        self._early = errors  # told together with what the model finds

    def import_instance(self, instance: Tenant, row: dict[str, Any], **more: Any) -> None:
        super().import_instance(instance, row, **more)
        if self._early:
            raise ValidationError(self._early)

    def _check_owner(self, email: str, errors: dict[str, str]) -> None:
        try:
            validate_email(email)
        except ValidationError:
            errors[OWNER] = _("“%(email)s” is no e-mail address.") % {"email": email}
        if self.most_invited is not None and len(self._wanted) >= self.most_invited:
            errors[OWNER] = _("At most %(n)d people are invited at once: split the file.") % {
                "n": self.most_invited
            }

    def get_instance(self, instance_loader: Any, row: dict[str, Any]) -> Tenant | None:
        by_id = self._by_id.get(row.get("external_id") or "")
        if by_id is not None:
            return by_id
        by_slug = self._by_slug.get(row.get("slug") or "")
        told = row.get("external_id")
        if by_slug is not None and told and by_slug.external_id:
            raise ValidationError(
                {"slug": _("This slug belongs to the tenant with another external_id.")}
            )
        return by_slug

    def after_init_instance(
        self, instance: Tenant, new: bool, row: dict[str, Any], **_more: Any
    ) -> None:
        self._before = {} if new else _values(instance)

    def import_field(
        self, field: Any, instance: Tenant, row: dict[str, Any], is_m2m: bool = False, **more: Any
    ) -> None:
        if field.column_name == "external_id" and not row.get("external_id"):
            return
        super().import_field(field, instance, row, is_m2m, **more)

    def skip_row(self, instance: Tenant, *rest: Any) -> bool:
        """A new row is never "unchanged", however empty it is."""
        return instance.pk is not None and bool(super().skip_row(instance, *rest))

    def after_save_instance(self, instance: Tenant, row: dict[str, Any], **more: Any) -> None:
        if more.get("dry_run"):
            return
        old, new = differing(self._before, _values(instance), NAMES_SOMEBODY)
        act = "tenant.changed" if self._before else "tenant.added"
        audit.record(self._actor, act, instance, before=old, after=new)

    @property
    def _actor(self) -> str:
        return self.by.get_username() if self.by else "command"

    def after_import_row(self, row: dict[str, Any], row_result: RowResult, **_more: Any) -> None:
        email, tenant = str(row.get(OWNER) or "").lower(), row_result.instance
        if self.by and email and tenant is not None and _is_new_to(tenant, email):
            self._wanted.append((tenant, email))
            row_result.row_values = {**row, "invited": email}

    def after_import(self, dataset: tablib.Dataset, result: Result, **more: Any) -> None:
        """A transaction that is rolled back mails nothing."""
        if self._wanted and not more.get("dry_run"):
            transaction.on_commit(partial(self._invite, list(self._wanted)))

    def _invite(self, wanted: list[tuple[Tenant, str]]) -> None:
        if self.by is None:
            return
        for tenant, email in wanted:
            try:
                with translation.override(tenant.language or None):
                    invitations.invite(
                        self.by, tenant, email, Membership.Role.OWNER, actor=self._actor
                    )
            except invitations.InvitationError as refused:
                self.invited.failed.append((email, str(refused)))
            else:
                self.invited.mailed.append(email)

    # --- Export ----------------------------------------------------------------------------------

    def export_field(self, field: Any, instance: Tenant, **more: Any) -> Any:
        told = super().export_field(field, instance, **more)
        return safe(told) if isinstance(told, str) else told


def _column(dataset: tablib.Dataset, name: str) -> set[str]:
    return set(dataset[name]) if name in (dataset.headers or []) else set()


def _values(row: Tenant) -> dict[str, Any]:
    return {name: getattr(row, name) for name in COLUMNS}


def _is_new_to(tenant: Tenant, email: str) -> bool:
    """Neither a member nor invited: each address gets one letter, however often it is imported."""
    if Membership.objects.filter(tenant=tenant, user__email__iexact=email).exists():
        return False
    waiting = Invitation.objects.for_tenant(tenant).filter(accepted_at=None, revoked_at=None)
    return not any(each.is_valid for each in waiting.filter(email__iexact=email))


# --- The report ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """What became (or would become) of one row. `outcome`: new, updated, unchanged, refused."""

    line: int
    outcome: str
    slug: str
    name: str
    invited: str
    errors: list[str]


OUTCOMES = {
    RowResult.IMPORT_TYPE_NEW: "new",
    RowResult.IMPORT_TYPE_UPDATE: "updated",
    RowResult.IMPORT_TYPE_SKIP: "unchanged",
}


def report(result: Result) -> Iterator[Told]:
    """Row by row, in the order of the file."""
    for row in result.rows:
        values = row.row_values
        yield Told(
            line=values.get(LINE, 0),
            outcome=OUTCOMES.get(row.import_type, "refused"),
            slug=str(values.get("slug") or values.get("external_id") or ""),
            name=str(values.get("name") or ""),
            invited=str(values.get("invited") or ""),
            errors=list(_errors(row)),
        )


def _errors(row: RowResult) -> Iterator[str]:
    failed = row.validation_error
    if failed is not None and hasattr(failed, "error_dict"):
        for name, messages in failed.message_dict.items():
            for message in messages:
                yield message if name == "__all__" else f"{name}: {message}"
    elif failed is not None:
        yield from failed.messages
    for each in row.errors:
        yield _("This row cannot be written (%(kind)s).") % {"kind": type(each.error).__name__}


def is_refused(result: Result) -> bool:
    """Whether anything is wrong; then nothing at all is written."""
    return bool(result.has_errors() or result.has_validation_errors())


def counts(told: list[Told]) -> dict[str, int]:
    """How many of each outcome, in a fixed order."""
    return {
        word: sum(each.outcome == word for each in told) for word in (*OUTCOMES.values(), "refused")
    }
