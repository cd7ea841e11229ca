"""How people sign in and sign up (django-allauth's account adapter)."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.models import EmailAddress
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tenants import access, invitations, languages, login_letters
from tenants.address import client_address
from tenants.models import Membership, User


class Backend(AuthenticationBackend):
    """allauth's own; a request reads its user and whose they are by one statement."""

    def get_user(self, user_id: int) -> User | None:
        user = access.with_tenants(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up is open to people with an invitation, and to everybody by TENANT_SELF_SIGNUP."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("The e-mail address or the password is not right."),
        "incorrect_code": _("This code is not right."),
        "incorrect_password": _("The password is not right."),
        "too_many_login_attempts": _("Too many tries. Wait five minutes, then try again."),
        "rate_limited": _("Too many tries. Wait some minutes, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.TENANT_SELF_SIGNUP) or invitations.held(request) is not None

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """Whoever comes by the mailed invitation reads that mailbox."""
        return invitations.is_held_for(request, email)

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        if response is None and invitations.is_held_for(request, user.email):
            _mark_verified(user)
        return response

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        if request.user.is_staff and not Membership.objects.filter(user=request.user).exists():
            return reverse("admin:index")
        return str(super().get_login_redirect_url(request))

    def logout(self, request: HttpRequest) -> None:
        """A person with the wrong login signs out on the invitation's page, and stays there."""
        keeps = request.POST.get("next") == reverse("invitation")
        hash_ = request.session.get(invitations.SESSION_KEY) if keeps else None
        super().logout(request)
        if hash_:
            request.session[invitations.SESSION_KEY] = hash_

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """On the partner's paper, as text and HTML."""
        login_letters.letter_of(template_prefix, email, {"email": email, **context}).send()

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """A language that was chosen before signing up is the new profile's."""
        user.language = languages.chosen(request)
        return super().save_user(request, user, form, commit)  # type: ignore[no-any-return]


def shown_as(user: User) -> str:
    """How people are named on pages and in mails: usernames are of the database only."""
    return user.email


def _mark_verified(user: User) -> None:
    """The user's own address, which the mailed invitation has proven."""
    rows = EmailAddress.objects.filter(user=user)
    if rows.filter(email__iexact=user.email).update(verified=True):
        return
    EmailAddress.objects.create(
        user=user, email=user.email.lower(), verified=True, primary=not rows.exists()
    )
