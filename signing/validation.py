# mypy: allow-untyped-calls
"""Checking the signatures of a PDF: ETSI EN 319 102-1 by pyHanko, with stricter rules of our own on top.

Runs in a worker process (see workers.py). Whatever a library raises becomes "undetermined" with a reason.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import BinaryIO

from pyhanko.pdf_utils.decode_limits import DecodeLimits, StreamDecodeLimits
from pyhanko.pdf_utils.misc import PdfDecodeLimitError, PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESFailure, AdESIndeterminate, AdESStatus, AdESSubIndic
from pyhanko.sign.validation.ades import AdESLTAValidationResult, ades_lta_validation
from pyhanko.sign.validation.generic_cms import extract_self_reported_ts
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.policy_decl import PdfSignatureValidationSpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo

from signing.anchoring import anchor_of, counting_for_stamps
from signing.anchors import Anchor, AnchorName
from signing.coverage import (
    SIGNATURES_ONLY,
    signature_fault,
    stamp_is_plain,
    structure_fault,
    too_complex,
)
from signing.damage import digest_differs, holds_huge_string, mentions_signature
from signing.findings import ChainCertificate
from signing.grounds import Grounds
from signing.report import Level, SignatureDetail, SignatureReport, Verdict, undetermined
from signing.trust import validation_policy

_MEBIBYTE = 1024 * 1024
_LIMITS = DecodeLimits(per_stream=StreamDecodeLimits(max_output_size=64 * _MEBIBYTE))
_PADES = "/ETSI.CAdES.detached"

_REASONS: dict[AdESSubIndic, str] = {
    AdESFailure.FORMAT_FAILURE: "format_wrong",
    AdESFailure.HASH_FAILURE: "digest_mismatch",
    AdESFailure.SIG_CRYPTO_FAILURE: "signature_wrong",
    AdESFailure.REVOKED: "certificate_revoked",
    AdESFailure.NOT_YET_VALID: "certificate_not_yet_valid",
    AdESIndeterminate.SIG_CONSTRAINTS_FAILURE: "signature_unsupported",
    AdESIndeterminate.CHAIN_CONSTRAINTS_FAILURE: "signer_not_trusted",
    AdESIndeterminate.CERTIFICATE_CHAIN_GENERAL_FAILURE: "signer_not_trusted",
    AdESIndeterminate.NO_CERTIFICATE_CHAIN_FOUND: "signer_not_trusted",
    AdESIndeterminate.NO_SIGNING_CERTIFICATE_FOUND: "signer_not_trusted",
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE: "algorithm_too_weak",
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE_NO_POE: "algorithm_too_weak",
    AdESIndeterminate.EXPIRED: "certificate_expired",
    AdESIndeterminate.NOT_YET_VALID: "certificate_not_yet_valid",
    AdESIndeterminate.OUT_OF_BOUNDS_NO_POE: "certificate_expired",
    AdESIndeterminate.OUT_OF_BOUNDS_NOT_REVOKED: "certificate_expired",
    AdESIndeterminate.TIMESTAMP_ORDER_FAILURE: "timestamp_invalid",
    AdESIndeterminate.REVOKED_NO_POE: "certificate_revoked",
    AdESIndeterminate.REVOKED_CA_NO_POE: "certificate_revoked",
    AdESIndeterminate.REVOCATION_OUT_OF_BOUNDS_NO_POE: "certificate_status_unknown",
    AdESIndeterminate.TRY_LATER: "certificate_status_unknown",
    AdESIndeterminate.NO_POE: "time_not_proven",
    AdESIndeterminate.SIGNED_DATA_NOT_FOUND: "coverage_incomplete",
}
_OTHER = "not_proven"

# Every reason code that a report can carry; whoever shows one needs words for each.
REASON_CODES = frozenset(
    {
        *_REASONS.values(),
        _OTHER,
        "no_signature",
        "not_examined",
        "file_refused",
        "library_error",
        "structure_damaged",
        "signature_hidden",
        "signature_unsupported",
        "signature_shown_twice",
        "too_complex",
        "coverage_incomplete",
        "changed_after_signing",
        "digest_mismatch",
        "timestamp_invalid",
        "worker_crashed",
        "worker_memory",
        "worker_timeout",
    }
)


@dataclass(frozen=True)
class _Judge:
    anchors: tuple[Anchor, ...]
    policy: PdfSignatureValidationSpec
    timing: ValidationTimingInfo
    stamps: tuple[EmbeddedPdfSignature, ...]
    grounds: Grounds


async def validate(
    stream: BinaryIO, *, anchors: Sequence[Anchor], at: datetime, grounds: Grounds | None = None
) -> SignatureReport:
    """Judge every signature of a PDF against `anchors` at the time `at` (aware), offline.

    `stream` is an open file; `grounds` brings the proofs that were fetched, and is told what the verdict
    stands on. The verdict is that of the worst signature. Raises MemoryError only, which says
    something about the process, not about the file.
    """
    if holds_huge_string(stream):
        return undetermined("too_complex")
    try:
        embedded, fault = _list(stream)
    except MemoryError:
        raise
    except Exception as error:  # pyHanko raises plain errors of many kinds, even while listing
        return _damaged(stream, _name(error))
    if fault == "too_complex":
        return undetermined(fault)
    signatures = [one for one in embedded if one.sig_object_type == "/Sig"]
    if not signatures:
        return _unsigned(stream, fault)
    timing = ValidationTimingInfo(
        validation_time=at.astimezone(UTC),
        best_signature_time=at.astimezone(UTC),
        point_in_time_validation=True,
    )
    stamps = tuple(one for one in embedded if one.sig_object_type == "/DocTimeStamp")
    grounds = grounds or Grounds()
    counting = tuple(await counting_for_stamps(anchors, embedded, grounds))
    judge = _Judge(counting, validation_policy(counting, grounds.fetched), timing, stamps, grounds)
    report = _summary([await _detail(one, judge) for one in signatures], fault)
    if report.verdict == "undetermined" and digest_differs(stream):
        reasons = ("digest_mismatch", *report.reasons)
        return replace(report, verdict="invalid", sub_indication="HASH_FAILURE", reasons=reasons)
    return report


def _list(stream: BinaryIO) -> tuple[list[EmbeddedPdfSignature], str]:
    reader = PdfFileReader(stream, strict=True, decode_limits=_LIMITS)
    if too_complex(reader):
        return [], "too_complex"
    embedded = list(reader.embedded_signatures)
    return embedded, structure_fault(reader, embedded)


def _damaged(stream: BinaryIO, reason: str) -> SignatureReport:
    if digest_differs(stream):
        return SignatureReport("invalid", "HASH_FAILURE", ("digest_mismatch", reason))
    return undetermined(reason)


def _unsigned(stream: BinaryIO, fault: str) -> SignatureReport:
    if not mentions_signature(stream):
        return undetermined("no_signature", sub_indication="SIGNED_DATA_NOT_FOUND")
    return _damaged(stream, fault or "signature_hidden")


def _summary(details: list[SignatureDetail], fault: str) -> SignatureReport:
    worst: Verdict = "valid"
    if any(one.verdict == "invalid" for one in details):
        worst = "invalid"
    elif fault or any(one.verdict == "undetermined" for one in details):
        worst = "undetermined"
    deciding = [one for one in details if one.verdict == worst]
    sub_indication = deciding[0].sub_indication if deciding else "GENERIC"
    found = [one.reason for one in (*deciding, *details) if one.reason]
    reasons = dict.fromkeys([*found, fault] if fault else found)
    return SignatureReport(worst, sub_indication, tuple(reasons), tuple(details))


async def _detail(embedded: EmbeddedPdfSignature, judge: _Judge) -> SignatureDetail:
    try:
        return await _judged(embedded, judge)
    except MemoryError:
        raise
    except Exception as error:  # a hostile signature must not hide the others
        return _undetermined_detail(embedded, "GENERIC", _name(error))


def _undetermined_detail(embedded: EmbeddedPdfSignature, sub_indication: str, reason: str) -> SignatureDetail:
    return SignatureDetail(
        field=str(embedded.field_name),
        signer=_signer(embedded),
        signed_at=None,
        level="",
        verdict="undetermined",
        sub_indication=sub_indication,
        covers_whole_file=False,
        reason=reason,
    )


async def _judged(embedded: EmbeddedPdfSignature, judge: _Judge) -> SignatureDetail:
    if embedded.signer_info["signed_attrs"].native is None:
        return _undetermined_detail(embedded, "SIG_CONSTRAINTS_FAILURE", "signature_unsupported")
    embedded.compute_integrity_info(SIGNATURES_ONLY)
    fault = signature_fault(embedded)
    result, anchor = await _anchored(embedded, judge)
    later = [stamp for stamp in judge.stamps if stamp.signed_revision > embedded.signed_revision]
    verdict, sub_indication, reason = _verdict(embedded, result, fault, later)
    if verdict == "valid" and (anchor is None or not anchor.covers(result.best_signature_time)):
        verdict, sub_indication, reason = "undetermined", "NO_CERTIFICATE_CHAIN_FOUND", "signer_not_trusted"
    if verdict == "valid" and anchor is not None:
        judge.grounds.stand_on(anchor, "signature", result.best_signature_time.astimezone(UTC))
    return SignatureDetail(
        field=str(embedded.field_name),
        signer=_signer(embedded),
        signed_at=_time(embedded, result),
        level=_level(embedded, result) if verdict == "valid" else "",
        verdict=verdict,
        sub_indication=sub_indication,
        covers_whole_file=not fault,
        reason=reason,
        chain=(ChainCertificate(_signer(embedded), hashlib.sha256(embedded.signer_cert.dump()).hexdigest()),),
        time_source="timestamp" if result.signature_timestamp_status is not None else "claimed",
        anchor=AnchorName.of(anchor) if verdict == "valid" and anchor is not None else None,
    )


async def _anchored(
    embedded: EmbeddedPdfSignature, judge: _Judge
) -> tuple[AdESLTAValidationResult, Anchor | None]:
    """Judge, with the anchors alone that count at the proven time where the first one found does not."""
    signing = tuple(one for one in judge.anchors if one.signs)
    result = await ades_lta_validation(embedded, judge.policy, timing_info=judge.timing)
    moment = result.best_signature_time
    anchor = anchor_of(result.api_status and result.api_status.validation_path, signing, moment)
    if anchor is None or anchor.covers(moment):
        return result, anchor
    policy = validation_policy(judge.anchors, judge.grounds.fetched, signing_at=moment)
    result = await ades_lta_validation(embedded, policy, timing_info=judge.timing)
    moment = result.best_signature_time
    return result, anchor_of(result.api_status and result.api_status.validation_path, signing, moment)


def _verdict(
    embedded: EmbeddedPdfSignature,
    result: AdESLTAValidationResult,
    fault: str,
    later: list[EmbeddedPdfSignature],
) -> tuple[Verdict, str, str]:
    found = result.ades_subindic
    name = str(found.standard_name)
    if found.status is AdESStatus.FAILED:
        return "invalid", name, _REASONS.get(found, _OTHER)
    if any(not _stamps_these_bytes(stamp) for stamp in later):
        return "invalid", "HASH_FAILURE", "digest_mismatch"
    if fault:
        forbidden = fault == "changed_after_signing" and embedded.docmdp_level is not None
        return ("invalid" if forbidden else "undetermined"), "SIGNED_DATA_NOT_FOUND", fault
    if found.status is not AdESStatus.PASSED:
        return "undetermined", name, _REASONS.get(found, _OTHER)
    if later and (result.oldest_evidence_record_timestamp is None or not stamp_is_plain(later[-1])):
        return "undetermined", "NO_POE", "timestamp_invalid"
    return "valid", "", ""


def _stamps_these_bytes(stamp: EmbeddedPdfSignature) -> bool:
    imprint = stamp.signed_data["encap_content_info"]["content"].parsed["message_imprint"]
    return bool(imprint["hashed_message"].native == stamp.compute_digest())


def _time(embedded: EmbeddedPdfSignature, result: AdESLTAValidationResult) -> datetime | None:
    stamped = result.signature_timestamp_status
    if stamped is not None and stamped.ades_subindic.status is AdESStatus.PASSED:
        return result.best_signature_time.astimezone(UTC)
    claimed = extract_self_reported_ts(embedded.signer_info) or embedded.self_reported_timestamp
    return None if claimed is None or claimed.tzinfo is None else claimed.astimezone(UTC)


def _level(embedded: EmbeddedPdfSignature, result: AdESLTAValidationResult) -> Level:
    if embedded.sig_object.get("/SubFilter") != _PADES:
        return ""
    stamped = result.signature_timestamp_status
    if stamped is None or stamped.ades_subindic.status is not AdESStatus.PASSED:
        return "B-B"
    if "/DSS" not in embedded.reader.root:
        return "B-T"
    return "B-LT" if result.oldest_evidence_record_timestamp is None else "B-LTA"


def _signer(embedded: EmbeddedPdfSignature) -> str:
    try:
        subject = embedded.signer_cert.subject
        return str(subject.native.get("common_name") or subject.human_friendly)
    except MemoryError:
        raise
    except Exception:
        return ""  # a certificate that cannot be read names nobody


def _name(error: Exception) -> str:
    if isinstance(error, (RecursionError, PdfDecodeLimitError)):
        return "too_complex"
    return "structure_damaged" if isinstance(error, PdfError) else "library_error"
