# mypy: allow-untyped-calls
"""The form fields of signatures and time stamps that came after a signature: where they show themselves.

pyHanko takes a field for invisible if its /Rect cannot be read, whatever viewers then draw. Here only one
form of each is accepted.
"""

import re
from collections.abc import Iterator

from pyhanko.pdf_utils import generic
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signing.resolved import entry

Rectangle = tuple[float, float, float, float]
_COMMENT = re.compile(rb"%[^\r\n]*")
_BLANKS = b"\x00\t\n\f\r "


class RectangleMalformed(ValueError):
    """A /Rect that is not four numbers."""


def later_signed(embedded: EmbeddedPdfSignature) -> list[EmbeddedPdfSignature]:
    """List the signatures and document time stamps of later revisions."""
    return [
        one for one in embedded.reader.embedded_signatures if one.signed_revision > embedded.signed_revision
    ]


def later_fields_are_plain(embedded: EmbeddedPdfSignature) -> bool:
    """Tell whether every later field is of the form that one is accepted in.

    A field has no /Kids, unless it stood in the signed revision, and a /Rect of four numbers or none; that of
    a document time stamp never has /Kids, and shows nothing: no area, and no appearance that draws.
    """
    then = embedded.reader.get_historical_resolver(embedded.signed_revision)
    known = {str(name) for name, _, _ in enumerate_sig_fields(then)}
    for one in later_signed(embedded):
        stamp = one.sig_object_type == "/DocTimeStamp"
        if "/Kids" in one.sig_field and (stamp or str(one.field_name) not in known):
            return False
        for widget in widgets_of(one):
            if entry(widget, "/Subtype", "/Widget") != "/Widget":
                return False
            try:
                rectangle = rectangle_of(widget)
            except RectangleMalformed:
                return False
            if stamp and (has_area(rectangle) or draws(widget)):
                return False
    return True


def widgets_of(embedded: EmbeddedPdfSignature) -> Iterator[generic.DictionaryObject]:
    """Give what a signature's field is shown by: itself, or what stands below it.

    Raises TypeError for anything that is no dictionary.
    """
    below = entry(embedded.sig_field, "/Kids")
    for one in list(below) if isinstance(below, generic.ArrayObject) else [embedded.sig_field]:
        widget = one.get_object()
        if not isinstance(widget, generic.DictionaryObject):
            raise TypeError("a widget is a dictionary")
        yield widget


def rectangle_of(widget: generic.DictionaryObject) -> Rectangle | None:
    """Return left, bottom, right and top, None for no /Rect; raises RectangleMalformed."""
    if "/Rect" not in widget:
        return None
    edges = widget["/Rect"]
    written = list(list.__iter__(edges)) if isinstance(edges, generic.ArrayObject) else []
    if len(written) != 4 or not all(isinstance(one, int | float | generic.FloatObject) for one in written):
        raise RectangleMalformed
    a, b, c, d = (float(one) for one in written)
    return min(a, c), min(b, d), max(a, c), max(b, d)


def has_area(rectangle: Rectangle | None) -> bool:
    """Tell whether there is anything inside."""
    return rectangle is not None and rectangle[0] < rectangle[2] and rectangle[1] < rectangle[3]


def draws(widget: generic.DictionaryObject) -> bool:
    """Tell whether a widget has an appearance with anything in it but blanks and comments."""
    looks = entry(widget, "/AP")
    if looks is None:
        return False
    if not isinstance(looks, generic.DictionaryObject):
        return True
    streams = [looks[kind] for kind in looks]
    return any(
        not isinstance(one, generic.StreamObject) or bool(_COMMENT.sub(b"", one.data).strip(_BLANKS))
        for one in streams
    )
