"""What other packages may have to do when somebody's standing in a tenant changes."""

from django.dispatch import Signal

owner_ended = Signal()
"""Somebody is an owner of a tenant no more (removed, demoted, left): `user`, `tenant`, `actor`.

Sent inside the transaction of the act.
"""
