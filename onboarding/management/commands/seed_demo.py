"""`manage.py seed_demo`: the demo tenant, its people and a signup link; only with the sandbox."""

import json
from typing import Any

from allauth.account.models import EmailAddress
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from onboarding import groups, services
from tenants.models import Membership, Tenant, User

PASSWORD = "demo-demo-demo"  # noqa: S105 - printed on purpose; the sandbox holds nothing real


class Command(BaseCommand):
    """May run again and again; prints one line of JSON for `make run`."""

    help = "Make the demo tenant, a customer, a reviewer, an admin and a signup link."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SANDBOX_ORIGIN:
            raise CommandError("Demo logins are made only where the sandbox is in use.")
        tenant, _ = Tenant.objects.get_or_create(slug="demo", defaults={"name": "John's Cake Shop"})
        other, _ = Tenant.objects.get_or_create(slug="other", defaults={"name": "Other Tenant"})
        customer = self._person("customer@example.com", "Demo Customer")
        stranger = self._person("stranger@example.com", "Another Customer")
        reviewer = self._person("reviewer@example.com", "Demo Reviewer", staff=True)
        groups.ship(apps)  # rights that a later release brought; the migration made the groups
        reviewer.groups.set(Group.objects.filter(name__in=groups.GROUPS))
        admin = self._person("admin@example.com", "Demo Admin", staff=True, superuser=True)
        for user, of in ((customer, tenant), (stranger, other)):
            Membership.objects.get_or_create(
                user=user, tenant=of, defaults={"role": Membership.Role.OWNER}
            )
        _, token = services.create_link(tenant, actor="command", created_by=reviewer)
        site = settings.SITE_URL
        people = (
            ("Customer", customer, "/connect/"),
            ("Other tenant", stranger, "/connect/"),
            ("Reviewer", reviewer, "/admin/"),
            ("Admin", admin, "/admin/"),
        )
        logins = [
            {"who": who, "email": user.email, "password": PASSWORD, "url": site + address}
            for who, user, address in people
        ]
        self.stdout.write(json.dumps({"logins": logins, "signup_link": f"{site}/s/{token}/"}))

    def _person(
        self, email: str, name: str, *, staff: bool = False, superuser: bool = False
    ) -> User:
        rights = {"is_staff": staff, "is_superuser": superuser}
        user, made = User.objects.get_or_create(
            email=email, defaults={"username": email, "first_name": name, **rights}
        )
        if made:
            user.set_password(PASSWORD)
            user.save()
            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        return user
