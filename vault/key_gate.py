"""The gate: no entry, no key. It alone holds the master key, and with it the owners' private keys (DESIGN 6).

It believes nobody: the note, the proof, the committed row, every owner's sealed seed, the record, the
caller's own credential and the age of the entry are checked here, whatever the operation that asks has
checked before. What an entry must prove is in vault/evidence.py, how a caller is proven in
vault/credentials.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from policies.book import Book
from signing.checkpoint import LogVerifier
from signing.leaf import Kind, leaf_kind, open_body
from signing.log_errors import LeafMalformed
from storage.errors import BlobDamaged, SealBroken
from storage.keyring import MasterKey, open_with
from storage.sealed import open_bytes
from vault.assertions import TokenKey
from vault.assurance import is_strong
from vault.callers import Caller, OwnerCaller, StaffCaller, SystemCaller
from vault.clock import Clock
from vault.credentials import Credentials
from vault.database import Database
from vault.delegations import Grounds
from vault.entries import SEED_INFO, holder_tag
from vault.entry_holders import living, living_holders, living_owners
from vault.errors import GateRefused
from vault.evidence import (
    REPETITION,
    Evidence,
    OpenedEntry,
    check_act,
    check_delivered,
    check_job,
    check_proof,
)
from vault.evidence_tables import earlier_content, scan, waiting_seal
from vault.key_pairs import KeyPairs, LogPair
from vault.realm_rules import Realm, RealmRules
from vault.tables import entry_holder, log_entry, receipt, record, record_owner
from vault.tags import KeyedTags

RECORD_KEY_INFO = b"kho/1/record-key"
WAITING_PART = "waiting"  # what the body of what waits is bound to, and the purpose of the vault's key for it
WAITING_KEY_INFO = b"kho/1/waiting-key"
READING_PART = "reading"  # what was read of a scan is bound to
READING_KEY_INFO = b"kho/1/reading-key"


class Gate(Credentials):
    """Opens record keys and entries, wraps and unwraps private keys, and proves each caller for itself."""

    def __init__(
        self,
        *,
        master: MasterKey,
        db: Database,
        log_key_line: str,
        token_key: TokenKey,
        issuer: str,
        clock: Clock,
        book: Book,
        index_key: bytes,
        realms: Mapping[Realm, RealmRules],
        shared: bool = False,
    ) -> None:
        """`shared`: several processes with these keys serve, and who begins at one may end at another."""
        self._tags = KeyedTags(index_key)
        grounds = Grounds(book, self._tags.tags)
        super().__init__(
            db=db,
            token_key=token_key,
            issuer=issuer,
            clock=clock,
            grounds=grounds,
            session_key=master.derived(b"session"),
            realms=realms,
            nonce_key=master.derived(b"nonce") if shared else None,
        )
        self._pairs = KeyPairs(master)
        self._verifier = LogVerifier.from_line(log_key_line)
        self.unreadable: dict[int, str] = {}  # entries that did not open since the start, and why: an alarm

    async def tags(self, pairs: Sequence[tuple[str, str]]) -> list[bytes]:
        """Tag identifiers of persons, each under the field that names them (vault/tags.py)."""
        return await self._tags.tags(pairs)

    async def new_pair(self, kind: str, name: str, purpose: str) -> dict[str, Any]:
        """Make a key pair of an agency or of the vault as a row of `key_pair`, its private half wrapped.

        Raises:
            GateRefused: it would be an owner's.
        """
        return self._pairs.made(kind, name, purpose)

    async def new_owner_pairs(self, owner: str) -> list[dict[str, Any]]:
        """Make both key pairs of an owner as rows, bound to each other (vault/key_pairs.py)."""
        return self._pairs.made_for_owner(owner)

    async def prove_master(self) -> None:
        """See that the master key opens the vault's own key in these rows. Raises GateRefused."""
        async with self._db.read() as db:
            await self._pairs.log(db, "vault", "vault")

    async def ready(self) -> None:
        """Return: it is here."""

    async def open_key(self, evidence: Evidence, credential: Caller, record_id: str) -> bytes:
        """Give the key of one record against one committed `delivered` entry.

        The entry names the newest file, or the signature beside it; that of an owner may name an earlier file
        too, or the original.

        Raises:
            GateRefused: naming the check that failed.
        """
        check_proof(self._verifier, evidence)
        caller = await self.own_view(credential)
        if isinstance(caller, StaffCaller):  # neither an auditor nor an administrator reads content
            raise GateRefused("caller: their role opens no key")
        held = await self._held(evidence, Kind.DELIVERED, record_id, past=isinstance(caller, OwnerCaller))
        digests = held.now | held.earlier | held.originals
        check_delivered(held.entry, caller, record_id, digests, self._clock.now())
        return held.key()

    async def open_key_for_job(self, evidence: Evidence, job: str, record_id: str) -> bytes:
        """Give the key of one record to the vault's own work, against an entry that each owner can read.

        The entry names the newest file; that of finding a verdict again may name one from before a renewal.

        Raises:
            GateRefused: naming the check that failed.
        """
        check_proof(self._verifier, evidence)
        held = await self._held(evidence, Kind.MAINTENANCE, record_id, past=job == REPETITION)
        digests = {held.digest} | held.earlier
        check_job(held.entry, job, record_id, digests, self._clock.now())
        return held.key()

    async def _held(self, evidence: Evidence, kind: Kind, record_id: str, *, past: bool) -> "_Held":
        """Open the entry for every owner of the record; what it must prove is checked before the key.

        Args:
            past: whether what the record was before, and what it was made from, may be opened too.
        """
        async with self._db.read() as db:
            entry = await self._committed(db, evidence, kind)
            owners = (
                await db.execute(
                    select(
                        record_owner.c.owner,
                        record_owner.c.wrapped_key,
                        record.c.content_sha256,
                        record.c.signature_sha256,
                    )
                    .join(record, record.c.id == record_owner.c.record)
                    .where(record_owner.c.record == record_id, record_owner.c.wrapped_key.is_not(None))
                    .order_by(record_owner.c.owner)
                )
            ).all()
            if not owners:
                raise GateRefused("record: its keys are gone or it never was")
            logs = [await self._pairs.log(db, "owner", row.owner) for row in owners]
            parts = [await self._open_by(db, entry, log) for log in logs]
            first = owners[0]
            before, made_from = [
                await _digests(db, kept, record_id) if past else frozenset()
                for kept in (earlier_content, scan)
            ]
            private = [await self._pairs.content(db, log) for log in logs]
        signature = first.signature_sha256.hex() if first.signature_sha256 is not None else None
        return _Held(
            parts[0],
            first.content_sha256.hex(),
            signature,
            before,
            made_from,
            [
                (own, row.wrapped_key, row.owner.encode() + b"\x00" + record_id.encode())
                for own, row in zip(private, owners, strict=True)
            ],
        )

    async def open_waiting(self, waiting: str) -> tuple[bytes, bytes]:
        """Give back what was asked and waits to be carried out (vault/waiting_seals.py), and its key.

        The key opens the file that was handed in with it, if there was one. No entry: it is the system's own
        request, no record yet, and no record key can be opened this way.

        Raises:
            GateRefused: nothing waits under that id any more, or what lies there was changed.
        """
        async with self._db.read() as db:
            private = await self._pairs.private(db, WAITING_PART)
            row = await _waiting_row(db, waiting)
        if row is None or row.wrapped_key is None:
            raise GateRefused("waiting: there is nothing")
        try:
            key = open_with(private, row.wrapped_key, info=WAITING_KEY_INFO, aad=waiting.encode())
            return open_bytes(row.body, key=key, record=waiting, part=WAITING_PART), key
        except (SealBroken, BlobDamaged) as problem:
            raise GateRefused(f"waiting: {problem}") from problem

    async def open_reading(self, waiting: str, credential: Caller) -> bytes:
        """Give what was read of a scan, once it was sealed, to the agency that handed it in.

        It is sealed as a reading, and for that agency: whatever the row says, nothing that waits opens so,
        and nothing of another's.

        Raises:
            GateRefused: nothing of theirs lies under that id, it waits still, or it was changed.
        """
        caller = await self.own_view(credential)
        async with self._db.read() as db:
            row = await _waiting_row(db, waiting)
            if row is None or not isinstance(caller, SystemCaller) or row.agency != caller.agency:
                raise GateRefused("waiting: there is nothing")
            private = await self._pairs.private(db, WAITING_PART)
        if row.reading_key is None:
            raise GateRefused("waiting: there is nothing")
        try:
            aad = reading_aad(caller.agency, waiting)
            key = open_with(private, row.reading_key, info=READING_KEY_INFO, aad=aad)
            return open_bytes(row.reading, key=key, record=waiting, part=READING_PART)
        except (SealBroken, BlobDamaged) as problem:
            raise GateRefused(f"waiting: {problem}") from problem

    async def open_entries(
        self,
        indexes: Sequence[int],
        credential: Caller,
        entered: Mapping[int, Evidence] | None = None,
    ) -> list[OpenedEntry]:
        """Open entries for their owner, or for the caller named in them; others are left out in silence.

        An entry whose every log key was erased stays closed. One whose body or seed was changed is left out
        too, for it must not hide the others, and is from then on among `unreadable`.

        Args:
            entered: for an auditor alone: for each index the auditor's own entry that says it is opened.

        Raises:
            GateRefused: an auditor's entry does not prove what it should, naming the check that failed.
        """
        caller = await self.own_view(credential)
        opened: list[OpenedEntry] = []
        async with self._db.read() as db:
            for index in indexes:
                row = (await db.execute(select(log_entry).where(log_entry.c.idx == index))).first()
                logs: Sequence[LogPair] = ()
                if isinstance(caller, StaffCaller) and index in (entered or {}):
                    logs = await self._check_audit(db, (entered or {})[index], caller, index)
                elif row is not None:
                    logs = await self._log_for(db, index, caller)
                if row is None or not logs:
                    continue
                try:
                    first, *_ = [await self._open_by(db, row, log) for log in logs]
                    opened.append(first)
                except GateRefused as problem:
                    self.unreadable[index] = problem.detail
        if isinstance(caller, SystemCaller):  # who is named is read in the entry, not in the receipt's row
            opened = [one for one in opened if one.parts.actor.get("system") == caller.system]
        return opened

    # The checks ---------------------------------------------------------------------------------------

    async def _committed(self, db: AsyncConnection, evidence: Evidence, kind: Kind) -> Any:
        row = (await db.execute(select(log_entry).where(log_entry.c.idx == evidence.index))).first()
        if row is None or row.leaf != evidence.leaf:
            raise GateRefused("row: no such entry is committed")
        if leaf_kind(row.leaf) is not kind:  # the row's own kind could be anything
            raise GateRefused(f"kind: only an entry of kind {int(kind)} opens this")
        return row

    async def _check_audit(
        self, db: AsyncConnection, evidence: Evidence, auditor: StaffCaller, index: int
    ) -> list[LogPair]:
        """An auditor opens nothing but what their own fresh entry names, shown to each owner concerned.

        Gives the keys that the entry must open with: they are those that the owners were told by.
        """
        check_proof(self._verifier, evidence)
        if auditor.role != "auditor":
            raise GateRefused("caller: their role opens no entry")
        if not is_strong(auditor, self._grounds.book, self._clock.now()):
            raise GateRefused("caller: authenticated too weakly, or too long ago")
        row = await self._committed(db, evidence, Kind.AUDITOR_ACT)
        owners = await living_owners(db, index)
        told = [await self._pairs.log(db, *one) for one in owners or await living(db, evidence.index)]
        if not told:
            raise GateRefused("key: it was erased")
        act, *_ = [await self._open_by(db, row, log) for log in told]
        check_act(act, auditor, index, self._clock.now())
        return told if owners else [await self._pairs.log(db, *one) for one in (await living(db, index))[:1]]

    async def _log_for(self, db: AsyncConnection, index: int, caller: Caller) -> list[LogPair]:
        query = living_holders(index)
        if isinstance(caller, StaffCaller):
            return []  # what an auditor opens is entered first
        if isinstance(caller, OwnerCaller):
            query = query.where(entry_holder.c.holder_kind == "owner", entry_holder.c.holder == caller.owner)
        else:
            named = select(receipt.c.id).where(
                receipt.c.idx == index, receipt.c.caller_kind == "system", receipt.c.caller == caller.system
            )
            if (await db.execute(named)).first() is None:
                return []
        row = (await db.execute(query)).first()
        return [await self._pairs.log(db, row.holder_kind, row.holder)] if row is not None else []

    async def _open_by(self, db: AsyncConnection, entry: Any, log: LogPair) -> OpenedEntry:
        """Open the entry with one holder's log key; opening recomputes the leaf and compares it."""
        query = select(entry_holder.c.sealed_seed).where(
            entry_holder.c.idx == entry.idx,
            entry_holder.c.holder_kind == log.kind,
            entry_holder.c.holder == log.name,
        )
        sealed = (await db.execute(query)).scalar_one_or_none()
        if sealed is None:
            raise GateRefused("owners: the entry is not sealed to each of them")
        try:
            aad = holder_tag(log.kind, log.name) + b"\x00" + entry.leaf
            seed = open_with(log.private, sealed, info=SEED_INFO, aad=aad)
            parts = open_body(entry.body, seed, entry.leaf)
        except (SealBroken, LeafMalformed) as problem:
            raise GateRefused(f"entry: {problem}") from problem
        at = str(parts.event["at"])
        return OpenedEntry(entry.idx, leaf_kind(entry.leaf), entry.leaf, at, parts, seed)


