"""Every address of the site."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from config import health, theme
from config.docs import api_docs
from onboarding import views, webhooks
from onboarding.api.views import NothingHereView

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

handler500 = "config.errors.server_error"

urlpatterns = [
    path("", views.home, name="home"),
    path("connect/", views.connect, name="connect"),
    path("connect/<uuid:public_id>/card/", views.connect_card, name="connect-card"),
    path("s/leave/", views.leave_link, name="leave-link"),
    path("s/<str:token>/", views.open_link, name="open-link"),
    path("theme.css", theme.theme_css, name="theme-css"),
    path("api/v1/", include("onboarding.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", api_docs, name="api-docs"),
    re_path("^api/", NothingHereView.as_view()),
    path("webhooks/ycloud/", webhooks.ycloud, name="webhook-ycloud"),
    path("accounts/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
]
