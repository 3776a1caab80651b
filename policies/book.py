"""The policy book: every dated rule that decisions are made by, as one value with one hash.

The shipped book lies in policies/data, one JSON file a purpose. Its canonical JSON (sorted keys, no spaces,
NFC texts, no floats, so equal to RFC 8785 for these values) is stored with what was decided by it, and read
again for a replay.
"""

import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from policies import consent_entries, entry_reading
from policies.consent_entries import Capacity, ConsentText, Purpose
from policies.entries import (
    Alternative,
    CaseKey,
    ComponentReading,
    Condition,
    DataSource,
    InForce,
    Limit,
    Mapping,
    PackageWords,
    RecordType,
    Rule,
    Text,
    read_in_force,
    read_text,
)
from policies.errors import BookInvalid
from policies.facts import Action
from policies.fields import Fields

T = TypeVar("T")

SECTIONS = (
    "alternatives",
    "book",
    "capacities",
    "case_keys",
    "component_readings",
    "conditions",
    "consent_texts",
    "data_sources",
    "limits",
    "mappings",
    "package_words",
    "purposes",
    "record_types",
    "rules",
)
# A book that was published before there was a section is read without it: it permits nothing on consents and
# delegations, and knows no alternatives and no limits. What a later book dropped is kept in the text and
# speaks nowhere.
LATER = frozenset({"alternatives", "capacities", "consent_texts", "limits", "purposes"})
DROPPED = frozenset({"own_components"})
BASES = ("statute", "court", "consent", "delegation", "owner", "emergency")
_VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")  # no summer time since 1975


@dataclass(frozen=True)
class Book:
    """One version of the policy book; `text` is its canonical JSON and `hash` the hex SHA-256 of that."""

    text: str
    hash: str
    title: Text
    version: str
    in_force: InForce
    record_types: tuple[RecordType, ...]
    data_sources: dict[str, DataSource]
    conditions: tuple[Condition, ...]
    case_keys: tuple[CaseKey, ...]
    alternatives: tuple[Alternative, ...]
    component_readings: dict[tuple[str, str], ComponentReading]
    mappings: dict[tuple[str, str], tuple[Mapping, ...]]  # by procedure and component
    rules: tuple[Rule, ...]
    purposes: tuple[Purpose, ...]
    consent_texts: tuple[ConsentText, ...]
    capacities: tuple[Capacity, ...]
    limits: tuple[Limit, ...]
    words: PackageWords

    def __hash__(self) -> int:
        return hash(self.hash)

    def to_json(self) -> str:
        """Give the canonical JSON; `book_from_json` reads the same book from it."""
        return self.text

    def limit(self, key: str, day: date) -> Limit | None:
        """Find the limit that is in force on that day, None when there is none."""
        found = (entry for entry in self.limits if entry.key == key and entry.in_force.holds(day))
        return next(found, None)

    def record_type(self, code: str, day: date) -> RecordType | None:
        """Find the record type that is in force on that day, None when there is none."""
        found = (entry for entry in self.record_types if entry.code == code and entry.in_force.holds(day))
        return next(found, None)

    def purpose(self, key: str, day: date) -> Purpose | None:
        """Find the purpose of consents that is in force on that day, None when there is none."""
        found = (entry for entry in self.purposes if entry.key == key and entry.in_force.holds(day))
        return next(found, None)

    def consent_text(self, day: date) -> ConsentText | None:
        """Find the template of the text of consents that is in force on that day."""
        return next((entry for entry in self.consent_texts if entry.in_force.holds(day)), None)

    def capacity(self, kind: str, day: date) -> Capacity | None:
        """Find the capacity in which somebody may act for another on that day."""
        found = (entry for entry in self.capacities if entry.key == kind and entry.in_force.holds(day))
        return next(found, None)

    def alternative_of(self, procedure: str, component: str) -> str | None:
        """Give the key of the group of alternatives that a component is in, None when it is in none."""
        for group in self.alternatives:
            if group.procedure == procedure and component in group.components:
                return group.key
        return None

    def mappings_for(
        self, procedure: str, cases: Iterable[str | None], component: str, day: date
    ) -> tuple[Mapping, ...]:
        """Give the mappings of a component that hold on that day for one of the cases, in order."""
        wanted = {None, *cases}
        entries = self.mappings.get((procedure, component), ())
        return tuple(entry for entry in entries if entry.case in wanted and entry.in_force.holds(day))

    def rule_for(
        self, basis: str, action: Action, procedure: str | None, record_type: str | None, day: date
    ) -> Rule | None:
        """Find the rule by which a basis permits an action on that day, None when no rule does."""
        for rule in self.rules:
            if (
                rule.basis == basis
                and action in rule.actions
                and (rule.procedures is None or procedure in rule.procedures)
                and (rule.types is None or record_type in rule.types)
                and rule.in_force.holds(day)
            ):
                return rule
        return None


def local_day(at: datetime) -> date:
    """Give the day in Viet Nam of an aware instant: the day by which rules are in force or not."""
    return at.astimezone(_VIETNAM).date()


def canonical(value: Any) -> str:
    """Write JSON values in the one way that is hashed: sorted keys, no spaces, NFC texts."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return unicodedata.normalize("NFC", text)


def book_from_json(text: str) -> Book:
    """Read a book from the JSON of all its sections; raises BookInvalid, naming the entry at fault."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as broken:
        raise BookInvalid("book", "is not JSON") from broken
    if not isinstance(document, dict) or not _holds_sections(set(document)):
        raise BookInvalid("book", f"must have exactly the sections {', '.join(SECTIONS)}")
    book = _read(document)
    _check(book)
    return book


