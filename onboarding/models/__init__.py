"""The product's rows, a module each for what changes together."""

from onboarding.models.account import PhoneNumber, Proof, WhatsAppBusinessAccount
from onboarding.models.journal import (
    ProviderCall,
    SignupEvent,
    Transition,
    WebhookEvent,
    WebhookSecret,
)
from onboarding.models.link import SignupLink
from onboarding.models.notice import Notice
from onboarding.models.onboarding import Onboarding
from onboarding.models.tombstone import Tombstone, TombstoneKey
from onboarding.models.transfer import TransferCase

__all__ = [
    "Notice",
    "Onboarding",
    "PhoneNumber",
    "Proof",
    "ProviderCall",
    "SignupEvent",
    "SignupLink",
    "Tombstone",
    "TombstoneKey",
    "TransferCase",
    "Transition",
    "WebhookEvent",
    "WebhookSecret",
    "WhatsAppBusinessAccount",
]
