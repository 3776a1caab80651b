# mypy: allow-untyped-calls
"""XML signatures (XML-DSig, XAdES) of a document: integrity by signxml, the chain as everywhere else.

Runs in a worker process. No network, no document type, no entities; at most `LARGEST_XML` bytes. What is
judged: one enveloped signature over the whole document (reference "" or to the root), last in it, by a
certificate that the signature holds, today. What is not, is undetermined with its reason: several signatures,
other transforms, parts of a document, what stands unsigned in the signature (xml_structure.py), SHA-1, and
time stamps (XAdES-T and above), so that a signature whose certificate has expired stays undetermined.
"""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, BinaryIO

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from lxml import etree
from pyhanko.sign.ades.report import AdESIndeterminate, AdESPassed, AdESStatus, AdESSubIndic
from pyhanko.sign.validation.generic_cms import validate_cert_usage
from pyhanko.sign.validation.policy_decl import bootstrap_validation_data_handlers
from pyhanko_certvalidator.errors import PathBuildingError
from pyhanko_certvalidator.path import ValidationPath
from signxml.exceptions import InvalidDigest, InvalidInput, InvalidSignature
from signxml.verifier import SignatureConfiguration, XMLVerifier
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from signing.anchoring import anchor_of, outlived, ways
from signing.anchors import Anchor, AnchorName
from signing.describing import chain_of_path, claimed_chain, key_bits, name_of, path_evidence
from signing.file_types import UNKNOWN, XML, kind_of
from signing.findings import SignatureKind, Verdict
from signing.grounds import Grounds, Piece
from signing.judging import careless, status_missing, timing
from signing.proofs import Proofs, fetched_proofs
from signing.reasons import reason_of
from signing.report import SignatureDetail, SignatureReport, undetermined
from signing.status_given import Given, asked_along
from signing.trust import validation_policy
from signing.xml_intake import refusal_of
from signing.xml_reading import (
    DS,
    LARGEST_XML,
    XADES,
    Unjudged,
    certificates_in,
    parsed_xml,
    refuse_strange,
    safe_parser,
    signature_in,
    status_in,
)
from signing.xml_structure import refuse_unsigned, signed_properties


