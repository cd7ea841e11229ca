"""Users, tenants, memberships, and what staff did."""

from tenants.models.audit import AuditEntry
from tenants.models.base import Membership, Tenant, TenantOwned, TenantOwnedQuerySet, User

__all__ = [
    "AuditEntry",
    "Membership",
    "Tenant",
    "TenantOwned",
    "TenantOwnedQuerySet",
    "User",
]
