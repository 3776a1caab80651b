"""Measuring and reading a scan before its officer says what it is; the scan waits, sealed, for that word."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from storage.sealed import new_record_key, open_file, seal_file
from vault.callers import SystemCaller
from vault.keeping import scratch_file
from vault.scan_drafts import ScanDraft, whose
from vault.scan_judging import refuse_poor
from vault.scan_reading import read
from vault.scanned_paper import looked_at
from vault.services import Vault

_PART = "draft"


async def begin(
    vault: Vault,
    caller: SystemCaller,
    dossier: str,
    component: str,
    file: Path,
    declared_type: str,
    file_name: str,
    types: Mapping[str, str],
) -> ScanDraft:
    """Measure and read a scan, and keep it for its officer; nothing is recorded.

    Args:
        types: record types that may be meant, code -> name in Vietnamese.

    Raises:
        FieldInvalid: the file cannot be taken. ScanRefused: its quality.
        StoreUnavailable: the scratch folder is full or gone.
    """
    now = vault.clock.now()
    judged = await looked_at(vault, caller, file, declared_type, now)
    refuse_poor(judged)
    reading = await read(vault, file, len(judged.measured.pages), types)
    id, key, sealed = os.urandom(16).hex(), new_record_key(), scratch_file(vault)
    await asyncio.to_thread(seal_file, file, sealed, key=key, record=id, part=_PART)
    made_at, mine = vault.clock.now(), whose(caller, dossier)
    draft = ScanDraft(id, mine, component, declared_type, file_name, judged, reading, made_at, sealed, key)
    vault.drafts.add(draft)
    return draft


@asynccontextmanager
async def opened(vault: Vault, draft: ScanDraft) -> AsyncIterator[Path]:
    """Give the scan as a file of our own that is gone on leaving. Raises StoreUnavailable."""
    file = scratch_file(vault)
    try:
        await asyncio.to_thread(open_file, draft.sealed, file, key=draft.key, record=draft.id, part=_PART)
        yield file
    finally:
        file.unlink(missing_ok=True)
