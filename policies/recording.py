"""Facts and decisions as plain JSON values, so that an entry can be replayed years later."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any

from policies.facts import Decision


def plain(value: Any) -> Any:
    """Turn facts into JSON values: absent instead of null, sets sorted, dates in ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {name: plain(item) for name, item in pairs if item is not None}
    if isinstance(value, Enum | date):
        return value.value if isinstance(value, Enum) else value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items() if item is not None}
    if isinstance(value, frozenset | set):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def basis_part(decision: Decision, facts: Any) -> dict[str, Any]:
    """Give the `basis` part of a leaf: kind, reference, policy hash, full facts, decision and reasons.

    The reasons are those of a no; every other one follows from the facts and the book, by deciding again.
    """
    part: dict[str, Any] = {
        "kind": decision.basis,
        "reference": decision.basis_reference,
        "policy": decision.policy_hash,
        "facts": plain(facts),
        "decision": "permitted" if decision.permitted else "refused",
        "reasons": [{"code": one.code, "fact": one.fact} for one in decision.against],
    }
    return {name: value for name, value in part.items() if value is not None}
