"""Users, tenants, memberships, invitations, API keys, and what staff did."""

from tenants.models.audit import AuditEntry
from tenants.models.base import Membership, Tenant, TenantOwned, TenantOwnedQuerySet, User
from tenants.models.invitation import Invitation
from tenants.models.key import ApiKey

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Invitation",
    "Membership",
    "Tenant",
    "TenantOwned",
    "TenantOwnedQuerySet",
    "User",
]
