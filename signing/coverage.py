# mypy: allow-untyped-calls
"""Does a signature cover the file, and is what it does not cover harmless? pyHanko alone does not say.

Harmless are validation data, document time stamps that show nothing, and further signatures; nothing else.
"""

import re
from collections.abc import Sequence

from asn1crypto import cms, core, parser
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import (
    CatalogModificationRule,
    DiffResult,
    DocInfoRule,
    DSSCompareRule,
    FormUpdatingRule,
    MetadataUpdateRule,
    ModificationLevel,
    ObjectStreamRule,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
    XrefStreamRule,
)
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from signing.changes import only_fields_changed
from signing.later_fields import later_fields_are_plain
from signing.metadata import metadata_changes
from signing.plain_der import is_plain

MOST_REVISIONS = 50
MOST_SIGNATURES = 20
LARGEST_CONTAINER = 1024 * 1024  # bytes of one signature's CMS
_LONGEST_TRAILER = 64 * 1024  # bytes
_MOST_BLANKS = 16  # bytes of white space after the last end-of-file mark

# The form rule has no entry for ordinary fields: filling a form after signing is a change like any other.
SIGNATURES_ONLY = StandardDiffPolicy(
    global_rules=[
        CatalogModificationRule(),
        DocInfoRule().as_qualified(ModificationLevel.LTA_UPDATES),
        XrefStreamRule().as_qualified(ModificationLevel.LTA_UPDATES),
        ObjectStreamRule().as_qualified(ModificationLevel.LTA_UPDATES),
        DSSCompareRule().as_qualified(ModificationLevel.LTA_UPDATES),
        MetadataUpdateRule().as_qualified(ModificationLevel.LTA_UPDATES),
    ],
    form_rule=FormUpdatingRule(field_rules=[SigFieldCreationRule(), SigFieldModificationRule()]),
)


def too_complex(reader: PdfFileReader) -> bool:
    """Tell whether judging the file would take longer than a file of its kind is worth."""
    return int(reader.xrefs.total_revisions) > MOST_REVISIONS


def structure_fault(reader: PdfFileReader, embedded: Sequence[EmbeddedPdfSignature]) -> str:
    """Return the reason code of what is odd about the signatures as a set, or "".

    "too_complex", "signature_unsupported" (a filled field of a kind that is not understood),
    "signature_shown_twice", "coverage_incomplete" (bytes at the end that nothing accounts for).
    """
    shown = [value for _, value, _ in enumerate_sig_fields(reader, filled_status=True)]
    if len(shown) > MOST_SIGNATURES:
        return "too_complex"
    if len(shown) != len(embedded):
        return "signature_unsupported"
    objects = {one.sig_object.container_ref for one in embedded}
    places = {tuple(one.byte_range) for one in embedded}
    if len(objects) != len(embedded) or len(places) != len(embedded):
        return "signature_shown_twice"
    return "coverage_incomplete" if has_tail(reader) else ""


def has_tail(reader: PdfFileReader) -> bool:
    """Tell whether objects stand after the last cross-reference, or anything after the last end mark."""
    stream = reader.stream
    newest = reader.xrefs.get_xref_container_info(reader.xrefs.total_revisions - 1)
    stream.seek(newest.end_location)
    rest = stream.read(_LONGEST_TRAILER + 1)
    trailer, mark, after = rest.rpartition(b"%%EOF")
    if not mark or len(rest) > _LONGEST_TRAILER or re.search(rb"\d\s+obj\b", trailer):
        return True
    return len(after) > _MOST_BLANKS or bool(after.strip(b"\r\n\t \x00"))


