# mypy: allow-untyped-calls
"""What the revisions after a signature did to the file."""

from collections.abc import Iterator

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.rw_common import PdfHandler
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY, DiffResult
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signing.findings import Change

_STORED = ("/Certs", "/OCSPs", "/CRLs")


def changes_after(embedded: EmbeddedPdfSignature, fault: str) -> tuple[Change, ...]:
    """Name what was done after a signature, once its reach was judged (`fault` of coverage.signature_fault).

    "other" stands for anything that is neither of the named things, or could not be told.
    """
    if int(embedded.reader.xrefs.total_revisions) - 1 == embedded.signed_revision:
        return ("other",) if fault == "coverage_incomplete" else ()
    return tuple(_named(embedded, fault))


def _named(embedded: EmbeddedPdfSignature, fault: str) -> Iterator[Change]:
    then = embedded.reader.get_historical_resolver(embedded.signed_revision)
    if _stored(then) != _stored(embedded.reader):
        yield "validation_data"
    later = [
        one for one in embedded.reader.embedded_signatures if one.signed_revision > embedded.signed_revision
    ]
    if any(one.sig_object_type == "/DocTimeStamp" for one in later):
        yield "timestamps"
    if any(one.sig_object_type == "/Sig" for one in later):
        yield "signatures"
    if fault == "form_fields_changed":
        yield "form_fields"
    elif fault:
        yield "other"


def only_fields_changed(embedded: EmbeddedPdfSignature) -> bool:
    """Tell whether filling in a form explains all that our stricter rules forbid."""
    found = embedded.evaluate_modifications(DEFAULT_DIFF_POLICY)
    return isinstance(found, DiffResult) and bool(found.changed_form_fields)


def _stored(handler: PdfHandler) -> set[object]:
    store = handler.root.get("/DSS")
    if not isinstance(store, generic.DictionaryObject):
        return set()
    found: set[object] = {"there is one"}
    for kind in _STORED:
        held = store.get(kind)
        if isinstance(held, generic.ArrayObject):
            found |= {(kind, getattr(one, "idnum", None)) for one in list.__iter__(held)}
    named = store.get("/VRI")
    return found | ({str(name) for name in named} if isinstance(named, generic.DictionaryObject) else set())
