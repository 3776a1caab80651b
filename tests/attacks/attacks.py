"""Attacks on signed files, by class; each takes honest signed files and gives one that must never be valid.

The classes are those of the published research on PDF signatures (incremental saving, signature wrapping,
universal forgery, shadow documents, evil annotations, sneaky signatures, time stamps moved elsewhere); the
files are made here, from our own authority.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from asn1crypto import cms
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name, pdf_string
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from tests.attacks.signing_files import STOLEN, appended, updated
from tests.hostile.making import stream


@dataclass(frozen=True)
class Honest:
    """Signed files that nothing is wrong with, each with an archive time stamp (B-LTA)."""

    approval: bytes  # a letter, signed, not certified
    certified: bytes  # a letter, certified against any change
    fillable: bytes  # a letter with a form, certified, filling permitted
    annotatable: bytes  # a letter, certified, notes permitted
    covered: bytes  # a line hidden under a picture, signed
    second_tree: bytes  # a page that is not shown, signed
    form: bytes  # a letter with a form, signed, not certified
    twice: bytes  # a letter with two signatures
    other: bytes  # another letter, signed an hour later


_NINE = generic.NumberObject(9)
Attack = Callable[[Honest], bytes]
ATTACKS: dict[str, Attack] = {}


def attack(make: Attack) -> Attack:
    """Take an attack into the list, under its name."""
    ATTACKS[make.__name__] = make
    return make


# Incremental saving: something new behind the end -----------------------------------------------------


def _new_contents(writer: IncrementalPdfFileWriter) -> None:
    page, _ = writer.find_page_for_modification(0)
    page.get_object()["/Contents"] = writer.add_object(generic.StreamObject(stream_data=STOLEN))
    writer.update_container(page.get_object())


@attack
def saving_new_contents(honest: Honest) -> bytes:
    return updated(honest.approval, _new_contents)


@attack
def saving_new_contents_over_a_certified_letter(honest: Honest) -> bytes:
    return updated(honest.certified, _new_contents)


@attack
def saving_over_the_old_contents(honest: Honest) -> bytes:
    return appended(honest.approval, {4: stream(STOLEN)}, root=_root(honest.approval))


@attack
def saving_without_an_end_mark(honest: Honest) -> bytes:
    return appended(honest.approval, {4: stream(STOLEN)}, root=_root(honest.approval), mark=False)


@attack
def saving_objects_that_no_table_names(honest: Honest) -> bytes:
    return honest.approval + b"\n4 0 obj\n" + stream(STOLEN) + b"\nendobj\n"


@attack
def saving_a_trailer_without_a_table(honest: Honest) -> bytes:
    root = _root(honest.approval)
    return honest.approval + b"4 0 obj\n%s\nendobj\ntrailer\n<</Size 99/Root %d 0 R>>\n%%%%EOF\n" % (
        stream(STOLEN),
        root,
    )


@attack
def saving_a_table_that_points_into_a_comment(honest: Honest) -> bytes:
    return honest.approval + b"%4 0 obj\n%" + STOLEN + b"\nxref\n0 0\ntrailer<</Size 9>>startxref\n0\n%%EOF\n"


@attack
def saving_a_copy_of_the_signature_behind_new_contents(honest: Honest) -> bytes:
    """The newest revision repeats the old signature dictionary, so that the last one looks whole."""
    content = honest.approval
    start = [found.start() for found in re.finditer(rb"\d+ 0 obj\s", content[: _ranges(content)[0]])][-1]
    number = int(content[start:].split()[0])
    body = content[start : content.index(b"endobj", start)].split(b"obj", 1)[1].strip()
    return appended(content, {4: stream(STOLEN), number: body}, root=_root(content))


@attack
def saving_a_smaller_window_on_the_page(honest: Honest) -> bytes:
    def crop(writer: IncrementalPdfFileWriter) -> None:
        page, _ = writer.find_page_for_modification(0)
        box = generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 600)))
        page.get_object()["/CropBox"] = box
        writer.update_container(page.get_object())

    return updated(honest.approval, crop)


@attack
def saving_a_page_turned_round(honest: Honest) -> bytes:
    def turn(writer: IncrementalPdfFileWriter) -> None:
        page, _ = writer.find_page_for_modification(0)
        page.get_object()["/Rotate"] = generic.NumberObject(180)
        writer.update_container(page.get_object())

    return updated(honest.approval, turn)


@attack
def saving_another_font(honest: Honest) -> bytes:
    """The same codes, other shapes: 1 is drawn as 9."""
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding<</Type/Encoding/Differences[49/nine]>>>>"
    return appended(honest.approval, {5: font}, root=_root(honest.approval))


@attack
def saving_a_new_first_page(honest: Honest) -> bytes:
    page = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 151 0 R/Resources<</Font<</F 5 0 R>>>>>>"
    )
    objects = {2: b"<</Type/Pages/Kids[150 0 R 3 0 R]/Count 2>>", 150: page, 151: stream(STOLEN)}
    return appended(honest.approval, objects, root=_root(honest.approval))


@attack
def saving_a_catalogue_of_its_own(honest: Honest) -> bytes:
    """A new root without any form: the signature is still in the file, and no longer found."""
    page = (
        b"<</Type/Page/Parent 151 0 R/MediaBox[0 0 595 842]/Contents 153 0 R/Resources<</Font<</F 5 0 R>>>>>>"
    )
    objects = {
        150: b"<</Type/Catalog/Pages 151 0 R>>",
        151: b"<</Type/Pages/Kids[152 0 R]/Count 1>>",
        152: page,
        153: stream(STOLEN),
    }
    return appended(honest.approval, objects, root=150)


# What the file says of itself -------------------------------------------------------------------------


@attack
def saying_another_title(honest: Honest) -> bytes:
    def tell(writer: IncrementalPdfFileWriter) -> None:
        said = {pdf_name("/Title"): pdf_string("Pay 900"), pdf_name("/Author"): pdf_string("UBND")}
        writer.set_info(writer.add_object(generic.DictionaryObject(said)))

    return updated(honest.approval, tell)


@attack
def saying_another_title_in_xmp(honest: Honest) -> bytes:
    told = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<r:Description r:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><r:Alt>'
        b'<r:li xml:lang="x-default">Pay 900</r:li></r:Alt></dc:title></r:Description></r:RDF></x:xmpmeta>'
    )
    entries = b"/Type/Metadata/Subtype/XML"
    number = int(re.findall(rb"/Metadata\s+(\d+)\s+0\s+R", honest.approval)[-1])
    return appended(honest.approval, {number: stream(told, entries)}, root=_root(honest.approval))


@attack
def saying_another_extension(honest: Honest) -> bytes:
    def tell(writer: IncrementalPdfFileWriter) -> None:
        level = {pdf_name("/BaseVersion"): pdf_name("/1.7"), pdf_name("/ExtensionLevel"): _NINE}
        own = generic.DictionaryObject(level)
        writer.root["/Extensions"] = generic.DictionaryObject({pdf_name("/ADBE"): own})
        writer.update_root()

    return updated(honest.approval, tell)


# Signature wrapping: the signed bytes move, something else takes their place --------------------------


def _ranges(content: bytes) -> tuple[int, int, int, int]:
    found = re.search(rb"/ByteRange\s*\[\s*0\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", content)
    assert found is not None
    return found.start(), int(found[1]), int(found[2]), int(found[3])


@attack
def wrapping_with_a_second_byte_range(honest: Honest) -> bytes:
    """In the gap stands a second range that jumps over what was put between the two signed parts."""
    content = honest.approval
    _, first, second, length = _ranges(content)
    gap, tail = content[first:second], content[second : second + length]
    evil = b"\n4 0 obj\n" + stream(STOLEN) + b"\nendobj\n"
    moved = first + len(gap) + len(evil) + 60
    range_text = b"/ByteRange[0 %d %d %d]" % (first, moved, length)
    filler = (gap + range_text + evil).ljust(moved - first, b" ")
    return content[:first] + filler + tail


@attack
def wrapping_by_stretching_the_gap(honest: Honest) -> bytes:
    content = honest.approval
    _, _first, second, length = _ranges(content)
    evil = b">>\nendobj\n4 0 obj\n" + stream(STOLEN) + b"\nendobj\n"
    return content[:second] + evil + content[second : second + length]


@attack
def wrapping_with_text_inside_the_container(honest: Honest) -> bytes:
    """The zeros that pad the container give way to an object."""
    content = bytearray(honest.approval)
    _, _first, second, _ = _ranges(honest.approval)
    evil = b">/X(" + STOLEN.replace(b"(", b"[").replace(b")", b"]") + b")/Y<"
    place = second - 1 - len(evil) - 2
    content[place : place + len(evil)] = evil
    return bytes(content)


@attack
def wrapping_behind_the_cms_in_the_container(honest: Honest) -> bytes:
    content = bytearray(honest.approval)
    _, _, second, _ = _ranges(honest.approval)
    evil = STOLEN.hex().encode()
    content[second - 1 - len(evil) : second - 1] = evil
    return bytes(content)


# Universal forgery: the signature itself says nothing that can be checked -----------------------------


def _forged(content: bytes, pattern: bytes, replacement: bytes) -> bytes:
    """Replace the first match by something no longer than it, filled up with blanks; the places stay."""
    found = re.search(pattern, content, re.DOTALL)
    assert found is not None
    assert len(replacement) <= len(found[0])
    return content[: found.start()] + replacement.ljust(len(found[0])) + content[found.end() :]


@attack
def forgery_without_any_byte_range(honest: Honest) -> bytes:
    return _forged(honest.approval, rb"/ByteRange\s*\[[^\]]*\]", b"")


@attack
def forgery_with_an_empty_byte_range(honest: Honest) -> bytes:
    return _forged(honest.approval, rb"/ByteRange\s*\[[^\]]*\]", b"/ByteRange[]")


@attack
def forgery_with_a_byte_range_of_null(honest: Honest) -> bytes:
    return _forged(honest.approval, rb"/ByteRange\s*\[[^\]]*\]", b"/ByteRange null")


@attack
def forgery_with_a_byte_range_of_nothing(honest: Honest) -> bytes:
    return _forged(honest.approval, rb"/ByteRange\s*\[[^\]]*\]", b"/ByteRange[0 0 0 0]")


@attack
def forgery_with_a_negative_byte_range(honest: Honest) -> bytes:
    return _forged(honest.approval, rb"/ByteRange\s*\[[^\]]*\]", b"/ByteRange[0 -1 -1 -1]")


@attack
def forgery_with_a_byte_range_of_the_head_alone(honest: Honest) -> bytes:
    return _forged(honest.approval, rb"/ByteRange\s*\[[^\]]*\]", b"/ByteRange[0 9 9 9]")


@attack
def forgery_without_contents(honest: Honest) -> bytes:
    return _forged(honest.approval, rb"/Contents\s*<[0-9a-fA-F]{100,}>", b"")


@attack
def forgery_with_contents_of_zeros(honest: Honest) -> bytes:
    found = re.search(rb"/Contents\s*<([0-9a-fA-F]{100,})>", honest.approval)
    assert found is not None
    return honest.approval[: found.start(1)] + b"0" * len(found[1]) + honest.approval[found.end(1) :]


@attack
def forgery_with_a_sub_filter_nobody_knows(honest: Honest) -> bytes:
    return _forged(honest.approval, rb"/SubFilter\s*/ETSI.CAdES.detached", b"/SubFilter/None")


@attack
def forgery_with_the_signature_of_another_letter(honest: Honest) -> bytes:
    """The container of one letter, cut out and put into another of the same size."""
    mine = re.search(rb"/Contents\s*<([0-9a-fA-F]{100,})>", honest.approval)
    other = re.search(rb"/Contents\s*<([0-9a-fA-F]{100,})>", honest.other)
    assert mine is not None and other is not None
    container = other[1][: len(mine[1])].ljust(len(mine[1]), b"0")
    return honest.approval[: mine.start(1)] + container + honest.approval[mine.end(1) :]


# Shadow documents: prepared before signing, switched after --------------------------------------------


@attack
def shadow_hide(honest: Honest) -> bytes:
    """The picture over the dangerous line is taken away."""
    entries = b"/Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<<>>"
    return appended(honest.covered, {6: stream(b"", entries)}, root=_root(honest.covered))


@attack
def shadow_hide_by_freeing_the_cover(honest: Honest) -> bytes:
    return appended(honest.covered, {6: b"null"}, root=_root(honest.covered))


@attack
def shadow_replace_the_look_of_a_field(honest: Honest) -> bytes:
    """The value stays, what is shown of it changes."""
    look = b"/Type/XObject/Subtype/Form/BBox[0 0 200 20]/Resources<</Font<</F 5 0 R>>>>"
    return appended(honest.form, {7: stream(b"BT /F 12 Tf (900) Tj ET", look)}, root=_root(honest.form))


@attack
def shadow_replace_the_value_of_a_field(honest: Honest) -> bytes:
    def fill(writer: IncrementalPdfFileWriter) -> None:
        field = writer.root["/AcroForm"]["/Fields"][0]
        field["/V"] = pdf_string("900")
        writer.update_container(field)

    return updated(honest.form, fill)


@attack
def shadow_replace_the_look_of_a_certified_field(honest: Honest) -> bytes:
    look = b"/Type/XObject/Subtype/Form/BBox[0 0 200 20]/Resources<</Font<</F 5 0 R>>>>"
    body = stream(b"BT /F 12 Tf (900) Tj ET", look)
    return appended(honest.fillable, {7: body}, root=_root(honest.fillable))


@attack
def shadow_hide_and_replace_the_page_tree(honest: Honest) -> bytes:
    """The second page tree, signed all along, becomes the one that is shown."""

    def switch(writer: IncrementalPdfFileWriter) -> None:
        writer.root["/Pages"] = generic.IndirectObject(6, 0, writer)
        writer.update_root()

    return updated(honest.second_tree, switch)


@attack
def shadow_hide_and_replace_by_the_table_alone(honest: Honest) -> bytes:
    """Nothing new is written: a table says that the shown page's contents are the other object's."""
    content = honest.second_tree
    place = int(content[content.rindex(b"startxref") :].split()[1])
    found = content.index(b"\n8 0 obj") + 1
    start = len(content)
    tail = b"xref\n4 1\n%010d 00000 n \ntrailer\n<</Size 99/Root %d 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n"
    return content + tail % (found, _root(content), place, start)


# Evil annotations and sneaky signatures: what a certification seems to permit -------------------------


def _note(subtype: str, **more: generic.PdfObject) -> Callable[[IncrementalPdfFileWriter], None]:
    def add(writer: IncrementalPdfFileWriter) -> None:
        page, _ = writer.find_page_for_modification(0)
        entries: dict[generic.NameObject, generic.PdfObject] = {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name(subtype),
            pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (72, 690, 300, 730))),
            pdf_name("/Contents"): pdf_string("Pay 900"),
        }
        entries |= {pdf_name(f"/{name}"): value for name, value in more.items()}
        note = writer.add_object(generic.DictionaryObject(entries))
        page.get_object()["/Annots"] = generic.ArrayObject([note])
        writer.update_container(page.get_object())

    return add


@attack
def evil_free_text_over_the_amount(honest: Honest) -> bytes:
    return updated(honest.annotatable, _note("/FreeText", DA=pdf_string("/Helv 24 Tf")))


@attack
def evil_stamp_over_the_amount(honest: Honest) -> bytes:
    return updated(honest.annotatable, _note("/Stamp"))


@attack
def evil_redaction_of_the_amount(honest: Honest) -> bytes:
    return updated(honest.annotatable, _note("/Redact", OverlayText=pdf_string("Pay 900")))


@attack
def evil_note_on_a_letter_without_certification(honest: Honest) -> bytes:
    return updated(honest.approval, _note("/FreeText"))


@attack
def evil_note_behind_the_second_signature(honest: Honest) -> bytes:
    return updated(honest.twice, _note("/FreeText"))


@attack
def sneaky_look_of_a_signature_field(honest: Honest) -> bytes:
    """The signature's own field gets an appearance that covers the page."""

    def cover(writer: IncrementalPdfFileWriter) -> None:
        fields = writer.root["/AcroForm"]["/Fields"]
        field = fields[len(fields) - 1]
        look = generic.StreamObject(stream_data=STOLEN)
        look[pdf_name("/Type")], look[pdf_name("/Subtype")] = pdf_name("/XObject"), pdf_name("/Form")
        look[pdf_name("/BBox")] = generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 842)))
        field["/AP"] = generic.DictionaryObject({pdf_name("/N"): writer.add_object(look)})
        field["/Rect"] = generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 842)))
        writer.update_container(field)

    return updated(honest.fillable, cover)