def _holds_sections(names: set[str]) -> bool:
    return set(SECTIONS) - LATER <= names - DROPPED <= set(SECTIONS)


@cache
def shipped_book() -> Book:
    """Read the book that ships with Kho, from policies/data."""
    folder = files("policies") / "data"
    document = {name: json.loads((folder / f"{name}.json").read_text("utf-8")) for name in SECTIONS}
    return book_from_json(canonical(document))


def _read(document: dict[str, Any]) -> Book:
    head = Fields(document["book"], "book")
    text = canonical(document)
    mappings: dict[tuple[str, str], tuple[Mapping, ...]] = {}
    for entry in _section(document, "mappings", entry_reading.mapping):
        place = (entry.procedure, entry.component)
        mappings[place] = (*mappings.get(place, ()), entry)
    readings = _section(document, "component_readings", entry_reading.component_reading)
    sources = _section(document, "data_sources", entry_reading.data_source)
    book = Book(
        text=text,
        hash=hashlib.sha256(text.encode()).hexdigest(),
        title=read_text(head.part("title")),
        version=head.text("version"),
        in_force=read_in_force(head.part("in_force")),
        record_types=_section(document, "record_types", entry_reading.record_type),
        data_sources={source.key: source for source in sources},
        conditions=_section(document, "conditions", entry_reading.condition),
        case_keys=_section(document, "case_keys", entry_reading.case_key),
        alternatives=_section(document, "alternatives", entry_reading.alternative),
        component_readings={(entry.procedure, entry.component): entry for entry in readings},
        mappings=mappings,
        rules=_section(document, "rules", entry_reading.rule),
        purposes=_section(document, "purposes", consent_entries.purpose),
        consent_texts=_section(document, "consent_texts", consent_entries.consent_text),
        capacities=_section(document, "capacities", consent_entries.capacity),
        limits=_section(document, "limits", entry_reading.limit),
        words=entry_reading.package_words(document["package_words"], "package_words"),
    )
    head.end()
    return book


def _section(document: dict[str, Any], name: str, read: Callable[[object, str], T]) -> tuple[T, ...]:
    rows = document.get(name, []) if name in LATER else document[name]
    if not isinstance(rows, list):
        raise BookInvalid(name, "is not a list")
    return tuple(read(row, f"{name}[{index}]") for index, row in enumerate(rows))


def _check(book: Book) -> None:
    """Refuse a book whose entries name what it does not hold: such a rule would never be applied."""
    types = {entry.code for entry in book.record_types}
    for limit in book.limits:
        if limit.most < 1:
            raise BookInvalid(f"limits: {limit.key}", "most is less than one")
    _check_consents(book)
    conditions = {(entry.procedure, entry.key) for entry in book.conditions}
    cases = {(entry.procedure, entry.key) for entry in book.case_keys}
    relations = {(entry.code, field) for entry in book.record_types for field in entry.relation_fields}
    for mapping in (entry for entries in book.mappings.values() for entry in entries):
        where = f"mappings: {mapping.procedure} {mapping.component}"
        if not mapping.types <= types:
            raise BookInvalid(where, "unknown record type")
        if not all(_ever_in_force(book, mapping, kind) for kind in mapping.types):
            raise BookInvalid(where, "a record type is never in force while the mapping is")
        if mapping.data_source is not None and mapping.data_source not in book.data_sources:
            raise BookInvalid(where, "unknown data source")
        if mapping.unless is not None and (mapping.procedure, mapping.unless) not in conditions:
            raise BookInvalid(where, "unknown condition")
        if mapping.case is not None and (mapping.procedure, mapping.case) not in cases:
            raise BookInvalid(where, "unknown case")
        wanted = mapping.relation.fields if mapping.relation else ()
        if any((kind, field) not in relations for kind in mapping.types for field in wanted):
            raise BookInvalid(where, "a record type lacks the relation's field")
    for rule in book.rules:
        if rule.basis not in BASES or not (rule.types or frozenset()) <= types:
            raise BookInvalid(f"rules: {rule.key}", "unknown basis or record type")
    _check_alternatives(book.alternatives)


def _check_consents(book: Book) -> None:
    relations = {(entry.code, field) for entry in book.record_types for field in entry.relation_fields}
    for capacity in book.capacities:
        if any((capacity.type, field) not in relations for field in capacity.relations):
            raise BookInvalid(f"capacities: {capacity.key}", "the record type lacks the relation's field")
    for template in book.consent_texts:
        if not set(template.sensitive) <= {entry.code for entry in book.record_types}:
            raise BookInvalid(f"consent_texts: {template.key}", "unknown record type")


def _ever_in_force(book: Book, mapping: Mapping, kind: str) -> bool:
    """On a day when a type is not in force its records are refused; on one day it must be."""
    periods = (entry.in_force for entry in book.record_types if entry.code == kind)
    return any(period.meets(mapping.in_force) for period in periods)


def _check_alternatives(alternatives: Iterable[Alternative]) -> None:
    seen: set[tuple[str, str]] = set()
    for group in alternatives:
        rows = {(group.procedure, code) for code in group.components}
        if rows & seen:
            raise BookInvalid(f"alternatives: {group.key}", "a component is in two groups")
        seen |= rows
