"""From the source to `locale/*/LC_MESSAGES/django.po`, and from there to what gettext reads."""

from __future__ import annotations

import copy
import functools
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from devstack.translations import PLURALS, po_file
from devstack.translations.scope import lines_in_scope, sources

KEYWORDS: Any = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
_CHANGING = re.compile(
    r'^"(POT-Creation-Date|PO-Revision-Date|Last-Translator|Language-Team|Report-Msgid-Bugs-To'
    r'|Generated-By|Project-Id-Version): .*"\n',
    re.MULTILINE,
)


@functools.cache
def template_of(root: Path) -> Catalog:
    """Every message in scope, in the order of the files."""
    catalogue = Catalog()
    for path in sources(root):
        for line, message, comments, context in messages_of(path, (root / path).read_text("utf-8")):
            catalogue.add(message, None, [(path, line)], (), comments, context=context)
    return catalogue


def messages_of(path: str, text: str) -> Iterator[tuple[int, Any, list[str], str | None]]:
    """(line, message or (singular, plural), comments for translators, context) of one file."""
    in_scope = lines_in_scope(path, text) if path.endswith(".py") else None
    code = text if path.endswith(".py") else _as_code(path, text)
    found = extract("python", io.BytesIO(code.encode()), KEYWORDS, ("Translators:",))
    for line, message, comments, context in found:
        if path.endswith(".py") and (in_scope is None or line in in_scope):
            yield line, message, list(comments), context
        elif not path.endswith(".py"):
            yield line - 1, message, list(comments), context


def _as_code(path: str, text: str) -> str:
    """A template as the calls of gettext in it; the bracket lets them stand at any indent."""
    from django.conf import settings
    from django.utils.translation.template import templatize

    if not settings.configured:
        settings.configure()
    return f"(\n{templatize(text, origin=path)}\n)"


def read(language: str) -> Catalog:
    """A language's catalogue as it is kept; empty where there is none yet."""
    path = po_file(language)
    if not path.is_file():
        return Catalog(locale=language)
    with path.open("rb") as opened:
        return read_po(opened, locale=language)


def merged(language: str, template: Catalog) -> Catalog:
    """The kept translations of the template's messages; what is said no longer falls away."""
    catalogue = read(language)
    forms: Any = catalogue
    forms._num_plurals, forms._plural_expr = PLURALS[language]
    # Babel puts a new message itself into the catalogue: each language needs one of its own.
    catalogue.update(copy.deepcopy(template), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.header_comment = "# Gathered by `make words`, see docs/translations.md."
    catalogue.fuzzy = False
    return catalogue


def write(language: str, catalogue: Catalog) -> None:
    """Without dates and line numbers, so that a change of the file is a change of its words."""
    out = io.BytesIO()
    write_po(out, catalogue, width=98, sort_by_file=True, include_lineno=False)
    text = _CHANGING.sub("", out.getvalue().decode())
    path = po_file(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def extract_all(root: Path) -> None:
    """Bring every language's catalogue up to the source."""
    template = template_of(root)
    for language in PLURALS:
        write(language, merged(language, template))


def compile_all() -> list[str]:
    """Compile what changed; the languages that were."""
    return [language for language in PLURALS if _compile(po_file(language))]


def _compile(po: Path) -> bool:
    mo = po.with_suffix(".mo")
    if not po.is_file() or (mo.is_file() and mo.stat().st_mtime_ns >= po.stat().st_mtime_ns):
        return False
    with po.open("rb") as opened:
        catalogue = read_po(opened, locale=po.parent.parent.name)
    for message in list(catalogue):
        if isinstance(message.id, tuple) and not all(message.string or ()):
            catalogue.delete(message.id, message.context)  # else its English would be written
    unready = mo.with_suffix(f".{os.getpid()}")  # two test runs may compile at once
    with unready.open("wb") as out:
        write_mo(out, catalogue)
    unready.replace(mo)
    return True
