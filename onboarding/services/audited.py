"""Decisions about an attempt that staff took: in the audit table too, beside its transitions."""

from __future__ import annotations

from onboarding.models import Onboarding
from tenants import audit

CUSTOMERS = ("customer", "link", "worker")
"""Whose acts have their transitions, and nothing else."""


def decided(act: str, row: Onboarding, actor: str, state: str, reason: str) -> None:
    """`state`, `reason`: where the attempt stood before. Call it in the act's transaction."""
    if actor in CUSTOMERS:
        return
    audit.record(
        actor, f"onboarding.{act}", row,
        before={"state": state, "reason": reason}, after={"state": row.state, "reason": row.reason},
    )  # fmt: skip
