"""The gate: no entry, no key. It alone holds the master key, and with it the owners' private keys (DESIGN 6).

It believes nobody: the note, the proof, the committed row, every owner's sealed seed, the record, the
caller's own credential and the age of the entry are checked here, whatever the operation that asks has
checked before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from signing.checkpoint import LogVerifier
from signing.leaf import Kind, Parts, leaf_kind, open_body
from signing.log_errors import LeafMalformed, NoteInvalid, ProofInvalid
from signing.merkle import leaf_hash, verify_inclusion
from storage.errors import SealBroken
from storage.keyring import MasterKey, new_key_pair, open_with
from vault import delegations, staff
from vault.assertions import TokenKey
from vault.callers import Caller, OwnerCaller, StaffCaller, SystemCaller
from vault.clock import Clock
from vault.database import Database
from vault.days import legal_day
from vault.delegations import Grounds
from vault.entries import SEED_INFO, holder_tag, instant
from vault.errors import GateRefused, NotAuthenticated
from vault.tables import entry_holder, key_pair, log_entry, receipt, record, record_owner, session

FRESH = timedelta(seconds=90)  # ranges share one entry for 60 seconds, and a stream may wait 30
RECORD_KEY_INFO = b"kho/1/record-key"


@dataclass(frozen=True)
class Evidence:
    """A finished inclusion proof of one entry under a signed checkpoint."""

    index: int
    leaf: bytes
    proof: Sequence[bytes]
    checkpoint: str


@dataclass(frozen=True)
class OpenedEntry:
    """An entry whose body was opened for somebody who may read it; kind and time are those committed to."""

    index: int
    kind: Kind
    leaf: bytes
    at: str
    parts: Parts
    seed: bytes


class Gate:
    """Opens record keys and entries; wraps and unwraps private keys; issues and checks tokens."""

    def __init__(
        self,
        *,
        master: MasterKey,
        db: Database,
        log_key_line: str,
        token_key: TokenKey,
        issuer: str,
        clock: Clock,
        grounds: Grounds,
    ) -> None:
        self._master = master
        self._db = db
        self._verifier = LogVerifier.from_line(log_key_line)
        self.token_key = token_key
        self.issuer = issuer
        self._clock = clock
        self._grounds = grounds
        self._checked_tokens: dict[bytes, SystemCaller] = {}
        self.unreadable: dict[int, str] = {}  # entries that did not open since the start, and why: an alarm

    def new_pair(self, kind: str, name: str, purpose: str) -> dict[str, Any]:
        """Make a key pair as a row of `key_pair`, its private half wrapped before it leaves."""
        pair = new_key_pair()
        return {
            "kind": kind,
            "id": name,
            "purpose": purpose,
            "public": pair.public,
            "wrapped_private": self._master.wrap(pair.private, _pair_aad(kind, name, purpose)),
        }

    def check_token(self, token: str) -> SystemCaller:
        """Give the caller that a token proves; signatures are checked once and remembered until `exp`.

        Raises:
            TokenRefused: see vault.assertions.
        """
        now = self._clock.now()
        known = self._checked_tokens.get(digest := sha256(token.encode()).digest())
        if known is not None and known.expires > now:
            return known
        claims = self.token_key.check(token, issuer=self.issuer, at=now)
        caller = SystemCaller(
            system=claims.client_id,
            agency=claims.agency,
            officer=claims.officer,
            key_thumbprint=claims.key_thumbprint,
            expires=claims.expires,
            token=token,
        )
        if len(self._checked_tokens) >= 4096:
            self._checked_tokens = {
                key: one for key, one in self._checked_tokens.items() if one.expires > now
            }
        self._checked_tokens[digest] = caller
        return caller

    async def check_session(self, secret: str) -> OwnerCaller:
        """Give the owner that a session secret proves, or whom they act for while that is evidenced.

        Raises:
            NotAuthenticated: unknown or ended; or what they acted for another by no longer stands.
        """
        person, delegation = await self._session(secret)
        if delegation is None:
            return person
        async with self._db.read() as db:
            day = legal_day(self._clock.now())
            owner = await delegations.acted_for(db, delegation, person.owner, self._grounds, day)
        if owner is None:
            raise NotAuthenticated("acting_ended")
        return replace(person, owner=owner, actor_owner=person.owner, delegation=delegation)

    async def check_person(self, secret: str) -> OwnerCaller:
        """Give the owner that a session secret proves as themself, whomever they act for.

        Raises:
            NotAuthenticated: unknown or ended.
        """
        return (await self._session(secret))[0]

    async def _session(self, secret: str) -> tuple[OwnerCaller, str | None]:
        query = select(session.c.owner, session.c.expires, session.c.delegation).where(
            session.c.secret_hash == sha256(secret.encode()).digest(), session.c.kind == "session"
        )
        async with self._db.read() as db:
            row = (await db.execute(query)).first()
        if row is None or instant(row.expires) <= self._clock.now():
            raise NotAuthenticated("session_ended")
        return OwnerCaller(row.owner, instant(row.expires), secret), row.delegation

    async def check_staff(self, secret: str) -> StaffCaller:
        """Give the officer that a session secret proves, in the role they signed in for.

        Raises:
            NotAuthenticated: unknown or ended, or the officer or the agency is no longer live.
        """
        async with self._db.read() as db:
            found = await staff.signed_in(db, secret)
        if found is None or found.expires <= self._clock.now():
            raise NotAuthenticated("session_ended")
        return found

    async def open_key(self, evidence: Evidence, credential: Caller, record_id: str) -> bytes:
        """Give the key of one record against one committed `delivered` entry.

        Raises:
            GateRefused: naming the check that failed.
        """
        self._check_proof(evidence)
        caller = await self._own_view(credential)
        if isinstance(caller, StaffCaller):  # neither an auditor nor an administrator reads content
            raise GateRefused("caller: their role opens no key")
        async with self._db.read() as db:
            entry = await self._committed(db, evidence, Kind.DELIVERED)
            owners = (
                await db.execute(
                    select(record_owner.c.owner, record_owner.c.wrapped_key, record.c.content_sha256)
                    .join(record, record.c.id == record_owner.c.record)
                    .where(record_owner.c.record == record_id, record_owner.c.wrapped_key.is_not(None))
                    .order_by(record_owner.c.owner)
                )
            ).all()
            if not owners:
                raise GateRefused("record: its keys are gone or it never was")
            parts = [await self._open_for(db, entry, "owner", row.owner) for row in owners]
            private = await self._private(db, "owner", owners[0].owner, "content")
        self._check_entry(parts[0], caller, record_id, owners[0].content_sha256.hex())
        aad = owners[0].owner.encode() + b"\x00" + record_id.encode()
        try:
            return open_with(private, owners[0].wrapped_key, info=RECORD_KEY_INFO, aad=aad)
        except SealBroken as problem:
            raise GateRefused(f"key: {problem}") from problem

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
        caller = await self._own_view(credential)
        opened: list[OpenedEntry] = []
        async with self._db.read() as db:
            for index in indexes:
                row = (await db.execute(select(log_entry).where(log_entry.c.idx == index))).first()
                if isinstance(caller, StaffCaller) and index in (entered or {}):
                    await self._check_audit(db, (entered or {})[index], caller, index)
                    holder = next(iter(await _living(db, index)), None)
                else:
                    holder = await self._holder_for(db, index, caller) if row is not None else None
                if row is None or holder is None:
                    continue
                try:
                    opened.append(await self._open_for(db, row, *holder))
                except GateRefused as problem:
                    self.unreadable[index] = problem.detail
        if isinstance(caller, SystemCaller):  # who is named is read in the entry, not in the receipt's row
            opened = [one for one in opened if one.parts.actor.get("system") == caller.system]
        return opened

    # The checks ---------------------------------------------------------------------------------------

    def _check_proof(self, evidence: Evidence) -> None:
        try:
            head = self._verifier.open_checkpoint(evidence.checkpoint)
            verify_inclusion(
                leaf_hash(evidence.leaf), evidence.index, head.size, list(evidence.proof), head.root
            )
        except (NoteInvalid, ProofInvalid) as problem:
            raise GateRefused(f"proof: {problem}") from problem

    async def _own_view(self, credential: Caller) -> Caller:
        """Prove the caller from the credential itself, not from what the operation says about it."""
        if isinstance(credential, OwnerCaller):
            if credential.delegation is None:
                return await self.check_person(credential.session)
            return await self.check_session(credential.session)
        if isinstance(credential, StaffCaller):
            return await self.check_staff(credential.session)
        if credential.door == "desk":
            officer = await self.check_staff(credential.token)
            if officer.role != "desk":
                raise NotAuthenticated("role_missing")
            return officer.at_desk()
        return self.check_token(credential.token)

    async def _committed(self, db: AsyncConnection, evidence: Evidence, kind: Kind) -> Any:
        row = (await db.execute(select(log_entry).where(log_entry.c.idx == evidence.index))).first()
        if row is None or row.leaf != evidence.leaf:
            raise GateRefused("row: no such entry is committed")
        if leaf_kind(row.leaf) is not kind:  # the row's own kind could be anything
            raise GateRefused(f"kind: only an entry of kind {int(kind)} opens this")
        return row

    async def _check_audit(
        self, db: AsyncConnection, evidence: Evidence, auditor: StaffCaller, index: int
    ) -> None:
        """An auditor opens nothing but what their own fresh entry names, shown to each owner concerned."""
        self._check_proof(evidence)
        if auditor.role != "auditor":
            raise GateRefused("caller: their role opens no entry")
        row = await self._committed(db, evidence, Kind.AUDITOR_ACT)
        told = await _owners(db, index) or await _living(db, evidence.index)
        if not told:
            raise GateRefused("key: it was erased")
        act, *_ = [await self._open_for(db, row, *one) for one in told]
        if act.parts.actor != auditor.actor():
            raise GateRefused("caller: the entry names another one")
        if act.parts.event.get("of") != index or not act.parts.basis.get("facts", {}).get("ground"):
            raise GateRefused("entry: it names another one, or no ground")
        if abs(self._clock.now() - instant(act.at)) > FRESH:
            raise GateRefused("age: the entry is too old")

    def _check_entry(self, entry: OpenedEntry, caller: Caller, record_id: str, digest: str) -> None:
        parts = entry.parts
        if parts.subject.get("record") != record_id or parts.subject.get("digest") != digest:
            raise GateRefused("record: the entry names another one")
        if parts.actor != caller.actor():
            raise GateRefused("caller: the entry names another one")
        if parts.event.get("result") != "permitted":
            raise GateRefused("event: the entry permits nothing")
        if abs(self._clock.now() - instant(entry.at)) > FRESH:
            raise GateRefused("age: the entry is too old")

    async def _holder_for(self, db: AsyncConnection, index: int, caller: Caller) -> tuple[str, str] | None:
        query = _living_holders(index)
        if isinstance(caller, StaffCaller):
            return None  # what an auditor opens is entered first
        if isinstance(caller, OwnerCaller):
            query = query.where(entry_holder.c.holder_kind == "owner", entry_holder.c.holder == caller.owner)
        else:
            named = select(receipt.c.id).where(
                receipt.c.idx == index, receipt.c.caller_kind == "system", receipt.c.caller == caller.system
            )
            if (await db.execute(named)).first() is None:
                return None
        row = (await db.execute(query)).first()
        return (row.holder_kind, row.holder) if row is not None else None

    async def _open_for(self, db: AsyncConnection, entry: Any, kind: str, name: str) -> OpenedEntry:
        """Open the entry with one holder's log key; opening recomputes the leaf and compares it."""
        query = select(entry_holder.c.sealed_seed).where(
            entry_holder.c.idx == entry.idx, entry_holder.c.holder_kind == kind, entry_holder.c.holder == name
        )
        sealed = (await db.execute(query)).scalar_one_or_none()
        if sealed is None:
            raise GateRefused("owners: the entry is not sealed to each of them")
        private = await self._private(db, kind, name, "log")
        try:
            aad = holder_tag(kind, name) + b"\x00" + entry.leaf
            seed = open_with(private, sealed, info=SEED_INFO, aad=aad)
            parts = open_body(entry.body, seed, entry.leaf)
        except (SealBroken, LeafMalformed) as problem:
            raise GateRefused(f"entry: {problem}") from problem
        at = str(parts.event["at"])
        return OpenedEntry(entry.idx, leaf_kind(entry.leaf), entry.leaf, at, parts, seed)

    async def _private(self, db: AsyncConnection, kind: str, name: str, purpose: str) -> bytes:
        query = select(key_pair.c.wrapped_private).where(
            key_pair.c.kind == kind, key_pair.c.id == name, key_pair.c.purpose == purpose
        )
        wrapped = (await db.execute(query)).scalar_one_or_none()
        if wrapped is None:
            raise GateRefused("key: it was erased")
        try:
            return self._master.unwrap(wrapped, _pair_aad(kind, name, purpose))
        except SealBroken as problem:
            raise GateRefused(f"key: {problem}") from problem


