"""Reading the words of a stored paper again, as when it was taken: for rules that read otherwise now."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from sqlalchemy import select

from policies.paper_words import Showing
from signing.report import Examination
from vault import classing, owners
from vault.classing import Provenance
from vault.evidence_tables import handed_in_file
from vault.keeping import scratch_file, write_private
from vault.records import Stored
from vault.services import Vault

READ = frozenset({"upload", "result_file"})  # what was composed or digitised here is known without reading


async def shown_anew(
    vault: Vault, stored: Stored, file: Path, examined: Examination, at: datetime
) -> Showing | None:
    """Say what the words of an opened record show now; None where its class rests on no words."""
    if stored.row["source"] not in READ:
        return None
    async with vault.db.read() as db:
        known_by = [await owners.identifiers(db, one) for one in sorted(stored.facts.owners)]
    came = Provenance(stored.row["source"], stored.facts.type, stored.facts.issuer, known_by)
    async with _as_handed_in(vault, stored, file) as said_by:
        return await classing.shown(vault, said_by, examined, came, at)


@asynccontextmanager
async def _as_handed_in(vault: Vault, stored: Stored, file: Path) -> AsyncIterator[Path]:
    """Lay out what was handed in, where it was sealed here: our seal, which adds words, was put behind it."""
    query = select(handed_in_file).where(handed_in_file.c.record == stored.facts.id)
    async with vault.db.read() as db:
        row = (await db.execute(query)).first()
    if row is None:
        yield file
        return
    content = (await asyncio.to_thread(file.read_bytes))[: row.content_size]
    if sha256(content).digest() != row.content_sha256:
        yield file
        return
    scratch = scratch_file(vault)
    try:
        await asyncio.to_thread(write_private, scratch, content)
        yield scratch
    finally:
        scratch.unlink(missing_ok=True)
