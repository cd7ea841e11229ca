"""Tokens that are mailed or shown once: random, and kept only as a hash."""

import hashlib
import secrets


def new_token() -> str:
    """A token for an address: 256 random bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What the row keeps. A long random token needs no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
