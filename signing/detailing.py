# mypy: allow-untyped-calls
"""One signature of a PDF: judged, its reach weighed, and told."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from asn1crypto import cms, core
from pyhanko.sign.ades.report import AdESStatus
from pyhanko.sign.validation.generic_cms import extract_self_reported_ts
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.policy_decl import PdfSignatureValidationSpec

from signing.anchoring import anchor_of, outlived
from signing.anchors import Anchor, AnchorName
from signing.changes import changes_after
from signing.coverage import SIGNATURES_ONLY, signature_fault, stamp_is_plain
from signing.describing import (
    algorithms_of,
    certified_of,
    chain_of,
    evidence_of,
    kind_of,
    signer_of,
    stamp_detail,
    stamp_details,
)
from signing.etsi_report import EtsiReport
from signing.findings import StampDetail, TimeSource
from signing.grounds import Grounds
from signing.judging import Finding, Judging
from signing.plain_der import as_read, is_whole
from signing.proofs import Proofs, proofs_of_file
from signing.reasons import reason_of
from signing.report import Level, SignatureDetail, Verdict
from signing.trust import validation_policy


@dataclass(frozen=True)
class Setting:
    """What all signatures of a file are judged by; `stamps` are its document time stamps,
    `etsi` gathers what is reported by TS 119 102-2."""

    anchors: tuple[Anchor, ...]
    grounds: Grounds
    at: datetime
    stamps: tuple[EmbeddedPdfSignature, ...] = ()
    etsi: EtsiReport | None = None

    def policy(self, signing_at: datetime | None = None) -> PdfSignatureValidationSpec:
        """Return how signatures are judged; by the anchors that cover `signing_at` alone, if it is given."""
        return validation_policy(self.anchors, self.grounds.fetched, signing_at=signing_at)


def unjudged(embedded: EmbeddedPdfSignature, sub_indication: str, reason: str) -> SignatureDetail:
    """Tell of a signature that could not be judged, and why."""
    return SignatureDetail(
        field=str(embedded.field_name),
        signer=_claimed_signer(embedded),
        signed_at=None,
        level="",
        verdict="undetermined",
        sub_indication=sub_indication,
        covers_whole_file=False,
        reason=reason,
    )


async def detail_of(embedded: EmbeddedPdfSignature, setting: Setting) -> SignatureDetail:
    """Judge a signature and tell all about it. Raises whatever the libraries raise."""
    fault = container_fault(embedded.signed_data)
    if fault:
        return replace(unjudged(embedded, "SIG_CONSTRAINTS_FAILURE", fault), kind=kind_of(embedded))
    embedded.compute_integrity_info(SIGNATURES_ONLY)
    fault = signature_fault(embedded)
    later = [one for one in setting.stamps if one.signed_revision > embedded.signed_revision]
    policy = setting.policy()
    proofs = proofs_of_file(embedded, policy.signature_validation_spec.local_knowledge)

    async def judge(policy: PdfSignatureValidationSpec) -> Finding:
        return await Judging(policy, proofs, setting.at).embedded(embedded, later)

    finding, anchor = await anchored(judge, setting)
    if setting.etsi is not None and finding.result is not None:
        setting.etsi.add(embedded, finding.result, finding.proven_at)
    verdict, sub_indication, reason = _verdict(embedded, finding, fault, later)
    signed_at = finding.proven_at or claimed_time(embedded.signer_info, embedded.self_reported_timestamp)
    told = SignatureDetail(
        field=str(embedded.field_name),
        signer=signer_of(embedded.signed_data),
        signed_at=signed_at,
        level=_level(embedded, finding, proofs) if verdict == "valid" else "",
        verdict=verdict,
        sub_indication=sub_indication,
        covers_whole_file=not fault,
        reason=reason,
        kind=kind_of(embedded),
        certified=certified_of(embedded),
        changes=changes_after(embedded, fault),
        timestamps=(
            *stamp_details(finding),
            *await _over_the_file(Judging(policy, proofs, setting.at), finding, later),
        ),
    )
    return described(told, embedded.signed_data, finding, proofs, setting, anchor)


async def anchored(
    judge: Callable[[PdfSignatureValidationSpec], Awaitable[Finding]], setting: Setting
) -> tuple[Finding, Anchor | None]:
    """Judge, with the anchors alone that count at the proven time where the first one found does not."""
    signing = tuple(one for one in setting.anchors if one.signs)
    finding = await judge(setting.policy())
    moment = finding.proven_at or setting.at
    anchor = anchor_of(finding.path, signing, moment)
    if anchor is None or anchor.covers(moment):
        return finding, anchor
    finding = await judge(setting.policy(moment))
    return finding, anchor_of(finding.path, signing, finding.proven_at or setting.at)


def described(
    told: SignatureDetail,
    signed_data: cms.SignedData,
    finding: Finding,
    proofs: Proofs,
    setting: Setting,
    anchor: Anchor | None,
) -> SignatureDetail:
    """Add what is told of every judged CMS: chain, anchor, proofs of status, algorithms.

    What would be valid is not, if its anchor does not count at the proven time, or is the signer's own
    certificate and not alive then; without a proven time, now.
    """
    moment = finding.proven_at or setting.at
    if told.verdict == "valid":
        if anchor is None or not anchor.covers(moment):
            told = replace(
                told,
                verdict="undetermined",
                sub_indication="NO_CERTIFICATE_CHAIN_FOUND",
                reason="signer_not_trusted",
                level="",
            )
        elif outlived(finding.path, moment):
            told = replace(
                told,
                verdict="undetermined",
                sub_indication="OUT_OF_BOUNDS_NO_POE",
                reason="certificate_expired",
                level="",
            )
        else:
            setting.grounds.stand_on(anchor, "signature", moment)
    digest, algorithm, bits = algorithms_of(signed_data)
    source: TimeSource = "timestamp" if finding.proven_at else "claimed" if told.signed_at else ""
    return replace(
        told,
        time_source=source,
        chain=chain_of(finding.path, signed_data),
        anchor=AnchorName.of(anchor) if anchor is not None and told.verdict == "valid" else None,
        status_evidence=evidence_of(finding, proofs, setting.at),
        digest_algorithm=digest,
        signature_algorithm=algorithm,
        key_bits=bits,
    )


def container_fault(signed_data: cms.SignedData) -> str:
    """Return the reason code of what no CMS may be that we judge, or "".

    It can be read to its end ("container_damaged"), and has one signer ("signers_several"), who signs
    attributes (RFC 5652, 5.3; "signed_attributes_missing").
    """
    try:
        signers = signed_data["signer_infos"]
        if len(signers) != 1:
            return "signers_several"
        if not is_whole(as_read(signed_data)):
            return "container_damaged"
        _ = signers[0].native  # lazily parsed: what is damaged only shows when its parts are asked for
        signed = signers[0]["signed_attrs"]
        return "" if not isinstance(signed, core.Void) and len(signed) else "signed_attributes_missing"
    except (ValueError, TypeError, KeyError):
        return "container_damaged"


def claimed_time(signer: cms.SignerInfo, otherwise: datetime | None = None) -> datetime | None:
    """Return the time that the signer states, if it has a zone."""
    claimed = extract_self_reported_ts(signer) or otherwise
    return None if claimed is None or claimed.tzinfo is None else claimed.astimezone(UTC)


def outcome(finding: Finding) -> tuple[Verdict, str, str]:
    """Return verdict, sub-indication and reason of a judged CMS, without regard to its reach."""
    found = finding.found
    name = str(found.standard_name)
    if found.status is AdESStatus.FAILED:
        return "invalid", name, reason_of(found)
    # A stamp that was made for something else is no accident, whatever the others say.
    if any(one.found.status is AdESStatus.FAILED for one in finding.stamps):
        return "undetermined", "SIG_CONSTRAINTS_FAILURE", "timestamp_invalid"
    if found.status is not AdESStatus.PASSED:
        return "undetermined", name, reason_of(found)
    return "valid", "", ""


def _verdict(
    embedded: EmbeddedPdfSignature, finding: Finding, fault: str, later: Sequence[EmbeddedPdfSignature]
) -> tuple[Verdict, str, str]:
    verdict, sub_indication, reason = outcome(finding)
    if verdict == "invalid":
        return verdict, sub_indication, reason
    if any(not _stamps_these_bytes(stamp) for stamp in later):
        return "invalid", "HASH_FAILURE", "digest_mismatch"
    if fault:
        forbidden = fault == "changed_after_signing" and embedded.docmdp_level is not None
        return ("invalid" if forbidden else "undetermined"), "SIGNED_DATA_NOT_FOUND", fault
    if verdict == "valid" and later and (finding.archived_at is None or not stamp_is_plain(later[-1])):
        return "undetermined", "NO_POE", "timestamp_invalid"
    return verdict, sub_indication, reason


def _stamps_these_bytes(stamp: EmbeddedPdfSignature) -> bool:
    imprint = stamp.signed_data["encap_content_info"]["content"].parsed["message_imprint"]
    return bool(imprint["hashed_message"].native == stamp.compute_digest())


async def _over_the_file(
    judging: Judging, finding: Finding, later: Sequence[EmbeddedPdfSignature]
) -> tuple[StampDetail, ...]:
    """Tell the document time stamps: as a chain they hold together, or else each speaks for itself."""
    if finding.archived_at is None:
        return tuple(stamp_detail(one, "document") for one in await judging.document_stamps(later))
    return tuple(
        StampDetail(
            "document",
            signer_of(one.signed_data),
            one.signed_data["encap_content_info"]["content"].parsed["gen_time"].native,
            "valid",
        )
        for one in later
    )


def _level(embedded: EmbeddedPdfSignature, finding: Finding, proofs: Proofs) -> Level:
    if kind_of(embedded) != "pades":
        return ""
    if not any(one.holds for one in finding.stamps):
        return "B-B"
    if not any(one.source in ("dss", "embedded") for one in proofs.status):
        return "B-T"
    return "B-LT" if finding.archived_at is None else "B-LTA"


def _claimed_signer(embedded: EmbeddedPdfSignature) -> str:
    try:
        return signer_of(embedded.signed_data)
    except MemoryError:
        raise
    except Exception:
        return ""  # a container that cannot be read names nobody
