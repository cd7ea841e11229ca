"""Whether the Content-Security-Policy of the signup page lets Meta's SDK and window work."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from onboarding import launch
from onboarding.doctor.finding import Finding, error, ok, warning

HEADER = "Content-Security-Policy"


def needed() -> dict[str, list[str]]:
    """The origins that the page must be let to use, a list for each directive."""
    sdk = "{0.scheme}://{0.netloc}".format(urlsplit(settings.META_SDK_URL))
    window = settings.SANDBOX_ORIGIN or "https://www.facebook.com"
    found = {"script-src": [sdk], "connect-src": [sdk], "frame-src": [window]}
    dialog = launch.dialog_origins()
    return {**found, "form-action": dialog} if dialog else found


def policy(values: list[str], by: str) -> Finding:
    """The finding about these headers; of several each one has to allow it."""
    why = _("The browser blocks what the policy does not name: the button stays off.")
    fix = _("Have the proxy leave %(header)s as the app sends it.") % {"header": HEADER}
    if not values:
        what = _("The signup page has no Content-Security-Policy (%(by)s).") % {"by": by}
        return warning("csp", what, fix, why=_("It works, but something strips our headers."))
    lacking = [each for value in values for each in _lacking(parsed(value))]
    if lacking:
        what = _("The Content-Security-Policy (%(by)s) does not allow: %(what)s.") % {
            "by": by, "what": ", ".join(dict.fromkeys(lacking)),
        }  # fmt: skip
        return error("csp", what, fix, why=why)
    loose = [v for v in values if "'unsafe-inline'" in _sources(parsed(v), "script-src")]
    if loose:
        what = _("The Content-Security-Policy (%(by)s) allows inline scripts.") % {"by": by}
        return warning("csp", what, fix, why=_("Injected text could run in the page."))
    return ok("csp", _("The Content-Security-Policy (%(by)s) allows what is needed.") % {"by": by})


def parsed(value: str) -> dict[str, list[str]]:
    """Directive -> its sources. The first of a name counts, as in browsers."""
    found: dict[str, list[str]] = {}
    for part in value.split(";"):
        words = part.split()
        if words:
            found.setdefault(words[0].lower(), words[1:])
    return found


def _lacking(directives: dict[str, list[str]]) -> list[str]:
    return [
        f"{origin} ({name})"
        for name, origins in needed().items()
        for origin in origins
        if not _allows(_sources(directives, name), origin)
    ]


def _sources(directives: dict[str, list[str]], name: str) -> list[str]:
    if name in directives:
        return directives[name]
    if name == "form-action":
        return ["*"]  # `default-src` says nothing of forms
    return directives.get("default-src", ["*"])


def _allows(sources: list[str], origin: str) -> bool:
    scheme, _sep, host = origin.partition("://")
    wild = f"*.{host.partition('.')[2]}"
    good = {"*", f"{scheme}:", origin, host, wild, f"{scheme}://{wild}"}
    return any(source.rstrip("/") in good for source in sources)
