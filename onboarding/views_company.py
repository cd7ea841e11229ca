"""The tenant's dashboard: its numbers, WhatsApp accounts, signup links and members."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from onboarding import overview
from tenants import access, invitations
from tenants.models import Membership


@login_required
@require_safe
@never_cache
def company(request: HttpRequest, slug: str) -> HttpResponse:
    """What the tenant has and what is to be done. Members see all of it; owners' acts are theirs.

    The login alone counts: a link opens its tenant's signup and nothing else.
    """
    user = access.signed_in(request)
    tenant = access.tenant_for(access.member(user), slug)
    roles = dict(Membership.objects.filter(tenant=tenant).values_list("user_id", "role"))
    is_owner = roles[user.pk] == Membership.Role.OWNER
    shown = {
        "tenant": tenant,
        "is_owner": is_owner,
        "overview": overview.of(tenant, request.GET.get("page")),
        "accounts": overview.accounts(tenant),
        "links": overview.links(tenant),
        "members": len(roles),
        "owners": sum(role == Membership.Role.OWNER for role in roles.values()),
        "invited": len(invitations.open_ones(tenant)) if is_owner else 0,
    }
    response = render(request, "company/dashboard.html", shown)
    response["X-Robots-Tag"] = "noindex"
    return response
