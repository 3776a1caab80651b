"""What whoever takes an API process over has in hands, and whom they are after (`thief.py`)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from signing.leaf import Kind, Parts
from vault import entries
from vault.appending import Appender
from vault.callers import OwnerCaller, SystemCaller
from vault.database import Database
from vault.entries import Prepared
from vault.evidence import Evidence
from vault.remote_gate import RemoteGate
from vault.remote_signer import RemoteSigner
from vault.tables import log_entry, record, record_owner
from vault.telling import nothing_to_check


@dataclass
class Stolen:
    """What an API process has, and whom the thief is after."""

    said: dict[str, Any]
    db: Database
    gate: RemoteGate
    signer: RemoteSigner

    @property
    def police(self) -> SystemCaller:
        """A live token of a system."""
        return SystemCaller("", "", None, "", datetime.max.replace(tzinfo=UTC), self.said["token"])

    @property
    def victim(self) -> str:
        return str(self.said["record"])

    async def leaves(self) -> list[bytes]:
        async with self.db.read() as db:
            return list((await db.execute(select(log_entry.c.leaf).order_by(log_entry.c.idx))).scalars())

    async def forged(self) -> Prepared:
        """An entry as good as any, sealed to the record's owner: only it is not committed."""
        actor = self.said["actor"]
        async with self.db.read() as db:
            row = (await db.execute(select(record).where(record.c.id == self.victim))).one()
            owners = (
                await db.execute(select(record_owner.c.owner).where(record_owner.c.record == self.victim))
            ).scalars()
            held = await entries.holders(db, [("owner", one) for one in owners])
        at = datetime.now(UTC)
        parts = Parts(
            {"record": self.victim, "digest": row.content_sha256.hex()},
            actor,
            {},
            {},
            {"type": "delivered", "result": "permitted", "at": at.isoformat()},
        )
        kind = {"at": at, "caller_kind": "system", "caller": actor["system"]}
        return entries.prepare(Kind.DELIVERED, parts, held, **kind)

    async def read_by(self, owner: str, secret: str) -> Any:
        """Read an owner's entries by a secret."""
        caller = OwnerCaller(owner, datetime.max.replace(tzinfo=UTC), secret)
        return [one.index for one in await self.gate.open_entries(range(50), caller)] or None

    async def owner(self) -> str:
        """Whose document they are after."""
        async with self.db.read() as db:
            owners = select(record_owner.c.owner).where(record_owner.c.record == self.victim)
            return str((await db.execute(owners)).scalars().first())

    async def enters_and_opens(self, entry: Prepared | None = None) -> tuple[int, bytes]:
        """Commit the entry that opens the document, or this one, sealed as the rows say; index and key."""
        appender = Appender(self.db, self.signer)
        try:
            (logged,) = await appender.append([entry or await self.forged()], nothing_to_check)
            proof, note, _ = await appender.proof(logged.index)
            evidence = Evidence(logged.index, logged.leaf, tuple(proof), note)
            return logged.index, await self.gate.open_key(evidence, self.police, self.victim)
        finally:
            await appender.close()
