"""A table of entries is data for a spreadsheet program, and nothing that it would compute."""

import csv
from datetime import UTC, datetime
from io import StringIO

import pytest

from reuse_api.audit_csv import COLUMNS, safe, table
from vault.auditing import Line


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", "\n=1", " =1", "＝1", "＠x"])
def test_a_formula_becomes_text(cell: str) -> None:
    assert safe(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "0013••••2347", "cb-01", "a=b", "1.004222", "H26.14.02-261125-0001"])
def test_anything_else_stays_as_it_is(cell: str) -> None:
    assert safe(cell) == cell


def test_a_row_is_written_whole_with_its_quotes_and_lines() -> None:
    at = datetime(2026, 11, 24, 2, tzinfo=UTC)
    odd = 'one "two", three\r\nfour'
    line = Line(
        7,
        2,
        at,
        "x",
        "refused",
        odd,
        odd,
        odd,
        None,
        "=cmd|' /c calc'!A0",
        *[None] * 5,
        ("a", "b"),
        ("1", "2"),
    )
    content = table([line])
    assert content.startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(StringIO(content.decode("utf-8-sig"), newline=""))
    assert tuple(row) == COLUMNS
    assert (row["index"], row["at"], row["agency"], row["system"]) == ("7", at.isoformat(), odd, "")
    assert row["officer"] == "'=cmd|' /c calc'!A0"
    assert (row["reasons"], row["owners"]) == ("a b", "1 2")
