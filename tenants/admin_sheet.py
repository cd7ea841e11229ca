"""Import and export of tenants in the admin: choose a file, see what it would do, confirm.

The file waits for the confirmation in Redis, sealed, for a quarter of an hour: any web machine
finds it there and none keeps it on a disk.
"""

from __future__ import annotations

import base64
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from import_export.admin import ImportExportMixin
from import_export.results import Result
from import_export.tmp_storages import CacheStorage
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from tenants import audit, sheet, sheet_rows
from tenants.cipher import seal, unseal
from tenants.sheet_rows import TenantResource

WAITS_SECONDS = 15 * 60
SHOWN = 500
"""Rows of the report that a page shows; those that are refused come first."""


class SealedStorage(CacheStorage):
    """Where an upload waits for its confirmation."""

    CACHE_LIFETIME = WAITS_SECONDS
    CACHE_PREFIX = "tenant_sheet_"

    def save(self, data: bytes) -> None:
        super().save(seal(base64.b64encode(data).decode()))

    def read(self) -> bytes:
        """Raises SheetError when it is not there any more."""
        kept = cache.get(f"{self.CACHE_PREFIX}{self.name}")
        opened = unseal(kept) if kept else ""
        if not opened:
            raise sheet.SheetError(
                gettext("The file waited too long, or is imported already. Choose it again.")
            )
        return base64.b64decode(opened)


class TenantSheets(ImportExportMixin):
    """A mixin, put first."""

    resource_classes = [TenantResource]
    import_form_class = ImportForm
    export_form_class = ExportForm
    formats = [sheet.CSV, sheet.TSV]
    tmp_storage_class = SealedStorage
    import_template_name = "admin/tenants/tenant/import.html"
    to_encoding = "utf-8-sig"  # or spreadsheets take it for something older
    skip_admin_log = True  # each tenant has its entry in the trail

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tenants.import_tenant")

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tenants.export_tenant")

    def get_import_resource_kwargs(self, request: HttpRequest, **_more: Any) -> dict[str, Any]:
        return {"by": request.user}

    def get_export_resource_kwargs(self, request: HttpRequest, **_more: Any) -> dict[str, Any]:
        return {}

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        """Our own words; anything else would be a fault of ours."""
        if not isinstance(e, sheet.SheetError):
            raise e
        form.add_error("import_file", str(e))

    def import_action(self, request: HttpRequest, **more: Any) -> HttpResponse:
        answer: TemplateResponse = super().import_action(request, **more)
        context = answer.context_data or {}
        if context.get("result") is not None:
            context.update(_shown(context["result"]))
        return answer

    def process_import(self, request: HttpRequest, **more: Any) -> HttpResponse:
        if not self.has_import_permission(request):
            raise PermissionDenied
        try:
            answer: HttpResponse = super().process_import(request, **more)
        except sheet.SheetError as failed:
            messages.error(request, str(failed))
            return redirect("admin:tenants_tenant_import")
        return answer

    def get_import_data_kwargs(self, **more: Any) -> dict[str, Any]:
        return {"rollback_on_validation_errors": True}

    def choose_import_resource_class(self, form: Any, request: HttpRequest) -> Any:
        """The one that keeps hold of itself: what came of the letters is asked of it afterwards."""

        def made(**given: Any) -> TenantResource:
            request._sheet = TenantResource(**given)  # type: ignore[attr-defined]
            return request._sheet  # type: ignore[attr-defined,no-any-return]

        return made

    def process_result(self, result: Result, request: HttpRequest) -> HttpResponse:
        """Something may have changed since the preview: then nothing was written."""
        if sheet_rows.is_refused(result):
            context = {
                **self.admin_site.each_context(request),
                "title": gettext("Import"),
                "opts": self.model._meta,
                "form": self.create_import_form(request),
                **_shown(result),
            }
            return TemplateResponse(request, self.import_template_name, context)
        answer: HttpResponse = super().process_result(result, request)
        return answer

    def create_import_form(self, request: HttpRequest) -> Any:
        """Empty where the request is a confirmation."""
        if request.method == "POST" and not request.FILES and "import_file_name" in request.POST:
            return self.import_form_class(self.get_import_formats(), self.resource_classes)
        return super().create_import_form(request)

    def add_success_message(self, result: Result, request: HttpRequest) -> None:
        count = sheet_rows.counts(list(sheet_rows.report(result)))
        told = gettext("Imported: %(new)d new, %(updated)d updated, %(unchanged)d unchanged.")
        messages.success(request, told % count)
        invited = request._sheet.invited  # type: ignore[attr-defined]
        if mailed := len(invited.mailed):
            told = ngettext(
                "%(n)d invitation was mailed.", "%(n)d invitations were mailed.", mailed
            )
            messages.success(request, told % {"n": mailed})
        for email, why in invited.failed[:20]:
            told = gettext("%(email)s was not invited: %(why)s Import the file again for it.")
            messages.warning(request, told % {"email": email, "why": why})

    def get_export_data(
        self, file_format: Any, request: HttpRequest, queryset: Any, **more: Any
    ) -> Any:
        data = super().get_export_data(file_format, request, queryset, **more)
        actor = request.user.get_username()
        audit.record(actor, "tenants.exported", after={"rows": queryset.count()})
        return data


def _shown(result: Result) -> dict[str, Any]:
    """The report, those refused first where not all can be shown."""
    told = list(sheet_rows.report(result))
    if len(told) > SHOWN:
        told.sort(key=lambda each: each.outcome != "refused")
    return {
        "report": told[:SHOWN],
        "left_out": max(len(told) - SHOWN, 0),
        "counts": sheet_rows.counts(told),
        "refused": sheet_rows.is_refused(result),
        "base_errors": [type(each.error).__name__ for each in result.base_errors],
    }
