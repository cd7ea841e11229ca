"""The partner's own: name and looks of the pages, and the endpoints that get our webhooks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.conf import settings
from django.utils.translation import gettext as _

from onboarding.doctor.finding import PARTNER, Finding, Level, error, for_live, ok, warning
from onboarding.models import WebhookEndpoint

NOBODYS = "Your partner"
"""What PARTNER_NAME is when nobody set it."""


def looks() -> Iterator[Finding]:
    """Name, logo and colour."""
    if settings.PARTNER_NAME == NOBODYS:
        what = _("PARTNER_NAME is not set: the pages speak of “Your partner”.")
        why = _("Customers should see whom they trust their number to.")
        yield for_live(
            "partner_name", what, _("Set PARTNER_NAME."), why=why, level=Level.WARNING, who=PARTNER
        )
    else:
        name = {"name": settings.PARTNER_NAME}
        yield ok("partner_name", _("The pages are those of %(name)s.") % name)
    if settings.PARTNER_LOGO:
        yield ok("partner_logo", _("The logo is %(logo)s.") % {"logo": settings.PARTNER_LOGO})
    else:
        yield ok("partner_logo", _("No logo (PARTNER_LOGO): the name stands for it."))
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", settings.PARTNER_ACCENT):
        what = _("PARTNER_ACCENT is “%(colour)s”, which is no #rrggbb: the default is used.")
        accent = {"colour": settings.PARTNER_ACCENT}
        yield warning("partner_accent", what % accent, _("Write it as #0b6bcb."))
    else:
        accent = {"colour": settings.PARTNER_ACCENT}
        yield ok("partner_accent", _("The colour is %(colour)s.") % accent)


def outbound() -> Iterator[Finding]:
    """The partner's own endpoints; silent where there are none."""
    endpoints = list(WebhookEndpoint.objects.all())
    for each in endpoints:
        yield _of_endpoint(each)
    if settings.OUTBOUND_ALLOW_PRIVATE and not settings.SANDBOX_ORIGIN and endpoints:
        told = _("Webhook endpoints may be at private addresses (OUTBOUND_ALLOW_PRIVATE).")
        yield ok("outbound_private", told)


def _of_endpoint(endpoint: WebhookEndpoint) -> Finding:
    told = {"name": str(endpoint)}
    if not endpoint.enabled and endpoint.disabled_reason != WebhookEndpoint.Disabled.BY_STAFF:
        told["why"] = endpoint.get_disabled_reason_display()
        what = _("Our webhooks to %(name)s are off: %(why)s.") % told
        fix = _("Mend the receiver, then switch it on in the admin.")
        return error("outbound", what, fix, who=PARTNER)
    if not endpoint.signing_secrets:
        what = _(
            "Our webhooks to %(name)s cannot be signed: the secret was encrypted with a key that "
            "is gone."
        )
        fix = _("Put the key back into FIELD_ENCRYPTION_KEYS, or rotate.")
        return error("outbound", what % told, fix)
    if endpoint.enabled and endpoint.failing_since:
        told["since"] = f"{endpoint.failing_since:%Y-%m-%d %H:%M}"
        what = _("Our webhooks to %(name)s have failed since %(since)s.") % told
        fix = _("Look at Deliveries in the admin: each try is there.")
        return warning("outbound", what, fix, who=PARTNER)
    if endpoint.enabled:
        return ok("outbound", _("Our webhooks to %(name)s are taken.") % told)
    return ok("outbound", _("Our webhooks to %(name)s are off by choice.") % told)
