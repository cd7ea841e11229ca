"""Answers that nobody keeps, lists or learns an address from."""

from __future__ import annotations

from typing import TypeVar

from django.http.response import HttpResponseBase

Answer = TypeVar("Answer", bound=HttpResponseBase)


def private(response: Answer) -> Answer:
    """Kept by no cache, listed by no search engine."""
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Cache-Control"] = "no-store, private"
    return response


def secret(response: Answer) -> Answer:
    """For an answer whose address holds a token. A form on such a page could not be posted: with
    this policy browsers say `Origin: null`, which the CSRF check refuses.
    """
    response["Referrer-Policy"] = "no-referrer"
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django logs a 4xx's address
    return private(response)
