"""A sheet of tenants (CSV or TSV): read strictly, so that what is wrong is told by its line.

The first line names the columns. Everything that is wrong with the file as a whole is told here;
what is wrong with a row is told by `sheet_rows`.
"""

from __future__ import annotations

import csv
import io
from typing import Any

import tablib
from django.utils.translation import gettext as _
from import_export.formats import base_formats

COLUMNS = ("external_id", "slug", "name", "language", "approval", "unproven")
OWNER = "owner_email"
LINE = "line"
"""Not of the file: where a row stands in it, as a spreadsheet counts."""

MOST_ROWS = 10_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet compute a cell instead of showing it (OWASP, CSV injection)."""


class SheetError(Exception):
    """The file cannot be read; the text says why, for whoever chose it."""


def read(data: bytes | str, *, tabs: bool = False) -> tablib.Dataset:
    """The rows of the file, with their lines. Raises SheetError."""
    text = io.StringIO(_text(data), newline="")
    lines = csv.reader(text, delimiter=_between(data, tabs), strict=True)
    try:
        heading = _heading(next(lines, []))
        rows = [_row(cells, lines.line_num, len(heading)) for cells in lines if any(cells)]
    except csv.Error as failed:
        raise SheetError(
            _("Line %(line)d: %(error)s.") % {"line": lines.line_num, "error": failed}
        ) from None
    if len(rows) > MOST_ROWS:
        raise SheetError(
            _("The file has %(n)d rows. At most %(most)d are taken at once: split it.")
            % {"n": len(rows), "most": MOST_ROWS}
        )
    return tablib.Dataset(*rows, headers=[*heading, LINE])


def _text(data: bytes | str) -> str:
    if isinstance(data, str):
        text = data.removeprefix("\ufeff")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise SheetError(
                _("The file is not in UTF-8. Save it as “CSV UTF-8” and choose it again.")
            ) from None
    if "\0" in text:
        raise SheetError(_("The file has zero bytes: it is no CSV file."))
    return text


def _between(data: bytes | str, tabs: bool) -> str:
    """Some spreadsheets separate by semicolons; the heading tells."""
    if tabs:
        return "\t"
    first = _text(data).partition("\n")[0]
    return ";" if ";" in first and "," not in first else ","


def _heading(cells: list[str]) -> list[str]:
    names = [cell.strip().lower().replace(" ", "_") for cell in cells]
    known = {*COLUMNS, OWNER}
    told = {"known": ", ".join([*COLUMNS, OWNER])}
    if not any(names):
        raise SheetError(
            _("The file is empty. Its first line names the columns: %(known)s.") % told
        )
    for name in names:
        if name not in known:
            told["name"] = name
            raise SheetError(_("“%(name)s” is no column. There are: %(known)s.") % told)
        if names.count(name) > 1:
            raise SheetError(_("The column “%(name)s” is there twice.") % {"name": name})
    if not {"slug", "external_id"} & set(names):
        raise SheetError(_("A column is missing: slug or external_id tells whose row it is."))
    return names


def _row(cells: list[str], line: int, wanted: int) -> list[str | int]:
    if len(cells) != wanted:
        raise SheetError(
            _("Line %(line)d has %(n)d cells, the heading has %(wanted)d.")
            % {"line": line, "n": len(cells), "wanted": wanted}
        )
    return [*(shown(cell) for cell in cells), line]


def shown(cell: str) -> str:
    """What a cell says: without the spaces around it and the mark against formulas."""
    text = cell.strip()
    return text[1:] if text[:1] == "'" and text[1:].startswith(FORMULA) else text


def safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; `shown` takes the mark off again."""
    return f"'{text}" if text.startswith(FORMULA) else text


class CSV(base_formats.CSV):
    """Read by `read`."""

    def create_dataset(self, in_stream: bytes | str, **_more: Any) -> tablib.Dataset:
        return read(in_stream)


class TSV(base_formats.TSV):
    """The same, separated by tabs."""

    def create_dataset(self, in_stream: bytes | str, **_more: Any) -> tablib.Dataset:
        return read(in_stream, tabs=True)
