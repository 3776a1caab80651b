"""National procedure packages, read as a clerk would: cases, groups, notes, forms and conditional rows.

A heading of a package is a *group* (its rows are for every case) when its name is empty or one of the book's
group names, otherwise a *case*. A row of 0 originals and 0 copies, and one that names no document, is a note
and never asked for. A form is known by how its name begins. Conditional rows, short names and our own lines
come from the book.
"""

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any, Literal

from policies.book import Book, canonical, shipped_book
from policies.entries import CaseKey, Kind, Text
from policies.errors import AskingInvalid, IdentifierInvalid, PackageUnreadable
from policies.identifiers import component_code, procedure_code

_BULLETS = re.compile(r"^[\s*+–-]+|[\s:]+$")


@dataclass(frozen=True)
class Component:
    """One thing a procedure asks for.

    `code` is canonical (`KQ003606`), `national_code` as in the package (`000.00.00.G01-KQ003606`), empty for
    our own lines. `name` is the national text, `label` a short name in both languages. `condition` is the key
    a dossier must state for the component to be asked for. Copies and originals are quantities.
    """

    code: str
    name: str
    label: Text
    kind: Kind
    originals: int
    copies: int
    condition: str | None
    source: Literal["package", "ours"]
    national_code: str
    legal_reference: str | None = None


@dataclass(frozen=True)
class Case:
    """One case of a procedure, under our key; `package_name` is what the national package calls it."""

    key: str
    name: Text
    package_name: str
    components: tuple[Component, ...]


@dataclass(frozen=True)
class ResultType:
    """A result the procedure gives: national code and name, and our record type where the book knows it."""

    code: str
    name: str
    record_type: str | None


@dataclass(frozen=True)
class Procedure:
    """A procedure as read from one version of its package; `common`: its groups' rows."""

    code: str
    name: str
    version: str  # hex SHA-256 of the package row's canonical JSON
    department: str
    results: tuple[ResultType, ...]
    cases: tuple[Case, ...]
    common: tuple[Component, ...]
    conditions: frozenset[str]

    def case(self, key: str, *, field: str = "case") -> Case:
        """Find a case by our key. Raises AskingInvalid (case_unknown), naming `field`."""
        for case in self.cases:
            if case.key == key:
                return case
        raise AskingInvalid(field, "case_unknown")

    def component(self, code: str) -> Component:
        """Find a component by its code, in full or short form. Raises AskingInvalid (component_unknown)."""
        try:
            wanted = component_code(code)
        except IdentifierInvalid as malformed:
            raise AskingInvalid("component", "component_unknown") from malformed
        for component in self.all_components():
            if component.code == wanted and component.kind != "note":
                return component
        raise AskingInvalid("component", "component_unknown")

    def all_components(self) -> tuple[Component, ...]:
        """Give every row of the package, cases first, then groups, with notes and our own lines."""
        return (*(component for case in self.cases for component in case.components), *self.common)


def shipped_packages() -> tuple[dict[str, Any], ...]:
    """Give the national packages that ship with Kho, as the portal served them, by code."""
    folder = files("policies") / "data" / "procedures"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".json"))
    return tuple(json.loads((folder / name).read_text("utf-8")) for name in names)


def read_package(
    row: AbstractMapping[str, Any], book: Book | None = None, *, on: date | None = None
) -> Procedure:
    """Read one package row of the national catalogue with the book's readings (the shipped book's if None).

    `on` is the day for which our own lines must be in force; None takes every one of them. Raises
    PackageUnreadable for a shape that is not a package, a case the book has no key for, or two codes of one
    procedure that would be written alike.
    """
    book = shipped_book() if book is None else book
    try:
        code = procedure_code(row["code"])
        reader = _Reader(code, book, on)
        headings = [(heading["name"], heading["profileComponents"]) for heading in row["executionCases"]]
        cases = tuple(reader.case(name, rows) for name, rows in headings if not reader.is_group(name))
        common = tuple(reader.row(item) for name, rows in headings if reader.is_group(name) for item in rows)
        results = tuple(reader.result(item) for item in row.get("resultsDetails", ()))
        name, department = str(row["name"]), str(row.get("departmentPromulgateCode", ""))
    except (KeyError, TypeError, AttributeError, IdentifierInvalid) as wrong:
        raise PackageUnreadable(str(row.get("code", "?")), f"is not a package: {wrong}") from wrong
    version = hashlib.sha256(canonical(dict(row)).encode()).hexdigest()
    common += reader.own_lines(None)
    procedure = Procedure(
        code, name, version, department, results, cases, common, frozenset(reader.condition_keys)
    )
    _check_codes(procedure)
    return procedure


