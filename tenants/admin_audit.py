"""What staff change in the admin by hand: each add, change and delete, before and after.

`AuditedAdmin` stands in front of every admin class that can write; a test lists those that cannot
or do not. Secrets and what names a person or a company are noted as changed, never with a value:
entries outlive an erased tenant.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from tenants import audit

SECRET = re.compile(r"password|secret|token|hash|key|code|digest|data", re.IGNORECASE)
PERSONAL = frozenset({"email", "username", "first_name", "last_name"})
HIDDEN = "(hidden)"
CHANGED = "(hidden, changed)"

Values = dict[str, Any]


def values_of(row: models.Model) -> Values:
    """The row's columns and its many-to-many keys, as plain values, secrets included."""
    found: Values = {field.name: _plain(field.value_from_object(row)) for field in _columns(row)}
    for many in row._meta.many_to_many:
        keys = getattr(row, many.name).order_by("pk").values_list("pk", flat=True)
        found[many.name] = [_plain(key) for key in keys]
    return found


def _columns(row: models.Model) -> list[Any]:
    return [field for field in row._meta.concrete_fields if not field.primary_key]


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | str | list) else str(value)


def differing(before: Values, after: Values, hidden: Iterable[str] = ()) -> tuple[Values, Values]:
    """Only what differs, both sides, without the values of what is to be hidden."""
    names = [n for n in {**before, **after} if before.get(n) != after.get(n)]
    veiled = {n for n in names if n in PERSONAL or n in hidden or SECRET.search(n)}
    return _veil(before, names, veiled, HIDDEN), _veil(after, names, veiled, CHANGED)


def _veil(values: Values, names: list[str], veiled: set[str], word: str) -> Values:
    """These of the values; of a veiled one only whether there is any."""
    shown = {name: values[name] for name in names if name in values}
    return {name: word if value and name in veiled else value for name, value in shown.items()}


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A mixin, to be put first. The entry is in the transaction of what it tells of."""

    hidden_fields: tuple[str, ...] = ()
    """Further fields whose values name somebody."""

    def _record(
        self, request: HttpRequest, act: str, row: models.Model, before: Values, after: Values
    ) -> None:
        old, new = differing(before, after, self.hidden_fields)
        if old or new:
            name = f"{row._meta.model_name}.{act}"
            actor = request.user.get_username()
            audit.record(actor, name[:60], row, before=old, after=new)

    def _now(self, row: models.Model) -> Values:
        fresh = type(row)._base_manager.filter(pk=row.pk).first() if row.pk else None
        return values_of(fresh) if fresh is not None else {}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        request._audit_before = self._now(obj) if change else {}  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Comes last, when the many-to-many rows are written too."""
        super().save_related(request, form, formsets, change)
        before = getattr(request, "_audit_before", {})
        act = "changed" if change else "added"
        self._record(request, act, form.instance, before, self._now(form.instance))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        known = [each.instance for each in formset.initial_forms]
        before = {row.pk: (copy.copy(row), self._now(row)) for row in known}
        super().save_formset(request, form, formset, change)
        for row in formset.new_objects:
            self._record(request, "added", row, {}, self._now(row))
        for row, was in before.values():
            now = self._now(row)
            self._record(request, "changed" if now else "deleted", row, was, now)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        row, before = copy.copy(obj), self._now(obj)
        with transaction.atomic():
            super().delete_model(request, obj)
            self._record(request, "deleted", row, before, {})

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        gone = [(row, values_of(row)) for row in queryset]
        with transaction.atomic():
            super().delete_queryset(request, queryset)
            for row, before in gone:
                self._record(request, "deleted", row, before, {})

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *more: Any
    ) -> HttpResponse | None:
        """An action on a list: whatever it changed of the chosen rows. Deleting notes itself."""
        act = next(filter(None, request.POST.getlist("action")), "")
        if act == "delete_selected":
            return super().response_action(request, queryset, *more)
        chosen = queryset
        if request.POST.get("select_across") != "1":
            chosen = queryset.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME))
        with transaction.atomic():
            before = [(copy.copy(row), values_of(row)) for row in chosen]
            response = super().response_action(request, queryset, *more)
            for row, was in before:
                self._record(request, act, row, was, self._now(row))
        return response


def audit_registered(*app_labels: str) -> None:
    """Put `AuditedAdmin` in front of the admin classes that other packages have registered."""
    for model, theirs in list(admin.site._registry.items()):
        if model._meta.app_label in app_labels and not isinstance(theirs, AuditedAdmin):
            name = f"Audited{type(theirs).__name__}"
            admin.site.unregister(model)
            admin.site.register(model, type(name, (AuditedAdmin, type(theirs)), {}))
