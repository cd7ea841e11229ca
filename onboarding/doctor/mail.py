"""Mail: that letters leave this machine, and from an address that may be answered."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parseaddr

from django.conf import settings
from django.core import mail
from django.utils.translation import gettext as _

from onboarding.doctor.finding import Finding, error, for_live, ok

SMTP = "django.core.mail.backends.smtp.EmailBackend"
SECONDS = 5


def server() -> Iterator[Finding]:
    """The mail server takes our login; no letter is sent."""
    if settings.EMAIL_BACKEND != SMTP:
        kind = settings.EMAIL_BACKEND.split(".")[-2]
        what = _("Letters go to the %(kind)s, not to people (EMAIL_URL).") % {"kind": kind}
        fix = _("Set EMAIL_URL to your mail server: smtp+tls://user:…@mail.example.com:587.")
        why = _("Links, codes and news reach nobody.")
        yield for_live("mail_server", what, fix, why=why)
        return
    told = {"host": settings.EMAIL_HOST, "port": settings.EMAIL_PORT}
    connection = mail.get_connection(timeout=SECONDS)
    try:
        connection.open()
    except OSError as failed:  # smtplib's own errors are such
        told["kind"] = type(failed).__name__
        what = _("The mail server %(host)s:%(port)s cannot be used (%(kind)s).") % told
        yield error("mail_server", what, _("Look at EMAIL_URL: name, port, TLS, login."))
    else:
        connection.close()
        yield ok("mail_server", _("The mail server %(host)s:%(port)s takes our login.") % told)


def sender() -> Iterator[Finding]:
    """DEFAULT_FROM_EMAIL names a domain of the partner's."""
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    domain = address.rpartition("@")[2]
    if "." in domain and not domain.endswith((".local", ".localhost", ".example")):
        yield ok("mail_sender", _("Letters come from %(address)s.") % {"address": address})
        return
    what = _("Letters come from “%(address)s”.") % {"address": address}
    fix = _("Set DEFAULT_FROM_EMAIL to an address of your own domain (with SPF and DKIM).")
    yield for_live("mail_sender", what, fix, why=_("Mail servers refuse it or file it as spam."))
