"""The company's pages (members, roles, invitations) and the invitation's page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tenants import access, invitations, members, throttle
from tenants.access import signed_in
from tenants.address import client_address
from tenants.forms import InviteForm, MemberForm, RoleForm
from tenants.models import Invitation, Membership, Tenant, User

OWNER = Membership.Role.OWNER
View = Callable[..., HttpResponseBase]
Answer = TypeVar("Answer", bound=HttpResponseBase)


@login_required
@require_safe
def companies(request: HttpRequest) -> HttpResponseBase:
    """To the one company, or the choice among several."""
    asker = access.member(signed_in(request))
    tenants = access.tenants_of(asker)
    if not tenants:
        return render(request, "no_tenant.html", status=403)
    if len(tenants) == 1:
        return redirect("company", tenants[0].slug)
    return render(request, "company/list.html", {"tenants": tenants})


@login_required
@require_safe
@never_cache
def company_members(request: HttpRequest, slug: str) -> HttpResponse:
    """Members and, for owners, what they may do."""
    return _detail(request, *_found(request, slug))


def for_owners(view: View) -> View:
    """Gives the view the tenant; 404 for strangers, 403 for members, POST only."""

    @wraps(view)
    def guarded(request: HttpRequest, slug: str, **more: object) -> HttpResponseBase:
        tenant, role = _found(request, slug)
        if role != OWNER:
            raise PermissionDenied
        return view(request, tenant, **more)

    return login_required(require_POST(guarded))


@for_owners
def invite(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _detail(request, tenant, OWNER, form, status=400)
    email = form.cleaned_data["email"]
    try:
        invitations.invite(signed_in(request), tenant, email, form.cleaned_data["role"])
    except invitations.InvitationError as error:
        form.add_error("email", str(error))
        return _detail(request, tenant, OWNER, form, status=400)
    messages.success(request, gettext("The invitation to %(email)s was mailed.") % {"email": email})
    return redirect("company-members", tenant.slug)


@for_owners
def resend_invitation(request: HttpRequest, tenant: Tenant, public_id: UUID) -> HttpResponse:
    row = get_object_or_404(Invitation.objects.for_tenant(tenant), public_id=public_id)
    try:
        invitations.resend(signed_in(request), row)
        messages.success(request, gettext("It was mailed again. The earlier link has ended."))
    except invitations.InvitationError as error:
        messages.error(request, str(error))
    return redirect("company-members", tenant.slug)


@for_owners
def revoke_invitation(request: HttpRequest, tenant: Tenant, public_id: UUID) -> HttpResponse:
    row = get_object_or_404(Invitation.objects.for_tenant(tenant), public_id=public_id)
    invitations.revoke(signed_in(request), row)
    messages.success(request, gettext("The invitation has ended."))
    return redirect("company-members", tenant.slug)


@for_owners
def change_role(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    form = RoleForm(request.POST)
    if not form.is_valid():
        return _detail(request, tenant, OWNER, status=400)
    role = Membership.Role(form.cleaned_data["role"])
    try:
        members.change_role(signed_in(request), tenant, form.cleaned_data["member"], role)
        messages.success(request, gettext("The role was changed."))
    except members.LastOwnerError as error:
        messages.error(request, str(error))
    return redirect("company-members", tenant.slug)


@for_owners
def remove_member(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    form = MemberForm(request.POST)
    if not form.is_valid():
        return _detail(request, tenant, OWNER, status=400)
    try:
        members.remove(signed_in(request), tenant, form.cleaned_data["member"])
        messages.success(request, gettext("The member was removed and has no access any more."))
    except members.LastOwnerError as error:
        messages.error(request, str(error))
    return redirect("company-members", tenant.slug)


@login_required
@require_POST
def leave(request: HttpRequest, slug: str) -> HttpResponse:
    tenant, _ = _found(request, slug)
    try:
        members.leave(signed_in(request), tenant)
    except members.LastOwnerError as error:
        messages.error(request, str(error))
        return redirect("company-members", tenant.slug)
    messages.success(request, gettext("You have left %(name)s.") % {"name": tenant.name})
    return redirect("account")


# --- The invited person ---------------------------------------------------------------------------


@require_safe
@never_cache
def open_invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    """The mailed address: keeps the invitation in the session and leaves the token at once."""
    rate = f"{settings.LINK_OPENINGS_PER_MINUTE}/minute"
    if too_many := throttle.page_limit(request, "link-address", client_address(request), rate):
        return _quiet(too_many)
    found = invitations.find(token)
    if found is None:
        return _quiet(render(request, "company/invitation_unknown.html", status=404))
    if not found.is_valid:
        return _over(request, found)
    invitations.hold(request, found)
    return _quiet(redirect("invitation"))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invitation(request: HttpRequest) -> HttpResponseBase:
    """The invitation without its token. GET changes nothing; POST accepts it."""
    found = invitations.held_in_any_state(request)
    if found is None:
        return _quiet(render(request, "company/invitation_unknown.html", status=404))
    if not found.is_valid:
        return _over(request, found)
    if request.method != "POST":
        return _quiet(render(request, "company/invitation.html", _choices(request, found)))
    user = request.user
    membership = invitations.accept(request, user) if user.is_authenticated else None
    if membership is None:
        return redirect("invitation")  # which says what is missing
    messages.success(request, gettext("You joined %(name)s.") % {"name": membership.tenant.name})
    return redirect("company", membership.tenant.slug)


def _choices(request: HttpRequest, found: Invitation) -> dict[str, object]:
    user = request.user
    return {
        "invitation": found,
        "is_mine": user.is_authenticated and user.email.lower() == found.email.lower(),
        # Told only to who holds the mailed token: nobody else could read that mailbox.
        "has_login": User.objects.filter(email__iexact=found.email).exists(),
    }


def _over(request: HttpRequest, found: Invitation) -> HttpResponse:
    word = "expired"
    if found.accepted_at:
        word = "used"
    elif found.revoked_at:
        word = "revoked"
    return _quiet(render(request, "company/invitation_over.html", {"word": word}, status=410))


def _quiet(response: Answer) -> Answer:
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


# --- What the views share -------------------------------------------------------------------------


def _found(request: HttpRequest, slug: str) -> tuple[Tenant, str]:
    """The tenant and the asker's role in it. Raises Http404 where they have none."""
    tenant = access.tenant_for(access.member(signed_in(request)), slug)
    return tenant, Membership.objects.get(user=signed_in(request), tenant=tenant).role


def _detail(
    request: HttpRequest, tenant: Tenant, role: str, form: InviteForm | None = None,
    *, status: int = 200,
) -> HttpResponse:  # fmt: skip
    rows = Membership.objects.filter(tenant=tenant).select_related("user").order_by("user__email")
    owners = [row for row in rows if row.role == OWNER]
    shown = {
        "tenant": tenant,
        "is_owner": role == OWNER,
        "members": sorted(rows, key=lambda row: row.role != OWNER),
        "only_owner": role == OWNER and len(owners) == 1,
        "owner_count": len(owners),
        "invitations": invitations.open_ones(tenant) if role == OWNER else [],
        "form": form or InviteForm(),
        "roles": Membership.Role.choices,
    }
    response = render(request, "company/members.html", shown, status=status)
    response["X-Robots-Tag"] = "noindex"
    return response
