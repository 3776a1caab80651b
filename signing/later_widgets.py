# mypy: allow-untyped-calls
"""On which pages, and where, later signatures and document time stamps show themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.rw_common import PdfHandler
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signing.later_fields import (
    Rectangle,
    RectangleMalformed,
    has_area,
    later_signed,
    rectangle_of,
    widgets_of,
)
from signing.resolved import entry

Box = tuple[int, int, int, int]
_MOST_LISTED = 5000  # pages that are searched for widgets
_DEEPEST = 50  # page tree


@dataclass(frozen=True)
class LaterWidget:
    """Where a later signature or time stamp shows itself: page from 0, rectangle in points.

    `rectangle` is None where it is malformed. `excused` is a place in which a signature was expected.
    """

    field: str
    page: int
    rectangle: Rectangle | None
    excused: bool

    @property
    def box(self) -> Box:
        """The rectangle, rounded."""
        if self.rectangle is None:
            return 0, 0, 0, 0
        left, bottom, right, top = map(round, self.rectangle)
        return left, bottom, right, top


def widgets_after(embedded: EmbeddedPdfSignature, valid: set[str]) -> Iterator[LaterWidget]:
    """Find where later signatures and document time stamps show themselves."""
    later = later_signed(embedded)
    if not later:
        return
    reader = embedded.reader
    empty = _empty_places(reader.get_historical_resolver(embedded.signed_revision))
    places = _places(reader)
    for one in later:
        name = str(one.field_name)
        expected = one.sig_object_type == "/Sig" and name in valid
        for widget in widgets_of(one):
            reference = widget.container_ref
            number = places.get(reference.idnum) if isinstance(reference, generic.Reference) else None
            try:
                rectangle = rectangle_of(widget)
            except RectangleMalformed:
                yield LaterWidget(name, number or 0, None, excused=False)
                continue
            if number is not None and has_area(rectangle):
                yield LaterWidget(name, number, rectangle, expected and (name, rectangle) in empty)


def _places(handler: PdfHandler) -> dict[int, int]:
    """Map what the pages themselves list as their annotations to the page (from 0)."""
    found: dict[int, int] = {}
    for number, page in enumerate(islice(_pages(handler.root["/Pages"]), _MOST_LISTED)):
        for note in list.__iter__(entry(page, "/Annots", [])):
            if isinstance(note, generic.IndirectObject):
                found.setdefault(note.idnum, number)
    return found


def _pages(node: generic.DictionaryObject, depth: int = 0) -> Iterator[generic.DictionaryObject]:
    if "/Kids" not in node or depth > _DEEPEST:
        yield node
        return
    for below in node["/Kids"]:
        yield from _pages(below.get_object(), depth + 1)


def _empty_places(handler: PdfHandler) -> set[tuple[str, Rectangle]]:
    found = set()
    for name, _, reference in enumerate_sig_fields(handler, filled_status=False):
        try:
            rectangle = rectangle_of(reference.get_object())
        except RectangleMalformed:
            continue  # nothing was expected in a place that is none
        if rectangle is not None:
            found.add((str(name), rectangle))
    return found
