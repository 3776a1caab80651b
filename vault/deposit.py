"""An owner's own upload: worth what its evidence is worth, whatever it is said to be (DESIGN 2.6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from unicodedata import category, normalize

from sqlalchemy.ext.asyncio import AsyncConnection

from policies.consent_facts import DelegationFacts
from policies.decision import decide
from policies.facts import AccessFacts, Action
from signing.leaf import Kind
from vault import beside, delegations, epochs, keeping, records, requests, telling, trust_rows
from vault.appending import Transaction
from vault.callers import OwnerCaller
from vault.days import legal_day
from vault.entries import Prepared
from vault.errors import FieldInvalid, Moved, VaultBusy
from vault.examining import accepted
from vault.keeping import Description, Kept
from vault.records import Stored
from vault.services import Answer, Vault
from vault.telling import Telling

OTHER = "OTHER"  # the type of a paper whose owner does not know its type
MAX_TITLE = 200  # characters


@dataclass(frozen=True)
class _Request:
    """An upload that was asked for, by whom, under which Idempotency-Key and as what (the body's hash)."""

    caller: OwnerCaller
    key: str
    asked: bytes
    sha256: bytes  # of the file
    at: datetime
    signature: bytes | None


async def upload(
    vault: Vault,
    caller: OwnerCaller,
    file: Path,
    *,
    title: str,
    type: str | None,
    declared_type: str,
    key: str,
    signature: bytes | None = None,
) -> Answer:
    """Examine, seal and store a file for its owner, with the signature that stands beside it, if one does.

    A file that Kho sealed for this owner is already in the store: the record it is gives the answer. So too
    the same file with the same signature; with another signature it is another document.

    Raises:
        FieldInvalid: naming the field; nothing is stored.
        StorageError, VaultBusy: nothing is recorded.
    """
    at = vault.clock.now()
    title = _title(title)
    kind = type or OTHER
    if kind != OTHER and vault.book.record_type(kind, legal_day(at)) is None:
        raise FieldInvalid("type", "record_type_unknown")
    examined = await accepted(vault, file, at, declared_type, caller=caller, signature=signature)
    said = {"title": title, "type": kind, "sha256": examined.sha256.hex()} | beside.asked(signature)
    request = _Request(caller, key, requests.body_hash("upload", said), examined.sha256, at, signature)
    async with vault.db.read() as db:
        earlier = await requests.answered(db, caller.id, key, request.asked)
        mine = await _mine(db, request)
        delegation = await delegations.acting(db, caller, vault.grounds, at)
        marks = await epochs.read(db, [("owner", caller.owner)] if delegation is not None else [])
    if earlier is not None:
        return earlier
    if mine is not None:
        return _answer(mine, caller, already=True)
    description = Description(type=kind, title=title, source="upload")
    kept = await keeping.keep(
        vault,
        file,
        examined,
        description,
        owners_of=[caller.owner],
        data=None,
        at=at,
        signature=signature,
    )
    entry = _entry(vault, request, kept, delegation)
    return await _commit(vault, request, kept, marks, await telling.prepare(vault, caller, [entry]))


def _entry(vault: Vault, request: _Request, kept: Kept, delegation: DelegationFacts | None) -> Telling:
    caller, told = request.caller, kept.told()
    facts = AccessFacts(Action.READ_OWN, None, owner=caller.person, record=told.facts, delegation=delegation)
    decision = decide(facts, vault.book, request.at)
    return Telling(
        Kind.RECORD_EVENT,
        "uploaded",
        facts,
        decision,
        (caller.owner,),
        told,
        request=request.key,
        details=beside.asked(request.signature),
    )


async def _commit(
    vault: Vault, request: _Request, kept: Kept, marks: Mapping[str, int], prepared: Sequence[Prepared]
) -> Answer:
    """Record what was kept; its sealed bytes are taken away when its owner has them already, or facts moved.

    Raises:
        VaultBusy: what the caller acts for the owner by may have changed; nothing is recorded.
    """
    caller = request.caller

    async def change(tx: Transaction) -> Answer:
        done = await requests.answered(tx.db, caller.id, request.key, request.asked)
        if done is not None:
            return done
        await epochs.hold(tx.db, marks)  # whoever acts for the owner still may
        twin = await _mine(tx.db, request)
        if twin is not None:  # the same bytes came at the same time
            return _answer(twin, caller, already=True)
        return await _record(tx, request, kept, prepared)

    try:
        answer = await vault.appender.commit(change)
    except Moved as moved:
        await keeping.discard(vault, kept)
        raise VaultBusy("what you act for this owner by may have changed; try again") from moved
    if answer["record"] != kept.id:
        await keeping.discard(vault, kept)
    return answer


async def _record(tx: Transaction, request: _Request, kept: Kept, prepared: Sequence[Prepared]) -> Answer:
    codes = await keeping.write(tx.db, kept, request.at)
    entry, *_ = await tx.append(prepared)
    told = kept.told()
    stored = replace(told, document_codes=codes)
    answer = _answer(stored, request.caller, already=False)
    answer |= {"receipt": entry.receipt, "index": entry.index}
    await requests.keep(tx.db, request.caller.id, request.key, request.asked, answer, request.at)
    return answer


def _title(title: str) -> str:
    """Give a title in NFC with its white space evened out; it must be what it looks like.

    Raises:
        FieldInvalid: too short or long, or with characters that hide, steer or turn text around.
    """
    title = " ".join(normalize("NFC", title).split())
    if not 0 < len(title) <= MAX_TITLE:
        raise FieldInvalid("title", "title_length")
    if any(category(one).startswith("C") for one in title):
        raise FieldInvalid("title", "title_unshowable")
    return title


async def _mine(db: AsyncConnection, request: _Request) -> Stored | None:
    """Find the same bytes among what the owner has already."""
    known = await records.with_content(db, request.sha256, legal_day(request.at))
    mine = [
        one
        for one in known
        if request.caller.owner in one.facts.owners and beside.same(one.row, request.signature)
    ][:1]
    return next(iter(await trust_rows.explained(db, mine)), None)


def _answer(stored: Stored, caller: OwnerCaller, *, already: bool) -> Answer:
    return {
        "record": stored.facts.id,
        "document_code": stored.document_codes[caller.owner],
        "type": stored.facts.type,
        "title": stored.row["title"],
        "trust": stored.facts.trust.value,
        "trust_reasons": list(stored.trust_reasons),
        "verdict": stored.facts.verdict,
        "reasons": list(stored.facts.verdict_reasons),
        **beside.told_of(stored.row),
        "already_stored": already,
    }
