"""The review queue and the record of an onboarding."""

from onboarding.admin.onboardings.desk import OnboardingAdmin

__all__ = ["OnboardingAdmin"]
