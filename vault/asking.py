"""Asking a person for consent, and what comes of it, as the asker sees it (DESIGN 5, a consent).

Whoever asks learns nothing about whom: an unknown person, another name, a store without such documents and a
person who has not answered yet give one and the same answer, receipt and number of entries.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.consents import standing
from policies.decision import decide
from policies.facts import AccessFacts, Action, CallerFacts
from policies.recording import plain
from signing.leaf import Kind
from vault import agencies, consent_request, consents, epochs, records, requests, telling
from vault.appending import Transaction
from vault.callers import SystemCaller
from vault.consent_request import Addressed, ConsentRequest
from vault.days import legal_day
from vault.entries import Prepared
from vault.errors import Moved, NotFound, VaultBusy
from vault.services import MAX_AFRESH, Answer, Refusal, Vault
from vault.telling import Telling


@dataclass(frozen=True)
class _Draft:
    """Requests for consent with what is known of the person, before they are written or taken back."""

    action: Action
    who: CallerFacts
    to: Addressed
    rows: list[Any]  # one consent a purpose
    asked: frozenset[str]  # the records that were asked for by id
    waiting: int
    epochs: dict[str, int]
    at: datetime

    def facts(self, row: Any, *, outward: bool) -> AccessFacts:
        """Give the facts of one consent: outward, only what the asker said."""
        held = frozenset(one.facts.id for one in self.to.held)
        consent = consents.facts(row, frozenset(), self.asked if outward else held)
        if outward:
            consent = replace(consent, owner=None, text_vi="", text_en="")
        return AccessFacts(self.action, self.who, consent=consent, waiting=self.waiting)


async def request(vault: Vault, caller: SystemCaller, body: ConsentRequest, *, key: str) -> Answer | Refusal:
    """Ask a person for consent, one consent a purpose; whether Kho knows them is not told.

    Args:
        key: the Idempotency-Key.

    Raises:
        FieldInvalid: a field cannot be accepted; nothing is stored.
        VaultBusy: the entries could not be written; nothing is asked.
    """
    at = vault.clock.now()
    body = consent_request.checked(vault, body, legal_day(at))
    asked = requests.body_hash("ask_consent", plain(asdict(body)))
    for _ in range(MAX_AFRESH):
        async with vault.db.read() as db:
            earlier = await requests.answered(db, caller.id, key, asked)
            draft = await _draft(vault, db, caller, body)
        if earlier is not None:
            return earlier
        tellings = _tellings(vault, draft, key)
        refused = [one for one in tellings if not one.decision.permitted and not one.kept_back]
        if refused:
            lines = [replace(one, kind=Kind.REFUSED, event="ask_consent_refused") for one in refused]
            return await telling.refuse(vault, caller, lines)
        prepared = await telling.prepare(vault, caller, tellings)
        try:
            return await vault.appender.commit(
                lambda tx, one=draft, told=prepared: _write(tx, caller, one, told, key, asked)  # type: ignore[misc]
            )
        except Moved:
            continue
    raise VaultBusy("the request keeps meeting others; ask again")


async def state(vault: Vault, caller: SystemCaller, bundle: str) -> Answer:
    """Tell whoever asked what has come of a request; the records are named once they are agreed to.

    Raises:
        NotFound: there is no such request of this agency.
    """
    today = legal_day(vault.clock.now())
    async with vault.db.read() as db:
        rows = await consents.of_bundle(db, bundle, caller.agency)
        if not rows:
            raise NotFound
        return {
            "request": bundle,
            "consents": [await _told(db, row, today) for row in rows],
        }


async def lapse(vault: Vault, caller: SystemCaller, bundle: str, *, key: str) -> Answer | Refusal:
    """Take a request back: what of it waits for an answer lapses, what was answered stays as it is.

    Raises:
        NotFound: there is no such request of this agency.
    """
    asked = requests.body_hash("lapse_consent", {"request": bundle})
    for _ in range(MAX_AFRESH):
        async with vault.db.read() as db:
            earlier = await requests.answered(db, caller.id, key, asked)
            draft = await _waiting(vault, db, caller, bundle)
        if earlier is not None:
            return earlier
        tellings = _tellings(vault, draft, key)
        refused = [one for one in tellings if not one.decision.permitted and not one.kept_back]
        if refused:
            lines = [replace(one, kind=Kind.REFUSED, event="lapse_consent_refused") for one in refused]
            return await telling.refuse(vault, caller, lines)
        prepared = await telling.prepare(vault, caller, tellings)
        try:
            return await vault.appender.commit(
                lambda tx, one=draft, told=prepared: _write(tx, caller, one, told, key, asked)  # type: ignore[misc]
            )
        except Moved:
            continue
    raise VaultBusy("the request keeps changing; try again")


async def _told(db: AsyncConnection, row: RowMapping, today: date) -> dict[str, Any]:
    agreed = await consents.named(db, row["id"], chosen=True)
    worth = standing(consents.facts(row, agreed), today)
    line: dict[str, Any] = {
        "consent": row["id"],
        "purpose": row["purpose"],
        "state": worth,
        "valid_from": row["valid_from"],
        "valid_until": row["valid_until"],
        "answer_until": row["answer_until"],
        "max_reads": row["max_reads"],
    }
    if not agreed:
        return line
    held = await records.several(db, sorted(agreed), today)
    named = [{"record": one.facts.id, "type": one.facts.type, "title": one.row["title"]} for one in held]
    return line | {"used": row["used"], "records": named}


# Step by step --------------------------------------------------------------------------------------------


async def _draft(vault: Vault, db: AsyncConnection, caller: SystemCaller, body: ConsentRequest) -> _Draft:
    at = vault.clock.now()
    today = legal_day(at)
    to = await consent_request.addressed(vault, db, body, today)
    return _Draft(
        action=Action.ASK_CONSENT,
        who=await agencies.caller_facts(db, caller, today, [one.purpose for one in body.purposes]),
        to=to,
        rows=await consent_request.rows(vault, db, caller, body, to, at),
        asked=frozenset(body.records),
        waiting=await consents.waiting(db, caller.agency, to.tag, today),
        epochs=await epochs.read(db, _rests_on(caller, to.owner)),
        at=at,
    )


async def _waiting(vault: Vault, db: AsyncConnection, caller: SystemCaller, bundle: str) -> _Draft:
    """Read the consents of a request that wait for an answer; all of it when none does, to be refused."""
    at = vault.clock.now()
    rows = await consents.of_bundle(db, bundle, caller.agency)
    if not rows:
        raise NotFound
    to = Addressed(rows[0]["owner"], rows[0]["asked"], ())
    return _Draft(
        action=Action.LAPSE_CONSENT,
        who=await agencies.caller_facts(db, caller, legal_day(at)),
        to=to,
        rows=[one for one in rows if one["state"] == "requested"] or rows,
        asked=frozenset(),
        waiting=await consents.waiting(db, caller.agency, to.tag, legal_day(at)),
        epochs=await epochs.read(db, _rests_on(caller, to.owner)),
        at=at,
    )


def _rests_on(caller: SystemCaller, owner: str | None) -> list[tuple[str, str]]:
    person = [("owner", owner)] if owner is not None else []
    return [epochs.BOOK, ("agency", caller.agency), *person]


_EVENTS = {
    Action.ASK_CONSENT: ("consent_asked", "consent_requested"),
    Action.LAPSE_CONSENT: ("consent_taken_back", "consent_lapsed"),
}


def _tellings(vault: Vault, draft: _Draft, key: str) -> list[Telling]:
    """Two entries a purpose: the asker's own, and one for the person or, where nobody is told, the vault."""
    about = () if draft.to.owner is None else (draft.to.owner,)
    lines = []
    for row in draft.rows:
        for outward, event in zip((True, False), _EVENTS[draft.action], strict=True):
            facts = draft.facts(row, outward=outward)
            lines.append(
                Telling(
                    Kind.CONSENT_EVENT,
                    event,
                    facts,
                    decide(facts, vault.book, draft.at),
                    () if outward else about,
                    request=key,
                    details={"asked": {"request": row["bundle"], "types": json.loads(row["types"])}},
                    kept_back=not outward,
                )
            )
    return lines