def signature_fault(embedded: EmbeddedPdfSignature) -> str:
    """Return the reason code of what is wrong with the reach of one signature, or "".

    "coverage_incomplete": its byte range does not cover its revision, or its container holds more than the
    signature. "changed_after_signing": a later revision does more than the harmless things, or more than
    this signature permits, or the field of a later signature is odd; "form_fields_changed" where that is
    filling in a form, and it does not forbid so. "metadata_changed": what the file says of itself was
    changed, and nobody signed that.
    Needs `compute_integrity_info(SIGNATURES_ONLY)` to have run.
    """
    reach = embedded.coverage
    if reach is None or reach < SignatureCoverageLevel.ENTIRE_REVISION or not _container_is_plain(embedded):
        return "coverage_incomplete"
    if reach is SignatureCoverageLevel.ENTIRE_FILE:
        return ""
    if int(embedded.reader.xrefs.total_revisions) - 1 == embedded.signed_revision:
        return "coverage_incomplete"  # something follows, and no revision names it
    if not later_fields_are_plain(embedded):
        return "changed_after_signing"
    if _is_harmless(embedded):
        return "" if metadata_changes(embedded).vouched else "metadata_changed"
    forbidden = embedded.docmdp_level is MDPPerm.NO_CHANGES
    return (
        "changed_after_signing" if forbidden or not only_fields_changed(embedded) else "form_fields_changed"
    )


def stamp_is_plain(stamp: EmbeddedPdfSignature) -> bool:
    """Tell whether a document time stamp is written in the one way it can be (DER, RFC 5652, RFC 3161).

    Nothing later covers the newest stamp, so what its own signature leaves out must have no room for change.
    """
    if not _container_is_plain(stamp):
        return False
    content = stamp.pkcs7_content
    _, _, _, header, value, trailer = parser.parse(content)
    written = content[: len(header) + len(value) + len(trailer)]
    again = cms.ContentInfo.load(written, strict=True)
    signed, signer = again["content"], again["content"]["signer_infos"][0]
    digests = [*signed["digest_algorithms"], signer["digest_algorithm"]]
    by_name = signer["sid"].name == "issuer_and_serial_number"
    named = "v1" if by_name else "v3"
    # Names are compared without regard to case elsewhere; here every byte counts.
    if by_name and signer["sid"].chosen["issuer"].dump() != stamp.signer_cert.issuer.dump():
        return False
    return (
        len(digests) == 2
        and digests[0]["algorithm"].native == digests[1]["algorithm"].native
        and all(isinstance(one["parameters"], (core.Void, core.Null)) for one in digests)
        and (signed["version"].native, signer["version"].native) == ("v3", named)
        and is_plain(written)
    )


def _is_harmless(embedded: EmbeddedPdfSignature) -> bool:
    difference = embedded.diff_result
    if not isinstance(difference, DiffResult) or difference.changed_form_fields - _signed_fields(embedded):
        return False
    permitted = embedded.docmdp_level
    level = difference.modification_level
    if permitted is not None and level.value > permitted.value:
        return False
    # After the last signature nobody vouches for what follows: validation data and nothing else.
    last = max(one.signed_revision for one in embedded.reader.embedded_signatures)
    return embedded.signed_revision < last or level <= ModificationLevel.LTA_UPDATES


def _signed_fields(embedded: EmbeddedPdfSignature) -> set[str]:
    return {str(one.field_name) for one in embedded.reader.embedded_signatures}


def _container_is_plain(embedded: EmbeddedPdfSignature) -> bool:
    """Tell whether the gap in the byte range is one hexadecimal string: the CMS, then zeros."""
    start, stop = int(embedded.byte_range[1]), int(embedded.byte_range[2])
    if stop - start > 2 * LARGEST_CONTAINER + 2:
        return False
    stream = embedded.reader.stream
    stream.seek(start)
    gap = stream.read(stop - start)
    if not re.fullmatch(rb"<(?:[0-9a-f]*|[0-9A-F]*)>", gap) or len(gap) % 2:
        return False
    content = bytes.fromhex(gap[1:-1].decode("ascii"))
    _, _, _, header, value, trailer = parser.parse(content)
    return not content[len(header) + len(value) + len(trailer) :].strip(b"\x00")
