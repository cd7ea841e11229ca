"""The steps of Meta's window as its `current_step` names them, in words for customers.

Meta names six (its page about the window's messages, read Nov 2026) and may have others: those say
nothing to a customer and are not shown to one. Staff read Meta's own word.
"""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_WORDS: dict[str, str | Promise] = {
    "BUSINESS_ACCOUNT_SELECTION": _("the choice of the business"),
    "WABA_PHONE_PROFILE_PICKER": _("the choice of the WhatsApp account and the number"),
    "WHATSAPP_BUSINESS_PROFILE_SETUP": _("the details of the WhatsApp account"),
    "PHONE_NUMBER_SETUP": _("the phone number"),
    "PHONE_NUMBER_VERIFICATION": _("the code that Meta sends to the number"),
    "PERMISSIONS": _("the permission for your partner"),
}


def words(step: str) -> str:
    """What the customer saw at that step; "" for one that we do not know."""
    return str(_WORDS.get(step, ""))
