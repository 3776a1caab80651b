"""A file on its way: its entry, its key, its chunks, and what the log hears when it does not arrive."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self
from unicodedata import category, normalize

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.facts import AccessFacts
from signing.leaf import Kind
from storage.errors import BlobDamaged, BlobMissing, StorageError
from storage.sealed import read_sealed
from vault import entries, epochs, releases, telling
from vault.appending import Write
from vault.assertions import TokenRefused
from vault.callers import Caller
from vault.entries import Logged, stamp
from vault.errors import ContentDamaged, FieldInvalid, StoreAway, VaultError
from vault.evidence import Evidence
from vault.records import Stored, part_of
from vault.services import Vault
from vault.tables import damage
from vault.telling import Telling

_ENDINGS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/tiff": ".tif",
    "image/heic": ".heic",
    "application/xml": ".xml",
    "application/pkcs7-signature": ".p7s",
    "application/x-pem-file": ".pem",
}
_LONGEST_NAME = 60  # characters of a title in a file name: with its code it stays under 255 bytes
SHARED = timedelta(seconds=60)  # ranges of one file share a `delivered` entry this long


class Chunks:
    """The content on its way; `aclose` ends the reading at once, begun or not, and closes the file."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes]) -> None:
        self._first = first
        self._rest = rest

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._first:
            first, self._first = self._first, b""
            return first
        return await anext(self._rest)

    async def aclose(self) -> None:
        """End the reading."""
        self._first = b""
        await self._rest.aclose()


@dataclass(frozen=True)
class Delivery:
    """A file on its way: `chunks` are authenticated one by one, the first already before this exists.

    `broken` tells the log, by a code, that what was entered as delivered did not reach its reader.
    """

    chunks: Chunks
    start: int
    stop: int  # exclusive
    size: int  # of the whole file
    digest: bytes  # SHA-256 of the whole file
    media_type: str
    name: str
    verdict: str
    validity: str
    receipt: str
    index: int
    broken: Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class Access:
    """A permitted access, ready to be entered; `beside`: to another file than the record's newest."""

    told: Telling
    record: Stored
    epochs: Mapping[str, int]
    release: str | None
    beside: bool = False


async def send(
    vault: Vault, caller: Caller, access: Access, start: int, stop: int | None, shared: int | None
) -> Delivery:
    """Enter a permitted access, and begin to send its content from `start` up to `stop` (bytes).

    Args:
        shared: the index of the `delivered` entry that covers this range too; None for one of its own.

    Raises:
        FieldInvalid: the range lies outside the file.
        Moved: an epoch moved since the decision; nothing was entered.
        ContentDamaged: the stored bytes do not authenticate; nothing was sent, and that is an entry.
        GateRefused, NotAuthenticated, TokenRefused: the gate opens no key, and that is an entry.
        VaultBusy: the entry could not be written; nothing was sent.
        PartAway, StoreAway: signer, gate or store did not answer; nothing was sent, and that is an entry.
    """
    row = access.record.row
    end = row["content_size"] if stop is None else min(stop, row["content_size"])
    if not 0 <= start < end:
        raise FieldInvalid("range", "range_outside_file")
    # 7 A `delivered` entry is committed, epochs compared under the lock.
    entry = await _entered(vault, caller, access) if shared is None else await _entry_of(vault, shared)
    # 8 The gate opens the key against that entry; chunks leave authenticated.
    key = await _key(vault, caller, access, entry)
    chunks = _chunks(vault, caller, access, entry, key, start, end)
    try:
        first = await anext(chunks)
    except StopAsyncIteration:
        first = b""
    return Delivery(
        chunks=Chunks(first, chunks),
        start=start,
        stop=end,
        size=row["content_size"],
        digest=row["content_sha256"],
        media_type=row["media_type"],
        name=_file_name(access.record, access.told.facts),
        verdict=access.record.facts.verdict,
        validity=access.record.facts.validity.value,
        receipt=entry.receipt,
        index=entry.index,
        broken=lambda why: _not_delivered(vault, caller, access, entry, why),
    )


def ending_of(media_type: str) -> str:
    """Give what the name of a file of this media type ends with, its dot too."""
    return _ENDINGS.get(media_type, ".pdf")


