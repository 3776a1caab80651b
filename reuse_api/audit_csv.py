"""Entries as a table that spreadsheet programs open: text/csv, UTF-8 with a byte order mark.

Without the mark some of them would not read Vietnamese. A cell that they would take for a formula begins with
an apostrophe instead, which they take for text.
"""

import csv
from collections.abc import Iterable
from io import StringIO

from vault.auditing import Line

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"
COLUMNS = (
    "index",
    "at",
    "kind",
    "event",
    "result",
    "agency",
    "system",
    "officer",
    "procedure",
    "dossier",
    "component",
    "basis",
    "reasons",
    "owners",
)
_MARK = "\ufeff"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def table(lines: Iterable[Line]) -> bytes:
    """Write entries as CSV (RFC 4180): a header of stable names, a row each, owners masked."""
    text = StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in lines:
        writer.writerow(safe(_cell(getattr(one, name))) for name in COLUMNS)
    return (_MARK + text.getvalue()).encode()


def safe(cell: str) -> str:
    """Give a cell that no spreadsheet program computes."""
    return f"'{cell}" if cell.lstrip().startswith(_FORMULA) or cell.startswith(_FORMULA) else cell


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return " ".join(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
