"""From the book's JSON to its entries: one function for each kind of entry, strict about every key."""

from typing import cast, get_args

from policies.entries import (
    Alternative,
    CaseKey,
    ComponentReading,
    Condition,
    DataSource,
    Kind,
    Limit,
    Mapping,
    PackageWords,
    RecordType,
    Relation,
    Rule,
    read_in_force,
    read_text,
)
from policies.errors import BookInvalid
from policies.facts import Action, TrustClass
from policies.fields import Fields


def record_type(value: object, where: str) -> RecordType:
    """Read one entry of record_types.json."""
    row = Fields(value, where)
    entry = RecordType(
        code=row.text("code"),
        name=read_text(row.part("name")),
        in_force=read_in_force(row.part("in_force")),
        legal_reference=row.text("legal_reference"),
        relation_fields=row.pairs("relation_fields"),
        result_codes=row.texts("result_codes"),
        owner_roles=row.texts("owner_roles"),
        validity_months=row.maybe_number("validity_months"),
        birth_date_field=row.maybe_text("birth_date_field"),
    )
    row.end()
    return entry


def data_source(value: object, where: str) -> DataSource:
    """Read one entry of data_sources.json."""
    row = Fields(value, where)
    entry = DataSource(
        key=row.text("key"),
        name=read_text(row.part("name")),
        legal_reference=row.text("legal_reference"),
        next_step=read_text(row.part("next_step")),
    )
    row.end()
    return entry


def condition(value: object, where: str) -> Condition:
    """Read one entry of conditions.json."""
    row = Fields(value, where)
    entry = Condition(
        key=row.text("key"),
        procedure=row.text("procedure"),
        name=read_text(row.part("name")),
        components=frozenset(row.texts("components")),
        legal_reference=row.text("legal_reference"),
    )
    row.end()
    return entry


def case_key(value: object, where: str) -> CaseKey:
    """Read one entry of case_keys.json."""
    row = Fields(value, where)
    entry = CaseKey(
        key=row.text("key"),
        procedure=row.text("procedure"),
        name=read_text(row.part("name")),
        package_name=row.text("package_name"),
        components=frozenset(row.texts("components")),
        additional=row.flag("additional"),
    )
    row.end()
    return entry


def alternative(value: object, where: str) -> Alternative:
    """Read one entry of alternatives.json."""
    row = Fields(value, where)
    entry = Alternative(
        key=row.text("key"),
        procedure=row.text("procedure"),
        name=read_text(row.part("name")),
        components=frozenset(row.texts("components")),
        legal_reference=row.text("legal_reference"),
    )
    row.end()
    return entry


def limit(value: object, where: str) -> Limit:
    """Read one entry of limits.json."""
    row = Fields(value, where)
    entry = Limit(
        key=row.text("key"),
        name=read_text(row.part("name")),
        most=row.number("most"),
        in_force=read_in_force(row.part("in_force")),
        legal_reference=row.text("legal_reference"),
    )
    row.end()
    return entry


def component_reading(value: object, where: str) -> ComponentReading:
    """Read one entry of component_readings.json."""
    row = Fields(value, where)
    kind = row.maybe_text("kind")
    entry = ComponentReading(
        procedure=row.text("procedure"),
        component=row.text("component"),
        name=read_text(row.part("name")),
        kind=None if kind is None else component_kind(kind, where),
    )
    row.end()
    return entry


def mapping(value: object, where: str) -> Mapping:
    """Read one entry of mappings.json."""
    row = Fields(value, where)
    relation = row.maybe_part("relation")
    entry = Mapping(
        procedure=row.text("procedure"),
        case=row.maybe_text("case"),
        component=row.text("component"),
        in_force=read_in_force(row.part("in_force")),
        alternatives=tuple(row.items("alternatives", _types_together)),
        role=row.text("role"),
        relation=None if relation is None else _relation(relation),
        least_trust=_trust(row.text("least_trust"), where),
        max_age_days=row.maybe_number("max_age_days"),
        data_source=row.maybe_text("data_source"),
        unless=row.maybe_text("unless"),
        legal_reference=row.text("legal_reference"),
        confirm=row.flag("confirm"),
    )
    row.end()
    return entry


def rule(value: object, where: str) -> Rule:
    """Read one entry of rules.json."""
    row = Fields(value, where)
    entry = Rule(
        key=row.text("key"),
        basis=row.text("basis"),
        actions=frozenset(_action(name, where) for name in row.texts("actions")),
        procedures=row.maybe_texts("procedures"),
        types=row.maybe_texts("types"),
        in_force=read_in_force(row.part("in_force")),
        name=read_text(row.part("name")),
        legal_reference=row.text("legal_reference"),
    )
    row.end()
    return entry


def package_words(value: object, where: str) -> PackageWords:
    """Read package_words.json."""
    row = Fields(value, where)
    words = PackageWords(
        group_names=frozenset(row.texts("group_names")),
        form_beginnings=row.texts("form_beginnings"),
        note_beginnings=row.texts("note_beginnings"),
        rule_beginnings=row.texts("rule_beginnings"),
        demanding_words=row.texts("demanding_words"),
    )
    row.end()
    return words


def _relation(row: Fields) -> Relation:
    relation = Relation(row.texts("fields"), row.text("role"))
    row.end()
    return relation


def _types_together(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise BookInvalid(where, "is not a list of record types")
    return tuple(value)


def component_kind(text: str, where: str) -> Kind:
    """Read a kind of component; raises BookInvalid, naming `where`."""
    if text not in get_args(Kind):
        raise BookInvalid(where, "unknown kind of component")
    return cast(Kind, text)


def _trust(text: str, where: str) -> TrustClass:
    try:
        return TrustClass(text)
    except ValueError as unknown:
        raise BookInvalid(where, "unknown trust class") from unknown


def _action(text: str, where: str) -> Action:
    try:
        return Action(text)
    except ValueError as unknown:
        raise BookInvalid(where, "unknown action") from unknown
