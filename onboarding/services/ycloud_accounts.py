"""Staff and the partner's backend: which YCloud account is the default, in use, and a tenant's."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from onboarding.models import YCloudAccount, YCloudAssignment
from tenants import audit
from tenants.models import Tenant


class NotPossibleError(Exception):
    """The YCloud account must stay as it is; the text says why, for staff."""


def make_default(account: YCloudAccount) -> None:
    """What tenants without an assignment begin from now on begins there. Raises NotPossibleError.

    The admin keeps the entry, as of the two below.
    """
    if account.ended_at is not None or not account.takes_new:
        raise NotPossibleError(f"{account} takes nothing new.")
    with transaction.atomic():
        rows = YCloudAccount.objects.select_for_update().order_by("pk")
        list(rows)  # all of them, in one order: of two that come at once the later one holds
        rows.filter(is_default=True).update(is_default=False)
        rows.filter(pk=account.pk).update(is_default=True)


def end(account: YCloudAccount) -> None:
    """Nothing is called with its key any more, its webhooks are refused, its rows wait.

    Raises NotPossibleError.
    """
    if account.from_environment:
        raise NotPossibleError("The environment's account ends where YCLOUD_API_KEY is set.")
    ended = YCloudAccount.objects.filter(pk=account.pk, is_default=False, ended_at__isnull=True)
    if not ended.update(ended_at=timezone.now()):
        raise NotPossibleError(f"{account} is the default, or was ended before.")


def take_up(account: YCloudAccount) -> None:
    """An ended one is called again."""
    YCloudAccount.objects.filter(pk=account.pk).update(ended_at=None)


def assign(tenant: Tenant, account: YCloudAccount | None, actor: str) -> None:
    """Where the tenant's new onboardings begin; None: at the default one. What is under way, and
    each WABA that is here already, stays where it is.
    """
    with transaction.atomic():
        Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        held = YCloudAssignment.objects.for_tenant(tenant).select_related("ycloud_account").first()
        before = held.ycloud_account if held else None
        if before == account:
            return
        if account is None:
            YCloudAssignment.objects.for_tenant(tenant).delete()
        else:
            YCloudAssignment.objects.update_or_create(
                tenant=tenant, defaults={"ycloud_account": account}
            )
        audit.record(
            actor, "tenant.ycloud_account_assigned", tenant,
            before={"ycloud_account": before.slug if before else None},
            after={"ycloud_account": account.slug if account else None},
        )  # fmt: skip
