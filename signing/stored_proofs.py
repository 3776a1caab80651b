# mypy: allow-untyped-calls
"""What a revision holds in its store of proofs (DSS), so that two revisions can be compared."""

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.rw_common import PdfHandler

from signing.resolved import entry

_STORED = ("/Certs", "/OCSPs", "/CRLs")


def stored(handler: PdfHandler) -> set[object]:
    """Name what is stored, by kind and object number; empty without a store."""
    store = entry(handler.root, "/DSS")
    if not isinstance(store, generic.DictionaryObject):
        return set()
    found: set[object] = {"there is one"}
    for kind in _STORED:
        held = entry(store, kind)
        if isinstance(held, generic.ArrayObject):
            found |= {(kind, getattr(one, "idnum", None)) for one in list.__iter__(held)}
    named = entry(store, "/VRI")
    return found | ({str(name) for name in named} if isinstance(named, generic.DictionaryObject) else set())
