"""Saying yes and no: a person answers a request for consent, pauses, resumes and withdraws (DESIGN 5).

Every act is positive, names the exact text that was shown, and is a leaf of the same log as the accesses, so
that "withdrawn, then read" would show. A withdrawal is one step and holds for the very next read.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Literal

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.consent_facts import ConsentAct
from policies.consents import age
from policies.decision import decide
from policies.facts import AccessFacts, Action, Decision
from signing.leaf import Kind
from vault import assurance, births, consents, delegations, entries, epochs, notifying, requests, telling
from vault.appending import Transaction
from vault.callers import OwnerCaller
from vault.consents import Known
from vault.days import legal_day
from vault.entries import Logged
from vault.errors import FieldInvalid, NotFound
from vault.services import Answer, Refusal, Vault
from vault.settling import Draft, settle
from vault.telling import Telling

MAX_CHOSEN = 50  # records in one answer

Act = Literal["give", "refuse"]


@dataclass(frozen=True)
class _Step:
    """One act upon a consent: what it is called in the log, and the state that it leaves."""

    action: Action
    event: str  # of the rows: given | refused | paused | resumed | withdrawn
    state: str


_STEPS = {
    "give": _Step(Action.GIVE_CONSENT, "given", "given"),
    "refuse": _Step(Action.REFUSE_CONSENT, "refused", "refused"),
    "pause": _Step(Action.PAUSE_CONSENT, "paused", "paused"),
    "resume": _Step(Action.RESUME_CONSENT, "resumed", "given"),
    "withdraw": _Step(Action.WITHDRAW_CONSENT, "withdrawn", "withdrawn"),
}


@dataclass(frozen=True)
class _Scene:
    """A consent, who acts on it, what was decided, and whether it was all said before."""

    known: Known
    facts: AccessFacts
    decision: Decision
    before: tuple[RowMapping, Logged] | None
    epochs: dict[str, int]
    at: datetime


async def answer(
    vault: Vault,
    caller: OwnerCaller,
    consent_id: str,
    *,
    act: Act,
    text_hash: str | None,
    language: Literal["vi", "en"],
    records: tuple[str, ...] = (),
    child_agrees: bool = False,
    key: str,
) -> Answer | Refusal:
    """Give or refuse one consent. The same answer again gives the same receipt and stores nothing.

    Args:
        text_hash: hex SHA-256 of the UTF-8 bytes of the text that was shown, in `language`; needed to give.
        records: the records agreed to, out of those offered; at least one, to give.
        child_agrees: for whoever acts for a child of seven or older: the child was asked and agrees.

    Raises:
        NotFound: this owner was asked for no such consent.
        FieldInvalid: too many records.
    """
    if len(records) > MAX_CHOSEN:
        raise FieldInvalid("records", "too_many")
    displayed = text_hash.strip().lower() if text_hash else None
    said = ConsentAct(displayed, language, frozenset(records), child_agrees)
    return await _do(vault, caller, consent_id, _STEPS[act], said, key)


async def pause(vault: Vault, caller: OwnerCaller, consent_id: str, *, key: str) -> Answer | Refusal:
    """Pause a consent: nothing is read under it until it is resumed. Raises NotFound."""
    return await _do(vault, caller, consent_id, _STEPS["pause"], None, key)


async def resume(vault: Vault, caller: OwnerCaller, consent_id: str, *, key: str) -> Answer | Refusal:
    """Resume a paused consent. Raises NotFound."""
    return await _do(vault, caller, consent_id, _STEPS["resume"], None, key)


async def withdraw(vault: Vault, caller: OwnerCaller, consent_id: str, *, key: str) -> Answer | Refusal:
    """Withdraw a consent for good, in one step: the very next read is refused. Raises NotFound."""
    return await _do(vault, caller, consent_id, _STEPS["withdraw"], None, key)


async def _do(
    vault: Vault, caller: OwnerCaller, consent_id: str, step: _Step, said: ConsentAct | None, key: str
) -> Answer | Refusal:
    async def draft(at: datetime) -> Draft | Refusal | Answer:
        async with vault.db.read() as db:
            found = await _scene(vault, db, caller, consent_id, step, said, at)
        if found.before is not None:
            event, entry = found.before
            return _told(consent_id, event["state"], entry)
        owner = (caller.owner,)
        told = Telling(
            Kind.CONSENT_EVENT, f"consent_{step.event}", found.facts, found.decision, owner, request=key
        )
        if not found.decision.permitted:
            refused = replace(told, kind=Kind.REFUSED, event=f"{step.action}_refused")
            return await telling.refuse(vault, caller, [refused])
        prepared = await telling.prepare(vault, caller, [told])
        return Draft(prepared, found.epochs, at, partial(_write, caller, found, step))

    asked = requests.body_hash(step.action, {"consent": consent_id, "said": _plain(said)})
    return await settle(vault, caller, key=key, asked=asked, draft=draft)


async def _scene(
    vault: Vault,
    db: AsyncConnection,
    caller: OwnerCaller,
    consent_id: str,
    step: _Step,
    said: ConsentAct | None,
    at: datetime,
) -> _Scene:
    today = legal_day(at)
    row = await consents.row(db, consent_id)
    if row is None or row["owner"] != caller.owner:
        raise NotFound
    known = await consents.known(db, row, today)
    born = await births.known(db, caller.owner, today) if said is not None else None
    facts = AccessFacts(
        step.action,
        None,
        owner=caller.person,
        consent=known.facts if said is not None else replace(known.facts, offered=frozenset()),
        act=said,
        delegation=await delegations.acting(db, caller, vault.grounds, at),
        age=age(born, today) if born is not None else None,
        assurance=assurance.facts(caller, at) if step.action is Action.GIVE_CONSENT else None,
    )
    return _Scene(
        known=known,
        facts=facts,
        decision=decide(facts, vault.book, at),
        before=await _said_before(db, known, step, said),
        epochs=await epochs.read(db, [epochs.BOOK, ("owner", caller.owner)]),
        at=at,
    )


async def _said_before(
    db: AsyncConnection, known: Known, step: _Step, said: ConsentAct | None
) -> tuple[RowMapping, Logged] | None:
    """Find the event that this act would only repeat: the last one, said in the same words."""
    if known.row["state"] != step.state:
        return None
    last = (await consents.events(db, known.row["id"]))[-1]
    if last["type"] != step.event:
        return None
    if step.event == "given" and said is not None:
        shown = last["displayed"].hex() if last["displayed"] is not None else None
        if (shown, last["language"], known.facts.records) != (said.displayed, said.language, said.records):
            return None
    return last, await entries.logged(db, last["idx"])


async def _write(
    caller: OwnerCaller, found: _Scene, step: _Step, tx: Transaction, logged: list[Logged]
) -> Answer:
    (entry,) = logged
    row, said = found.known.row, found.facts.act
    shown = (
        bytes.fromhex(said.displayed)
        if said is not None and said.displayed and step.event == "given"
        else None
    )
    await consents.happened(
        tx.db,
        row["id"],
        type=step.event,
        state=step.state,
        by=caller.person,
        idx=entry.index,
        at=found.at,
        delegation=caller.delegation,
        displayed=shown,
        language=said.language if said is not None else None,
    )
    if step.event == "given" and said is not None:
        await consents.choose(tx.db, row["id"], said.records)
    await epochs.advance(tx.db, [("owner", caller.owner)])
    await notifying.notify(
        tx.db,
        agency=row["agency"],
        system=row["system"],
        event=f"consent_{step.event}",
        idx=entry.index,
        at=found.at,
        consent=row["id"],
    )
    return _told(row["id"], step.state, entry)


def _told(consent_id: str, state: str, entry: Logged) -> Answer:
    return {"consent": consent_id, "state": state, "receipt": entry.receipt, "index": entry.index}


def _plain(said: ConsentAct | None) -> dict[str, Any]:
    if said is None:
        return {}
    return {
        "displayed": said.displayed or "",
        "language": said.language,
        "records": sorted(said.records),
        "child_agrees": said.child_agrees,
    }
