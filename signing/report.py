"""What was found out about a file: verdict and sub-indication in the words of ETSI EN 319 102-1."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

from signing.anchors import AnchorName
from signing.findings import (
    Certified,
    ChainCertificate,
    Change,
    PageDifference,
    SignatureKind,
    StampDetail,
    StatusEvidence,
    TimeSource,
    Verdict,
    chosen,
    instant,
    told,
)
from signing.grounds import Judgement
from signing.status_proofs import StatusQuestion

Level = Literal["", "B-B", "B-T", "B-LT", "B-LTA"]
SecondLook = Literal["", "same", "different", "not_made"]

__all__ = [
    "Examination",
    "Level",
    "SecondLook",
    "SignatureDetail",
    "SignatureReport",
    "Verdict",
    "undetermined",
]


@dataclass(frozen=True)
class SignatureDetail:
    """One signature of the file.

    `field` is the name of its form field, `signer` the subject of the certificate (as claimed unless the
    verdict is valid), `signed_at` the best time known (UTC), `level` the PAdES baseline level reached
    (empty when unknown), `sub_indication` that of EN 319 102-1 clause 5 (empty when valid), `reason` a
    stable code (empty when valid).

    `kind` is the format; `time_source` tells whether `signed_at` is proven by a time stamp or only claimed
    by the signer. `chain` goes from the signer's certificate up as far as is known; `anchor` names the
    trusted certificate at its end with its purpose, None when none was reached. `status_evidence` is
    what the chain's status at the proven time rests on. `key_bits` is 0 when unknown. `certified` is what a
    certification permits afterwards (empty: the file is not certified by this signature). `changes` are what
    later revisions did: nothing when empty. `timestamps` have each their own result.
    """

    field: str
    signer: str
    signed_at: datetime | None
    level: str
    verdict: Verdict
    sub_indication: str
    covers_whole_file: bool
    reason: str
    kind: SignatureKind = ""
    time_source: TimeSource = ""
    chain: tuple[ChainCertificate, ...] = ()
    anchor: AnchorName | None = None
    status_evidence: tuple[StatusEvidence, ...] = ()
    digest_algorithm: str = ""
    signature_algorithm: str = ""
    key_bits: int = 0
    certified: Certified = ""
    changes: tuple[Change, ...] = ()
    timestamps: tuple[StampDetail, ...] = ()

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
            "kind": self.kind,
            "time_source": self.time_source,
            "chain": [one.to_json() for one in self.chain],
            "status_evidence": [one.to_json() for one in self.status_evidence],
            "digest_algorithm": self.digest_algorithm,
            "signature_algorithm": self.signature_algorithm,
            "key_bits": self.key_bits,
            "certified": self.certified,
            "changes": list(self.changes),
            "timestamps": [one.to_json() for one in self.timestamps],
        }
        if self.anchor is not None:
            content["anchor"] = self.anchor.to_json()
        return content | told(signed_at=self.signed_at)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave, now or before it told so much.

        Raises KeyError or ValueError on anything else.
        """
        return cls(
            field=str(content["field"]),
            signer=str(content["signer"]),
            signed_at=instant(content.get("signed_at")),
            level=str(content["level"]),
            verdict=chosen(Verdict, content["verdict"]),
            sub_indication=str(content["sub_indication"]),
            covers_whole_file=bool(content["covers_whole_file"]),
            reason=str(content["reason"]),
            kind=chosen(SignatureKind, content.get("kind", "")),
            time_source=chosen(TimeSource, content.get("time_source", "")),
            chain=tuple(ChainCertificate.from_json(one) for one in content.get("chain", ())),
            anchor=AnchorName.from_json(content["anchor"]) if content.get("anchor") else None,
            status_evidence=tuple(
                StatusEvidence.from_json(one) for one in content.get("status_evidence", ())
            ),
            digest_algorithm=str(content.get("digest_algorithm", "")),
            signature_algorithm=str(content.get("signature_algorithm", "")),
            key_bits=int(content.get("key_bits", 0)),
            certified=chosen(Certified, content.get("certified", "")),
            changes=tuple(chosen(Change, one) for one in content.get("changes", ())),
            timestamps=tuple(StampDetail.from_json(one) for one in content.get("timestamps", ())),
        )


@dataclass(frozen=True)
class SignatureReport:
    """The verdict on a file as a whole.

    `reasons` are stable codes, the deciding one first (empty only when valid): among them "no_signature",
    "not_examined", "library_error", "coverage_incomplete", "changed_after_signing", "worker_crashed",
    "worker_memory", "worker_timeout", "file_refused".

    `second_look` tells how the drawn pages of a signed revision compare with those of the whole file, where
    revisions follow a signature (empty: none do); `differences` are where they differ. `shown_later` are the
    places (by the name of their own field) where signatures and time stamps show themselves that came later
    than another signature.
    """

    verdict: Verdict
    sub_indication: str
    reasons: tuple[str, ...]
    signatures: tuple[SignatureDetail, ...] = ()
    second_look: SecondLook = ""
    differences: tuple[PageDifference, ...] = ()
    shown_later: tuple[PageDifference, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, fit for canonical JSON: no null, no float."""
        content: dict[str, Any] = {
            "verdict": self.verdict,
            "sub_indication": self.sub_indication,
            "reasons": list(self.reasons),
            "signatures": [signature.to_json() for signature in self.signatures],
            "second_look": self.second_look,
            "differences": [one.to_json() for one in self.differences],
        }
        if self.shown_later:
            content["shown_later"] = [one.to_json() for one in self.shown_later]
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave, now or before it told so much.

        Raises KeyError or ValueError on anything else.
        """
        return cls(
            verdict=chosen(Verdict, content["verdict"]),
            sub_indication=str(content["sub_indication"]),
            reasons=tuple(str(reason) for reason in content["reasons"]),
            signatures=tuple(SignatureDetail.from_json(one) for one in content["signatures"]),
            second_look=chosen(SecondLook, content.get("second_look", "")),
            differences=tuple(PageDifference.from_json(one) for one in content.get("differences", ())),
            shown_later=tuple(PageDifference.from_json(one) for one in content.get("shown_later", ())),
        )


def undetermined(*reasons: str, sub_indication: str = "GENERIC") -> SignatureReport:
    """Return the report of a file about which nothing can be said, and why."""
    return SignatureReport("undetermined", sub_indication, reasons)


@dataclass(frozen=True)
class Examination:
    """What a worker process found out about one file.

    `sha256` (32 bytes) and `size` (bytes) are of the whole file; `media_type` is what its bytes are, by
    their look; `pages` is None when they could not be counted; `refusal` is a code of `FileRefused` when
    the file must not be taken, `found` what was found then, by stable codes (see ceilings.py and
    active_content.py); `network_cut` tells whether the examining process had no network; `etsi_report` is
    the ETSI TS 119 102-2 report (XML), empty unless it was asked for and could be made; `judgement` is all
    that the verdict stands on, None where nothing was judged; `questions` could be asked about certificates
    whose status is wanting; `accepted` are the answers that were found to be proofs: SHA-256, and their end.
    """

    sha256: bytes
    size: int
    media_type: str
    pages: int | None
    refusal: str | None
    report: SignatureReport
    network_cut: bool = False
    etsi_report: bytes = b""
    found: tuple[str, ...] = ()
    judgement: Judgement | None = None
    questions: tuple[StatusQuestion, ...] = ()
    accepted: Mapping[bytes, datetime] = field(default_factory=dict)
