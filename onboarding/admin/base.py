"""What all admin pages of the product share: rows are written by the product, never by hand."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from unfold.admin import ModelAdmin, checkbox
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from onboarding.admin.counting import BoundedPaginator


class ReadOnlyAdmin(ModelAdmin):
    """Everybody with the right to view may look; nobody adds, changes or deletes."""

    list_per_page = 50
    show_full_result_count = False
    paginator: type[Paginator[Any]] = BoundedPaginator
    list_filter_submit = True  # for the filters that one types into
    list_filter_sheet = True

    @display(description=ModelAdmin.action_checkbox.short_description)
    def action_checkbox(self, obj: Model) -> SafeString:
        """The theme's, which it renders from templates anew for each row."""
        return format_html(_box(get_language()), obj.pk)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A filter that PostgreSQL cannot even be asked is one that is not known."""
        if any("\0" in value for value in request.GET.values()):
            return redirect(f"{request.path}?{ERROR_FLAG}=1")
        shown: HttpResponse = super().changelist_view(request, extra_context)
        return shown

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return [field.name for field in self.opts.fields if field.name not in (self.exclude or ())]


class TenantFilter(AutocompleteSelectFilter):
    """Found by typing: there may be thousands."""


@lru_cache
def _box(language: str | None) -> str:
    """With a place for the row's key, in the language that is active."""
    return str(checkbox.render(ACTION_CHECKBOX_NAME, "{}"))
