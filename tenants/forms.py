"""The forms of signing up, inviting and changing roles."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import SignupForm
from allauth.core import context
from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from tenants import invitations, members
from tenants.models import Membership, User


def plain_name(value: str) -> None:
    """A company's name goes into mails, so it must not carry an address to click on."""
    lowered = value.lower()
    if any(part in lowered for part in ("://", "www.", "@")) or not value.isprintable():
        raise ValidationError(_("Write the name only, without a web or e-mail address."))


class AccountSignupForm(SignupForm):
    """Company, e-mail and password; with an invitation the company and the address are given."""

    company = forms.CharField(
        label=_("Company name"),
        max_length=120,
        validators=[plain_name],
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    field_order = ["company", "email", "password1"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invitation = invitations.held(context.request)
        if self.invitation:
            del self.fields["company"]
            # A disabled field ignores what is posted.
            self.fields["email"].disabled = True
            self.initial["email"] = self.invitation.email

    @transaction.atomic
    def save(self, request: HttpRequest) -> User:
        """The user with the membership, or neither."""
        user: User = super().save(request)
        if not self.invitation:
            members.found_tenant(user, self.cleaned_data["company"])
        elif invitations.accept(request, user) is None:
            raise PermissionDenied  # it ended while the form was filled in
        return user


class InviteForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail"), widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(
        label=_("Role"), choices=Membership.Role.choices, initial=Membership.Role.MEMBER
    )


class RoleForm(forms.Form):
    member = forms.IntegerField()
    role = forms.ChoiceField(choices=Membership.Role.choices)


class MemberForm(forms.Form):
    member = forms.IntegerField()