# Time stamps moved elsewhere --------------------------------------------------------------------------


def _signer(container: cms.ContentInfo, **changes: object) -> cms.SignerInfo:
    found = container["content"]["signer_infos"][0]
    names = ("version", "sid", "digest_algorithm", "signed_attrs", "signature_algorithm", "signature")
    return cms.SignerInfo({name: found[name] for name in (*names, "unsigned_attrs")} | changes)


def _resigned(content: bytes, *signers: cms.SignerInfo) -> bytes:
    signed = _container(content)["content"]
    names = ("version", "digest_algorithms", "encap_content_info", "certificates")
    made = cms.SignedData({name: signed[name] for name in names} | {"signer_infos": list(signers)})
    container = cms.ContentInfo({"content_type": "signed_data", "content": made}).dump()
    found = re.search(rb"/Contents\s*<([0-9a-fA-F]{100,})>", content)
    assert found is not None
    text = container.hex().encode()
    assert len(text) <= len(found[1])
    return content[: found.start(1)] + text.ljust(len(found[1]), b"0") + content[found.end(1) :]


@attack
def time_stamp_of_another_letter(honest: Honest) -> bytes:
    """The token that proves another signature's time is put where this one's was."""
    token = _container(honest.other)["content"]["signer_infos"][0]["unsigned_attrs"]
    return _resigned(honest.approval, _signer(_container(honest.approval), unsigned_attrs=token))


