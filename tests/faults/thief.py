"""Somebody who has taken an API process over: its user, its settings, its sockets; for `test_thief.py`.

Run as the user of `kho serve`. The first line of input says what was stolen; for every trick one line of JSON
says what came of it.
"""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from signing.checkpoint import LogKey, LogVerifier
from signing.merkle import Tree, leaf_hash
from tests.faults import thief_of_rows, thief_of_sign_ins, thief_of_tables
from tests.faults.stolen import Stolen
from vault.clock import Clock
from vault.connecting import connect
from vault.entries import stamp
from vault.evidence import Evidence
from vault.remote_gate import RemoteGate
from vault.remote_signer import RemoteSigner
from vault.rows_address import RowsAddress
from vault.socket_calling import Part
from vault.tables import log_entry, officer, officer_role, session, staff_session

Trick = Callable[[Stolen], Awaitable[Any]]


async def reads_key_folders(stolen: Stolen) -> Any:
    found = [path for folder in stolen.said["folders"] for path in _listed(Path(folder))]
    return found or None


def _listed(folder: Path) -> list[str]:
    try:
        return [str(one) for one in folder.iterdir()]
    except PermissionError:
        return []


async def reads_memory(stolen: Stolen) -> Any:
    """Look for keys in the memory of the parts."""
    found = []
    for name, pid in stolen.said["pids"].items():
        try:
            Path(f"/proc/{pid}/mem").open("rb").close()
            found.append(name)
        except (PermissionError, FileNotFoundError):
            continue
    return found or None


async def takes_a_socket(stolen: Stolen) -> Any:
    """Listen in the place of a part."""
    for place in stolen.said["sockets"]:
        try:
            os.unlink(place)
        except PermissionError:
            continue
        return place
    return None


async def opens_what_was_never_committed(stolen: Stolen) -> Any:
    """Prove an entry by a tree of one's own, under a checkpoint that the log signed for another."""
    forged = await stolen.forged()
    tree = Tree([*(leaf_hash(one) for one in await stolen.leaves()), forged.leaf_hash])
    index = tree.size - 1
    note = await stolen.signer.checkpoint()
    evidence = Evidence(index, forged.leaf, tuple(tree.inclusion(index, tree.size)), note)
    return await stolen.gate.open_key(evidence, stolen.police, stolen.victim)


async def opens_by_a_log_of_its_own(stolen: Stolen) -> Any:
    """Sign the tree oneself, under the log's name."""
    forged = await stolen.forged()
    tree = Tree([*(leaf_hash(one) for one in await stolen.leaves()), forged.leaf_hash])
    index = tree.size - 1
    key = LogKey.new(LogVerifier.from_line(stolen.said["log_key"]).name)
    note = key.sign_checkpoint(tree.size, tree.root())
    evidence = Evidence(index, forged.leaf, tuple(tree.inclusion(index, tree.size)), note)
    return await stolen.gate.open_key(evidence, stolen.police, stolen.victim)


async def opens_by_an_old_entry(stolen: Stolen) -> Any:
    """Use the committed entry of another access again, for another record."""
    index = stolen.said["delivered"]
    proof, note, _ = await stolen.signer.proof(index)
    evidence = Evidence(index, (await stolen.leaves())[index], tuple(proof), note)
    return await stolen.gate.open_key(evidence, stolen.police, stolen.said["another"])


async def has_the_signer_sign_ahead(stolen: Stolen) -> Any:
    """Ask for the signature of entries that nobody committed."""
    size = len(await stolen.leaves())
    part = Part("signer", Path(stolen.said["signer"]))
    return (await part.ask("sign", {"size": size + 1}))["note"]


async def rewrites_a_row(stolen: Stolen) -> Any:
    """Change the leaf of an old entry in the rows, and have that signed."""
    leaf = b"\x01\x03" + bytes(32)
    mine = update(log_entry).where(log_entry.c.idx == 3)
    async with stolen.db.beside() as db:
        old = (await db.execute(select(log_entry).where(log_entry.c.idx == 3))).one()
        await db.execute(mine.values(leaf=leaf, leaf_hash=leaf_hash(leaf)))
    try:
        lying = RemoteSigner(Part("signer", Path(stolen.said["signer"])), stolen.signer._verifier)
        await lying.load([leaf_hash(one) for one in await stolen.leaves()])
        return await lying.checkpoint()
    finally:
        async with stolen.db.beside() as db:
            await db.execute(mine.values(leaf=old.leaf, leaf_hash=old.leaf_hash))


