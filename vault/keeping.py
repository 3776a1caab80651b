"""Keeping a document: sealed under a fresh key and put, then one transaction for everything that tells of it.

Dying after the put leaves an orphan blob that `inspect` sweeps; dying after the commit leaves nothing
undone. No order of failures gives a record without bytes.
"""

import asyncio
import json
import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.errors import IdentifierInvalid
from policies.facts import RecordFacts, TrustClass, Validity
from policies.identifiers import personal_number
from policies.trust_classes import Origin
from signing.grounds import Judgement
from signing.report import Examination, SignatureReport
from storage.errors import StorageError, StoreUnavailable
from storage.keyring import seal_to
from storage.sealed import Sealed, new_record_key, seal_bytes, seal_file
from vault import agency_certificates, archive_stamps, beside, classing, epochs, owners, records, trust_rows
from vault.classing import Judged, Provenance
from vault.days import legal_day
from vault.entries import new_id, stamp
from vault.key_gate import RECORD_KEY_INFO
from vault.newcomers import public_key
from vault.owners import NewOwner
from vault.records import Stored
from vault.services import Vault
from vault.tables import record, record_owner, record_relation

ORIGINAL = "original"  # the part of a record that it was made from


@dataclass(frozen=True)
class Description:
    """What is known of a document beside its bytes; absent where the paper does not say it."""

    type: str
    title: str
    source: Origin
    issuer: str | None = None
    issuer_name: str | None = None
    number: str | None = None
    issued_on: date | None = None
    valid_until: date | None = None
    dossier: str | None = None
    converter: str | None = None  # the agency that made a digitised copy: it issued nothing
    scan_passed: bool | None = None  # whether a scan was measured and is good enough
    unsealed: Path | None = None  # a handed-in file that was sealed here, as it was before


@dataclass(frozen=True)
class Kept:
    """A document whose sealed bytes are durable in the store, and whose rows are ready to be written."""

    id: str
    row: dict[str, Any]
    keys: Mapping[str, bytes]  # owner -> wrapped record key
    relations: Mapping[str, bytes]
    report: SignatureReport
    description: Description
    judged: Judged
    judgement: Judgement | None = None
    etsi_report: bytes = b""
    original: Sealed | None = None  # of what the file was made from, where that is kept beside it
    lasts: datetime | None = None  # its archive time stamp, where it has one to renew

    @property
    def trust(self) -> TrustClass:
        """What the document is worth, by its evidence."""
        return self.judged.classed.trust

    def told(self) -> Stored:
        """Give the record as an entry tells of it."""
        facts = RecordFacts(
            id=self.id,
            type=self.description.type,
            owners=frozenset(self.keys),
            trust=self.trust,
            verdict=self.report.verdict,
            verdict_reasons=self.report.reasons,
            validity=Validity.IN_FORCE,
            validity_ground=None,
            issuer=self.description.issuer,
            issued_on=self.description.issued_on,
            valid_until=self.description.valid_until,
        )
        reasons = tuple(one.code for one in self.judged.classed.reasons)
        return Stored(self.row, facts, self.report, {}, reasons)


