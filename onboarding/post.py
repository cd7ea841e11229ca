"""The mail server: opened before anything is claimed, and what its refusals mean."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, TypeVar

from django.core.mail import EmailMessage, get_connection

from onboarding.models import Standing

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

REFUSED = (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError)
"""The server said no: it sent nothing."""

PERMANENT = 500

SECONDS = 60.0
"""Of one round of letters; a task is killed after twice that, in the middle of one."""


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
            _hang_up(found)


def in_time(items: Iterable[Item], server: Any) -> Iterator[Item]:
    """The items, while the round is young and the server answers; the rest is for the next round.

    Ask for the next one before anything is claimed for it.
    """
    until = monotonic() + SECONDS
    for item in items:
        if monotonic() > until or not _is_there(server):
            return
        yield item


def _is_there(server: Any) -> bool:
    """Whether the connection stands; one that the server has dropped is made anew.

    Django keeps a dead connection and fails with each further letter. Asked for here, its loss
    costs none: nothing is claimed yet.
    """
    line = getattr(server, "connection", None)
    if isinstance(line, smtplib.SMTP) and not _answers(line):
        _hang_up(server)
    try:
        server.open()
    except Exception as error:
        logger.warning("the mail server cannot be reached again: %s", type(error).__name__)
        return False
    return True


def _answers(line: smtplib.SMTP) -> bool:
    try:
        return line.noop()[0] == 250
    except (smtplib.SMTPException, OSError):
        return False


def _hang_up(server: Any) -> None:
    try:
        server.close()
    except Exception as error:  # it is gone either way
        logger.info("the mail server did not say good-bye: %s", type(error).__name__)


def sent(letter: EmailMessage, what: str) -> Standing:
    """MAILED; WAITING: it surely did not go out; FAILED: it may have, or it never will.

    Errors are logged without their text: a server may quote the letter.
    """
    try:
        letter.send()
    except REFUSED as error:
        logger.warning("the mail server refused %s: %s", what, type(error).__name__)
        _hang_up(letter.connection)
        return Standing.FAILED if is_for_good(error) else Standing.WAITING
    except Exception as error:
        logger.warning("%s may have been mailed: %s", what, type(error).__name__)
        _hang_up(letter.connection)
        return Standing.FAILED
    return Standing.MAILED


def is_for_good(error: BaseException) -> bool:
    """Whether the server will refuse these recipients tomorrow too."""
    if not isinstance(error, smtplib.SMTPRecipientsRefused) or not error.recipients:
        return False
    return all(code >= PERMANENT for code, _ in error.recipients.values())
