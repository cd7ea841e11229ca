"""The letter with an invitation's address."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import translation
from django.utils.translation import gettext

from tenants import languages
from tenants.letters import letter, one_line
from tenants.models import Invitation, User


def letter_of(invitation: Invitation, token: str) -> EmailMultiAlternatives:
    """In the language of who is invited where they are known, else the tenant's. It names who
    invites, by their address."""
    tenant = one_line(invitation.tenant.name)
    invited = User.objects.filter(email=invitation.email.lower()).first()
    language = languages.of_user(invited, invitation.tenant.language)
    with translation.override(language):
        by = invitation.invited_by.email if invitation.invited_by else gettext("Somebody")
        subject = gettext("Join %(tenant)s") % {"tenant": tenant}
    words = {
        "by": one_line(by),
        "tenant": tenant,
        "address": f"{settings.SITE_URL}/invitation/{token}/",
    }
    return letter("invitation", subject, words, language=language, to=[invitation.email])