def examine_xml(stream: BinaryIO, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain JSON values: media_type, report, grounds, questions, accepted (see examining.py).

    `request`: anchors, at (ISO 8601 with zone), fetched, answers, taking (whether the file is to be taken
    into a store; absent for no): then what may not lie there is a refusal (xml_intake.py). Raises MemoryError
    when the process has no more, nothing else for the sake of the file.
    """
    anchors = tuple(Anchor.from_json(one) for one in request["anchors"])
    at = datetime.fromisoformat(request["at"]).astimezone(UTC)
    given = Given.of(request, at)
    grounds = given.grounds()
    stream.seek(0)
    content = stream.read(LARGEST_XML + 1)
    if request.get("taking"):
        refusal = refusal_of(content)
        if refusal is not None:
            refused = undetermined("file_refused").to_json()
            return {"media_type": UNKNOWN, "refusal": refusal, "report": refused}
    try:
        report = asyncio.run(judge_xml(content, anchors=anchors, at=at, grounds=grounds))
    except MemoryError:
        raise
    except Exception:  # lxml, signxml and asn1crypto raise plain errors of many kinds
        report = undetermined("library_error")
    return {
        "media_type": XML if request.get("taking") else kind_of(stream).media_type,
        "report": report.to_json(),
        "grounds": grounds.to_json(),
        "questions": asked_along(report, grounds.paths),
        "accepted": given.told(),
    }


async def judge_xml(
    content: bytes, *, anchors: tuple[Anchor, ...], at: datetime, grounds: Grounds
) -> SignatureReport:
    """Judge the XML signature of a document against `anchors` at the time `at`.

    Raises what the libraries raise.
    """
    try:
        root = parsed_xml(content)
        signature = signature_in(root)
        certificates = certificates_in(signature)
        refuse_strange(root, signature)
        refuse_unsigned(root, signature)
    except Unjudged as unjudged:
        return undetermined(str(unjudged), sub_indication="SIG_CONSTRAINTS_FAILURE")
    for one in certificates:
        grounds.keep("certificate", one.dump())
    kind: SignatureKind = (
        "xades" if signature.find(f".//{XADES}QualifyingProperties") is not None else "xmldsig"
    )
    broken = _broken(content, kind, certificates[0])
    if broken is not None:
        return _report(_detail(signature, kind, certificates[0], "invalid", *broken))
    held = status_in(signature)
    for piece in held:
        grounds.keep(piece.kind, piece.content)
    found, path, proofs = await _chained(certificates, anchors, at, (*held, *grounds.fetched), len(held))
    signing = [one for one in anchors if one.signs and one.covers(at)]
    with suppress(PathBuildingError):
        grounds.paths = await ways(certificates[0], certificates[1:], signing)
    return _report(_told(signature, kind, certificates[0], found, path, proofs, anchors, at, grounds))


def _broken(content: bytes, kind: SignatureKind, signer: asn1_x509.Certificate) -> tuple[str, str] | None:
    """Return sub-indication and reason of a signature that does not hold, or None."""
    certificate = x509.load_der_x509_certificate(signer.dump())
    # Validity is judged with the chain; here only bytes count.
    long_ago = certificate.not_valid_before_utc
    parser = safe_parser()
    try:
        if kind == "xades":
            XAdESVerifier().verify(
                content,
                x509_cert=certificate,
                parser=parser,
                expect_config=XAdESSignatureConfiguration(
                    expect_references=False, verification_time=long_ago
                ),
            )
        else:
            XMLVerifier().verify(
                content,
                x509_cert=certificate,
                parser=parser,
                expect_config=SignatureConfiguration(expect_references=False, verification_time=long_ago),
            )
    except InvalidDigest:
        return "HASH_FAILURE", "digest_mismatch"
    except InvalidSignature:
        return "SIG_CRYPTO_FAILURE", "signature_wrong"
    except (InvalidInput, etree.LxmlError):  # not as the schema has it
        return "FORMAT_FAILURE", "format_wrong"
    return None


async def _chained(
    certificates: list[asn1_x509.Certificate],
    anchors: tuple[Anchor, ...],
    at: datetime,
    pieces: tuple[Piece, ...],
    held: int,
) -> tuple[AdESSubIndic, ValidationPath | None, Proofs]:
    """Follow the chain with proofs; the first `held` of `pieces` stood in the document itself."""
    spec = validation_policy(anchors, pieces, signing_at=at).signature_validation_spec
    own = validation_policy((), pieces[:held]).signature_validation_spec.local_knowledge
    inside = {one.der for one in fetched_proofs(own)}
    status = (
        replace(one, source="embedded") if one.der in inside else one
        for one in fetched_proofs(spec.local_knowledge)
    )
    proofs = Proofs(tuple(status), tuple(certificates))
    found, path = await _usable(certificates, spec, at)
    if found in (AdESIndeterminate.CERTIFICATE_CHAIN_GENERAL_FAILURE, AdESIndeterminate.TRY_LATER):
        without, _ = await _usable(certificates, careless(spec), at)
        # A chain that has run out is no better for fresh proofs of its status.
        broken = found is AdESIndeterminate.TRY_LATER and without.status is not AdESStatus.PASSED
        found = without if broken else status_missing(found, without)
    return found, path, proofs


async def _usable(
    certificates: list[asn1_x509.Certificate], spec: Any, at: datetime
) -> tuple[AdESSubIndic, ValidationPath | None]:
    handlers = bootstrap_validation_data_handlers(spec, timing_info=timing(at))
    handlers.cert_registry.register_multiple(certificates)
    context = spec.cert_validation_policy.build_validation_context(timing_info=timing(at), handlers=handlers)
    paths = context.path_builder.async_build_paths_lazy(certificates[0])
    result = await validate_cert_usage(certificates[0], context, spec.key_usage_settings, paths)
    return result.error_subindic or AdESPassed.OK, result.success_result


def _told(
    signature: etree._Element,
    kind: SignatureKind,
    signer: asn1_x509.Certificate,
    found: AdESSubIndic,
    path: ValidationPath | None,
    proofs: Proofs,
    anchors: tuple[Anchor, ...],
    at: datetime,
    grounds: Grounds,
) -> SignatureDetail:
    anchor = anchor_of(path, (one for one in anchors if one.signs), at)
    if found.status is AdESStatus.PASSED and outlived(path, at):
        found = AdESIndeterminate.OUT_OF_BOUNDS_NO_POE
    if found.status is not AdESStatus.PASSED or anchor is None or path is None:
        stamped = signature.find(f".//{XADES}EncapsulatedTimeStamp") is not None
        past = stamped and found in (AdESIndeterminate.OUT_OF_BOUNDS_NO_POE, AdESIndeterminate.TRY_LATER)
        reason = "xml_stamps_not_judged" if past else reason_of(found)
        return _detail(signature, kind, signer, "undetermined", str(found.standard_name), reason)
    grounds.stand_on(anchor, "signature", at)
    told = _detail(signature, kind, signer, "valid", "", "")
    return replace(
        told,
        chain=chain_of_path(path),
        anchor=AnchorName.of(anchor),
        status_evidence=path_evidence(path, proofs, at),
    )


def _detail(
    signature: etree._Element,
    kind: SignatureKind,
    signer: asn1_x509.Certificate,
    verdict: Verdict,
    sub_indication: str,
    reason: str,
) -> SignatureDetail:
    signed_at = _claimed(signature)
    return SignatureDetail(
        field="",
        signer=name_of(signer),
        signed_at=signed_at,
        level="",
        verdict=verdict,
        sub_indication=sub_indication,
        covers_whole_file=verdict != "invalid",
        reason=reason,
        kind=kind,
        time_source="claimed" if signed_at else "",
        chain=claimed_chain([signer]),
        digest_algorithm=_short(signature.find(f"{DS}SignedInfo/{DS}Reference/{DS}DigestMethod")),
        signature_algorithm=_short(signature.find(f"{DS}SignedInfo/{DS}SignatureMethod")),
        key_bits=key_bits(signer),
    )


def _claimed(signature: etree._Element) -> datetime | None:
    """Give the time that the signer states, from properties that are signed alone."""
    properties = signed_properties(signature.getroottree().getroot(), signature)
    place = f"{XADES}SignedSignatureProperties/{XADES}SigningTime"
    stated = properties.find(place) if properties is not None else None
    try:
        moment = datetime.fromisoformat((stated.text or "").strip()) if stated is not None else None
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else None


def _short(method: etree._Element | None) -> str:
    return "" if method is None else re.split(r"[#/]", str(method.get("Algorithm")))[-1]


def _report(detail: SignatureDetail) -> SignatureReport:
    reasons = (detail.reason,) if detail.reason else ()
    return SignatureReport(detail.verdict, detail.sub_indication, reasons, (detail,))
