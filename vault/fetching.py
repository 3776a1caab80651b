"""Fetching under a consent: decided like a release, each read counted inside the append (DESIGN 5).

What is fetched can be read for 15 minutes, by the same path as any release (vault/deliver.py); each of those
readings is decided afresh, so a withdrawal holds for the very next one.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from policies.consent_facts import ConsentFacts, FetchFacts
from policies.decision import decide
from policies.facts import AccessFacts, Action
from signing.leaf import Kind
from vault import beside, consents, epochs, hook_queue, releases, requests, telling, trusting
from vault.appending import Transaction
from vault.callers import SystemCaller
from vault.entries import Logged, stamp
from vault.errors import FieldInvalid, Moved
from vault.fetched import READABLE, Fetch, Item, Scene, decided, scene
from vault.services import Answer, Refusal, Vault
from vault.settling import Draft, settle
from vault.telling import Telling

MAX_RECORDS = 20  # in one fetch


async def fetch(vault: Vault, caller: SystemCaller, body: Fetch, *, key: str) -> Answer | Refusal:
    """Fetch records under a consent; each yes counts one read, and each yes and no is an entry.

    An unknown consent and another recipient's are refused alike.

    Raises:
        FieldInvalid: nothing, too much, or one record twice is wanted.
        VaultBusy: the entries could not be written, or the consent keeps changing; nothing was counted.
    """
    if not 0 < len(body.records) <= MAX_RECORDS:
        raise FieldInvalid("records", "fetch_records_number")
    if len(set(body.records)) != len(body.records):
        raise FieldInvalid("records", "consent_document_twice")

    async def draft(at: datetime) -> Draft | Refusal | Answer:
        await trusting.look(vault)
        async with vault.db.read() as db:
            found = await scene(vault, db, caller, body, at)
        consent = found.consent
        if consent is None or consent.agency != caller.agency:
            return await _unknown(vault, caller, body, found, key)
        if consent.state in ("requested", "lapsed"):
            return await _unanswered(vault, caller, body, found, key)
        items = decided(vault, body, found, consent)
        if not any(one.decision.permitted for one in items):
            tellings = [line for one in items for line in _tell(vault, found, one, key)]
            return await telling.refuse(vault, caller, tellings)
        return await _drafted(vault, caller, found, consent, items, key)

    wanted = {"consent": body.consent, "purpose": body.purpose, "records": list(body.records)}
    asked = requests.body_hash("fetch", wanted)
    return await settle(vault, caller, key=key, asked=asked, draft=draft)


# Telling -------------------------------------------------------------------------------------------------


def _tell(vault: Vault, found: Scene, one: Item, key: str) -> list[Telling]:
    """One entry for the record's owners; of a record that the consent does not name, one for its giver.

    That one tells nothing of the record. Another, which the caller has no receipt of, goes to the record's
    owners or, where there is no such record, to the vault.
    """
    if one.record is None:
        lines = [Telling(Kind.REFUSED, "release_refused", one.facts, one.decision, found.owner, request=key)]
        outside = found.wanted.get(one.wanted)
        facts = replace(one.facts, consent=None, record=outside.facts if outside is not None else None)
        decision = decide(facts, vault.book, found.at)
        about = tuple(sorted(outside.facts.owners)) if outside is not None else ()
        kept = Telling(Kind.REFUSED, "release_refused", facts, decision, about, outside, kept_back=True)
        return [*lines, kept]
    about = tuple(sorted(one.record.facts.owners))
    if not one.decision.permitted:
        return [
            Telling(Kind.REFUSED, "release_refused", one.facts, one.decision, about, one.record, request=key)
        ]
    return [
        Telling(
            Kind.RELEASE_PERMITTED,
            "released",
            one.facts,
            one.decision,
            about,
            one.record,
            release=one.release,
            request=key,
        )
    ]


async def _unknown(vault: Vault, caller: SystemCaller, body: Fetch, found: Scene, key: str) -> Refusal:
    """Refuse alike what does not exist and what is another recipient's; its owner is told of the attempt."""
    fetch = FetchFacts(body.purpose, body.records[0])
    outward = AccessFacts(Action.FETCH, found.who, fetch=fetch)
    return await _refused_twice(
        vault, caller, found, outward, replace(outward, consent=found.consent), key, "consent_other_recipient"
    )


async def _unanswered(vault: Vault, caller: SystemCaller, body: Fetch, found: Scene, key: str) -> Refusal:
    """Refuse alike what a person has not answered and what was asked of nobody."""
    fetch = FetchFacts(body.purpose, body.records[0])
    inward = AccessFacts(Action.FETCH, found.who, consent=found.consent, fetch=fetch)
    hidden = replace(found.consent, owner=None, text_vi="", text_en="") if found.consent is not None else None
    return await _refused_twice(vault, caller, found, replace(inward, consent=hidden), inward, key, None)