async def _owners(db: AsyncConnection, index: int) -> list[tuple[str, str]]:
    """Give the owners whom an entry is about and whose log key was not erased."""
    return [one for one in await _living(db, index) if one[0] == "owner"]


async def _living(db: AsyncConnection, index: int) -> list[tuple[str, str]]:
    """Give who can open an entry."""
    return [(row.holder_kind, row.holder) for row in await db.execute(_living_holders(index))]


def _living_holders(index: int) -> Select[tuple[str, str]]:
    """Select who can open an entry: its holders whose log key was not erased."""
    living = (
        (key_pair.c.kind == entry_holder.c.holder_kind)
        & (key_pair.c.id == entry_holder.c.holder)
        & (key_pair.c.purpose == "log")
    )
    return (
        select(entry_holder.c.holder_kind, entry_holder.c.holder)
        .join(key_pair, living)
        .where(entry_holder.c.idx == index, key_pair.c.wrapped_private.is_not(None))
        .order_by(entry_holder.c.holder_kind, entry_holder.c.holder)
    )


def _pair_aad(kind: str, name: str, purpose: str) -> bytes:
    return f"{kind}:{name}:{purpose}".encode()


def readable(parts: Parts) -> Mapping[str, Mapping[str, Any]]:
    """Give the five parts by name."""
    return {
        "subject": parts.subject,
        "actor": parts.actor,
        "purpose": parts.purpose,
        "basis": parts.basis,
        "event": parts.event,
    }
