"""What was found out about a file: verdict and sub-indication in the words of ETSI EN 319 102-1."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Self, get_args

Verdict = Literal["valid", "invalid", "undetermined"]
Level = Literal["", "B-B", "B-T", "B-LT", "B-LTA"]
_VERDICTS = get_args(Verdict)


def _verdict(text: object) -> Verdict:
    for verdict in _VERDICTS:
        if text == verdict:
            return verdict  # type: ignore[no-any-return]
    raise ValueError(f"no such verdict: {text!r}")


@dataclass(frozen=True)
class SignatureDetail:
    """One signature of the file.

    `field` is the name of its form field, `signer` the subject of the certificate (as claimed unless the
    verdict is valid), `signed_at` the best time known (UTC), `level` the PAdES baseline level reached
    (empty when unknown), `sub_indication` that of EN 319 102-1 clause 5 (empty when valid), `reason` a
    stable code (empty when valid).
    """

    field: str
    signer: str
    signed_at: datetime | None
    level: str
    verdict: Verdict
    sub_indication: str
    covers_whole_file: bool
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; what is absent has no key (never null)."""
        content: dict[str, Any] = {
            "field": self.field,
            "signer": self.signer,
            "level": self.level,
            "verdict": self.verdict,
            "sub_indication": self.sub_indication,
            "covers_whole_file": self.covers_whole_file,
            "reason": self.reason,
        }
        if self.signed_at is not None:
            content["signed_at"] = self.signed_at.astimezone(UTC).isoformat()
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave; raises KeyError or ValueError on anything else."""
        signed_at = content.get("signed_at")
        return cls(
            field=str(content["field"]),
            signer=str(content["signer"]),
            signed_at=None if signed_at is None else datetime.fromisoformat(signed_at),
            level=str(content["level"]),
            verdict=_verdict(content["verdict"]),
            sub_indication=str(content["sub_indication"]),
            covers_whole_file=bool(content["covers_whole_file"]),
            reason=str(content["reason"]),
        )


@dataclass(frozen=True)
class SignatureReport:
    """The verdict on a file as a whole.

    `reasons` are stable codes, the deciding one first (empty only when valid): among them "no_signature",
    "not_examined", "library_error", "coverage_incomplete", "changed_after_signing", "worker_crashed",
    "worker_memory", "worker_timeout", "file_refused".
    """

    verdict: Verdict
    sub_indication: str
    reasons: tuple[str, ...]
    signatures: tuple[SignatureDetail, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, fit for canonical JSON: no null, no float."""
        return {
            "verdict": self.verdict,
            "sub_indication": self.sub_indication,
            "reasons": list(self.reasons),
            "signatures": [signature.to_json() for signature in self.signatures],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave; raises KeyError or ValueError on anything else."""
        return cls(
            verdict=_verdict(content["verdict"]),
            sub_indication=str(content["sub_indication"]),
            reasons=tuple(str(reason) for reason in content["reasons"]),
            signatures=tuple(SignatureDetail.from_json(one) for one in content["signatures"]),
        )


def undetermined(*reasons: str, sub_indication: str = "GENERIC") -> SignatureReport:
    """Return the report of a file about which nothing can be said, and why."""
    return SignatureReport("undetermined", sub_indication, reasons)


@dataclass(frozen=True)
class Examination:
    """What a worker process found out about one file.

    `sha256` (32 bytes) and `size` (bytes) are of the whole file; `media_type` is what its bytes are, by
    their look; `pages` is None when they could not be counted; `refusal` is a code of `FileRefused` when
    the file must not be taken; `network_cut` tells whether the examining process had no network.
    """

    sha256: bytes
    size: int
    media_type: str
    pages: int | None
    refusal: str | None
    report: SignatureReport
    network_cut: bool = False
