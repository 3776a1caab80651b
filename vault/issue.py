"""A result of a dossier: composed and sealed from fields, or a file whose seal is checked (DESIGN 7, 8)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any

from policies.decision import decide
from policies.facts import AccessFacts, Action, Decision, TrustClass
from policies.recording import plain
from signing.composing import compose
from signing.errors import ComposingFailed
from signing.leaf import Kind
from signing.report import Examination
from vault import agencies, epochs, keeping, records, replacing, requests, telling
from vault.appending import Transaction
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.entries import Prepared
from vault.errors import FieldInvalid, Moved, VaultBusy
from vault.gathering import Scene, scene
from vault.keeping import Description, Kept, scratch_file
from vault.plan import barred, found_dossier
from vault.records import Stored
from vault.services import MAX_AFRESH, MAX_UPLOAD, Answer, Refusal, Vault
from vault.telling import Telling

TEMPLATES = {"GKS": "birth_certificate"}  # record type -> template of signing.composing


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


@dataclass(frozen=True)
class _Paper:
    """The finished file, examined by a fresh worker."""

    file: Path
    examined: Examination
    trust: TrustClass
    fields: Mapping[str, Any] | None


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
    paper = await _paper(vault, caller, body, file, at)
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
    vault: Vault, caller: SystemCaller, code: str, body: ResultBody, paper: _Paper, key: str, asked: bytes
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
        if kept is None:
            description = _description(caller, body, paper, names[0], code, vault, at)
            kept = await keeping.keep(
                vault, paper.file, paper.examined, description, owners_of=people, data=paper.fields, at=at
            )
        told = [_entry(vault, found, body, people, kept, key)]
        older = replacing.older(found, body.replaces)
        told += replacing.tellings(vault, found, older, key)
        refused = [one for one in told if not one.decision.permitted]
        if refused:
            return await telling.refuse(vault, caller, [replace(one, kind=Kind.REFUSED) for one in refused])
        prepared = await telling.prepare(vault, caller, told)
        try:
            change = _change(caller, kept, prepared, found, key, asked, older)
            return await vault.appender.commit(change)
        except Moved:
            continue
    raise VaultBusy("the dossier keeps changing; try again")


def _change(
    caller: SystemCaller,
    kept: Kept,
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
        codes = await keeping.write(tx.db, kept, found.at)
        logged = await tx.append(prepared)
        await replacing.write(tx.db, caller, older, kept.id, [one.index for one in logged[1:]], found.at)
        roles = {one.owner: one.role for one in found_dossier(found).facts.persons}
        answer: Answer = {
            "record": kept.id,
            "document_codes": {roles[owner]: code for owner, code in codes.items()},
            "type": kept.description.type,
            "trust": kept.description.trust.value,
            "verdict": kept.report.verdict,
            "reasons": list(kept.report.reasons),
            "digest": kept.row["content_sha256"].hex(),
            "size": kept.row["content_size"],
            "receipt": logged[0].receipt,
            "index": logged[0].index,
        }
        await requests.keep(tx.db, caller.id, key, asked, answer, found.at)
        return answer

    return change


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
    opened = found_dossier(found)
    dossier = opened.about(people[0]) if len(people) == 1 else opened.facts
    return AccessFacts(
        Action.ISSUE_RESULT, found.caller, dossier=dossier, result_type=body.type, result_persons=people
    )


def _entry(
    vault: Vault, found: Scene, body: ResultBody, people: tuple[str, ...], kept: Kept, key: str
) -> Telling:
    facts = _facts(found, body, people)
    decision: Decision = decide(facts, vault.book, found.at)
    return Telling(
        Kind.RECORD_EVENT, "issued", facts, decision, tuple(sorted(people)), kept.told(), request=key
    )


# The paper -----------------------------------------------------------------------------------------------


async def _paper(
    vault: Vault, caller: SystemCaller, body: ResultBody, file: Path | None, at: datetime
) -> _Paper:
    if vault.book.record_type(body.type, legal_day(at)) is None:
        raise FieldInvalid("type", "record_type_unknown")
    if file is not None:
        return await _handed_in(vault, file, at)
    if body.fields is None:
        raise FieldInvalid("fields", "fields_or_file")
    template = TEMPLATES.get(body.type)
    if template is None:
        raise FieldInvalid("type", "no_template")
    try:
        content = await asyncio.to_thread(compose, template, body.fields, at=at)
    except ComposingFailed as problem:
        raise FieldInvalid(f"fields.{problem.field or ''}".rstrip("."), problem.code) from problem
    composed, sealed = scratch_file(vault), scratch_file(vault)
    try:
        composed.write_bytes(content)
        await vault.sealer.seal(
            caller.agency, composed, sealed, at=at, reason="Kết quả điện tử", name=caller.agency
        )
    finally:
        composed.unlink(missing_ok=True)
    try:
        examined = await examine(vault, sealed, at)
        if examined.report.verdict != "valid":
            raise RuntimeError(f"our own seal does not validate: {examined.report.sub_indication}")
    except BaseException:
        sealed.unlink(missing_ok=True)
        raise
    return _Paper(sealed, examined, TrustClass.A, body.fields)


async def _handed_in(vault: Vault, file: Path, at: datetime) -> _Paper:
    """A file of the agency's: only one that Kho itself sealed, known by its hash, is of class A."""
    examined = await examine(vault, file, at)
    if examined.refusal is not None:
        raise FieldInvalid("file", examined.refusal)
    async with vault.db.read() as db:
        known = await records.with_content(db, examined.sha256, legal_day(at))
    ours = examined.report.verdict == "valid" and any(one.row["source"] == "result" for one in known)
    return _Paper(file, examined, TrustClass.A if ours else TrustClass.E, None)


async def examine(vault: Vault, file: Path, at: datetime) -> Examination:
    """Have a fresh worker process examine a file."""
    return await vault.workers.examine(file, roots=vault.roots, at=at, max_bytes=MAX_UPLOAD)


def _description(
    caller: SystemCaller, body: ResultBody, paper: _Paper, name: str, code: str, vault: Vault, at: datetime
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
        issued_on=body.issued_on or legal_day(at),
        valid_until=body.valid_until,
        dossier=code,
    )
