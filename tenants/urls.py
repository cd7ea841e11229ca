"""The addresses of the company's members (`/company/`) and of invitations (`/invitation/`).

The company's own page, `company`, shows its numbers: `onboarding` has it.
"""

from django.urls import path

from tenants import views

urlpatterns = [
    path("", views.companies, name="companies"),
    path("<slug:slug>/members/", views.company_members, name="company-members"),
    path("<slug:slug>/invite/", views.invite, name="company-invite"),
    path(
        "<slug:slug>/invitations/<uuid:public_id>/resend/",
        views.resend_invitation,
        name="company-invitation-resend",
    ),
    path(
        "<slug:slug>/invitations/<uuid:public_id>/revoke/",
        views.revoke_invitation,
        name="company-invitation-revoke",
    ),
    path("<slug:slug>/members/role/", views.change_role, name="company-role"),
    path("<slug:slug>/members/remove/", views.remove_member, name="company-remove"),
    path("<slug:slug>/leave/", views.leave, name="company-leave"),
]

invitation_patterns = [
    path("", views.invitation, name="invitation"),
    path("<str:token>/", views.open_invitation, name="open-invitation"),
]
