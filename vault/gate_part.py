"""The gate as a process of its own: it reads the rows itself, and believes nobody who asks."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from policies.book import shipped_book
from signing.checkpoint import LogVerifier
from signing.log_errors import NoteInvalid
from storage.keyring import check_key_folder, create_key_folder, load_or_create_master, load_or_create_secret
from vault import gate_words, part_marks
from vault.assertions import TokenKey
from vault.clock import Clock
from vault.connecting import connect
from vault.database import Database
from vault.errors import GateRefused, PeerRefused, VaultIncomplete
from vault.id_tokens import IdTokenRefused
from vault.key_gate import Gate
from vault.migrating import check_schema, check_tables
from vault.provider_documents import ProviderFailed
from vault.realm_rules import Realm, RealmRules
from vault.remote_signer import log_verifier
from vault.rows_address import RowsAddress
from vault.sign_in_refusals import SessionRefused, SignInRefused
from vault.socket_calling import Part
from vault.socket_serving import Asked, Call, Journal, Told, listening
from vault.standing import require_here
from vault.tables import key_pair
from vault.wire import FrameMalformed
from vault.wire_values import blob, inside, several, text, written

_PINNED = "log.public"  # in the key folder: whose log it opens by, learned once


@dataclass(frozen=True)
class GatePlaces:
    """Where the gate's rows and keys are, where it listens, and whose log it opens by.

    `log_key` is that log's public line, else it is asked of the `signer` once and kept beside the keys.
    `realms` is what is asked of whoever signs in; their providers are asked by the gate itself.
    """

    database: RowsAddress
    keys: Path
    place: Path
    issuer: str
    log_key: str = ""
    signer: Path | None = None
    realms: Mapping[Realm, RealmRules] = field(default_factory=dict)


class GatePart:
    """What may be asked of a gate, and by whom.

    Each session that begins, and each that was refused, is told in the gate's own journal, which nobody else
    can write.
    """

    def __init__(self, gate: Gate, log_key: str, workers: Collection[int], journal: Journal) -> None:
        self._gate = gate
        self._log_key = log_key
        self._workers = frozenset(workers)
        self._journal = journal

    @property
    def calls(self) -> dict[str, Call]:
        """What may be asked, by name."""
        return {
            "hello": self._hello,
            "tags": self._tags,
            "new_pair": self._new_pair,
            "new_owner_pairs": self._new_owner_pairs,
            "open_key": self._open_key,
            "open_key_for_job": self._open_key_for_job,
            "open_waiting": self._open_waiting,
            "open_reading": self._open_reading,
            "open_entries": self._open_entries,
            "exchange": self._exchange,
            "begin_sign_in": self._begin_sign_in,
            "prove_sign_in": self._prove_sign_in,
            "mark_session": self._mark_session,
            "check_session": self._check_session,
            "check_person": self._check_person,
            "check_staff": self._check_staff,
        }

    async def _hello(self, _asked: Asked) -> Told:
        gate = self._gate
        said = {"log_key": self._log_key, "issuer": gate.issuer, "token_key": gate.token_key.public}
        return Told(written(said | {"realms": gate.realms}))

    async def _tags(self, asked: Asked) -> Told:
        return Told(written({"tags": await self._gate.tags(gate_words.pairs_read(asked.said))}))

    async def _new_pair(self, asked: Asked) -> Told:
        names = [text(asked.said, name) for name in ("kind", "name", "purpose")]
        row = await self._gate.new_pair(*names)
        return Told(written(_keys(row)))

    async def _new_owner_pairs(self, asked: Asked) -> Told:
        rows = await self._gate.new_owner_pairs(text(asked.said, "owner"))
        return Told({row["purpose"]: written(_keys(row)) for row in rows})

    async def _open_key(self, asked: Asked) -> Told:
        evidence = gate_words.evidence_read(inside(asked.said, "evidence"))
        credential = gate_words.credential_read(inside(asked.said, "credential"))
        key = await self._gate.open_key(evidence, credential, text(asked.said, "record"))
        return Told(written({"key": key}))

    async def _open_key_for_job(self, asked: Asked) -> Told:
        self._require_worker(asked)
        evidence = gate_words.evidence_read(inside(asked.said, "evidence"))
        names = text(asked.said, "job"), text(asked.said, "record")
        return Told(written({"key": await self._gate.open_key_for_job(evidence, *names)}))

    async def _open_waiting(self, asked: Asked) -> Told:
        self._require_worker(asked)
        body, key = await self._gate.open_waiting(text(asked.said, "waiting"))
        return Told(written({"body": body, "key": key}))

    async def _open_reading(self, asked: Asked) -> Told:
        credential = gate_words.credential_read(inside(asked.said, "credential"))
        body = await self._gate.open_reading(text(asked.said, "waiting"), credential)
        return Told(written({"body": body}))

    async def _open_entries(self, asked: Asked) -> Told:
        indexes = several(asked.said, "indexes")
        if not all(isinstance(one, int) and not isinstance(one, bool) for one in indexes):
            raise FrameMalformed("`indexes` is no list of numbers")
        credential = gate_words.credential_read(inside(asked.said, "credential"))
        entered = gate_words.entered_read(asked.said)
        opened = await self._gate.open_entries(indexes, credential, entered or None)
        entries = [gate_words.opened_said(one) for one in opened]
        known = self._gate.unreadable
        closed = [{"index": one, "why": known[one]} for one in indexes if one in known]
        return Told({"entries": entries, "unreadable": closed})

    async def _exchange(self, asked: Asked) -> Told:
        officer = text(asked.said, "officer") if "officer" in asked.said else None
        return Told(written(vars(await self._gate.exchange(text(asked.said, "client"), officer))))

    async def _begin_sign_in(self, asked: Asked) -> Told:
        realm, purpose = gate_words.realm_read(asked.said), gate_words.purpose_read(asked.said)
        return Told({"nonce": await self._gate.begin_sign_in(realm, purpose)})

    async def _prove_sign_in(self, asked: Asked) -> Told:
        realm, purpose = gate_words.realm_read(asked.said), gate_words.purpose_read(asked.said)
        with self._telling(realm):
            said = [text(asked.said, name) for name in ("nonce", "id_token", "access_token")]
            proof = await self._gate.prove_sign_in(realm, purpose, *said)
        return Told(gate_words.proof_said(proof))

    async def _mark_session(self, asked: Asked) -> Told:
        holder = gate_words.holder_read(asked.said)
        row = gate_words.session_read(holder, inside(asked.said, "row"))
        before = inside(asked.said, "before") if "before" in asked.said else None
        known = gate_words.session_read(holder, before) if before is not None else None
        realm = "citizens" if holder == "owner" else "staff"
        with self._telling(realm):
            proof = blob(asked.said, "proof")
            mark = await self._gate.mark_session(holder, row, proof, known)
        self._journal.noted("session_marked", realm=realm)
        return Told(written({"mark": mark}))

    @contextmanager
    def _telling(self, realm: str) -> Iterator[None]:
        """Tell of a sign-in that proves nobody, or of a session that nobody was proven for."""
        try:
            yield
        except ProviderFailed as problem:
            self._journal.noted("provider_failed", realm=realm, reason=problem.reason)
            raise
        except (SignInRefused, IdTokenRefused) as problem:
            self._journal.noted("session_refused", realm=realm, reason=problem.code)
            raise
        except SessionRefused as problem:
            self._journal.noted("session_refused", realm=realm, reason=problem.reason)
            raise

    async def _check_session(self, asked: Asked) -> Told:
        found = await self._gate.check_session(text(asked.said, "secret"))
        return Told({"caller": gate_words.caller_said(found)})

    async def _check_person(self, asked: Asked) -> Told:
        found = await self._gate.check_person(text(asked.said, "secret"))
        return Told({"caller": gate_words.caller_said(found)})

    async def _check_staff(self, asked: Asked) -> Told:
        found = await self._gate.check_staff(text(asked.said, "secret"))
        return Told({"caller": gate_words.caller_said(found)})

    def _require_worker(self, asked: Asked) -> None:
        if asked.user not in self._workers:
            raise PeerRefused(f"only `kho work` gets that, and KHO_WORK_PEERS does not name {asked.user}")


@asynccontextmanager
async def guarding(
    places: GatePlaces,
    *,
    peers: Collection[int],
    workers: Collection[int],
    create: bool,
    clock: Clock,
    journal: Journal,
) -> AsyncIterator[Gate]:
    """Open keys and entries while inside.

    Args:
        workers: those users who also get what the vault's own work needs.
        create: make the keys where there are none, for rows without entries.

    Raises:
        VaultIncomplete, MasterKeyExposed, MasterKeyMissing, VaultBusy, SchemaMismatch, SocketInvalid.
    """
    async with AsyncExitStack() as stack:
        db = await connect(places.database, hold="writing")
        stack.push_async_callback(db.close)
        await check_tables(places.database)
        await check_schema(places.database)
        await require_here(db, str(places.database))
        if create and not (places.keys / "master.key").exists():
            await part_marks.require_none(db, "gate")
            create_key_folder(places.keys)
        check_key_folder(places.keys)
        verifier = await _log_of(places)
        index_fresh = create and not await part_marks.index_known(db)
        index_key = load_or_create_secret(places.keys, "index", create=index_fresh)
        token_key = TokenKey(load_or_create_secret(places.keys, "token", create=create))
        gate = Gate(
            master=load_or_create_master(places.keys, create=create),
            db=db,
            log_key_line=verifier.line(),
            token_key=token_key,
            issuer=places.issuer,
            clock=clock,
            book=shipped_book(),
            index_key=index_key,
            realms=places.realms,
        )
        await (part_marks.note if create else part_marks.require)(db, "gate", token_key.public)
        await _check_master(gate, db)
        await part_marks.hold_index(db, index_key)
        part = GatePart(gate, verifier.line(), workers, journal)
        await stack.enter_async_context(listening(places.place, part.calls, peers=peers, journal=journal))
        yield gate


def _keys(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("public", "wrapped_private")}


async def _check_master(gate: Gate, db: Database) -> None:
    """Refuse a master key that does not open the vault's own key, where there is one already."""
    own = select(key_pair.c.public).where(key_pair.c.kind == "vault", key_pair.c.purpose == "log")
    async with db.read() as reading:
        if (await reading.execute(own)).first() is None:
            return
    try:
        await gate.prove_master()
    except GateRefused as problem:
        raise VaultIncomplete("these rows belong to another master key: put their own one back") from problem


async def _log_of(places: GatePlaces) -> LogVerifier:
    """Give the log that is opened by: pinned by a setting, or learned from the signer once."""
    path = places.keys / _PINNED
    kept = (await asyncio.to_thread(_read, path)) if not places.log_key else places.log_key
    if kept:
        try:
            return LogVerifier.from_line(kept)
        except NoteInvalid as problem:
            raise VaultIncomplete(f"the log's public line cannot be read: {problem}") from problem
    if places.signer is None:
        raise VaultIncomplete("whose log is it? Give KHO_LOG_KEY, or KHO_SIGNER to ask there once")
    signer = Part("signer", places.signer)
    try:
        verifier = await log_verifier(signer, "")
    finally:
        await signer.close()
    await asyncio.to_thread(_write, path, verifier.line())
    return verifier


def _read(path: Path) -> str:
    return path.read_text("utf-8").strip() if path.exists() else ""


def _write(path: Path, line: str) -> None:
    path.touch(mode=0o600)
    path.write_text(line + "\n", "utf-8")
