"""What is asked of whoever makes a signup link: an owner on their page, staff in the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from onboarding.models.link import LIFE_DAYS, MOST_LIFE_DAYS
from onboarding.models.onboarding import ConnectionMode
from onboarding.services.errors import RefusedError
from onboarding.services.links import check


def language_choices() -> list[tuple[str, Any]]:
    """The site's languages, after "the company's own"."""
    return [("", _("the company's own")), *settings.LANGUAGES]


def mode_choices() -> list[tuple[str, Any]]:
    """The ways to connect, after "the customer chooses"."""
    return [
        ("", _("they choose")),
        (ConnectionMode.BUSINESS_PLATFORM, _("new number, or used by software only")),
        (ConnectionMode.BUSINESS_APP, ConnectionMode.BUSINESS_APP.label),
    ]


class LinkForm(forms.Form):
    """Everything but the tenant; `clean` asks the service, so that there is one set of rules."""

    email = forms.EmailField(
        label=_("E-mail"), required=False, max_length=254,
        help_text=_("The link is mailed there, once. Empty: you pass it on yourself."),
    )  # fmt: skip
    expected_number = forms.CharField(
        label=_("Only this number"), required=False, max_length=30,
        help_text=_("With its country code, such as +34 612 34 56 78. Empty: any number."),
    )  # fmt: skip
    connection_mode = forms.ChoiceField(
        label=_("How the number is used today"), required=False, choices=mode_choices
    )
    language = forms.ChoiceField(
        label=_("Language of the letter"), required=False, choices=language_choices
    )
    life_days = forms.IntegerField(
        label=_("Works for (days)"), min_value=1, max_value=MOST_LIFE_DAYS, initial=LIFE_DAYS
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                check(**self.asked())
            except RefusedError as refused:
                self.add_error(refused.code.removesuffix("_invalid"), str(refused))
        return cleaned

    def asked(self) -> dict[str, Any]:
        """The arguments for `services.create_link`."""
        return {name: self.cleaned_data[name] for name in LinkForm.base_fields}
