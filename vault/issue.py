"""A result of a dossier: composed and sealed from fields, or a file whose seal is checked (DESIGN 7, 8)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any

from policies.decision import decide
from policies.facts import AccessFacts, Action, Decision
from policies.recording import plain
from signing.leaf import Kind
from vault import agencies, epochs, keeping, replacing, requests, telling
from vault.appending import Transaction
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.dossiers import canonical_code
from vault.entries import Logged, Prepared
from vault.errors import FieldInvalid, Moved, VaultBusy
from vault.gathering import Scene, scene
from vault.keeping import Description, Kept
from vault.known_papers import known_paper
from vault.plan import barred, found_dossier
from vault.records import Stored
from vault.result_paper import Paper, checked_fields, composed, handed_in
from vault.services import MAX_AFRESH, Answer, Refusal, Vault
from vault.telling import Telling


@dataclass(frozen=True)
class ResultBody:
    """A result as the agency hands it in: fields to compose it from, or what a file says."""

    type: str
    owner_roles: tuple[str, ...]
    fields: Mapping[str, Any] | None
    title: str | None
    number: str | None
    issued_on: date | None
    valid_until: date | None
    replaces: tuple[str, ...] = ()  # older records that this one takes the place of


async def issue(
    vault: Vault, caller: SystemCaller, code: str, body: ResultBody, file: Path | None, *, key: str
) -> Answer | Refusal:
    """Store a result in its owners' stores, and answer the record with its document codes.

    Args:
        file: the result as a file; None when it is composed from `body.fields`.
        key: the Idempotency-Key.

    Raises:
        FieldInvalid: a field or the file cannot be accepted; nothing is stored.
        NotFound: there is no such dossier, or it is another agency's.
        SealingFailed: no seal could be made; nothing is stored.
    """
    _check_said(body, file, legal_day(vault.clock.now()))
    code = canonical_code(code)
    asked = requests.body_hash("issue", {"code": code, "file": await _digest(file)} | plain(asdict(body)))
    at = vault.clock.now()
    async with vault.db.read() as db:
        earlier = await requests.answered(db, caller.id, key, asked)
        found = await scene(vault, db, caller, code, at, [body.type])
    if earlier is not None:
        return earlier
    refusal = await barred(vault, caller, found, code, Action.ASK_PLAN) or await _barred(
        vault, caller, found, body, key
    )
    if refusal is not None:
        return refusal
    paper = await _paper(vault, caller, body, file, _owners(found, body), at)
    try:
        return await _store(vault, caller, code, body, paper, key, asked)
    finally:
        if file is None:
            paper.file.unlink(missing_ok=True)


async def _digest(file: Path | None) -> str:
    """Give the SHA-256 of a handed-in file in hex, "" without one: another file is another request."""
    if file is None:
        return ""
    with file.open("rb") as handle:
        return (await asyncio.to_thread(file_digest, handle, "sha256")).hexdigest()


async def _store(
    vault: Vault, caller: SystemCaller, code: str, body: ResultBody, paper: Paper, key: str, asked: bytes
) -> Answer | Refusal:
    """Decide on what is true now, and write; decide again when something moved under the lock."""
    kept: Kept | None = None
    for _ in range(MAX_AFRESH):
        at = vault.clock.now()
        async with vault.db.read() as db:
            found = await scene(vault, db, caller, code, at, [body.type])
            names = await agencies.name(db, caller.agency)
        refusal = await barred(vault, caller, found, code, Action.ASK_PLAN) or await _barred(
            vault, caller, found, body, key
        )
        if refusal is not None:
            return refusal
        people = _owners(found, body)
        known = None
        if paper.fields is None:
            known = known_paper(found, paper.examined.sha256, body.type, people)
        if known is not None:
            _check_recorded(known, body)
        if known is None and kept is None:
            description = _description(caller, body, paper, names[0], code, vault, at)
            kept = await keeping.keep(
                vault, paper.file, paper.examined, description, owners_of=people, data=paper.fields, at=at
            )
        stored = known or _new(kept)
        told = [
            _entry(vault, found, body, people, stored, "issued" if known is None else "handed_in_again", key)
        ]
        async with vault.db.read() as db:
            owners = found_dossier(found).owners
            older = await replacing.older(db, body.replaces, of=owners, type=body.type, at=at)
        told += replacing.tellings(vault, found.caller, older, stored.facts.id, key, at)
        refused = [one for one in told if not one.decision.permitted]
        if refused:
            return await telling.refuse(vault, caller, [replace(one, kind=Kind.REFUSED) for one in refused])
        prepared = await telling.prepare(vault, caller, told)
        try:
            new = kept if known is None else None
            change = _change(caller, stored, new, prepared, found, key, asked, older)
            return await vault.appender.commit(change)
        except Moved:
            continue
    raise VaultBusy("the dossier keeps changing; try again")


def _new(kept: Kept | None) -> Stored:
    assert kept is not None  # noqa: S101 - what is not known was kept just now
    return kept.told()


def _change(
    caller: SystemCaller,
    stored: Stored,
    new: Kept | None,
    prepared: Sequence[Prepared],
    found: Scene,
    key: str,
    asked: bytes,
    older: Sequence[Stored],
) -> Any:
    async def change(tx: Transaction) -> Answer:
        done = await requests.answered(tx.db, caller.id, key, asked)
        if done is not None:
            return done
        await epochs.hold(tx.db, found.epochs)
        codes = stored.document_codes if new is None else await keeping.write(tx.db, new, found.at)
        logged = await tx.append(prepared)
        await replacing.write(
            tx.db, caller, older, stored.facts.id, [one.index for one in logged[1:]], found.at
        )
        answer = _answer(found, replace(stored, document_codes=codes), logged[0]) | {
            "already_stored": new is None
        }
        await requests.keep(tx.db, caller.id, key, asked, answer, found.at)
        return answer

    return change


def _answer(found: Scene, stored: Stored, entry: Logged) -> Answer:
    named = [(one.role, one.owner) for one in found_dossier(found).facts.persons if one.owner is not None]
    codes = stored.document_codes
    return {
        "record": stored.facts.id,
        "document_codes": {role: codes[owner] for role, owner in named if owner in codes},
        "type": stored.facts.type,
        "trust": stored.facts.trust.value,
        "verdict": stored.facts.verdict,
        "reasons": list(stored.facts.verdict_reasons),
        "digest": stored.row["content_sha256"].hex(),
        "size": stored.row["content_size"],
        "receipt": entry.receipt,
        "index": entry.index,
    }


async def _barred(
    vault: Vault, caller: SystemCaller, found: Scene, body: ResultBody, key: str
) -> Refusal | None:
    people = _owners(found, body)
    decision = decide(_facts(found, body, people), vault.book, found.at)
    if decision.permitted:
        return None
    tellings = [
        Telling(Kind.REFUSED, "issue_refused", _facts(found, body, (owner,)), decision, (owner,), request=key)
        for owner in people
    ]
    return await telling.refuse(vault, caller, tellings)


def _owners(found: Scene, body: ResultBody) -> tuple[str, ...]:
    by_role = {one.role: one.owner for one in found_dossier(found).facts.persons}
    people = []
    for role in body.owner_roles:
        owner = by_role.get(role)
        if owner is None:
            raise FieldInvalid("owners", "role_not_in_dossier")
        people.append(owner)
    if not people:
        raise FieldInvalid("owners", "owners_missing")
    return tuple(dict.fromkeys(people))


def _facts(found: Scene, body: ResultBody, people: tuple[str, ...]) -> AccessFacts:
    """Give the facts of a result as they concern its owners: nobody else of the dossier stands in them."""
    opened = found_dossier(found).facts
    persons = tuple(one for one in opened.persons if one.owner in people)
    dossier = replace(opened, persons=persons)
    return AccessFacts(
        Action.ISSUE_RESULT, found.caller, dossier=dossier, result_type=body.type, result_persons=people
    )


def _entry(
    vault: Vault,
    found: Scene,
    body: ResultBody,
    people: tuple[str, ...],
    stored: Stored,
    event: str,
    key: str,
) -> Telling:
    facts = _facts(found, body, people)
    decision: Decision = decide(facts, vault.book, found.at)
    return Telling(Kind.RECORD_EVENT, event, facts, decision, tuple(sorted(people)), stored, request=key)


# The paper -----------------------------------------------------------------------------------------------


def _check_said(body: ResultBody, file: Path | None, today: date) -> None:
    """Refuse what cannot be true of any paper, before anything is composed or examined."""
    if file is not None and body.fields is not None:
        raise FieldInvalid("file", "fields_or_file")
    if file is None and body.fields is None:
        raise FieldInvalid("fields", "fields_or_file")
    if body.issued_on is not None and body.issued_on > today:
        raise FieldInvalid("issued_on", "date_in_future")
    begins = body.issued_on or (today if file is None else None)
    if body.valid_until is not None and begins is not None and body.valid_until < begins:
        raise FieldInvalid("valid_until", "ends_before_it_begins")


async def _paper(
    vault: Vault,
    caller: SystemCaller,
    body: ResultBody,
    file: Path | None,
    people: Sequence[str],
    at: datetime,
) -> Paper:
    if vault.book.record_type(body.type, legal_day(at)) is None:
        raise FieldInvalid("type", "record_type_unknown")
    if file is not None:
        return await handed_in(vault, file, at)
    fields = await checked_fields(vault, body.fields or {}, people)
    return await composed(vault, caller.agency, body.type, fields, at)


def _check_recorded(known: Stored, body: ResultBody) -> None:
    """Refuse other facts about a file than those of the record that it already is."""
    recorded = {
        "number": known.row["number"],
        "issued_on": known.facts.issued_on,
        "valid_until": known.facts.valid_until,
    }
    for field, value in recorded.items():
        if getattr(body, field) not in (None, value):
            raise FieldInvalid(field, "not_as_recorded")
    if known.facts.id in body.replaces:
        raise FieldInvalid("replaces", "value_invalid")


def _description(
    caller: SystemCaller, body: ResultBody, paper: Paper, name: str, code: str, vault: Vault, at: datetime
) -> Description:
    known = vault.book.record_type(body.type, legal_day(at))
    return Description(
        type=body.type,
        title=body.title or (known.name.vi if known is not None else body.type),
        source="result" if paper.fields is not None else "result_file",
        trust=paper.trust,
        issuer=caller.agency,
        issuer_name=name,
        number=body.number or str((paper.fields or {}).get("number") or "") or None,
        issued_on=body.issued_on or (legal_day(at) if paper.fields is not None else None),
        valid_until=body.valid_until,
        dossier=code,
    )
