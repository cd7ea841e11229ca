"""An admin page that shows a new secret once, after a redirect."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext

from tenants import shown_once


class ShowsOnce(admin.ModelAdmin):  # type: ignore[type-arg]
    """A mixin, put before the theme's class. `made_template` gets what `made` was given."""

    made_template = ""

    @property
    def _made(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_made"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.made_view)
        return [path("made/", view, name=self._made), *super().get_urls()]

    def made(self, request: HttpRequest, **told: Any) -> HttpResponse:
        """To the page that shows it, once."""
        shown_once.keep(request, self._made, **told)
        return redirect(f"admin:{self._made}")

    def made_view(self, request: HttpRequest) -> HttpResponseBase:
        """What was made just now; the list when it was shown already."""
        told = shown_once.take(request, self._made)
        if told is None:
            self.message_user(
                request, gettext("It was shown once and is not kept."), messages.WARNING
            )
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": str(self.opts.verbose_name).capitalize(),
            "opts": self.opts,
            **told,
        }
        response = render(request, self.made_template, context)
        response["Cache-Control"] = "no-store, private"
        return response
