"""National procedure packages, read row by row as a clerk would; each row with the rule that decided it.

The first rule that fits decides (`RULES`, in this order): the book names the kind; the row is empty; it asks
for 0 originals and 0 copies, so it is a note; its name begins like a form; the book has a condition for it;
the book has it in a group of alternatives; it names no document; else it is a document. An administrator's
edit overrules any of them (policies/edits.py).
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, cast

from policies.book import Book, canonical, shipped_book
from policies.entries import Kind, Text
from policies.errors import IdentifierInvalid, PackageUnreadable
from policies.headings import Heading, clean, is_group, keyed, plain
from policies.identifiers import component_code, procedure_code
from policies.procedures import Case, Component, Procedure, ResultType

RULES = (
    "own_edit",
    "kind_by_book",
    "empty_row",
    "zero_quantity_note",
    "form_by_name",
    "conditional_by_book",
    "alternative_of",
    "names_no_document",
    "document",
)
HEADING_RULES = ("group_heading", "case_by_book", "case_key_derived")
MAX_TEXT = 20_000  # characters of one name
_MAX_QUANTITY = 1000


def shipped_packages() -> tuple[dict[str, Any], ...]:
    """Give the national packages that ship with Kho, as the portal served them, by code."""
    folder = files("policies") / "data" / "procedures"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".json"))
    return tuple(json.loads((folder / name).read_text("utf-8")) for name in names)


def read_package(row: AbstractMapping[str, Any], book: Book | None = None) -> Procedure:
    """Read one package row of the national catalogue with the book's readings (the shipped book's if None).

    Edits are not applied here. Raises PackageUnreadable, saying what is wrong: a shape that is not a package,
    a code twice in one case, two codes of one procedure that would be written alike.
    """
    book = shipped_book() if book is None else book
    try:
        return _Reader(procedure_code(_text(row, "code")), book).procedure(row)
    except IdentifierInvalid as wrong:
        raise PackageUnreadable(_said(row), "code_wrong") from wrong


class _Reader:
    """Reads the rows of one procedure with the book's help."""

    def __init__(self, procedure: str, book: Book) -> None:
        self._procedure = procedure
        self._book = book
        conditions = [entry for entry in book.conditions if entry.procedure == procedure]
        self._conditions = {entry.key: entry.name for entry in conditions}
        self._condition_of = {code: entry.key for entry in conditions for code in entry.components}
        self._place = 0

    def procedure(self, row: AbstractMapping[str, Any]) -> Procedure:
        groups: list[Component] = []
        cases: list[tuple[str, tuple[Component, ...]]] = []
        for heading in _list(row, "executionCases"):
            name = _text(heading, "name", empty=True)
            rows = tuple(self._row(item, clean(name)) for item in _list(heading, "profileComponents"))
            self._check_once(name, rows)
            if is_group(name, self._book.words.group_names):
                groups.extend(rows)
            else:
                cases.append((name, rows))
        found = Procedure(
            code=self._procedure,
            name=clean(_text(row, "name")),
            version=_version(row),
            department=clean(str(row.get("departmentPromulgateCode") or "")),
            results=tuple(self._result(item) for item in _list(row, "resultsDetails", missing=True)),
            cases=self._cases(cases),
            common=tuple(groups),
            conditions=self._conditions,
        )
        _check_codes(found)
        return found

    def _cases(self, cases: Sequence[tuple[str, tuple[Component, ...]]]) -> tuple[Case, ...]:
        headings = [Heading(name, frozenset(row.code for row in rows if row.code)) for name, rows in cases]
        keys = keyed(self._procedure, headings, self._book.case_keys)
        return tuple(
            Case(key.key, key.name, clean(name), rows, derived=key.derived, additional=key.additional)
            for key, (name, rows) in zip(keys, cases, strict=True)
        )

    def _row(self, item: AbstractMapping[str, Any], heading: str) -> Component:
        national, name = clean(_text(item, "code", empty=True)), clean(_text(item, "name", empty=True))
        if name and not national:
            raise PackageUnreadable(self._procedure, "component_without_code", component=name[:80])
        code = component_code(national) if national else ""
        originals, copies = _quantity(item, "originalQty"), _quantity(item, "copyQty")
        reading = self._book.component_readings.get((self._procedure, code))
        kind, rule = self._kind(code, name, originals + copies)
        self._place += 1
        return Component(
            code=code,
            name=name,
            label=reading.name if reading else Text(name, name),
            kind=kind,
            originals=originals,
            copies=copies,
            condition=self._condition_of.get(code),
            source="package",
            national_code=national,
            rule=rule,
            alternative=self._book.alternative_of(self._procedure, code) if kind == "document" else None,
            heading=heading,
            place=self._place,
        )

    def _kind(self, code: str, name: str, quantity: int) -> tuple[Kind, str]:
        """Let the first rule that fits decide."""
        reading = self._book.component_readings.get((self._procedure, code))
        if reading is not None and reading.kind is not None:
            return reading.kind, "kind_by_book"
        words = plain(name)
        rules: tuple[tuple[bool, Kind, str], ...] = (
            (not name, "note", "empty_row"),
            (quantity == 0, "note", "zero_quantity_note"),
            (words.startswith(self._book.words.form_beginnings), "form", "form_by_name"),
            (code in self._condition_of, "document", "conditional_by_book"),
            (self._book.alternative_of(self._procedure, code) is not None, "document", "alternative_of"),
            (self._names_no_document(words), "note", "names_no_document"),
        )
        return next(((kind, rule) for fits, kind, rule in rules if fits), ("document", "document"))

    def _names_no_document(self, name: str) -> bool:
        """A rule with quantities beside it is still a rule: "Trường hợp ... được thay thế bằng dữ liệu"."""
        words = self._book.words
        if name.startswith(words.note_beginnings):
            return True
        demanding = any(one in name for one in words.demanding_words)
        return name.startswith(words.rule_beginnings) and not demanding

    def _result(self, item: AbstractMapping[str, Any]) -> ResultType:
        code = clean(_text(item, "code")).removeprefix("000.00.00.")
        known = next((entry.code for entry in self._book.record_types if code in entry.result_codes), None)
        return ResultType(code, clean(_text(item, "name")), known)

    def _check_once(self, heading: str, rows: Sequence[Component]) -> None:
        counted = Counter(row.code for row in rows if row.code)
        twice = next((code for code, count in counted.items() if count > 1), None)
        if twice is not None:
            raise PackageUnreadable(self._procedure, "component_twice", component=twice, case=clean(heading))


