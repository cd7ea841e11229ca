"""Addresses of the API."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from onboarding.api.views import CsrfView, NothingHereView, OnboardingViewSet

router = SimpleRouter()
router.register("onboardings", OnboardingViewSet, basename="onboarding")

urlpatterns = [
    path("csrf/", CsrfView.as_view(), name="csrf"),
    *router.urls,
    path("<path:rest>", NothingHereView.as_view()),
]
