# mypy: allow-untyped-calls
"""Checking the signatures of a PDF: ETSI EN 319 102-1 by pyHanko, with stricter rules of our own on top.

Runs in a worker process (see workers.py). Whatever a library raises becomes "undetermined" with a reason.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import BinaryIO

from pyhanko.pdf_utils.decode_limits import DecodeLimits, StreamDecodeLimits
from pyhanko.pdf_utils.misc import PdfDecodeLimitError, PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signing.anchoring import counting_for_stamps
from signing.anchors import Anchor
from signing.coverage import structure_fault, too_complex
from signing.damage import digest_differs, holds_huge_string, mentions_signature, reaches_past_the_end
from signing.detailing import Setting, detail_of, unjudged
from signing.etsi_report import EtsiReport
from signing.grounds import Grounds
from signing.report import SignatureDetail, SignatureReport, Verdict, undetermined
from signing.second_look import looked_again

_MEBIBYTE = 1024 * 1024
_LIMITS = DecodeLimits(per_stream=StreamDecodeLimits(max_output_size=64 * _MEBIBYTE))


async def validate(
    stream: BinaryIO,
    *,
    anchors: Sequence[Anchor],
    at: datetime,
    grounds: Grounds | None = None,
    etsi: EtsiReport | None = None,
) -> SignatureReport:
    """Judge every signature of a PDF against `anchors` at the time `at` (aware), offline.

    `stream` is an open file; `grounds` brings the proofs that were fetched, and is told what the verdict
    stands on; `etsi` gathers a report by TS 119 102-2. The verdict is that of the worst signature. Raises
    MemoryError only, which says something about the process, not about the file.
    """
    if holds_huge_string(stream):
        return undetermined("too_complex")
    try:
        embedded, fault = _list(stream)
    except MemoryError:
        raise
    except Exception as error:  # pyHanko raises plain errors of many kinds, even while listing
        return _damaged(stream, name_of_error(error))
    if fault == "too_complex":
        return undetermined(fault)
    signatures = [one for one in embedded if one.sig_object_type == "/Sig"]
    if not signatures:
        return _unsigned(stream, fault)
    stamps = tuple(one for one in embedded if one.sig_object_type == "/DocTimeStamp")
    grounds = grounds or Grounds()
    grounds.embedded = embedded
    counting = tuple(await counting_for_stamps(anchors, embedded, grounds))
    setting = Setting(counting, grounds, at.astimezone(UTC), stamps, etsi)
    report = _summary([await _detail(one, setting) for one in signatures], fault)
    if report.verdict == "undetermined" and digest_differs(stream):
        reasons = dict.fromkeys(("digest_mismatch", *report.reasons))
        return replace(report, verdict="invalid", sub_indication="HASH_FAILURE", reasons=tuple(reasons))
    return looked_again(stream, report, embedded)


def _list(stream: BinaryIO) -> tuple[list[EmbeddedPdfSignature], str]:
    reader = PdfFileReader(stream, strict=True, decode_limits=_LIMITS)
    if too_complex(reader):
        return [], "too_complex"
    embedded = list(reader.embedded_signatures)
    return embedded, structure_fault(reader, embedded)


def _damaged(stream: BinaryIO, reason: str) -> SignatureReport:
    # The strict reader takes exception to files of common programs; without a byte range nobody signed them.
    if reason == "structure_damaged" and not mentions_signature(stream):
        return undetermined("no_signature", sub_indication="SIGNED_DATA_NOT_FOUND")
    if digest_differs(stream):
        return SignatureReport("invalid", "HASH_FAILURE", ("digest_mismatch", reason))
    return undetermined(reason)


def _unsigned(stream: BinaryIO, fault: str) -> SignatureReport:
    if not mentions_signature(stream):
        return undetermined("no_signature", sub_indication="SIGNED_DATA_NOT_FOUND")
    if reaches_past_the_end(stream):
        return undetermined("coverage_incomplete", "signature_hidden", sub_indication="SIGNED_DATA_NOT_FOUND")
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


async def _detail(embedded: EmbeddedPdfSignature, setting: Setting) -> SignatureDetail:
    try:
        return await detail_of(embedded, setting)
    except MemoryError:
        raise
    except Exception as error:  # a hostile signature must not hide the others
        return unjudged(embedded, "GENERIC", name_of_error(error))


def name_of_error(error: Exception) -> str:
    """Return the reason code of what a library raised over a file."""
    if isinstance(error, (RecursionError, PdfDecodeLimitError)):
        return "too_complex"
    return "structure_damaged" if isinstance(error, PdfError) else "library_error"