async def _write(
    tx: Transaction,
    caller: SystemCaller,
    draft: _Draft,
    prepared: list[Prepared],
    key: str,
    asked: bytes,
) -> Answer:
    done = await requests.answered(tx.db, caller.id, key, asked)
    if done is not None:
        return done
    await epochs.hold(tx.db, draft.epochs)
    if await consents.waiting(tx.db, caller.agency, draft.to.tag, legal_day(draft.at)) != draft.waiting:
        raise Moved
    logged = await tx.append(prepared)
    state = "requested" if draft.action is Action.ASK_CONSENT else "lapsed"
    lines = []
    for row, told, kept in zip(draft.rows, logged[::2], logged[1::2], strict=True):
        if draft.action is Action.ASK_CONSENT:
            await consents.add(tx.db, row, [one.facts.id for one in draft.to.held])
        await consents.happened(
            tx.db, row["id"], type=state, state=state, by=caller.system, idx=kept.index, at=draft.at
        )
        line = {"consent": row["id"], "purpose": row["purpose"], "state": state}
        lines.append(line | {"receipt": told.receipt, "index": told.index})
    if draft.to.owner is not None:
        await epochs.advance(tx.db, [("owner", draft.to.owner)])
    first = draft.rows[0]
    answer: Answer = {"request": first["bundle"], "answer_until": first["answer_until"], "consents": lines}
    await requests.keep(tx.db, caller.id, key, asked, answer, draft.at)
    return answer
