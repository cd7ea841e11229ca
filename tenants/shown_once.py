"""What is shown once, on the page after the act, so that a reload repeats neither.

It waits in the session, which is encrypted at rest (tenants/sessions.py), until that page takes it.
"""

from typing import Any

from django.http import HttpRequest


def keep(request: HttpRequest, place: str, **told: Any) -> None:
    """For the next page of this place; plain values only."""
    request.session[f"shown_once:{place}"] = told


def take(request: HttpRequest, place: str) -> dict[str, Any] | None:
    """What was kept, the first time; None afterwards."""
    told: dict[str, Any] | None = request.session.pop(f"shown_once:{place}", None)
    return told
