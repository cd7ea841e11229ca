"""Addresses of the API."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from onboarding.api.accounts import AccountViewSet, NumberViewSet
from onboarding.api.links import LinkViewSet
from onboarding.api.tenants import TenantViewSet
from onboarding.api.views import CsrfView, NothingHereView, OnboardingViewSet

router = SimpleRouter()
router.register("onboardings", OnboardingViewSet, basename="onboarding")
router.register("tenants", TenantViewSet, basename="tenant")
router.register("signup-links", LinkViewSet, basename="signup-link")
router.register("business-accounts", AccountViewSet, basename="business-account")
router.register("phone-numbers", NumberViewSet, basename="phone-number")

urlpatterns = [
    path("csrf/", CsrfView.as_view(), name="csrf"),
    *router.urls,
    path("<path:rest>", NothingHereView.as_view(), name="api-nothing-here"),
]