async def keep(
    vault: Vault,
    file: Path,
    examined: Examination,
    description: Description,
    *,
    owners_of: Sequence[str],
    data: Mapping[str, Any] | None,
    at: datetime,
    newcomers: Sequence[NewOwner] = (),
    original: Path | None = None,
    signature: bytes | None = None,
) -> Kept:
    """Seal a file (and its structured data) under a fresh key, put both, and prepare the rows.

    Args:
        original: what the file was made from; kept beside it under the same key, as its part "original".
        signature: what stands beside the file and was judged with it; kept under the same key too.
        newcomers: those of the owners whose stores are only being made.

    Raises:
        StorageError: the store cannot take it; nothing is recorded.
    """
    record_id, key = new_id("rec"), new_record_key()
    async with vault.db.read() as db:
        public = await owners.content_keys(db, owners_of)
        known_by = [await _identifiers(db, one, newcomers) for one in owners_of]
    judged = await classing.judge(vault, file, examined, _provenance(description, known_by), at)
    public |= {new.id: public_key(new, "content") for new in newcomers if new.id in owners_of}
    sealed = await _put(vault, file, key, record_id, "file")
    if sealed.content_sha256 != examined.sha256:
        raise RuntimeError("the file changed between its examination and its sealing")
    lasts = await archive_stamps.lasting(vault, file, examined, description.source)
    row = _row(record_id, description, examined, sealed, judged, at)
    if data is not None:
        row |= await _put_data(vault, data, key, record_id)
        row["subject_born_on"] = _born_on(vault, description, data, at)
    if signature is not None:
        signed = await _put_small(vault, signature, key, record_id, beside.PART)
        row |= beside.row_of(blob_name(record_id, beside.PART), signature, signed)
    before = await _put(vault, original, key, record_id, ORIGINAL) if original is not None else None
    relations = await _relations(vault, description, data, at)
    return Kept(
        record_id,
        row,
        _wrapped(key, record_id, public),
        relations,
        examined.report,
        description,
        judged,
        examined.judgement,
        examined.etsi_report,
        before,
        lasts=lasts,
    )


def _provenance(description: Description, known_by: Sequence[Collection[tuple[str, str]]]) -> Provenance:
    agency = description.converter or description.issuer
    return Provenance(
        description.source,
        description.type,
        agency,
        known_by,
        description.scan_passed,
        description.unsealed,
    )


async def _identifiers(
    db: AsyncConnection, owner: str, newcomers: Sequence[NewOwner]
) -> Collection[tuple[str, str]]:
    """Give what an owner is known by; of one whose store is only being made, what it is made for."""
    fresh = [(new.scheme, new.value) for new in newcomers if new.id == owner]
    return fresh or await owners.identifiers(db, owner)


def _row(
    record_id: str,
    description: Description,
    examined: Examination,
    sealed: Sealed,
    judged: Judged,
    at: datetime,
) -> dict[str, Any]:
    return {
        "id": record_id,
        "type": description.type,
        "title": description.title,
        "source": description.source,
        "issuer": description.issuer,
        "issuer_name": description.issuer_name,
        "number": description.number,
        "issued_on": description.issued_on.isoformat() if description.issued_on else None,
        "valid_until": description.valid_until.isoformat() if description.valid_until else None,
        "trust": judged.classed.trust.value,
        "media_type": examined.media_type,
        "pages": examined.pages,
        "blob": blob_name(record_id, "file"),
        "content_sha256": sealed.content_sha256,
        "content_size": sealed.content_size,
        "sealed_sha256": sealed.sealed_sha256,
        "sealed_size": sealed.sealed_size,
        "dossier": description.dossier,
        "created_at": stamp(at),
    }


def _wrapped(key: bytes, record_id: str, public: Mapping[str, bytes]) -> dict[str, bytes]:
    """Seal the record key to each owner, bound to the owner and the record."""
    return {
        owner: seal_to(one, key, info=RECORD_KEY_INFO, aad=owner.encode() + b"\x00" + record_id.encode())
        for owner, one in public.items()
    }


async def write(db: AsyncConnection, kept: Kept, at: datetime) -> dict[str, str]:
    """Insert the rows of a kept document under the head lock; gives owner -> document code.

    Raises:
        Moved: whose certificate its signature was made with is another now, so its class may be.
    """
    judged = kept.judged
    await classing.hold(db, judged)
    await db.execute(insert(record).values(**kept.row))
    codes = {}
    for owner, wrapped in kept.keys.items():
        (_, identifier), *_ = await owners.identifiers(db, owner)
        code = await records.next_document_code(db, owner, identifier, kept.description.type)
        values = {"record": kept.id, "owner": owner, "wrapped_key": wrapped, "document_code": code}
        await db.execute(insert(record_owner).values(**values))
        codes[owner] = code
    for field, tag in kept.relations.items():
        await db.execute(insert(record_relation).values(record=kept.id, field=field, tag=tag))
    await records.add_report(db, kept.id, kept.report, kept.judgement, at, etsi_report=kept.etsi_report)
    if judged.seal is not None:
        await agency_certificates.note_seal(db, judged.seal)
    await agency_certificates.note_signed(db, kept.id, judged.certificates)
    await trust_rows.add(db, kept.id, judged.classed, judged.evidence, n=1, report=1, index=None, at=at)
    if kept.lasts is not None:
        await archive_stamps.note(db, kept.id, kept.lasts, at)
    await epochs.advance(db, [("owner", owner) for owner in kept.keys])
    return codes


