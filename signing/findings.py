"""What a report tells of a signature beside its verdict: certificates, proofs, time stamps, changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Self, get_args

Verdict = Literal["valid", "invalid", "undetermined"]
SignatureKind = Literal["", "pades", "pkcs7", "cades", "xades", "xmldsig"]
TimeSource = Literal["", "timestamp", "claimed"]
Certified = Literal["", "no_changes", "form_filling", "annotations"]
EvidenceKind = Literal["ocsp", "crl"]
EvidenceSource = Literal["dss", "embedded", "fetched"]
StampKind = Literal["signature", "document"]
Change = Literal["validation_data", "timestamps", "signatures", "metadata", "form_fields", "other"]


def chosen(words: Any, text: object) -> Any:
    """Return `text` if it is one of the words of a Literal type; raises ValueError otherwise."""
    for word in get_args(words):
        if text == word:
            return word
    raise ValueError(f"no such word: {text!r}")


def instant(text: object) -> datetime | None:
    """Read an instant as `told` wrote it; None for what is absent. Raises ValueError for anything else."""
    return None if text is None else datetime.fromisoformat(str(text))


def told(**instants: datetime | None) -> dict[str, str]:
    """Write the instants that are known, in UTC (ISO 8601); what is unknown has no key."""
    return {name: at.astimezone(UTC).isoformat() for name, at in instants.items() if at is not None}


@dataclass(frozen=True)
class ChainCertificate:
    """One certificate of a chain: its subject in words, and the SHA-256 of its DER (hexadecimal)."""

    subject: str
    sha256: str

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"subject": self.subject, "sha256": self.sha256}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave; raises KeyError on anything else."""
        return cls(str(content["subject"]), str(content["sha256"]))


@dataclass(frozen=True)
class StatusEvidence:
    """A proof that the status of a certificate of the chain rests on.

    `certificate` is the SHA-256 of the certificate it is about (hexadecimal). `source` tells where it was
    found: in the file's security store ("dss"), in the signature ("embedded"), or given to the validator
    from outside ("fetched"). `this_update` and `produced_at` are the proof's own times (UTC); a CRL has no
    `produced_at`.
    """

    certificate: str
    kind: EvidenceKind
    source: EvidenceSource
    this_update: datetime | None = None
    produced_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; what is absent has no key."""
        content = {"certificate": self.certificate, "kind": self.kind, "source": self.source}
        return content | told(this_update=self.this_update, produced_at=self.produced_at)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave; raises KeyError or ValueError on anything else."""
        return cls(
            str(content["certificate"]),
            chosen(EvidenceKind, content["kind"]),
            chosen(EvidenceSource, content["source"]),
            instant(content.get("this_update")),
            instant(content.get("produced_at")),
        )


@dataclass(frozen=True)
class StampDetail:
    """One time stamp with its own result.

    `kind`: "signature" stands in the signature and proves its time, "document" was put over the file later.
    `authority` is the subject of its certificate (as claimed unless the verdict is valid), `stamped_at` the
    time it states (UTC), `reason` a stable code (empty when valid).
    """

    kind: StampKind
    authority: str
    stamped_at: datetime | None
    verdict: Verdict
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; what is absent has no key."""
        content = {
            "kind": self.kind,
            "authority": self.authority,
            "verdict": self.verdict,
            "reason": self.reason,
        }
        return content | told(stamped_at=self.stamped_at)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave; raises KeyError or ValueError on anything else."""
        return cls(
            chosen(StampKind, content["kind"]),
            str(content["authority"]),
            instant(content.get("stamped_at")),
            chosen(Verdict, content["verdict"]),
            str(content["reason"]),
        )


@dataclass(frozen=True)
class PageDifference:
    """Where a page looks other than when it was signed: page from 1, box in points from its lower left.

    `field` names the signature whose revision was compared with the whole file.
    """

    field: str
    page: int
    box: tuple[int, int, int, int]  # left, bottom, right, top

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"field": self.field, "page": self.page, "box": list(self.box)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave; raises KeyError or ValueError on anything else."""
        left, bottom, right, top = (int(edge) for edge in content["box"])
        return cls(str(content["field"]), int(content["page"]), (left, bottom, right, top))
