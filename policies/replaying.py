"""Deciding again, years later: the facts that an entry recorded, by the book of the hash that it names."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from policies.book import Book
from policies.decision import decide
from policies.errors import FactsUnreadable
from policies.facts import AccessFacts, Decision
from policies.recording import basis_part


@dataclass(frozen=True)
class Difference:
    """One thing that came out otherwise: its name, what was recorded, and what deciding again gives."""

    name: str  # decision | kind | reference | policy | reasons | facts | result
    recorded: Any
    again: Any


@dataclass(frozen=True)
class Replay:
    """A decision made again, and every difference from the recorded one; none: they agree."""

    decision: Decision
    differences: tuple[Difference, ...]


def replay(basis: Mapping[str, Any], result: str, book: Book, at: datetime) -> Replay:
    """Decide again on the recorded facts, by `book`, at the recorded instant, and compare everything.

    Args:
        basis: the `basis` part of an entry, as `recording.basis_part` made it.
        result: what the entry's event says came of it: permitted or refused.

    Raises:
        FactsUnreadable: the facts are not those of an access; the message names the place.
    """
    facts = access_facts(basis.get("facts"))
    decision = decide(facts, book, at)
    again = basis_part(decision, facts)
    recorded = {name: basis[name] for name in again.keys() | {"kind", "reference"} if name in basis}
    names = sorted(again.keys() | recorded.keys())
    pairs = [(name, recorded.get(name), again.get(name)) for name in names]
    pairs.append(("result", result, again["decision"]))
    return Replay(decision, tuple(Difference(*one) for one in pairs if one[1] != one[2]))


def access_facts(value: object) -> AccessFacts:
    """Read the facts of an access from the JSON values that `recording.plain` made of them.

    What is absent takes the field's default, else None: facts of an older kind stay readable. Raises
    FactsUnreadable for a missing, unknown or misshapen field.
    """
    read: AccessFacts = _read(AccessFacts, value, "facts")
    return read


def _read(hint: Any, value: Any, where: str) -> Any:
    if get_origin(hint) in (Union, UnionType):
        return _one_of([one for one in get_args(hint) if one is not NoneType], value, where)
    if is_dataclass(hint) and isinstance(hint, type):
        return _object(hint, value, where)
    if get_origin(hint) in (tuple, frozenset):
        return _several(hint, value, where)
    try:
        if isinstance(hint, type) and issubclass(hint, Enum):
            return hint(value)
        if hint is date or hint is datetime:
            return hint.fromisoformat(value)
    except (TypeError, ValueError) as problem:
        raise FactsUnreadable(where) from problem
    if type(value) is not hint:  # bool is an int, but not here
        raise FactsUnreadable(where)
    return value


def _one_of(hints: list[Any], value: Any, where: str) -> Any:
    for hint in hints[:-1]:
        try:
            return _read(hint, value, where)
        except FactsUnreadable:
            continue
    return _read(hints[-1], value, where)


def _object(hint: type[Any], value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise FactsUnreadable(where)
    hints, taken = get_type_hints(hint), {}
    for field in fields(hint):
        place = f"{where}.{field.name}"
        if field.name in value:
            taken[field.name] = _read(hints[field.name], value[field.name], place)
        elif field.default is MISSING and field.default_factory is MISSING:
            if NoneType not in get_args(hints[field.name]):
                raise FactsUnreadable(place)
            taken[field.name] = None
    unknown = value.keys() - hints.keys()
    if unknown:
        raise FactsUnreadable(f"{where}.{min(unknown)}")
    return hint(**taken)


def _several(hint: Any, value: Any, where: str) -> Any:
    if not isinstance(value, list | tuple):
        raise FactsUnreadable(where)
    inner = get_args(hint)
    if get_origin(hint) is frozenset:
        return frozenset(_read(inner[0], one, where) for one in value)
    if len(inner) == 2 and inner[1] is Ellipsis:
        return tuple(_read(inner[0], one, where) for one in value)
    if len(inner) != len(value):
        raise FactsUnreadable(where)
    return tuple(_read(each, one, where) for each, one in zip(inner, value, strict=True))
