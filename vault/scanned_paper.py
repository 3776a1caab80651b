"""The paper of a scan: measured and read as it came, copied as PDF/A with its mark, sealed (DESIGN 8).

Nothing of the foreign file but what its pages show gets into the copy; the file itself is kept beside it.
"""

import base64
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from policies.scan_rules import paper_sizes
from signing.conversion import compose_mark
from signing.errors import ComposingFailed, RewritingFailed, SealNameUnfit
from signing.file_types import PDF
from signing.qr import qr_drawing, qr_text
from signing.report import Examination
from signing.scan_measuring import declared
from vault import agencies, owners
from vault.callers import SystemCaller
from vault.days import legal_day
from vault.errors import FieldInvalid
from vault.examining import accepted, kept_shut, scan_for_malware
from vault.keeping import scratch_file, write_private
from vault.quarantining import QUARANTINED
from vault.scan_found import JudgedScan, Reading
from vault.scan_judging import look, refuse_poor
from vault.scan_reading import read
from vault.services import MAX_UPLOAD, Vault

REASON = "Số hóa từ văn bản giấy"
_LARGEST_COPY = 2 * MAX_UPLOAD  # pictures without loss are written as JPEG, which rarely makes them larger


@dataclass(frozen=True)
class Scanned:
    """What was handed in: the file, what it is declared to be, and what the QR code of its copy says.

    `request` names what the copy's signature is for (`vault.sealer.sealing_request`).
    """

    file: Path
    declared_type: str
    dossier: str
    procedure: str
    owners: tuple[str, ...]
    title: str
    request: str
    known: tuple[JudgedScan, Reading] | None = None  # what was found of this very file lately


@dataclass(frozen=True)
class ScannedPaper:
    """The marked, sealed copy, what was found of the scan as it came, and the copy's own examination."""

    file: Path
    original: Path
    scan: JudgedScan
    reading: Reading
    examined: Examination


async def looked_at(
    vault: Vault, caller: SystemCaller, file: Path, declared_type: str, at: datetime
) -> JudgedScan:
    """Measure a scan; a PDF is examined before, for what it holds and whether it is signed.

    Raises:
        FieldInvalid: the file cannot be taken, or is signed already.
        FileRejected: it is something else as well, and is in quarantine now.
    """
    if declared(declared_type) == PDF:
        scan = await accepted(vault, file, at, caller=caller, sealing=True)
        if scan.report.reasons != ("no_signature",):
            raise FieldInvalid("file", "scan_signed")
    else:
        await scan_for_malware(vault, file, at, caller)
    try:
        return await look(vault, file, declared_type, legal_day(at))
    except FieldInvalid as problem:
        if problem.code in QUARANTINED:
            raise await kept_shut(vault, file, at, caller, problem.code, ("two_kinds",)) from problem
        raise


async def marked(vault: Vault, caller: SystemCaller, scanned: Scanned, at: datetime) -> ScannedPaper:
    """Make the copy of a scan, marked with agency, converter and time, and sealed; the caller removes it.

    Raises:
        FieldInvalid: the file cannot be taken, is signed already, is not good enough, or cannot be copied.
        SealingFailed: no seal could be made, or a registered name does not fit the mark.
    """
    judged, reading = scanned.known or await _found(vault, caller, scanned, at)
    agency, mark = await _mark(vault, caller, scanned, at)
    copy, sealed = scratch_file(vault), scratch_file(vault)
    try:
        place = await _copied(vault, scanned, copy, mark, reading, at)
        await vault.sealer.seal_foreign(
            caller.agency,
            vault.workers,
            copy,
            sealed,
            place=place,
            at=at,
            reason=REASON,
            name=agency,
            max_bytes=_LARGEST_COPY,
            request=scanned.request,
        )
        # Judged at the time it is now: the stamp and the proofs were made since `at`.
        examined = await accepted(vault, sealed, max(at, vault.clock.now()))
        if examined.report.verdict != "valid":
            raise FieldInvalid("file", "conversion_failed")
    except RewritingFailed as problem:
        sealed.unlink(missing_ok=True)
        raise FieldInvalid("file", "conversion_failed") from problem
    except BaseException:
        sealed.unlink(missing_ok=True)
        raise
    finally:
        copy.unlink(missing_ok=True)
    return ScannedPaper(sealed, scanned.file, judged, reading, examined)


async def _found(
    vault: Vault, caller: SystemCaller, scanned: Scanned, at: datetime
) -> tuple[JudgedScan, Reading]:
    judged = await looked_at(vault, caller, scanned.file, scanned.declared_type, at)
    refuse_poor(judged)
    day = legal_day(at)
    types = {one.code: one.name.vi for one in vault.book.record_types if one.in_force.holds(day)}
    return judged, await read(vault, scanned.file, len(judged.measured.pages), types)


async def _mark(vault: Vault, caller: SystemCaller, scanned: Scanned, at: datetime) -> tuple[str, bytes]:
    async with vault.db.read() as db:
        agency, _ = await agencies.name(db, caller.agency)
        converter = (await agencies.officers(db, caller.agency))[caller.officer or ""]
        named = [await owners.identifiers(db, one) for one in scanned.owners]
    whose = ", ".join(one[0][1] for one in named if one)
    said = qr_text(scanned.dossier, scanned.procedure, whose, scanned.title)
    try:
        return agency, compose_mark(agency, converter, at, qr_drawing(said))
    except ComposingFailed as problem:
        raise SealNameUnfit(str(problem)) from problem


async def _copied(
    vault: Vault, scanned: Scanned, copy: Path, mark: bytes, reading: Reading, at: datetime
) -> list[float]:
    """Have a worker write the copy; gives where the mark stands, which is where the seal belongs."""
    write_private(copy, b"")
    asked = {
        "task": "archive",
        "mark": base64.b64encode(mark).decode(),
        "title": scanned.title,
        "at": at.isoformat(),
        "paper_sizes": paper_sizes(),
        "words": reading.layer(),
    }
    told = await vault.workers.rewrite(scanned.file, copy, asked, max_bytes=_LARGEST_COPY)
    if "refusal" in told:
        raise FieldInvalid("file", "conversion_failed")
    return [float(edge) for edge in told["place"]]