def _file_name(record: Stored, facts: AccessFacts) -> str:
    """Name the file as people know the paper; what would steer a file system is left out."""
    ending = ending_of(record.row["media_type"])
    title = "".join(one for one in normalize("NFC", str(record.row["title"])) if _may_name(one))
    return f"{' '.join(title.split())[:_LONGEST_NAME]} {_code(record, facts)}{ending}".strip()


def _may_name(letter: str) -> bool:
    return letter not in '<>:"/\\|?*' and (letter == " " or category(letter)[0] not in "CZ")


def _code(record: Stored, facts: AccessFacts) -> str:
    """Name the file by a document code of whom it is read for: each code holds its owner's number."""
    persons = facts.dossier.persons if facts.dossier is not None else ()
    named = [facts.owner, *(person.owner for person in persons)]
    codes = [code for one in named for owner, code in record.document_codes.items() if owner == one]
    return codes[0] if codes else record.facts.id


async def _entered(vault: Vault, caller: Caller, access: Access) -> Logged:
    prepared = await telling.prepare(vault, caller, [access.told])

    async def write(db: AsyncConnection, logged: list[Logged]) -> None:
        if access.release is not None:
            until = access.told.decision.at + SHARED
            await releases.share(
                db,
                {
                    "release": access.release,
                    "token_hash": caller.credential_hash,
                    "epochs": releases.epochs_text(access.epochs),
                    "idx": logged[0].index,
                    "until": stamp(until),
                },
            )

    return (await vault.appender.append(prepared, access.epochs, write, moves=False))[0]


async def _key(vault: Vault, caller: Caller, access: Access, entry: Logged) -> bytes:
    try:
        proof, checkpoint, _size = await vault.appender.proof(entry.index)
        evidence = Evidence(entry.index, entry.leaf, proof, checkpoint)
        return await vault.gate.open_key(evidence, caller, access.record.facts.id)
    except (VaultError, TokenRefused) as problem:
        await _not_delivered(vault, caller, access, entry, problem.code)
        raise


async def _entry_of(vault: Vault, index: int) -> Logged:
    async with vault.db.read() as db:
        return await entries.logged(db, index)


async def _chunks(
    vault: Vault, caller: Caller, access: Access, entry: Logged, key: bytes, start: int, stop: int
) -> AsyncGenerator[bytes]:
    row = access.record.row
    try:
        async with await vault.store.open(row["blob"]) as reader:
            sealed = read_sealed(
                reader,
                key=key,
                record=row["id"],
                part=part_of(row),
                content_size=row["content_size"],
                start=start,
                stop=stop,
            )
            async with aclosing(sealed):
                async for chunk in sealed:
                    vault.tally.bytes_delivered += len(chunk)
                    yield chunk
    except (BlobDamaged, BlobMissing) as problem:
        await _report_damage(vault, caller, access, entry, problem)
        raise ContentDamaged from problem
    except StorageError as problem:
        # A stream that breaks by our fault adds a `not delivered` entry.
        await _not_delivered(vault, caller, access, entry, problem.code)
        raise StoreAway(f"storage: {problem.code}") from problem


async def _report_damage(
    vault: Vault, caller: Caller, access: Access, entry: Logged, problem: StorageError
) -> None:
    """Damage aborts the read, is an entry, and from now on shows in /readyz and `kho inspect`."""

    async def write(db: AsyncConnection, logged: list[Logged]) -> None:
        row = {"record": access.record.facts.id, "part": "file", "idx": logged[0].index}
        await db.execute(insert(damage).values(**row, at=stamp(vault.clock.now())))
        await epochs.advance(db, [("owner", one) for one in access.record.facts.owners])

    # A damaged file beside the newest is a finding of `kho inspect`; the record itself is as good as before.
    await _not_delivered(vault, caller, access, entry, problem.code, None if access.beside else write)


async def _not_delivered(
    vault: Vault, caller: Caller, access: Access, entry: Logged, why: str, write: Write | None = None
) -> None:
    told = replace(
        access.told, kind=Kind.NOT_DELIVERED, event="not_delivered", details={"failure": why}, of=entry.index
    )
    prepared = await telling.prepare(vault, caller, [told])
    await vault.appender.append(prepared, telling.nothing_to_check, write)
