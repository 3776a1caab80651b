"""What a scan that was kept says of itself: in the log, in its own row, and to the officer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policies.facts import AccessFacts, ComponentPlan, Decision
from signing.leaf import Kind
from vault.callers import SystemCaller
from vault.entries import Logged, stamp
from vault.gathering import Scene
from vault.keeping import Kept
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

    def told(self, decision: Decision, key: str) -> Telling:
        """Tell of it to its owners; `key` is the Idempotency-Key."""
        details = {"scan": self.paper.scan.sha256.hex(), "explanation": self.explanation}
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
            "receipt": entry.receipt,
            "index": entry.index,
        }
