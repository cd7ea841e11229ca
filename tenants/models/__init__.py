"""Users, tenants, memberships, invitations, and what staff did."""

from tenants.models.audit import AuditEntry
from tenants.models.base import Membership, Tenant, TenantOwned, TenantOwnedQuerySet, User
from tenants.models.invitation import Invitation

__all__ = [
    "AuditEntry",
    "Invitation",
    "Membership",
    "Tenant",
    "TenantOwned",
    "TenantOwnedQuerySet",
    "User",
]
