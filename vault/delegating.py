"""Acting for another: a parent for a child, a representative for an enterprise, on evidence in the vault.

It begins with a claim (vault/claiming.py). The evidence is looked at again at every request; a birthday, the
end of the evidence or either party ends it. Lists and ends are the signed-in person's, whomever they act for.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from sqlalchemy import RowMapping, update
from sqlalchemy.ext.asyncio import AsyncConnection

from policies import delegations as policy
from policies.decision import decide
from policies.entries import Text
from policies.facts import AccessFacts, Action
from signing.leaf import Kind
from vault import delegations, epochs, owners, requests, telling
from vault.appending import Transaction
from vault.callers import OwnerCaller
from vault.days import legal_day
from vault.entries import Logged, Prepared, instant, logged
from vault.errors import FieldInvalid, Moved, NotFound, VaultBusy
from vault.services import MAX_AFRESH, Answer, Refusal, Vault
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
    asked = requests.body_hash("end_delegation", {"delegation": delegation_id})
    for _ in range(MAX_AFRESH):
        at = vault.clock.now()
        async with vault.db.read() as db:
            earlier = await requests.answered(db, person.id, key, asked)
            row = await delegations.one(db, delegation_id)
            if row is None or person.owner not in (row["represented"], row["representative"]):
                raise NotFound
            known = await delegations.facts(db, row, vault.grounds, legal_day(at))
            marks = await epochs.read(db, delegations.parties(known))
            last = await delegations.last_event(db, delegation_id)
            ended = await logged(db, last["idx"]) if row["state"] == "ended" else None
        if earlier is not None:
            return earlier
        if ended is not None:
            return _answer(delegation_id, ended)
        facts = AccessFacts(Action.END_DELEGATION, None, owner=person.owner, delegation=known)
        told = Telling(
            Kind.CONSENT_EVENT,
            "delegation_ended",
            facts,
            decide(facts, vault.book, at),
            (row["represented"], row["representative"]),
            request=key,
        )
        if not told.decision.permitted:
            return await telling.refuse(vault, person, [replace(told, kind=Kind.REFUSED)])
        prepared = await telling.prepare(vault, person, [told])
        try:
            return await vault.appender.commit(
                lambda tx, now=at, on=marks, one=prepared: _ending(  # type: ignore[misc]
                    tx, person, delegation_id, on, one, key, asked, now
                )
            )
        except Moved:
            continue
    raise VaultBusy("the delegation keeps changing; try again")


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


async def _ending(
    tx: Transaction,
    person: OwnerCaller,
    delegation_id: str,
    marks: dict[str, int],
    prepared: list[Prepared],
    key: str,
    asked: bytes,
    at: datetime,
) -> Answer:
    done = await requests.answered(tx.db, person.id, key, asked)
    if done is not None:
        return done
    await epochs.hold(tx.db, marks)
    (entry,) = await tx.append(prepared)
    await delegations.end(tx.db, delegation_id, by=person.owner, idx=entry.index, at=at)
    await epochs.advance(tx.db, [(kind, name) for kind, _, name in (one.partition(":") for one in marks)])
    answer = _answer(delegation_id, entry)
    await requests.keep(tx.db, person.id, key, asked, answer, at)
    return answer


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
