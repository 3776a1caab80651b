"""Claiming to act for another: the evidence is a record in their store that names whoever claims.

Whoever has none is told what a stranger is told who names somebody Kho does not know: neither the answer, nor
the claimant's entry, nor the number of entries tells who has a store.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.consent_entries import Capacity
from policies.consent_facts import DelegationFacts
from policies.consent_guards import TOO_MANY
from policies.decision import decide
from policies.errors import IdentifierInvalid
from policies.facts import AccessFacts, Action
from policies.identifiers import identifier
from signing.leaf import Kind
from vault import births, delegations, epochs, owners, requests, telling
from vault.appending import Transaction
from vault.callers import OwnerCaller
from vault.days import legal_day
from vault.entries import Logged, logged, new_id, stamp
from vault.errors import FieldInvalid, NotFound
from vault.records import Stored
from vault.services import Answer, Refusal, Vault
from vault.settling import Draft, settle
from vault.telling import Telling


@dataclass(frozen=True)
class _Claim:
    """A claim, looked into: whom it names if Kho knows them, the proof if there is one."""

    capacity: Capacity
    represented: str | None
    proof: Stored | None
    facts: DelegationFacts
    refused: int  # claims that were refused to the claimant on this day
    there: RowMapping | None  # the delegation that was begun before and not ended
    began: Logged | None
    epochs: dict[str, int]
    at: datetime


async def claim(
    vault: Vault, caller: OwnerCaller, *, scheme: str, value: str, kind: str, key: str
) -> Answer | Refusal:
    """Begin to act for a child or an enterprise, on the evidence that lies in their store.

    An unknown person and one without such evidence are refused alike; whoever was named is told by an entry.

    Raises:
        FieldInvalid: no such kind, or the identifier cannot be one; nothing is stored.
    """
    person = caller.alone()
    capacity, value = _checked(vault, scheme, value, kind)

    async def draft(at: datetime) -> Draft | Refusal | Answer:
        async with vault.db.read() as db:
            found = await _looked_into(vault, db, person, scheme, value, capacity, at)
        if found.there is not None and found.began is not None and found.proof is not None:
            return _answer(found.there, found.began)
        if TOO_MANY in decide(_claiming(person, found), vault.book, at).failed:
            return await _held_back(vault, person, found, key)
        if not decide(_claiming(person, found), vault.book, at).permitted:
            return await _refused(vault, person, found, key)
        return await _begin(vault, person, found, key)

    asked = requests.body_hash("claim_delegation", {"scheme": scheme, "value": value, "kind": kind})
    return await settle(vault, person, key=key, asked=asked, draft=draft)


def _checked(vault: Vault, scheme: str, value: str, kind: str) -> tuple[Capacity, str]:
    capacity = vault.book.capacity(kind, legal_day(vault.clock.now()))
    if capacity is None:
        raise FieldInvalid("kind", "delegation_kind_unknown")
    if scheme != capacity.scheme:
        raise FieldInvalid("identifier.scheme", "delegation_scheme_unfit")
    try:
        return capacity, identifier(scheme, value)
    except IdentifierInvalid as problem:
        raise FieldInvalid("identifier.value", problem.code) from problem


async def _looked_into(
    vault: Vault,
    db: AsyncConnection,
    person: OwnerCaller,
    scheme: str,
    value: str,
    capacity: Capacity,
    at: datetime,
) -> _Claim:
    represented = await owners.by_identifier(db, scheme, value)
    facts = DelegationFacts(new_id("dlg"), capacity.key, None, person.owner, "claimed", None)
    refused = await delegations.refused_claims(db, person.owner, legal_day(at))
    if represented is None:
        return _Claim(capacity, None, None, facts, refused, None, None, {}, at)
    proof = await delegations.evidence(db, represented, person.owner, capacity, vault.grounds, legal_day(at))
    rows = await delegations.between(db, capacity.key, represented, person.owner)
    began = await logged(db, rows[0]["idx"]) if rows else None
    facts = replace(
        facts,
        represented=represented,
        evidence=proof.facts.id if proof is not None else None,
        born_on=await births.evidenced(db, represented, proof) if proof is not None else None,
    )
    marks = await epochs.read(db, [epochs.BOOK, *delegations.parties(facts)])
    return _Claim(capacity, represented, proof, facts, refused, rows[0] if rows else None, began, marks, at)


def _claiming(person: OwnerCaller, found: _Claim, shown: DelegationFacts | None = None) -> AccessFacts:
    return AccessFacts(
        Action.CLAIM_DELEGATION,
        None,
        owner=person.owner,
        delegation=shown or found.facts,
        refused_claims=found.refused,
    )


async def _held_back(vault: Vault, person: OwnerCaller, found: _Claim, key: str) -> Refusal:
    """Refuse whoever tries one number after the other: nobody named is told any more, only the claimant."""
    facts = _claiming(person, found, replace(found.facts, represented=None, evidence=None, born_on=None))
    told = Telling(
        Kind.REFUSED,
        "claim_delegation_refused",
        facts,
        decide(facts, vault.book, found.at),
        (person.owner,),
        request=key,
    )
    return await telling.refuse(vault, person, [told], outward=TOO_MANY)


async def _refused(vault: Vault, person: OwnerCaller, found: _Claim, key: str) -> Refusal:
    """Two entries whoever was named: one for the claimant, one for the named or, unknown, for the vault.

    Without evidence the claimant's own names nobody: neither reason, entry nor log tells who has a store.
    """
    named = found.proof is not None or found.represented == person.owner
    shown = found.facts if named else replace(found.facts, represented=None, born_on=None)
    other = (found.represented,) if found.represented not in (None, person.owner) else ()
    tellings = [
        Telling(
            Kind.REFUSED,
            "claim_delegation_refused",
            _claiming(person, found, facts),
            decide(_claiming(person, found, facts), vault.book, found.at),
            owners_,
            request=None if private else key,
            kept_back=private,
        )
        for facts, owners_, private in ((shown, (person.owner,), False), (found.facts, other, True))
    ]
    return await telling.refuse(vault, person, tellings)


async def _begin(vault: Vault, person: OwnerCaller, found: _Claim, key: str) -> Draft:
    if found.represented is None or found.proof is None:
        raise NotFound  # a permitted claim has both
    facts = _claiming(person, found)
    told = Telling(
        Kind.CONSENT_EVENT,
        "delegation_begun",
        facts,
        decide(facts, vault.book, found.at),
        (found.represented, person.owner),
        request=key,
    )
    prepared = await telling.prepare(vault, person, [told])
    last = _last_day(found.capacity, found.facts.born_on)
    row = {
        "id": found.facts.id,
        "kind": found.capacity.key,
        "represented": found.represented,
        "representative": person.owner,
        "evidence": found.proof.facts.id,
        "relation": delegations.relation_of(found.proof, found.capacity),
        "valid_from": legal_day(found.at).isoformat(),
        "valid_until": last.isoformat() if last is not None else None,
        "state": "in_force",
        "at": stamp(found.at),
    }

    async def write(tx: Transaction, logged: list[Logged]) -> Answer:
        (entry,) = logged
        await delegations.add(tx.db, row | {"idx": entry.index})
        await epochs.advance(tx.db, delegations.parties(found.facts))
        return _answer(row, entry)

    return Draft(prepared, found.epochs, found.at, write)


def _answer(row: Any, entry: Logged) -> Answer:
    until = {"valid_until": row["valid_until"]} if row["valid_until"] else {}
    return {
        "delegation": row["id"],
        "kind": row["kind"],
        "state": "in_force",
        "valid_from": row["valid_from"],
        **until,
        "receipt": entry.receipt,
        "index": entry.index,
    }


def _last_day(capacity: Capacity, born_on: date | None) -> date | None:
    """Give the day before the birthday that ends it; who was born on 29 February has it on 1 March."""
    if capacity.until_age is None or born_on is None:
        return None
    year = born_on.year + capacity.until_age
    try:
        birthday = born_on.replace(year=year)
    except ValueError:
        birthday = date(year, 3, 1)
    return birthday - timedelta(days=1)
