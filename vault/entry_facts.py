"""What may be known of an entry without opening it: codes that an auditor filters and counts by.

They stand beside the sealed body, hold no name and no content, and prove nothing: a row could lie. Whoever
opens an entry compares its parts with its row (`disagreements`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from policies.facts import worth_saying
from signing.leaf import Kind, Parts
from vault.days import legal_day

STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"  # UTC, ISO 8601, microseconds: comparable as text
_CODE = re.compile(r"[A-Za-z0-9._:/-]{1,100}")


@dataclass(frozen=True)
class EntryFacts:
    """The row of one entry, as its own parts say it; `reasons` are those that the caller was told."""

    kind: int
    event: str
    result: str
    at: str  # as a row keeps an instant
    day: str  # in Viet Nam
    agency: str | None
    system: str | None
    officer: str | None
    procedure: str | None
    dossier: str | None
    component: str | None
    record: str | None
    basis: str | None
    reasons: tuple[str, ...]

    def row(self, index: int) -> dict[str, Any]:
        """Give the row of the entry at an index."""
        return vars(self) | {"idx": index, "reasons": json.dumps(self.reasons)}


def facts_of(kind: Kind, parts: Parts, at: datetime) -> EntryFacts:
    """Read off an entry's parts what is kept in the open."""
    actor, purpose, event = parts.actor, parts.purpose, parts.event
    return EntryFacts(
        kind=int(kind),
        event=event["type"],
        result=event["result"],
        at=at.strftime(STAMP),
        day=legal_day(at).isoformat(),
        agency=actor.get("agency"),
        system=actor.get("system"),
        officer=actor.get("officer"),
        procedure=purpose.get("procedure"),
        dossier=purpose.get("dossier"),
        component=_code(purpose.get("component")),
        record=parts.subject.get("record"),
        basis=parts.basis.get("kind"),
        reasons=told_reasons(parts),
    )


def told_reasons(parts: Parts) -> tuple[str, ...]:
    """Give the reason codes of an entry that says no."""
    if parts.event.get("result") == "permitted":
        return ()
    return worth_saying([(one["code"], one["fact"]) for one in parts.basis.get("reasons", ())])


def read_reasons(text: str | None) -> tuple[str, ...]:
    """Read the reason codes back from a row; an entry without a row has none to show."""
    return tuple(json.loads(text)) if text else ()


def disagreements(facts: EntryFacts, row: Mapping[str, Any]) -> Sequence[tuple[str, str, str]]:
    """Give (name, what the entry says, what its row says) wherever the two differ."""
    said = facts.row(0)
    names = [name for name in said if name != "idx" and said[name] != row[name]]
    return [(name, _shown(said[name]), _shown(row[name])) for name in names]


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _code(text: object) -> str | None:
    """A refused caller may have named anything as a component: what is no code stays sealed."""
    return text if isinstance(text, str) and _CODE.fullmatch(text) else None