def components_for(
    procedure: Procedure,
    case: str | None,
    additional_cases: Iterable[str] = (),
    conditions: Iterable[str] = (),
) -> tuple[Component, ...]:
    """Give what is asked for in a dossier: the case's rows, the additional cases', then the groups'.

    Without notes; conditional rows only when the dossier states their condition; a code asked for twice
    stands once. Raises AskingInvalid: case_missing when the procedure has cases and none is given,
    case_unknown, condition_unknown.
    """
    stated = frozenset(conditions)
    if not stated <= procedure.conditions:
        raise AskingInvalid("conditions", "condition_unknown")
    if procedure.cases and case is None:
        raise AskingInvalid("case", "case_missing")
    named = [procedure.case(case)] if case is not None else []
    named += [procedure.case(key, field="additional_cases") for key in additional_cases]
    rows = [component for found in named for component in found.components]
    asked = {
        component.code: component
        for component in (*rows, *procedure.common)
        if component.kind != "note" and (component.condition is None or component.condition in stated)
    }
    return tuple(asked.values())


def asked_components(components: Sequence[Component]) -> frozenset[str]:
    """Give the codes for DossierFacts.components from what `components_for` answered."""
    return frozenset(component.code for component in components)


class _Reader:
    """Reads the rows of one procedure with the book's help."""

    def __init__(self, procedure: str, book: Book, on: date | None) -> None:
        self._procedure = procedure
        self._book = book
        self._on = on
        conditions = [entry for entry in book.conditions if entry.procedure == procedure]
        self.condition_keys = [entry.key for entry in conditions]
        self._condition_of = {code: entry.key for entry in conditions for code in entry.components}

    def is_group(self, heading: str) -> bool:
        return _plain(heading) in self._book.words.group_names

    def case(self, heading: str, rows: Sequence[AbstractMapping[str, Any]]) -> Case:
        components = tuple(self.row(item) for item in rows)
        key = self._key(heading, asked_components(components))
        return Case(key.key, key.name, heading, (*components, *self.own_lines(key.key)))

    def row(self, item: AbstractMapping[str, Any]) -> Component:
        national = str(item["code"]).strip()
        code, name = component_code(national), " ".join(str(item["name"]).split())
        originals, copies = int(item["originalQty"] or 0), int(item["copyQty"] or 0)
        reading = self._book.component_readings.get((self._procedure, code))
        return Component(
            code=code,
            name=name,
            label=reading.name if reading else Text(name, name),
            kind=(reading.kind if reading else None) or self._kind(name, originals + copies),
            originals=originals,
            copies=copies,
            condition=self._condition_of.get(code),
            source="package",
            national_code=national,
        )

    def result(self, item: AbstractMapping[str, Any]) -> ResultType:
        code = str(item["code"]).strip().removeprefix("000.00.00.")
        known = next((entry.code for entry in self._book.record_types if code in entry.result_codes), None)
        return ResultType(code, str(item["name"]), known)

    def own_lines(self, case: str | None) -> tuple[Component, ...]:
        return tuple(
            Component(
                code=own.code,
                name=own.name.vi,
                label=own.name,
                kind=own.kind,
                originals=own.originals,
                copies=own.copies,
                condition=None,
                source="ours",
                national_code="",
                legal_reference=own.legal_reference,
            )
            for own in self._book.own_components
            if (own.procedure, own.case) == (self._procedure, case)
            and (self._on is None or own.in_force.holds(self._on))
        )

    def _kind(self, name: str, quantity: int) -> Kind:
        if quantity == 0 or self._names_no_document(_plain(name)):
            return "note"
        return "form" if _plain(name).startswith(self._book.words.form_beginnings) else "document"

    def _names_no_document(self, name: str) -> bool:
        """A rule with quantities beside it is still a rule: "Trường hợp ... được thay thế bằng dữ liệu"."""
        words = self._book.words
        if name.startswith(words.note_beginnings):
            return True
        demanding = any(one in name for one in words.demanding_words)
        return name.startswith(words.rule_beginnings) and not demanding

    def _key(self, heading: str, codes: frozenset[str]) -> CaseKey:
        wanted = _plain(heading)
        keys = [
            key
            for key in self._book.case_keys
            if key.procedure == self._procedure
            and _plain(key.package_name) == wanted
            and key.components <= codes
        ]
        if len(keys) != 1:
            raise PackageUnreadable(self._procedure, f"{len(keys)} case keys fit the case '{heading}'")
        return keys[0]


def _plain(text: str) -> str:
    """Even out a heading or a name: no bullets or colon around it, single spaces, small letters, NFC."""
    return " ".join(unicodedata.normalize("NFC", _BULLETS.sub("", text)).split()).lower()


def _check_codes(procedure: Procedure) -> None:
    """Two different national codes of one procedure must not be written alike."""
    pairs = {(row.code, row.national_code.upper().rstrip(".")) for row in procedure.all_components()}
    twice = [code for code, count in Counter(code for code, _ in pairs).items() if count > 1]
    if twice:
        raise PackageUnreadable(procedure.code, f"two components are written alike: {', '.join(twice)}")