async def _refused_twice(
    vault: Vault,
    caller: SystemCaller,
    found: Scene,
    outward: AccessFacts,
    inward: AccessFacts,
    key: str,
    reason: str | None,
) -> Refusal:
    told = Telling(
        Kind.REFUSED, "release_refused", outward, decide(outward, vault.book, found.at), request=key
    )
    decision = decide(inward, vault.book, found.at)
    kept = Telling(Kind.REFUSED, "release_refused", inward, decision, found.owner, kept_back=True)
    return await telling.refuse(vault, caller, [told, kept], outward=reason)


# Writing -------------------------------------------------------------------------------------------------


async def _drafted(
    vault: Vault, caller: SystemCaller, found: Scene, consent: ConsentFacts, items: Sequence[Item], key: str
) -> Draft:
    permitted = [one for one in items if one.decision.permitted]
    closing = consent.used + len(permitted) == consent.max_reads
    told = [(one, _tell(vault, found, one, key)) for one in items]
    end = [_exhausted(found, permitted[-1])] if closing else []
    prepared = await telling.prepare(vault, caller, [*(line for _, lines in told for line in lines), *end])

    async def write(tx: Transaction, logged: list[Logged]) -> Answer:
        used = await consents.used(tx.db, consent.id)
        left = consent.max_reads - used - len(permitted)
        if left < 0 or (left == 0) != closing:
            raise Moved  # others fetched meanwhile: decided afresh on what is left, and this is undone
        position, lines = 0, []
        for one, told_of in told:
            entry = logged[position]
            position += len(told_of)
            if one.decision.permitted:
                used += 1
                await _use(tx, caller, found, consent, one, entry, used)
            lines.append(_line(one, entry, found.at))
        if closing:
            await _close(tx, caller, consent, logged[-1], found.at)
        return {"consent": consent.id, "items": lines, "reads_left": left}

    return Draft(prepared, found.epochs, found.at, write)


def _exhausted(found: Scene, last: Item) -> Telling:
    """Tell the owner that the last read agreed to is used."""
    facts = replace(last.facts, record=None)
    return Telling(Kind.CONSENT_EVENT, "consent_exhausted", facts, last.decision, found.owner, kept_back=True)


async def _use(
    tx: Transaction,
    caller: SystemCaller,
    found: Scene,
    consent: ConsentFacts,
    one: Item,
    entry: Logged,
    n: int,
) -> None:
    """Write the release and count its read, in the transaction that appends the entry."""
    until = found.at + READABLE
    row: dict[str, Any] = {
        "id": one.release,
        "consent": consent.id,
        "until": stamp(until),
        "record": one.wanted,
        "system": caller.system,
        "epochs": releases.epochs_text(found.epochs),
        "counts": False,  # reuse in procedures is what figures count
        "idx": entry.index,
        "at": stamp(found.at),
    }
    await releases.add(tx.db, row)
    await consents.use(
        tx.db, consent.id, n, record=one.wanted, release=one.release, idx=entry.index, at=found.at
    )
    data = {"release": one.release, "consent": consent.id, "reason": "time_over", "index": entry.index}
    await hook_queue.tell(
        tx.db, caller.system, "release.ended", one.release, data, found.at, not_before=until
    )


async def _close(
    tx: Transaction, caller: SystemCaller, consent: ConsentFacts, entry: Logged, at: datetime
) -> None:
    await consents.happened(
        tx.db,
        consent.id,
        type="exhausted",
        state="exhausted",
        by=caller.system,
        idx=entry.index,
        at=at,
    )
    if consent.owner is not None:
        await epochs.advance(tx.db, [("owner", consent.owner)])


def _line(one: Item, entry: Logged, at: datetime) -> dict[str, Any]:
    line: dict[str, Any] = {"record": one.wanted, "receipt": entry.receipt, "index": entry.index}
    if not one.decision.permitted or one.record is None:
        return line | {"state": "refused", "reasons": list(one.decision.told)}
    row, facts = one.record.row, one.record.facts
    return line | {
        "state": "released",
        "release": one.release,
        "until": (at + READABLE).isoformat(),
        "type": facts.type,
        "title": row["title"],
        "digest": row["content_sha256"].hex(),
        "size": row["content_size"],
        "media_type": row["media_type"],
        **beside.told_of(row),
        "trust": facts.trust.value,
        "trust_reasons": list(one.record.trust_reasons),
        "verdict": facts.verdict,
        "validity": facts.validity.value,
    }
