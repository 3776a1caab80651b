"""What a scan that was kept says of itself: in the log, in its own row, and to the officer."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from policies.facts import AccessFacts, ComponentPlan, Decision
from signing.leaf import Kind
from vault.callers import SystemCaller
from vault.entries import Logged, stamp
from vault.gathering import Scene
from vault.keeping import ORIGINAL, Kept, blob_name
from vault.plan import found_dossier
from vault.scanned_paper import ScannedPaper
from vault.services import Answer
from vault.telling import Telling


@dataclass(frozen=True)
class ScanKept:
    """A marked scan whose bytes are durable, and what it was permitted on; `explanation` where one is due."""

    found: Scene
    facts: AccessFacts
    kept: Kept
    paper: ScannedPaper
    explanation: str | None
    read: str  # whether letters could be read off it: the state of `signing.ocr`

    def told(self, decision: Decision, key: str) -> Telling:
        """Tell of it to its owners; `key` is the Idempotency-Key."""
        quality = self.paper.scan.quality
        details = {
            "scan": self.paper.scan.sha256.hex(),
            "scan_passed": quality.passed,
            "scan_rules": quality.version,
            "explanation": self.explanation,
        }
        return Telling(
            Kind.RECORD_EVENT,
            "digitised",
            self.facts,
            decision,
            tuple(sorted(self.facts.result_persons)),
            self.kept.told(),
            request=key,
            details={name: value for name, value in details.items() if value is not None},
        )

    def row(self, caller: SystemCaller, entry: Logged) -> dict[str, Any]:
        """Give its row of `digitisation`."""
        return {
            "record": self.kept.id,
            "dossier": found_dossier(self.found).facts.code,
            "component": self.facts.component,
            "answered": self.facts.answered,
            "reason": self.facts.rescan_reason,
            "explanation": self.explanation,
            "scan_sha256": self.paper.scan.sha256,
            "scan_size": self.paper.scan.size,
            "agency": caller.agency,
            "officer": caller.officer or "",
            "idx": entry.index,
            "at": stamp(self.found.at),
        }

    def original(self) -> dict[str, Any]:
        """Give the row of `scan`: the file as it was handed in, and whether it was good enough."""
        kept, paper = self.kept.original, self.paper
        if kept is None or kept.content_sha256 != paper.scan.sha256:
            raise RuntimeError("the scan changed between its measuring and its sealing")
        return {
            "record": self.kept.id,
            "media_type": paper.scan.measured.media_type,
            "blob": blob_name(self.kept.id, ORIGINAL),
            "content_sha256": kept.content_sha256,
            "content_size": kept.content_size,
            "sealed_sha256": kept.sealed_sha256,
            "sealed_size": kept.sealed_size,
            "passed": paper.scan.quality.passed,
            "rules": paper.scan.quality.version,
            "read": self.read,
            "needs_person": paper.reading.needs_person,
        }

    def findings(self) -> list[dict[str, Any]]:
        """Give the rows of `scan_finding`."""
        return [{"record": self.kept.id, **asdict(one)} for one in self.paper.scan.quality.findings]

    def answer(self, after: ComponentPlan | None, codes: Mapping[str, str], entry: Logged) -> Answer:
        """Answer the officer: `after` is the plan's answer with it, `codes` its document code by owner."""
        kept, persons = self.kept, found_dossier(self.found).facts.persons
        return {
            "record": kept.id,
            "document_codes": {
                one.role: codes[one.owner] for one in persons if one.owner is not None and one.owner in codes
            },
            "type": kept.description.type,
            "trust": kept.trust.value,
            "trust_reasons": [one.code for one in kept.judged.classed.reasons],
            "verdict": kept.report.verdict,
            "state": after.state if after is not None else "none",
            "reasons": list(after.reasons) if after is not None else [],
            "digest": kept.row["content_sha256"].hex(),
            "size": kept.row["content_size"],
            "scan_digest": self.paper.scan.sha256.hex(),
            "scan_size": self.paper.scan.size,
            "scan_type": self.paper.scan.measured.media_type,
            "scan_passed": self.paper.scan.quality.passed,
            "scan_findings": [asdict(one) for one in self.paper.scan.quality.findings],
            "read": self.read,
            "needs_person": self.paper.reading.needs_person,
            "receipt": entry.receipt,
            "index": entry.index,
        }
