# mypy: allow-untyped-calls
"""What the revisions after a signature did to the file."""

from collections.abc import Iterator

from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, DiffResult
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signing.findings import Change
from signing.metadata import metadata_changes
from signing.stored_proofs import stored


def changes_after(embedded: EmbeddedPdfSignature, fault: str) -> tuple[Change, ...]:
    """Name what was done after a signature, once its reach was judged (`fault` of coverage.signature_fault).

    "other" stands for anything that is neither of the named things, or could not be told.
    """
    if int(embedded.reader.xrefs.total_revisions) - 1 == embedded.signed_revision:
        return ("other",) if fault == "coverage_incomplete" else ()
    return tuple(_named(embedded, fault))


def _named(embedded: EmbeddedPdfSignature, fault: str) -> Iterator[Change]:
    then = embedded.reader.get_historical_resolver(embedded.signed_revision)
    if stored(then) != stored(embedded.reader):
        yield "validation_data"
    later = [
        one for one in embedded.reader.embedded_signatures if one.signed_revision > embedded.signed_revision
    ]
    if any(one.sig_object_type == "/DocTimeStamp" for one in later):
        yield "timestamps"
    if any(one.sig_object_type == "/Sig" for one in later):
        yield "signatures"
    if fault == "metadata_changed" or metadata_changes(embedded).told:
        yield "metadata"
    if fault == "form_fields_changed":
        yield "form_fields"
    elif fault and fault != "metadata_changed":
        yield "other"


def only_fields_changed(embedded: EmbeddedPdfSignature) -> bool:
    """Tell whether filling in a form explains all that our stricter rules forbid."""
    found = embedded.evaluate_modifications(DEFAULT_DIFF_POLICY)
    return isinstance(found, DiffResult) and bool(found.changed_form_fields)
