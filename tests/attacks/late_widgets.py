"""What comes late and shows itself: fields of time stamps and signatures, put over a signed file by hand."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field, enumerate_sig_fields
from pyhanko.sign.signers import PdfTimeStamper

from signing.timestamps import StampingAt
from tests.attacks.signing_files import PAID, Notary
from tests.hostile.making import stream, written

PLACE = (60, 690, 300, 730)
Placing = Callable[[IncrementalPdfFileWriter], None]


def long_letter(pages: int) -> bytes:
    """Write a letter of many pages, all alike."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>"
    numbers = range(10, 10 + pages)
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[%s]/Count %d>>" % (b" ".join(b"%d 0 R" % one for one in numbers), pages),
        4: stream(PAID),
        5: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    }
    return written(objects | dict.fromkeys(numbers, page))


def with_reserved_place(content: bytes, page: int) -> bytes:
    """Put an empty signature field named "Reserved" on a page (from 0), over the text."""
    out = BytesIO(content)
    writer = IncrementalPdfFileWriter(out)
    append_signature_field(writer, SigFieldSpec("Reserved", on_page=page, box=PLACE))
    writer.write_in_place()
    return out.getvalue()


async def stamped_late(notary: Notary, content: bytes, place: Placing) -> bytes:
    """Put a document time stamp into the field "Late", which `place` makes in the same revision."""
    out = BytesIO(content)
    writer = IncrementalPdfFileWriter(out, strict=True)
    place(writer)
    later = replace(notary, at=notary.at + timedelta(minutes=5))
    stamper = StampingAt(later.authority.timestamper(), later.at)
    await stamper.async_dummy_response("sha256")
    await PdfTimeStamper(stamper, field_name="Late").async_timestamp_pdf(
        writer, "sha256", None, in_place=True
    )
    return out.getvalue()


def as_others_make_it(page: int, box: tuple[int, int, int, int] = PLACE) -> Placing:
    """Place a field with an appearance, as a library makes it."""

    def place(writer: IncrementalPdfFileWriter) -> None:
        append_signature_field(writer, SigFieldSpec("Late", on_page=page, box=box))
        for name, _, reference in enumerate_sig_fields(writer):
            if name == "Late":
                field = reference.get_object()
                field["/AP"] = generic.DictionaryObject({pdf_name("/N"): _look(writer)})
                writer.update_container(field)

    return place


def with_kids(second: Sequence[generic.PdfObject]) -> Placing:
    """Place a field with two widgets below it: one that draws, and one with `second` as its /Rect."""

    def place(writer: IncrementalPdfFileWriter) -> None:
        field = generic.DictionaryObject(
            {pdf_name("/FT"): pdf_name("/Sig"), pdf_name("/T"): generic.pdf_string("Late")}
        )
        own = writer.add_object(field)
        drawn = _widget(writer, [generic.NumberObject(one) for one in PLACE], _look(writer))
        other = _widget(writer, second, None)
        kids = []
        for one in (drawn, other):
            one[pdf_name("/Parent")] = own
            kids.append(writer.add_object(one))
        field[pdf_name("/Kids")] = generic.ArrayObject(kids)
        _listed(writer, own, kids)

    return place


def with_rectangle(rectangle: Sequence[generic.PdfObject], *, drawing: bool = False) -> Placing:
    """Place a field with this /Rect, and a look that is already in the file (or, `drawing`, a new one)."""

    def place(writer: IncrementalPdfFileWriter) -> None:
        seen = [reference.get_object() for _, _, reference in enumerate_sig_fields(writer)]
        look = _look(writer) if drawing else next(one for one in seen if "/AP" in one)["/AP"].raw_get("/N")
        if not drawing:
            look = generic.IndirectObject(look.idnum, look.generation, writer)
        field = _widget(writer, rectangle, look)
        field |= {pdf_name("/FT"): pdf_name("/Sig"), pdf_name("/T"): generic.pdf_string("Late")}
        own = writer.add_object(field)
        _listed(writer, own, [own])

    return place


def _look(writer: IncrementalPdfFileWriter) -> generic.IndirectObject:
    look = generic.StreamObject(stream_data=b"0 g 0 0 240 40 re f")
    look[pdf_name("/Type")], look[pdf_name("/Subtype")] = pdf_name("/XObject"), pdf_name("/Form")
    look[pdf_name("/BBox")] = generic.ArrayObject(map(generic.NumberObject, (0, 0, 240, 40)))
    return writer.add_object(look)


def _widget(
    writer: IncrementalPdfFileWriter,
    rectangle: Sequence[generic.PdfObject],
    look: generic.IndirectObject | None,
) -> generic.DictionaryObject:
    page, _ = writer.find_page_for_modification(0)
    made = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Widget"),
            pdf_name("/Rect"): generic.ArrayObject(rectangle),
            pdf_name("/F"): generic.NumberObject(4),
            pdf_name("/P"): generic.IndirectObject(page.idnum, page.generation, writer),
        }
    )
    if look is not None:
        made[pdf_name("/AP")] = generic.DictionaryObject({pdf_name("/N"): look})
    return made


def _listed(
    writer: IncrementalPdfFileWriter,
    field: generic.IndirectObject,
    widgets: Sequence[generic.IndirectObject],
) -> None:
    page, _ = writer.find_page_for_modification(0)
    shown = page.get_object()
    notes = shown.get("/Annots") or generic.ArrayObject()
    shown[pdf_name("/Annots")] = generic.ArrayObject([*list.__iter__(notes), *widgets])
    writer.update_container(shown)
    fields = writer.root["/AcroForm"]["/Fields"]
    fields.append(field)
    writer.update_container(fields)
