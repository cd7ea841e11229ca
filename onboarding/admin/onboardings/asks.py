"""The forms of acts that have to be told something first."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from onboarding.services.staff import MOST_NOTE
from tenants.models import User

ME = "me"
NOBODY = "nobody"


def staff() -> list[User]:
    """Who can be assigned."""
    people = User.objects.filter(is_staff=True, is_active=True)
    return list(people.order_by("first_name", "email"))


def shown(user: User | None) -> str:
    """A member of staff, for staff."""
    return (user.get_full_name() or user.email) if user is not None else "–"


class AskForm(forms.Form):
    """`request`: whose page it is."""

    def __init__(self, *args: Any, request: HttpRequest, **more: Any) -> None:
        super().__init__(*args, **more)
        self.request = request


class RejectForm(AskForm):
    note = forms.CharField(
        label=_("Why"),
        max_length=1000,
        widget=UnfoldAdminTextareaWidget({"rows": 4, "x-model": "note"}),
    )


class NoteForm(AskForm):
    note = forms.CharField(
        label=_("Note"), max_length=MOST_NOTE, widget=UnfoldAdminTextareaWidget({"rows": 4})
    )


class LinkForm(AskForm):
    email = forms.EmailField(label=_("E-mail address"), widget=UnfoldAdminEmailInputWidget)


class AssignForm(AskForm):
    """`to`: a key, "me" or "nobody"; `had`: whom the page showed."""

    to = forms.ChoiceField(label=_("To"), widget=UnfoldAdminSelectWidget)
    had = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.people = {str(user.pk): user for user in staff()}
        named = [(key, shown(user)) for key, user in self.people.items()]
        self.fields["to"].choices = [(ME, _("Me")), (NOBODY, _("Nobody")), *named]  # type: ignore[attr-defined]

    def clean_to(self) -> User | None:
        to = self.cleaned_data["to"]
        if to == ME:
            return self.request.user  # type: ignore[return-value]
        return self.people.get(to)

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        had = told.pop("had", "")
        if had:
            told["had"] = int(had) if had.isdecimal() else None
        return told