async def discard(vault: Vault, kept: Kept) -> None:
    """Take away the sealed bytes of a document whose rows will not be written, else `inspect` sweeps them."""
    original = blob_name(kept.id, ORIGINAL) if kept.original is not None else None
    for blob in (kept.row["blob"], kept.row.get("data_blob"), kept.row.get("signature_blob"), original):
        if blob:
            with suppress(StorageError):
                await vault.store.delete(blob)


def blob_name(record_id: str, part: str) -> str:
    """Give the key of a record's part in the store; `inspect` finds the record from it."""
    return f"records/{record_id.removeprefix('rec-')}/{part}"


def scratch_file(vault: Vault) -> Path:
    """Name a fresh temporary file on the store's side of the machine."""
    return vault.scratch / f"{os.urandom(16).hex()}.tmp"


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that nobody but us can read, whatever the process allows. Raises OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


async def _put(vault: Vault, file: Path, key: bytes, record_id: str, part: str) -> Sealed:
    target = scratch_file(vault)
    try:
        sealed = await asyncio.to_thread(seal_file, file, target, key=key, record=record_id, part=part)
        await vault.store.put(blob_name(record_id, part), target)
    finally:
        target.unlink(missing_ok=True)
    return sealed


async def _put_small(vault: Vault, content: bytes, key: bytes, record_id: str, part: str) -> bytes:
    """Seal something small in memory, so that it never lies on a disk as it is; gives the sealed bytes."""
    sealed = seal_bytes(content, key=key, record=record_id, part=part)
    target = scratch_file(vault)
    try:
        await asyncio.to_thread(write_private, target, sealed)
        await vault.store.put(blob_name(record_id, part), target)
    except OSError as problem:
        raise StoreUnavailable(f"sealing: {problem.strerror}") from problem
    finally:
        target.unlink(missing_ok=True)
    return sealed


async def _put_data(vault: Vault, data: Mapping[str, Any], key: bytes, record_id: str) -> dict[str, Any]:
    text = json.dumps(dict(data), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    sealed = await _put_small(vault, text, key, record_id, "data")
    return {
        "data_blob": blob_name(record_id, "data"),
        "data_sha256": sha256(text).digest(),
        "data_size": len(text),
        "data_sealed_sha256": sha256(sealed).digest(),
    }


async def _relations(
    vault: Vault, description: Description, data: Mapping[str, Any] | None, at: datetime
) -> dict[str, bytes]:
    """Tag the persons whom the structured data names, as the record type says (GKS.mother ...)."""
    known = vault.book.record_type(description.type, legal_day(at))
    if known is None or data is None:
        return {}
    named: dict[str, str] = {}
    for name, field in known.relation_fields.items():
        with suppress(IdentifierInvalid):  # what is no number of anybody relates to nobody
            named[name] = personal_number(str(data.get(field) or ""))
    return dict(zip(named, await vault.gate.tags(list(named.items())), strict=True))


def _born_on(vault: Vault, description: Description, data: Mapping[str, Any], at: datetime) -> str | None:
    """Keep the day of birth that the document proves, as ISO text: its data lie sealed, ages are judged."""
    known = vault.book.record_type(description.type, legal_day(at))
    if known is None or known.birth_date_field is None:
        return None
    try:
        return date.fromisoformat(str(data.get(known.birth_date_field) or "")).isoformat()
    except ValueError:
        return None  # what is no day is nobody's birthday
