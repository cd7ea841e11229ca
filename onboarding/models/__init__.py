"""The product's rows, a module each for what changes together."""

from onboarding.models.account import PhoneNumber, Proof, WhatsAppBusinessAccount
from onboarding.models.grant import MetaToken
from onboarding.models.idempotency import IdempotentAnswer
from onboarding.models.journal import (
    ProviderCall,
    SignupEvent,
    Transition,
    WebhookEvent,
    WebhookSecret,
)
from onboarding.models.link import LinkOpening, SignupLink
from onboarding.models.notice import MailAddress, Notice, StaffLetter, Standing
from onboarding.models.onboarding import Onboarding
from onboarding.models.outbound import (
    Delivery,
    DeliveryAttempt,
    OutboundEvent,
    WebhookEndpoint,
)
from onboarding.models.setup import SetupTick
from onboarding.models.staff import SearchWord, StaffNote
from onboarding.models.tombstone import Tombstone, TombstoneKey
from onboarding.models.transfer import TransferCase
from onboarding.models.ycloud_account import YCloudAccount, YCloudAssignment

__all__ = [
    "Delivery",
    "DeliveryAttempt",
    "IdempotentAnswer",
    "LinkOpening",
    "MailAddress",
    "MetaToken",
    "Notice",
    "Onboarding",
    "OutboundEvent",
    "PhoneNumber",
    "Proof",
    "ProviderCall",
    "SearchWord",
    "SetupTick",
    "SignupEvent",
    "SignupLink",
    "StaffLetter",
    "StaffNote",
    "Standing",
    "Tombstone",
    "TombstoneKey",
    "TransferCase",
    "Transition",
    "WebhookEndpoint",
    "WebhookEvent",
    "WebhookSecret",
    "WhatsAppBusinessAccount",
    "YCloudAccount",
    "YCloudAssignment",
]
