"""A scan, measured by a worker and held against the rules: what is taken for a copy of legal value."""

from dataclasses import asdict
from datetime import date
from pathlib import Path

from policies.scan_rules import Finding, PageMeasures, ScanMeasures, ScanQuality, judge, paper_sizes
from signing.file_types import PDF
from signing.measured import Measurement
from signing.scan_measuring import PICTURES, declared
from vault.errors import FieldInvalid
from vault.scan_found import JudgedScan
from vault.services import MAX_UPLOAD, Vault

TAKEN = (PDF, *PICTURES)  # media types of scans
# What a worker that failed says of the file it failed at.
_FAILED = {"worker_timeout": "too_complex", "worker_memory": "too_complex", "worker_crashed": "unreadable"}


class ScanRefused(FieldInvalid):
    """A scan that a rule refuses; `quality` holds everything that was measured."""

    def __init__(self, quality: ScanQuality, refused: Finding) -> None:
        super().__init__("file", refused.fault, details=said_of(refused))
        self.quality = quality


def said_of(finding: Finding) -> dict[str, str]:
    """Give what the words of a finding weave in."""
    values = {"page": str(finding.page), "measured": finding.measured, "wanted": finding.wanted}
    return {name: value for name, value in values.items() if value != "?"}  # what nobody could measure


async def look(vault: Vault, file: Path, declared_type: str, on: date) -> JudgedScan:
    """Measure a scan and judge it by the rules of a day; a scan that is refused is told like any other.

    Raises:
        FieldInvalid: it is no scan, cannot be read, or is not what it is declared to be.
    """
    told = declared(declared_type)
    if told not in TAKEN:
        raise FieldInvalid("file", "not_a_scan")
    measured = await vault.workers.measure(
        file, declared_type=told, paper_sizes=paper_sizes(), max_bytes=MAX_UPLOAD
    )
    return _judged(measured, on)


def refuse_poor(judged: JudgedScan) -> None:
    """Raise ScanRefused for a scan that a rule refuses, naming the first."""
    if judged.quality.refused is not None:
        raise ScanRefused(judged.quality, judged.quality.refused)


def _judged(found: Measurement, on: date) -> JudgedScan:
    if found.measured is None:
        raise FieldInvalid("file", _FAILED.get(str(found.refusal), str(found.refusal)))
    pages = tuple(PageMeasures(**asdict(page)) for page in found.measured.pages)
    measures = ScanMeasures(found.measured.media_type, found.measured.version, pages)
    return JudgedScan(found.sha256, found.size, found.measured, judge(measures, on))
