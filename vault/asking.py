"""Asking a person for consent, and what comes of it, as the asker sees it (DESIGN 5, a consent).

Whoever asks learns nothing about whom: an unknown person, another name, a store without such documents and a
person who has not answered yet give one and the same answer, receipt and number of entries.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from functools import partial
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
from vault.entries import Logged
from vault.errors import Moved, NotFound
from vault.services import Answer, Refusal, Vault
from vault.settling import Draft, settle
from vault.telling import Telling


@dataclass(frozen=True)
class _Asking:
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
    body = consent_request.checked(vault, body, legal_day(vault.clock.now()))

    async def draft(at: datetime) -> Draft | Refusal | Answer:
        async with vault.db.read() as db:
            asking = await _asking(vault, db, caller, body, at)
        return await _drafted(vault, caller, asking, key)

    asked = requests.body_hash("ask_consent", plain(asdict(body)))
    return await settle(vault, caller, key=key, asked=asked, draft=draft)


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

    async def draft(at: datetime) -> Draft | Refusal | Answer:
        async with vault.db.read() as db:
            asking = await _waiting(vault, db, caller, bundle, at)
        return await _drafted(vault, caller, asking, key)

    asked = requests.body_hash("lapse_consent", {"request": bundle})
    return await settle(vault, caller, key=key, asked=asked, draft=draft)


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


async def _asking(
    vault: Vault, db: AsyncConnection, caller: SystemCaller, body: ConsentRequest, at: datetime
) -> _Asking:
    today = legal_day(at)
    to = await consent_request.addressed(vault, db, body, today)
    return _Asking(
        action=Action.ASK_CONSENT,
        who=await agencies.caller_facts(db, caller, today, [one.purpose for one in body.purposes]),
        to=to,
        rows=await consent_request.rows(vault, db, caller, body, to, at),
        asked=frozenset(body.records),
        waiting=await consents.waiting(db, caller.agency, to.tag, today),
        epochs=await epochs.read(db, _rests_on(caller, to.owner)),
        at=at,
    )


async def _waiting(
    vault: Vault, db: AsyncConnection, caller: SystemCaller, bundle: str, at: datetime
) -> _Asking:
    """Read the consents of a request that wait for an answer; all of it when none does, to be refused."""
    rows = await consents.of_bundle(db, bundle, caller.agency)
    if not rows:
        raise NotFound
    to = Addressed(rows[0]["owner"], rows[0]["asked"], ())
    return _Asking(
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


async def _drafted(vault: Vault, caller: SystemCaller, asking: _Asking, key: str) -> Draft | Refusal:
    tellings = _tellings(vault, asking, key)
    refused = [one for one in tellings if not one.decision.permitted and not one.kept_back]
    if refused:
        event = f"{asking.action}_refused"
        lines = [replace(one, kind=Kind.REFUSED, event=event) for one in refused]
        return await telling.refuse(vault, caller, lines)
    prepared = await telling.prepare(vault, caller, tellings)
    return Draft(prepared, asking.epochs, asking.at, partial(_write, caller, asking))


def _tellings(vault: Vault, asking: _Asking, key: str) -> list[Telling]:
    """Two entries a purpose: the asker's own, and one for the person or, where nobody is told, the vault."""
    about = () if asking.to.owner is None else (asking.to.owner,)
    lines = []
    for row in asking.rows:
        for outward, event in zip((True, False), _EVENTS[asking.action], strict=True):
            facts = asking.facts(row, outward=outward)
            lines.append(
                Telling(
                    Kind.CONSENT_EVENT,
                    event,
                    facts,
                    decide(facts, vault.book, asking.at),
                    () if outward else about,
                    request=key,
                    details={"asked": {"request": row["bundle"], "types": json.loads(row["types"])}},
                    kept_back=not outward,
                )
            )
    return lines


async def _write(caller: SystemCaller, asking: _Asking, tx: Transaction, logged: list[Logged]) -> Answer:
    today = legal_day(asking.at)
    if await consents.waiting(tx.db, caller.agency, asking.to.tag, today) != asking.waiting:
        raise Moved
    state = "requested" if asking.action is Action.ASK_CONSENT else "lapsed"
    lines = []
    for row, told, kept in zip(asking.rows, logged[::2], logged[1::2], strict=True):
        if asking.action is Action.ASK_CONSENT:
            await consents.add(tx.db, row, [one.facts.id for one in asking.to.held])
        await consents.happened(
            tx.db, row["id"], type=state, state=state, by=caller.system, idx=kept.index, at=asking.at
        )
        line = {"consent": row["id"], "purpose": row["purpose"], "state": state}
        lines.append(line | {"receipt": told.receipt, "index": told.index})
    if asking.to.owner is not None:
        await epochs.advance(tx.db, [("owner", asking.to.owner)])
    first = asking.rows[0]
    return {"request": first["bundle"], "answer_until": first["answer_until"], "consents": lines}
