# mypy: allow-untyped-calls
"""What a file says of itself: document information, XMP, extensions; and who changed it after a signature.

Programs that sign write the date of the change and their own name; that alone is told to nobody. Anything
else is something that the earlier signer did not say.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.metadata.model import PDF_PRODUCER, XMP_MODDATE, ExpandedName
from pyhanko.pdf_utils.metadata.xmp_xml import parse_xmp
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signing.resolved import entry
from signing.stored_proofs import stored

_OF_PROGRAMS = frozenset({"/ModDate", "/Producer"})
_OF_PROGRAMS_XMP = frozenset(
    {PDF_PRODUCER, XMP_MODDATE, ExpandedName(ns=XMP_MODDATE.ns, local_name="MetadataDate")}
)
_ABOUT = ExpandedName(ns="http://www.w3.org/1999/02/22-rdf-syntax-ns#", local_name="about")
_BESIDE = ("/Extensions", "/MarkInfo", "/Version")  # of the catalogue; their contents are direct


@dataclass(frozen=True)
class MetadataChanges:
    """`told`: something was said that was not said before. `vouched`: nobody has to answer for it alone.

    New words are vouched for by a signature of the same revision; dates, names of programs and extensions by
    any signature, time stamp or validation data that the revision brings.
    """

    told: bool
    vouched: bool


def metadata_changes(embedded: EmbeddedPdfSignature) -> MetadataChanges:
    """Look at each revision after a signature. Raises whatever pyHanko raises over the file."""
    reader = embedded.reader
    kinds = {one.signed_revision: one.sig_object_type for one in reader.embedded_signatures}
    last = int(reader.xrefs.total_revisions) - 1
    told, vouched = False, True
    before = _Said.of(reader, embedded.signed_revision)
    for revision in range(embedded.signed_revision + 1, last + 1):
        after = _Said.of(reader, revision)
        if after.words(before) != before.words(after):
            told = True
            vouched &= kinds.get(revision) == "/Sig"
        elif after.rest != before.rest:
            vouched &= revision in kinds or after.proofs != before.proofs
        before = after
    return MetadataChanges(told, vouched)


@dataclass(frozen=True)
class _Said:
    """What one revision says."""

    info: dict[str, bytes]
    xmp: bytes
    beside: tuple[bytes, ...]
    proofs: frozenset[object]

    @classmethod
    def of(cls, reader: PdfFileReader, revision: int) -> "_Said":
        handler = reader.get_historical_resolver(revision)
        told = entry(handler.trailer_view, "/Info", {})
        return cls(
            {key: _written(told[key]) for key in told},
            _xmp(reader, handler),
            tuple(_written(entry(handler.root, key)) for key in _BESIDE),
            frozenset(stored(handler)),
        )

    @property
    def rest(self) -> object:
        """All that may change without saying anything."""
        return self.info, self.xmp, self.beside

    def words(self, other: "_Said") -> object:
        """Give what is said to people; XMP is only looked into where it differs from the other's."""
        info = {key: value for key, value in self.info.items() if key not in _OF_PROGRAMS}
        return info, {} if self.xmp == other.xmp else dict(_fields(self.xmp))


def _xmp(reader: PdfFileReader, handler: HistoricalResolver) -> bytes:
    place = handler.root.get_value_as_reference("/Metadata", optional=True)
    if place is None:
        return b""
    # A historical resolver cannot hold a stream that the reader parsed as metadata before.
    stream = reader.get_object(place, revision=handler.revision)
    return bytes(stream.data) if isinstance(stream, generic.StreamObject) else _written(stream)


def _written(value: generic.PdfObject | None) -> bytes:
    out = BytesIO()
    if value is not None:
        value.write_to_stream(out, None)
    return out.getvalue()


def _fields(xmp: bytes) -> Iterator[tuple[object, Any]]:
    if not xmp:
        return
    try:
        roots = parse_xmp(BytesIO(xmp))
    except MemoryError:
        raise
    except Exception:  # what cannot be read is compared as it stands
        yield "unread", xmp
        return
    for root in roots:
        for name, value in root:
            if name not in _OF_PROGRAMS_XMP and name != _ABOUT:
                yield name, value
