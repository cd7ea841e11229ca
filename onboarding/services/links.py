"""Signup links: made, opened, revoked."""

from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from onboarding.models import SignupLink
from onboarding.models.link import LIFE_DAYS, new_token, token_hash
from tenants.models import Tenant, User


def create_link(
    tenant: Tenant, *, created_by: User | None = None, connection_mode: str = "",
    expected_number: str = "",
) -> tuple[SignupLink, str]:  # fmt: skip
    """A new link and its token, which is shown this once and kept only as a hash."""
    token = new_token()
    link = SignupLink.objects.create(
        tenant=tenant,
        token_hash=token_hash(token),
        connection_mode=connection_mode,
        expected_number=expected_number,
        created_by=created_by,
        expires_at=timezone.now() + timedelta(days=LIFE_DAYS),
    )
    return link, token


def open_link(token: str) -> SignupLink | None:
    """The link of a token, noted as opened; opening consumes nothing. None: unknown."""
    link = SignupLink.objects.filter(token_hash=token_hash(token)).first()
    if link is not None and not link.is_revoked and not link.is_expired:
        SignupLink.objects.filter(pk=link.pk).update(
            opened_at=timezone.now(), times_opened=F("times_opened") + 1
        )
    return link


def revoke_link(link: SignupLink) -> None:
    """End the link and the sessions of its guests."""
    SignupLink.objects.filter(pk=link.pk, revoked_at__isnull=True).update(revoked_at=timezone.now())
