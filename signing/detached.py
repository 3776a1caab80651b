# mypy: allow-untyped-calls
"""A signature that stands beside its file: CMS or CAdES (RFC 5652, EN 319 122-1), judged like one in a PDF.

Runs in a worker process. The signature comes with the request, at most `LARGEST_SIGNATURE` bytes, as DER or
PEM; the file is hashed as it is. Archive time stamps of CAdES (-LTA) are not judged: such a signature counts
for what its own time stamp and the proofs that are given prove.
"""

import asyncio
import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

from asn1crypto import cms, core, pem
from pyhanko.sign.validation.policy_decl import PdfSignatureValidationSpec

from signing.anchoring import counting_for_tokens, first_paths_beside
from signing.anchors import Anchor
from signing.coverage import LARGEST_CONTAINER
from signing.describing import signer_of, stamp_details
from signing.detailing import Setting, anchored, claimed_time, container_fault, described, outcome
from signing.file_types import kind_of
from signing.findings import SignatureKind
from signing.grounds import Grounds
from signing.judging import Finding, Judging
from signing.proofs import proofs_of_signature
from signing.report import SignatureDetail, SignatureReport, undetermined
from signing.status_given import Given, asked_along
from signing.trust import validation_policy

LARGEST_SIGNATURE = LARGEST_CONTAINER  # bytes, as in a PDF
_CHUNK = 1024 * 1024
_HASHES = frozenset({"sha1", "sha224", "sha256", "sha384", "sha512"})
_NAMES_CERTIFICATE = frozenset({"signing_certificate", "signing_certificate_v2"})


def examine_detached(stream: BinaryIO, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain JSON values: media_type, report, grounds, questions, accepted (see examining.py).

    `request`: signature (base64), anchors, at (ISO 8601 with zone), fetched, answers. Raises MemoryError when
    the process has no more, nothing else for the sake of the file or the signature.
    """
    anchors = tuple(Anchor.from_json(one) for one in request["anchors"])
    at = datetime.fromisoformat(request["at"]).astimezone(UTC)
    given = Given.of(request, at)
    grounds = given.grounds()
    signature = base64.b64decode(request["signature"], validate=True)
    try:
        judged = asyncio.run(judge_detached(stream, signature, anchors=anchors, at=at, grounds=grounds))
    except MemoryError:
        raise
    except Exception:  # asn1crypto and pyHanko raise plain errors of many kinds
        judged = undetermined("library_error")
    return {
        "media_type": kind_of(stream).media_type,
        "report": judged.to_json(),
        "grounds": grounds.to_json(),
        "questions": asked_along(judged, grounds.paths),
        "accepted": given.told(),
    }


async def judge_detached(
    stream: BinaryIO, signature: bytes, *, anchors: tuple[Anchor, ...], at: datetime, grounds: Grounds
) -> SignatureReport:
    """Judge a detached signature over a file against `anchors` at the time `at`.

    Raises what the libraries raise.
    """
    signed_data = _read(signature)
    if signed_data is None:
        return undetermined("format_wrong", sub_indication="FORMAT_FAILURE")
    fault = container_fault(signed_data)
    # What the container holds itself would be signed instead of the file beside it.
    holds = not isinstance(signed_data["encap_content_info"]["content"], core.Void)
    algorithm = signed_data["signer_infos"][0]["digest_algorithm"]["algorithm"].native if not fault else ""
    if fault or holds or algorithm not in _HASHES:
        return undetermined(fault or "signature_unsupported", sub_indication="SIG_CONSTRAINTS_FAILURE")
    known = validation_policy(anchors, grounds.fetched).signature_validation_spec.local_knowledge
    proofs = proofs_of_signature(signed_data, known)
    counting = await counting_for_tokens(anchors, signed_data, proofs.certificates, grounds)
    setting = Setting(tuple(counting), grounds, at)
    digest = _digest(stream, algorithm)

    async def judge(policy: PdfSignatureValidationSpec) -> Finding:
        judging = Judging(policy, proofs, at)
        return await judging.detached(signed_data, digest, await judging.stamps(signed_data))

    finding, anchor = await anchored(judge, setting)
    grounds.paths = await first_paths_beside(anchors, signed_data, proofs.certificates)
    verdict, sub_indication, reason = outcome(finding)
    told = SignatureDetail(
        field="",
        signer=signer_of(signed_data),
        signed_at=finding.proven_at or claimed_time(signed_data["signer_infos"][0]),
        level="",
        verdict=verdict,
        sub_indication=sub_indication,
        covers_whole_file=sub_indication != "HASH_FAILURE",
        reason=reason,
        kind=_kind(signed_data),
        timestamps=stamp_details(finding),
    )
    detail = described(told, signed_data, finding, proofs, setting, anchor)
    return SignatureReport(
        detail.verdict, detail.sub_indication, (detail.reason,) if detail.reason else (), (detail,)
    )


def _read(signature: bytes) -> cms.SignedData | None:
    """Read a CMS of the kind SignedData; None for anything else."""
    if len(signature) > LARGEST_SIGNATURE:
        return None
    try:
        der = pem.unarmor(signature)[2] if pem.detect(signature) else signature
        container = cms.ContentInfo.load(der, strict=True)
        signed_data = container["content"] if container["content_type"].native == "signed_data" else None
    except (ValueError, TypeError, KeyError):
        return None
    return signed_data if isinstance(signed_data, cms.SignedData) else None


def _digest(stream: BinaryIO, algorithm: str) -> bytes:
    digest = hashlib.new(algorithm)
    stream.seek(0)
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.digest()


def _kind(signed_data: cms.SignedData) -> SignatureKind:
    named = {one["type"].native for one in signed_data["signer_infos"][0]["signed_attrs"]}
    return "cades" if named & _NAMES_CERTIFICATE else "pkcs7"
