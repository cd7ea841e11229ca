"""Every address of the site."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path, re_path, reverse
from drf_spectacular.views import SpectacularAPIView

from config import health, metrics, theme
from config.docs import api_docs
from onboarding import views, views_company, views_dialog, views_links, views_mail, webhooks
from onboarding.admin import mails, setup
from onboarding.api.views import NothingHereView
from tenants import account, languages, second_factor
from tenants import urls as tenant_urls

admin.autodiscover()  # config/desk.py
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
may_enter = admin.site.has_permission
# The middleware sends staff to set a factor up; this holds however the admin was reached.
admin.site.has_permission = lambda request: (  # type: ignore[method-assign]
    may_enter(request)
    and (second_factor.passes(request) or request.path_info == reverse("admin:logout"))
)

handler500 = "config.errors.server_error"

urlpatterns = [
    path("", views.home, name="home"),
    path("connect/", views.connect, name="connect"),
    path("connect/<uuid:public_id>/card/", views.connect_card, name="connect-card"),
    path("connect/dialog/", views_dialog.connect_dialog, name="connect-dialog"),
    path("connect/return/", views_dialog.connect_return, name="connect-return"),
    path("connect/lost/", views_dialog.connect_lost, name="connect-lost"),
    path("connect/elsewhere/", views_dialog.connect_elsewhere, name="connect-elsewhere"),
    path("s/leave/", views_links.leave_link, name="leave-link"),
    path("s/choose/", views_links.choose_whom, name="choose-whom"),
    path("s/<str:token>/", views_links.open_link, name="open-link"),
    path("company/<slug:slug>/", views_company.company, name="company"),
    path("company/<slug:slug>/links/", views_links.company_links, name="company-links"),
    path(
        "company/<slug:slug>/links/<uuid:public_id>/revoke/",
        views_links.revoke_company_link,
        name="revoke-company-link",
    ),
    path("mail/confirm/", views_mail.confirm, name="mail-confirm"),
    path("mail/confirm/<str:token>/", views_mail.open_confirmation, name="open-mail-confirm"),
    path("mail/stop/", views_mail.stop, name="mail-stop"),
    path("mail/stop/<str:token>/", views_mail.open_stop, name="open-mail-stop"),
    path("language/", languages.choose, name="language"),
    path("theme.css", theme.theme_css, name="theme-css"),
    path("api/v1/", include("onboarding.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", api_docs, name="api-docs"),
    re_path("^api/", NothingHereView.as_view(), name="nothing-here"),
    path("webhooks/ycloud/", webhooks.ycloud, name="webhook-ycloud"),
    path("webhooks/ycloud/<slug:slug>/", webhooks.ycloud, name="webhook-ycloud-account"),
    path("accounts/", account.account, name="account"),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/letters/", account.letters, name="account_letters"),
    path("accounts/sessions/", account.sessions, name="usersessions_list"),
    path("company/", include("tenants.urls")),
    path("invitation/", include(tenant_urls.invitation_patterns)),
    path("admin/mails/", include(mails.urlpatterns)),
    path("admin/setup/", admin.site.admin_view(setup.page), name="admin-setup"),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]