def reading_digest(procedure: Procedure) -> str:
    """Give one hash of what every row was taken for: it moves when the book reads the same package anew."""
    rows = [
        [case.key if case else "", row.code, row.kind, row.rule, row.condition or "", row.alternative or ""]
        for case, row in procedure.rows()
    ]
    cases = [[case.key, case.additional] for case in procedure.cases]
    told = canonical([rows, cases, sorted(procedure.conditions)])
    return hashlib.sha256(told.encode()).hexdigest()


def _check_codes(procedure: Procedure) -> None:
    """Two different national codes of one procedure must not be written alike."""
    rows = [row for row in procedure.all_components() if row.code]
    pairs = {(row.code, row.national_code.upper().rstrip(".")) for row in rows}
    twice = [code for code, count in Counter(code for code, _ in pairs).items() if count > 1]
    if twice:
        raise PackageUnreadable(procedure.code, "components_alike", components=", ".join(twice))


def _version(row: AbstractMapping[str, Any]) -> str:
    try:
        return hashlib.sha256(canonical(dict(row)).encode()).hexdigest()
    except (ValueError, TypeError, RecursionError) as wrong:  # half a character, a number that is none
        raise PackageUnreadable(_said(row), "not_for_json") from wrong


def _said(row: object) -> str:
    code = row.get("code") if isinstance(row, AbstractMapping) else None
    return clean(code)[:40] if isinstance(code, str) else "?"


def _text(row: object, name: str, *, empty: bool = False) -> str:
    value = row.get(name) if isinstance(row, AbstractMapping) else None
    if empty and value is None:
        value = ""
    if not isinstance(value, str) or not (value or empty):
        raise PackageUnreadable(_said(row), "no_text", field=name)
    if len(value) > MAX_TEXT:
        raise PackageUnreadable(_said(row), "text_too_long", field=name, most=MAX_TEXT)
    return value


def _list(row: object, name: str, *, missing: bool = False) -> list[AbstractMapping[str, Any]]:
    value = row.get(name) if isinstance(row, AbstractMapping) else None
    if value is None and missing:
        return []
    if not isinstance(value, list) or not all(isinstance(item, AbstractMapping) for item in value):
        raise PackageUnreadable(_said(row), "no_list", field=name)
    return cast(list[AbstractMapping[str, Any]], value)


def _quantity(row: AbstractMapping[str, Any], name: str) -> int:
    value = row.get(name) or 0
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX_QUANTITY:
        raise PackageUnreadable(_said(row), "quantity_wrong", field=name, most=_MAX_QUANTITY)
    return value
