"""Acting for another: a parent for a child, a representative for an enterprise, on evidence in the vault.

It begins with a claim (vault/claiming.py). The evidence is looked at again at every request; a birthday, the
end of the evidence or either party ends it. Lists and ends are the signed-in person's, whomever they act for.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Literal

from sqlalchemy import RowMapping, update
from sqlalchemy.ext.asyncio import AsyncConnection

from policies import delegations as policy
from policies.consent_facts import DelegationFacts
from policies.decision import decide
from policies.entries import Text
from policies.facts import AccessFacts, Action
from signing.leaf import Kind
from vault import delegations, epochs, owners, requests, telling
from vault.appending import Transaction
from vault.callers import OwnerCaller
from vault.days import legal_day
from vault.entries import Logged, instant, logged
from vault.errors import FieldInvalid, NotFound
from vault.services import Answer, Refusal, Vault
from vault.settling import Draft, settle
from vault.tables import session
from vault.telling import Telling


@dataclass(frozen=True)
class MyDelegation:
    """One person or enterprise I act for (`side` representative), or who acts for me (`side` represented)."""

    id: str
    kind: str  # parent | legal_representative: names in the policy book's capacities
    kind_name: Text
    side: Literal["representative", "represented"]
    name: str  # of the other party
    identifier: str  # of the other party, all but its last digits hidden
    state: policy.Standing
    valid_from: date
    valid_until: date | None  # the last day, where a birthday ends it
    evidence: str | None  # the record that proves it today
    acting: bool  # this session acts by it now
    index: int  # the entry that began it
    begun_at: datetime
    ended_at: datetime | None


async def my_delegations(vault: Vault, caller: OwnerCaller) -> list[MyDelegation]:
    """List whom the signed-in person acts for and who acts for them, newest first; ended ones too."""
    day = legal_day(vault.clock.now())
    async with vault.db.read() as db:
        rows = await delegations.of_party(db, caller.person)
        return [await _mine(vault, db, caller, row, day) for row in rows]


async def end(vault: Vault, caller: OwnerCaller, delegation_id: str, *, key: str) -> Answer | Refusal:
    """End a delegation, as either of its two parties; ending it again gives the same answer.

    Raises:
        NotFound: there is no such delegation, or the signed-in person is no party of it.
    """
    person = caller.alone()

    async def draft(at: datetime) -> Draft | Refusal | Answer:
        async with vault.db.read() as db:
            row = await delegations.one(db, delegation_id)
            if row is None or person.owner not in (row["represented"], row["representative"]):
                raise NotFound
            known = await delegations.facts(db, row, vault.grounds, legal_day(at))
            marks = await epochs.read(db, delegations.parties(known))
            last = await delegations.last_event(db, delegation_id)
            ended = await logged(db, last["idx"]) if row["state"] == "ended" else None
        if ended is not None:
            return _answer(delegation_id, ended)
        facts = AccessFacts(Action.END_DELEGATION, None, owner=person.owner, delegation=known)
        decision = decide(facts, vault.book, at)
        both = (row["represented"], row["representative"])
        told = Telling(Kind.CONSENT_EVENT, "delegation_ended", facts, decision, both, request=key)
        if not decision.permitted:
            refused = replace(told, kind=Kind.REFUSED, event="end_delegation_refused")
            return await telling.refuse(vault, person, [refused])
        prepared = await telling.prepare(vault, person, [told])
        return Draft(prepared, marks, at, partial(_write_end, person, known, at))

    asked = requests.body_hash("end_delegation", {"delegation": delegation_id})
    return await settle(vault, person, key=key, asked=asked, draft=draft)


async def act_for(vault: Vault, caller: OwnerCaller, delegation_id: str | None) -> None:
    """Let the session act for another from now on, or for the signed-in person again (None).

    Raises:
        NotFound: there is no such delegation, or somebody else acts by it.
        FieldInvalid: it stands no more; the session stays as it was.
    """
    at = vault.clock.now()
    async with vault.db.read() as db:
        row = await delegations.one(db, delegation_id) if delegation_id is not None else None
        if delegation_id is not None and (row is None or row["representative"] != caller.person):
            raise NotFound
        if row is not None:
            known = await delegations.facts(db, row, vault.grounds, legal_day(at))
            worth = policy.standing(known, vault.book, legal_day(at))
            if worth != "in_force":
                raise FieldInvalid("delegation", f"delegation_{worth}")
    async with vault.db.write() as db:
        mine = session.c.secret_hash == caller.credential_hash
        await db.execute(update(session).where(mine).values(delegation=delegation_id))


async def _write_end(
    person: OwnerCaller, known: DelegationFacts, at: datetime, tx: Transaction, written: list[Logged]
) -> Answer:
    (entry,) = written
    await delegations.end(tx.db, known.id, by=person.owner, idx=entry.index, at=at)
    await epochs.advance(tx.db, delegations.parties(known))
    return _answer(known.id, entry)


def _answer(delegation_id: str, entry: Logged) -> Answer:
    return {"delegation": delegation_id, "state": "ended", "receipt": entry.receipt, "index": entry.index}


async def _mine(
    vault: Vault, db: AsyncConnection, caller: OwnerCaller, row: RowMapping, day: date
) -> MyDelegation:
    known = await delegations.facts(db, row, vault.grounds, day)
    mine = row["representative"] == caller.person
    other = row["represented"] if mine else row["representative"]
    (_, value), *_ = await owners.identifiers(db, other)
    capacity = vault.book.capacity(row["kind"], date.fromisoformat(row["valid_from"]))
    ended = await delegations.last_event(db, row["id"]) if row["state"] == "ended" else None
    return MyDelegation(
        id=row["id"],
        kind=row["kind"],
        kind_name=capacity.name if capacity is not None else Text(row["kind"], row["kind"]),
        side="representative" if mine else "represented",
        name=await owners.name(db, other),
        identifier=owners.hidden(value),
        state=policy.standing(known, vault.book, day),
        valid_from=date.fromisoformat(row["valid_from"]),
        valid_until=date.fromisoformat(row["valid_until"]) if row["valid_until"] else None,
        evidence=known.evidence,
        acting=mine and caller.delegation == row["id"],
        index=row["idx"],
        begun_at=instant(row["at"]),
        ended_at=instant(ended["at"]) if ended is not None else None,
    )