async def signs_in_behind_the_back(stolen: Stolen) -> Any:
    """Write a session of a citizen into the rows, and read her entries with it."""
    owner, secret = await stolen.owner(), "x" * 43
    row = {"secret_hash": sha256(secret.encode()).digest(), "kind": "session", "owner": owner}
    row |= {"expires": stamp(datetime.now(UTC) + timedelta(minutes=30)), "mark": bytes(32)}
    async with stolen.db.beside() as db:
        await db.execute(insert(session).values(**row))
    try:
        return await stolen.read_by(owner, secret)
    finally:
        async with stolen.db.beside() as db:
            await db.execute(delete(session).where(session.c.secret_hash == row["secret_hash"]))


async def takes_over_a_session(stolen: Stolen) -> Any:
    """Put a secret of one's own into the row of her session, which the gate has marked."""
    owner, secret = await stolen.owner(), "y" * 43
    hers = session.c.owner == owner, session.c.kind == "session"
    async with stolen.db.beside() as db:
        row = (await db.execute(select(session).where(*hers).limit(1))).mappings().one()
        taken = {**row, "secret_hash": sha256(secret.encode()).digest()}
        await db.execute(insert(session).values(**taken))
    try:
        return await stolen.read_by(owner, secret)
    finally:
        async with stolen.db.beside() as db:
            await db.execute(delete(session).where(session.c.secret_hash == taken["secret_hash"]))


async def signs_in_an_officer(stolen: Stolen) -> Any:
    """Write a session of an auditor into the rows, and ask who that is."""
    secret = "z" * 43
    row = {"secret_hash": sha256(secret.encode()).digest(), "kind": "session"}
    row |= {"expires": stamp(datetime.now(UTC) + timedelta(minutes=30)), "mark": bytes(32)}
    async with stolen.db.beside() as db:
        some = (await db.execute(select(officer.c.agency, officer.c.id).where(officer.c.live).limit(1))).one()
        who = {"agency": some.agency, "officer": some.id, "role": "auditor"}
        await db.execute(insert(officer_role).values(**who))
        await db.execute(insert(staff_session).values(**row, **who))
    try:
        return (await stolen.gate.check_staff(secret)).officer
    finally:
        async with stolen.db.beside() as db:
            await db.execute(delete(staff_session).where(staff_session.c.secret_hash == row["secret_hash"]))
            await db.execute(delete(officer_role).filter_by(**who))


async def works_as_the_vault(stolen: Stolen) -> Any:
    """Ask for a key for a job of the vault."""
    evidence = Evidence(0, bytes(34), (), "")
    return await stolen.gate.open_key_for_job(evidence, "renewal", stolen.victim)


async def takes_what_waits(stolen: Stolen) -> Any:
    """Ask for what waits for its seal."""
    return await stolen.gate.open_waiting("wait-" + "0" * 32)


async def reads_by_the_live_token(stolen: Stolen) -> Any:
    """Do what is left: enter the very same entry first. It opens, and everybody can see that it was."""
    index, key = await stolen.enters_and_opens()
    return index if len(key) == 32 else None


# As the owner of the tables, who may change any row; then as the database's user that was stolen.
OF_ROWS: tuple[Trick, ...] = (
    rewrites_a_row,
    signs_in_behind_the_back,
    takes_over_a_session,
    signs_in_an_officer,
    *thief_of_rows.TRICKS,
    *thief_of_sign_ins.OF_ROWS,
)
TRICKS: tuple[Trick, ...] = (
    reads_key_folders,
    reads_memory,
    takes_a_socket,
    opens_what_was_never_committed,
    opens_by_a_log_of_its_own,
    opens_by_an_old_entry,
    has_the_signer_sign_ahead,
    works_as_the_vault,
    takes_what_waits,
    *thief_of_tables.TRICKS,
    *thief_of_sign_ins.TRICKS,
    reads_by_the_live_token,
)


async def steal(said: dict[str, Any]) -> None:
    signer = await RemoteSigner.reached(Path(said["signer"]))
    gate = await RemoteGate.reached(Path(said["gate"]), said["issuer"], said["log_key"], Clock())
    for rows, tricks in (("tables", OF_ROWS), ("rows", TRICKS)):
        db = await connect(RowsAddress(said[rows]), hold="writing")
        stolen = Stolen(said, db, gate, signer)
        if not signer.tree.size:
            await signer.load([leaf_hash(one) for one in await stolen.leaves()])
        for trick in tricks:
            print(json.dumps({"trick": trick.__name__} | await outcome(trick, stolen)), flush=True)
        await db.close()
    await gate.close()
    await signer.close()


async def outcome(trick: Trick, stolen: Stolen) -> dict[str, Any]:
    try:
        told: Any = await trick(stolen)
    except DBAPIError as problem:
        said = str(problem.orig).rpartition(">: ")[2]
        return {"refused": type(problem).__name__, "why": said}
    except Exception as problem:
        return {"refused": type(problem).__name__, "why": str(problem)}
    return {"got": repr(told)} if told is not None else {"refused": "nothing"}


if __name__ == "__main__":
    asyncio.run(steal(json.loads(sys.stdin.readline())))
