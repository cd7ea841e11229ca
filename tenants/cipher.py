"""The one cipher of everything that is encrypted at rest, with FIELD_ENCRYPTION_KEYS.

The first key encrypts, all decrypt; so a key is put in front, what is stored is sealed again, and
the old key is taken away.
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FIELD_ENCRYPTION_KEYS])


def seal(text: str) -> str:
    """Encrypt with the first key."""
    return _cipher().encrypt(text.encode()).decode()


def unseal(token: str) -> str:
    """Decrypt with any of the keys; "" when none fits (a key was removed too early)."""
    try:
        return _cipher().decrypt(token.encode()).decode()
    except InvalidToken:
        return ""
