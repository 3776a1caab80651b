"""The paper of a scan: examined as it came, marked and sealed by the agency, examined again (DESIGN 8)."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from signing.conversion import compose_mark
from signing.errors import RewritingFailed
from signing.report import Examination
from vault import agencies
from vault.callers import SystemCaller
from vault.errors import FieldInvalid
from vault.examining import accepted
from vault.keeping import scratch_file
from vault.services import MAX_UPLOAD, Vault

REASON = "Số hóa từ văn bản giấy"


@dataclass(frozen=True)
class ScannedPaper:
    """The marked, sealed file, and both examinations: of the scan as it came, and of what became of it."""

    file: Path
    scan: Examination
    examined: Examination


async def marked(vault: Vault, caller: SystemCaller, file: Path, at: datetime) -> ScannedPaper:
    """Mark a scan with agency, converter and time, and seal it; the new file is the caller's to remove.

    Raises:
        FieldInvalid: the file cannot be taken, is signed already, or cannot be marked.
        SealingFailed: no seal could be made.
    """
    scan = await accepted(vault, file, at, caller=caller, sealing=True)
    if scan.report.reasons != ("no_signature",):
        raise FieldInvalid("file", "scan_signed")
    async with vault.db.read() as db:
        agency, _ = await agencies.name(db, caller.agency)
        converter = (await agencies.officers(db, caller.agency))[caller.officer or ""]
    sealed = scratch_file(vault)
    try:
        await vault.sealer.seal_foreign(
            caller.agency,
            vault.workers,
            file,
            sealed,
            mark=compose_mark(agency, converter, at),
            at=at,
            reason=REASON,
            name=agency,
            max_bytes=MAX_UPLOAD,
        )
        examined = await accepted(vault, sealed, at)
        if examined.report.verdict != "valid":
            raise FieldInvalid("file", "conversion_failed")
    except RewritingFailed as problem:
        raise FieldInvalid("file", "conversion_failed") from problem
    except BaseException:
        sealed.unlink(missing_ok=True)
        raise
    return ScannedPaper(sealed, scan, examined)
