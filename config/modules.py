"""`{% modules_of "connect.js" %}`: what a script module imports, for `<link rel=modulepreload>`.

Without it a browser learns of the imports only when it has read the first module: one more round
trip before the page can do anything, which a phone feels.
"""

import re
from functools import cache
from pathlib import Path

from django import template
from django.conf import settings
from django.templatetags.static import static

register = template.Library()

_IMPORT = re.compile(r"""(?:from|import)\s*["']\./([\w.-]+\.js)["']""")


@cache
def imported_by(name: str) -> tuple[str, ...]:
    """The modules that this one imports, directly or by another one; without itself."""
    found: list[str] = []
    waiting = [name]
    while waiting:
        text = Path(f"{settings.BASE_DIR}/static/{waiting.pop()}").read_text()
        fresh = [each for each in _IMPORT.findall(text) if each not in (name, *found)]
        found += dict.fromkeys(fresh)
        waiting += dict.fromkeys(fresh)
    return tuple(found)


@register.simple_tag
def modules_of(name: str) -> list[str]:
    """Their addresses, as the browser will ask for them."""
    return [static(each) for each in imported_by(name)]
