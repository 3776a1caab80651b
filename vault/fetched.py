"""What a fetch under a consent is decided on: at the fetch, and again whenever what was fetched is read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.consent_facts import ConsentFacts, FetchFacts
from policies.decision import decide
from policies.facts import AccessFacts, Action, CallerFacts, Decision
from vault import agencies, consents, epochs, records, trust_rows
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.entries import instant, new_id
from vault.errors import NotFound
from vault.records import Stored
from vault.services import Vault

READABLE = timedelta(minutes=15)  # after the fetch


@dataclass(frozen=True)
class Fetch:
    """What is fetched: records that a consent names, for its purpose."""

    consent: str
    purpose: str
    records: tuple[str, ...]


@dataclass(frozen=True)
class Scene:
    """A consent as whoever fetches finds it, and those of the wanted records that exist."""

    who: CallerFacts
    consent: ConsentFacts | None
    wanted: dict[str, Stored]
    epochs: dict[str, int]
    at: datetime

    @property
    def owner(self) -> tuple[str, ...]:
        """The owner of the consent, where Kho knows one."""
        owner = self.consent.owner if self.consent is not None else None
        return (owner,) if owner is not None else ()


@dataclass(frozen=True)
class Item:
    """One record of a fetch, decided; the record is None where the consent does not name it."""

    wanted: str
    record: Stored | None
    facts: AccessFacts
    decision: Decision
    release: str


async def scene(vault: Vault, db: AsyncConnection, caller: SystemCaller, body: Fetch, at: datetime) -> Scene:
    """Read a consent, the wanted records, and the epochs of both; the consent may be another recipient's."""
    today = legal_day(at)
    row = await consents.row(db, body.consent)
    own = [row["purpose"]] if row is not None and row["agency"] == caller.agency else []
    who = await agencies.caller_facts(db, caller, today, [body.purpose, *own])
    found = await trust_rows.explained(db, await records.several(db, body.records, today))
    consent = None
    if row is not None:
        consent = consents.facts(row, await consents.named(db, row["id"], chosen=True))
    marks = await epochs.read(db, _rests_on(caller, consent, found))
    return Scene(who, consent, {one.facts.id: one for one in found}, marks, at)


def _rests_on(
    caller: SystemCaller, consent: ConsentFacts | None, found: Sequence[Stored]
) -> list[tuple[str, str]]:
    owners = {owner for one in found for owner in one.facts.owners}
    if consent is not None and consent.owner is not None:
        owners.add(consent.owner)
    return [epochs.BOOK, ("agency", caller.agency), *(("owner", one) for one in owners)]


def decided(vault: Vault, body: Fetch, found: Scene, consent: ConsentFacts) -> list[Item]:
    """Decide record by record; each that is permitted leaves one read less for the next."""
    items: list[Item] = []
    used = consent.used
    for wanted in body.records:
        record = found.wanted.get(wanted) if wanted in consent.records else None
        facts = AccessFacts(
            Action.FETCH,
            found.who,
            record=record.facts if record is not None else None,
            consent=replace(consent, used=used),
            fetch=FetchFacts(body.purpose, wanted),
        )
        decision = decide(facts, vault.book, found.at)
        used += int(decision.permitted)
        items.append(Item(wanted, record, facts, decision, new_id("rel")))
    return items


async def fetched(
    vault: Vault, db: AsyncConnection, caller: SystemCaller, release: RowMapping, at: datetime
) -> tuple[AccessFacts, Stored, dict[str, int]]:
    """Read again what a release under a consent was decided on: facts, record, and the epochs of both.

    Raises:
        NotFound: the consent or the record is gone.
    """
    today = legal_day(at)
    row = await consents.row(db, release["consent"])
    record = await records.one(db, release["record"], today)
    if row is None or record is None:
        raise NotFound
    consent = consents.facts(row, await consents.named(db, row["id"], chosen=True))
    facts = AccessFacts(
        Action.DELIVER_FETCHED,
        await agencies.caller_facts(db, caller, today, [consent.purpose]),
        record=record.facts,
        consent=consent,
        fetch=FetchFacts(consent.purpose, record.facts.id, instant(release["until"])),
    )
    return facts, record, await epochs.read(db, _rests_on(caller, consent, [record]))
