"""Replacing: a result that is being issued takes the place of older ones (DESIGN 2.9, 7)."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from policies.facts import CallerFacts
from vault import records, validity
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.errors import FieldInvalid
from vault.records import Stored
from vault.services import Vault
from vault.telling import Telling
from vault.validity import REPLACED, Why


async def older(
    db: AsyncConnection, ids: Sequence[str], *, of: Collection[str], type: str, at: datetime
) -> list[Stored]:
    """Find the records to be replaced, in the order asked.

    Args:
        of: the persons of whom each must belong to one.
        type: the type of what takes their place; a paper is replaced by one of its own kind.

    Raises:
        FieldInvalid: one is not theirs, or does not exist (the answer is the same), or is of another type.
    """
    found = {one.facts.id: one for one in await records.several(db, ids, legal_day(at))}
    for one in ids:
        if one not in found or not found[one].facts.owners & frozenset(of):
            raise FieldInvalid("replaces", "record_not_found")
        if found[one].facts.type != type:
            raise FieldInvalid("replaces", "replacement_of_another_type")
    return [found[one] for one in dict.fromkeys(ids)]


def tellings(
    vault: Vault, who: CallerFacts, replaced: Sequence[Stored], by: str, key: str, at: datetime
) -> list[Telling]:
    """Decide each replacement for the older record that it ends, and tell its owners."""
    return [validity.tell(vault, who, one, REPLACED, _why(by), key, at) for one in replaced]


async def write(
    db: AsyncConnection,
    caller: SystemCaller,
    replaced: Sequence[Stored],
    by: str,
    indexes: Sequence[int],
    at: datetime,
) -> int:
    """End the older records under the head lock; gives how many open dossiers that used one were told."""
    heard = 0
    for one, index in zip(replaced, indexes, strict=True):
        heard += await validity.enact(db, caller, one, REPLACED, _why(by), index, at)
    return heard


def _why(by: str) -> Why:
    """The ground of a replacement on issue is that of issuing: it stands in the entry's basis."""
    return Why("", "", by)