@attack
def signature_without_its_time_stamp(honest: Honest) -> bytes:
    none = cms.CMSAttributes([])
    return _resigned(honest.approval, _signer(_container(honest.approval), unsigned_attrs=none))


@attack
def signature_without_signed_attributes(honest: Honest) -> bytes:
    none = cms.CMSAttributes([])
    return _resigned(honest.approval, _signer(_container(honest.approval), signed_attrs=none))


@attack
def two_signers_in_one_container(honest: Honest) -> bytes:
    other = _signer(_container(honest.other), unsigned_attrs=cms.CMSAttributes([]))
    mine = _signer(_container(honest.approval), unsigned_attrs=cms.CMSAttributes([]))
    return _resigned(honest.approval, mine, other)


@attack
def archive_stamp_of_another_letter(honest: Honest) -> bytes:
    """The last container, of the archive stamp, is that of the signature."""
    found = list(re.finditer(rb"/Contents\s*<([0-9a-fA-F]{100,})>", honest.approval))
    seal, stamp = found[0], found[-1]
    moved = seal[1][: len(stamp[1])].ljust(len(stamp[1]), b"0")
    return honest.approval[: stamp.start(1)] + moved + honest.approval[stamp.end(1) :]


@attack
def signature_field_that_vanished(honest: Honest) -> bytes:
    """The form no longer lists the field; the signature is still in the file."""

    def forget(writer: IncrementalPdfFileWriter) -> None:
        writer.root["/AcroForm"]["/Fields"] = generic.ArrayObject()
        writer.update_container(writer.root["/AcroForm"])

    return updated(honest.approval, forget)


def _container(content: bytes) -> cms.ContentInfo:
    found = re.search(rb"/Contents\s*<([0-9a-fA-F]{100,})>", content)
    assert found is not None
    return cms.ContentInfo.load(bytes.fromhex(found[1].decode()))


def _root(content: bytes) -> int:
    return int(re.findall(rb"/Root\s+(\d+)\s+0\s+R", content)[-1])
