"""Attempts on records of nobody in the dossier: told to the caller as if there were no such record."""

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from policies.decision import decide
from policies.facts import AccessFacts
from signing.leaf import Kind
from vault import records
from vault.days import legal_day
from vault.gathering import Scene
from vault.plan import found_dossier
from vault.records import Stored
from vault.services import Vault
from vault.telling import Telling

TOLD = "person_not_in_dossier"  # the one reason that the caller hears


async def outside(db: AsyncConnection, found: Scene, chosen: Collection[str]) -> dict[str, Stored]:
    """Read the chosen records that no person of the dossier owns: their owners are told of the attempt."""
    strange = [one for one in chosen if found.record(one) is None]
    return {one.facts.id: one for one in await records.several(db, strange, legal_day(found.at))}


def tellings(
    vault: Vault, found: Scene, facts: AccessFacts, event: str, stranger: Stored | None, key: str
) -> list[Telling]:
    """Tell of an attempt: each person of the dossier, and the owners of the record where there is one.

    Of the last entry, written whether there is such a record or not, the caller has no receipt.

    Args:
        facts: of the attempt, without a record.
    """
    opened = found_dossier(found)
    decision = decide(facts, vault.book, found.at)
    lines = [
        Telling(
            Kind.REFUSED,
            event,
            replace(facts, dossier=opened.about(owner)),
            decision,
            (owner,),
            request=key,
        )
        for owner in opened.owners
    ]
    about = stranger.facts if stranger is not None else None
    attempt = replace(facts, dossier=replace(opened.facts, persons=()), record=about)
    owners = tuple(sorted(stranger.facts.owners)) if stranger is not None else ()
    kept = Telling(
        Kind.REFUSED,
        event,
        attempt,
        decide(attempt, vault.book, found.at),
        owners,
        stranger,
        request=key,
        kept_back=True,
    )
    return [*lines, kept]
