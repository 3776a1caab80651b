"""Changes of a record's validity: decided for its issuer, told to its owners and to dossiers that used it.

Revoking, replacing, suspending and reinstating differ in what is asked and in the state that follows; all of
them hold for the very next read (DESIGN 2.9).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.decision import decide
from policies.facts import AccessFacts, Action, CallerFacts, Validity
from signing.leaf import Kind
from vault import agencies, dossiers, epochs, notifying, outbox, records, requests, telling
from vault.appending import Transaction
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.entries import Logged, stamp
from vault.errors import FieldInvalid, NotFound
from vault.records import Stored
from vault.services import Answer, Refusal, Vault
from vault.settling import Draft, settle
from vault.tables import record
from vault.telling import Telling

MAX_WORDS = 1000  # characters of a ground or a reason


@dataclass(frozen=True)
class Turn:
    """A kind of change: what is decided, the state that follows, and what entries and notices call it."""

    action: Action
    state: Validity
    event: str
    refused: str


REVOKED = Turn(Action.REVOKE_RECORD, Validity.REVOKED, "revoked", "revoke_refused")
REPLACED = Turn(Action.REPLACE_RECORD, Validity.REPLACED, "replaced", "replace_refused")
SUSPENDED = Turn(Action.SUSPEND_RECORD, Validity.SUSPENDED, "suspended", "suspend_refused")
REINSTATED = Turn(Action.REINSTATE_RECORD, Validity.IN_FORCE, "reinstated", "reinstate_refused")


@dataclass(frozen=True)
class Why:
    """The legal ground (article, decision number) as it will be shown, and the reason in the agency's words.

    `by` is the record that takes the place of a replaced one.
    """

    ground: str
    reason: str
    by: str | None = None

    def details(self) -> dict[str, str]:
        """Give what of it stands in the entry."""
        told = {"ground": self.ground, "explanation": self.reason, "replaced_by": self.by}
        return {name: value for name, value in told.items() if value}


async def turn(
    vault: Vault, caller: SystemCaller, record_id: str, change: Turn, why: Why, *, key: str
) -> Answer | Refusal:
    """Change the validity of a record that the caller's agency, or its predecessor, issued.

    Args:
        key: the Idempotency-Key.

    Raises:
        NotFound: there is no such record, or another agency issued it; both are entries.
        FieldInvalid: no ground or no reason, or `why.by` cannot take the record's place.
    """
    for field, text in (("ground", why.ground), ("reason", why.reason)):
        if not 0 < len(text.strip()) <= MAX_WORDS:
            raise FieldInvalid(field, "text_length", f"1 to {MAX_WORDS} characters")

    async def draft(at: datetime) -> Draft | Refusal:
        return await _draft(vault, caller, record_id, change, why, key, at)

    wanted = {"record": record_id, "ground": why.ground, "reason": why.reason, "by": why.by or ""}
    asked = requests.body_hash(change.action, wanted)
    return await settle(vault, caller, key=key, asked=asked, draft=draft)


async def _draft(
    vault: Vault, caller: SystemCaller, record_id: str, change: Turn, why: Why, key: str, at: datetime
) -> Draft | Refusal:
    async with vault.db.read() as db:
        found = await records.one(db, record_id, legal_day(at))
        newer = await records.one(db, why.by, legal_day(at)) if why.by is not None else None
        who = await agencies.caller_facts(db, caller, legal_day(at))
        touched = {one for stored in (found, newer) if stored is not None for one in stored.facts.owners}
        keys = [epochs.BOOK, ("agency", caller.agency), *(("owner", one) for one in sorted(touched))]
        marks = await epochs.read(db, keys)
    facts = AccessFacts(change.action, who, record=found.facts if found else None)
    decision = decide(facts, vault.book, at)
    if found is None or not decision.permitted:
        owners = tuple(sorted(found.facts.owners)) if found is not None else ()
        refused = Telling(Kind.REFUSED, change.refused, facts, decision, owners, found, request=key)
        hidden = found is None or "not_the_issuer" in decision.failed
        refusal = await telling.refuse(vault, caller, [refused], hidden=hidden)
        if hidden:
            raise NotFound
        return refusal
    if why.by is not None:
        _check_newer(vault, who, found, newer, at)
    prepared = await telling.prepare(vault, caller, [tell(vault, who, found, change, why, key, at)])

    async def write(tx: Transaction, logged: list[Logged]) -> Answer:
        heard = await enact(tx.db, caller, found, change, why, logged[0].index, at)
        return {
            "record": record_id,
            "validity": change.state.value,
            "ground": why.ground,
            **({"replaced_by": why.by} if why.by else {}),
            "dossiers": heard,
            "receipt": logged[0].receipt,
            "index": logged[0].index,
        }

    return Draft(prepared, marks, at, write)


def _check_newer(vault: Vault, who: CallerFacts, older: Stored, newer: Stored | None, at: datetime) -> None:
    """Check that a record can take the place of another: of the same issuer, owner and type, and in force.

    Raises:
        FieldInvalid: it cannot; one that does not exist and one of somebody else are told alike.
    """
    if newer is None or not newer.facts.owners & older.facts.owners:
        raise FieldInvalid("by", "replacement_unknown")
    if (
        "not_the_issuer"
        in decide(AccessFacts(REPLACED.action, who, record=newer.facts), vault.book, at).failed
    ):
        raise FieldInvalid("by", "replacement_unknown")
    if newer.facts.type != older.facts.type or newer.facts.id == older.facts.id:
        raise FieldInvalid("by", "replacement_of_another_type")
    if newer.facts.validity is not Validity.IN_FORCE:
        raise FieldInvalid("by", "replacement_not_in_force")


def tell(
    vault: Vault, who: CallerFacts, older: Stored, change: Turn, why: Why, key: str, at: datetime
) -> Telling:
    """Decide a change, and tell the record's owners of it; a no is for the caller to refuse."""
    facts = AccessFacts(change.action, who, record=older.facts)
    owners = tuple(sorted(older.facts.owners))
    return Telling(
        Kind.RECORD_EVENT,
        change.event,
        facts,
        decide(facts, vault.book, at),
        owners,
        older,
        request=key,
        details=why.details(),
    )


async def enact(
    db: AsyncConnection,
    caller: SystemCaller,
    found: Stored,
    change: Turn,
    why: Why,
    index: int,
    at: datetime,
) -> int:
    """Write a change under the head lock; gives how many open dossiers that used the record were told.

    It holds for whoever uploaded the same bytes as well: dossiers that used a copy are told of the copy.
    """
    await records.add_validity_event(
        db,
        found.facts.id,
        state=change.state.value,
        ground=why.ground,
        reason=why.reason,
        agency=caller.agency,
        officer=caller.officer or "",
        idx=index,
        at=stamp(at),
    )
    if why.by is not None:
        await db.execute(update(record).where(record.c.id == found.facts.id).values(replaced_by=why.by))
    touched: set[str] = set()
    told: set[str] = set()
    same = await records.uploads_of(db, found.facts.id)
    for held, owners in [(found.facts.id, found.facts.owners), *same]:
        for one in await dossiers.open_using(db, held):
            await notifying.notify_of_dossier(db, one, event=change.event, idx=index, at=at, record=held)
            told.add(one.code)
        touched.update(owners)
    await epochs.advance(
        db, [*(("owner", owner) for owner in touched), *(("dossier", code) for code in told)]
    )
    await outbox.add(db, outbox.INDEX, [found.facts.id, *(held for held, _ in same)], at)
    return len(told)
