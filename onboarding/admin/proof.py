"""Whether an onboarding's account is proven: its word, its tone and the filter of the list."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from onboarding.models import Onboarding

LABELS = {
    "yes": _("proven"),
    "no": _("refuted"),
    "unproven": _("unproven"),
    "unchecked": _("not checked yet"),
}
TONES = {"yes": "success", "no": "danger", "unproven": "warning"}


def word_of(row: Onboarding) -> str:
    """A key of LABELS."""
    if row.proven is not None:
        return "yes" if row.proven else "no"
    return "unproven" if row.claimed_waba_id else "unchecked"


class ProvenFilter(admin.SimpleListFilter):
    """Unproven: a WABA is claimed and nothing proves it; without META_APP_SECRET all of them."""

    title = _("proof")
    parameter_name = "proof"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return list(LABELS.items())

    def queryset(self, request: Any, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value in ("yes", "no"):
            return queryset.filter(proven=value == "yes")
        if value == "unproven":
            return queryset.filter(proven__isnull=True).exclude(claimed_waba_id="")
        if value == "unchecked":
            return queryset.filter(proven__isnull=True, claimed_waba_id="")
        return queryset
