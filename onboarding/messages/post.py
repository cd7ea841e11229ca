"""The mail server: opened before anything is claimed, and what its refusals mean."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.mail import EmailMessage, get_connection

from onboarding.models import Standing

logger = logging.getLogger(__name__)

REFUSED = (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError)
"""The server said no: it sent nothing."""

PERMANENT = 500


@contextmanager
def server() -> Iterator[Any]:
    """An open connection, or None: a server that is away has sent nothing."""
    found = None
    try:
        found = get_connection()
        found.open()
    except Exception as error:
        logger.warning("the mail server cannot be reached: %s", type(error).__name__)
        found = None
    try:
        yield found
    finally:
        if found is not None:
            found.close()


def sent(letter: EmailMessage, what: str) -> Standing:
    """MAILED; WAITING: it surely did not go out; FAILED: it may have, or it never will.

    Errors are logged without their text: a server may quote the letter.
    """
    try:
        letter.send()
    except REFUSED as error:
        logger.warning("the mail server refused %s: %s", what, type(error).__name__)
        return Standing.FAILED if is_for_good(error) else Standing.WAITING
    except Exception as error:
        logger.warning("%s may have been mailed: %s", what, type(error).__name__)
        return Standing.FAILED
    return Standing.MAILED


def is_for_good(error: BaseException) -> bool:
    """Whether the server will refuse these recipients tomorrow too."""
    if not isinstance(error, smtplib.SMTPRecipientsRefused) or not error.recipients:
        return False
    return all(code >= PERMANENT for code, _ in error.recipients.values())
