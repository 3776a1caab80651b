"""Gathering the facts of one decision from one snapshot, with the epochs they stand on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from policies.facts import CallerFacts, DossierFacts
from vault import agencies, confirmations, dossiers, epochs, records, trust_rows
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.dossiers import Opened
from vault.records import Related, Stored
from vault.services import Vault


@dataclass(frozen=True)
class Scene:
    """Who asks, about which dossier, what its persons hold, and the epochs all of that was read under."""

    caller: CallerFacts
    dossier: Opened | None
    records: Sequence[Stored]
    epochs: dict[str, int]
    at: datetime

    def record(self, record_id: str) -> Stored | None:
        """Give a record of the dossier's persons by its id."""
        return next((one for one in self.records if one.facts.id == record_id), None)


async def scene(
    vault: Vault,
    db: AsyncConnection,
    caller: SystemCaller,
    code: str,
    at: datetime,
    types: Sequence[str] = (),
) -> Scene:
    """Read the facts of a dossier as a caller's decision needs them; `dossier` is None when there is none.

    Args:
        types: the record types that are to be issued.
    """
    opened = await dossiers.one(db, code)
    day = opened.facts.opened_on if opened is not None else legal_day(at)
    about = [*types, *([opened.facts.procedure] if opened is not None else [])]
    who = await agencies.caller_facts(db, caller, day, about)
    if opened is None:
        marks = await epochs.read(db, [epochs.BOOK, ("agency", caller.agency)])
        return Scene(who, None, (), marks, at)
    held = await holdings(vault, db, opened.facts, at)
    return Scene(who, opened, held, await epochs.read(db, rests_on(caller, opened)), at)


def rests_on(caller: SystemCaller, opened: Opened) -> list[tuple[str, str]]:
    """Name the epochs that a caller's decision about a dossier stands on."""
    owners = [("owner", owner) for owner in opened.owners]
    return [epochs.BOOK, ("agency", caller.agency), ("dossier", opened.facts.code), *owners]


async def holdings(
    vault: Vault,
    db: AsyncConnection,
    facts: DossierFacts,
    at: datetime,
    named: Sequence[tuple[str, str]] = (),
) -> list[Stored]:
    """Read the records of a dossier's persons, with the relations that agree and what was confirmed of each.

    Args:
        named: (role, identifier) as a dossier names them that is only being opened.
    """
    owners = {person.owner for person in facts.persons if person.owner is not None}
    held = await records.of_owners(db, owners, legal_day(at), await related(vault, db, facts, named))
    return await confirmations.standing(db, facts.code, await trust_rows.explained(db, held))


async def related(
    vault: Vault, db: AsyncConnection, facts: DossierFacts, named: Sequence[tuple[str, str]] = ()
) -> Related:
    """Tag every identifier of every person of the dossier under every relation that a type can name."""
    names = sorted({name for one in vault.book.record_types for name in one.relation_fields})
    persons = [*named, *await dossiers.identifiers_by_role(db, facts)]
    asked = [(name, role, value) for role, value in persons for name in names]
    found = await vault.gate.tags([(name, value) for name, _role, value in asked])
    tags: dict[bytes, set[tuple[str, str]]] = {}
    for tag, (name, role, _value) in zip(found, asked, strict=True):
        tags.setdefault(tag, set()).add((name, role))
    return {tag: frozenset(pairs) for tag, pairs in tags.items()}
