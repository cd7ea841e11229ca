"""The partner's desk in Django's admin: read everything, decide through services, edit no state."""

from onboarding.admin import (
    accounts,
    journal,
    links,
    mails,
    onboardings,
    outbound,
    transfers,
    ycloud_accounts,
)

__all__ = [
    "accounts",
    "journal",
    "links",
    "mails",
    "onboardings",
    "outbound",
    "transfers",
    "ycloud_accounts",
]
