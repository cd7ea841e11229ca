"""The groups that are shipped: *Reviewers* and *Operators*. What they may, once, by a migration.

Rights are added and never taken away, so that a group of that name that somebody made keeps what it
has. What an operator takes out later stays out.
"""

from __future__ import annotations

from typing import Any

APPS = ("onboarding", "tenants")

REVIEWERS = frozenset(
    {
        "approve_onboarding", "reject_onboarding", "note_onboarding", "assign_onboarding",
        "decide_transfer",
    }
)  # fmt: skip
OPERATORS = frozenset(
    {
        "resume_onboarding", "withdraw_onboarding", "reread_onboarding", "search_onboarding",
        "retry_registration", "send_new_link", "assign_onboarding", "note_onboarding",
        "operate_webhookendpoint", "operate_ycloudaccount",
    }
)  # fmt: skip
GROUPS = {"Reviewers": REVIEWERS, "Operators": OPERATORS}


def ship(apps: Any) -> None:
    """Make the groups where they are missing, and add their rights: to view everything, and these.

    `apps`: the registry, or a migration's.
    """
    permissions = _permissions(apps)
    of_view = permissions.filter(codename__startswith="view_")
    for name, rights in GROUPS.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=name)
        group.permissions.add(*of_view, *permissions.filter(codename__in=rights))


def add(apps: Any, rights: dict[str, set[str]]) -> None:
    """Rights that came later, to the groups that are still there: what was taken out stays out."""
    permissions = _permissions(apps)
    for group in apps.get_model("auth", "Group").objects.filter(name__in=rights):
        group.permissions.add(*permissions.filter(codename__in=rights[group.name]))


def _permissions(apps: Any) -> Any:
    """Permissions are made after all migrations otherwise, so they are made here first."""
    from django.contrib.auth.management import create_permissions

    for label in APPS:
        config = apps.get_app_config(label)
        config.models_module = getattr(config, "models_module", None) or True  # a migration's stub
        create_permissions(config, apps=apps, verbosity=0)
    return apps.get_model("auth", "Permission").objects.filter(content_type__app_label__in=APPS)