@dataclass(frozen=True)
class _Held:
    """An opened entry about a record, and what opens the record's key once the entry is found good."""

    entry: OpenedEntry
    digest: str
    signature: str | None  # the digest of what stands beside the file
    earlier: frozenset[str]  # of the same record's files from before renewals
    originals: frozenset[str]  # of what it was made from
    wrapped: Sequence[tuple[bytes, bytes, bytes]] = field(repr=False)  # for each owner: by what, what, AAD

    @property
    def now(self) -> frozenset[str]:
        """The digests of what the record is now: its newest file, and the signature beside it."""
        return frozenset({self.digest} | ({self.signature} if self.signature is not None else set()))

    def key(self) -> bytes:
        """Open the record's key with the content key of every owner: each was told by the log key beside it.

        Raises:
            GateRefused: it does not open with one of them, or is another with each.
        """
        try:
            keys = {open_with(own, one, info=RECORD_KEY_INFO, aad=aad) for own, one, aad in self.wrapped}
        except SealBroken as problem:
            raise GateRefused(f"key: {problem}") from problem
        if len(keys) != 1:
            raise GateRefused("key: its owners hold different ones")
        return keys.pop()


async def _digests(db: AsyncConnection, kept: Table, record_id: str) -> frozenset[str]:
    query = select(kept.c.content_sha256).where(kept.c.record == record_id)
    return frozenset(one.hex() for one in (await db.execute(query)).scalars())


def reading_aad(agency: str, waiting: str) -> bytes:
    """Give what the key of what was read of a scan is bound to."""
    return b"\x00".join((READING_PART.encode(), agency.encode(), waiting.encode()))


async def _waiting_row(db: AsyncConnection, waiting: str) -> Any:
    return (await db.execute(select(waiting_seal).where(waiting_seal.c.id == waiting))).first()
