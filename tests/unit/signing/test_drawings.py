"""Papers that draw much, or in roundabout ways, and honestly: they are taken."""

import zlib
from io import BytesIO

import pytest

from signing.intake import look_at
from tests.hostile.making import drawing, stream

_FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]"
_FONT = (
    b"<</Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[.1 0 0 .1 0 0]/FirstChar 97/LastChar 97"
    b"/Widths[9]/Encoding<</Differences[97/a]>>/CharProcs<</a 6 0 R>>/Resources<</Font<</F 5 0 R>>>>>>"
)
_BITMAP = b"9 0 0 0 9 9 d1 q 9 0 0 9 0 0 cm BI /W 40 /H 40 /BPC 1 /IM true ID " + b"(\xaa" * 100 + b" EI Q"


def mesh() -> bytes:
    """Write a shading of ten thousand corners."""
    told = b"/ShadingType 5/VerticesPerRow 100/BitsPerCoordinate 16/BitsPerComponent 8/ColorSpace/DeviceRGB"
    return stream(bytes(70_000), told + b"/Decode[0 1 0 1 0 1 0 1 0 1]")


PAPERS = {
    "a form that names another as the page names it": drawing(
        {
            5: stream(b"/X Do", _FORM + b"/Resources<</XObject<</X 6 0 R>>>>"),
            6: stream(b"0 0 9 9 re f", _FORM),
        },
        b"/XObject<</X 5 0 R>>",
        b"/X Do",
    ),
    "resources that all forms share": drawing(
        {
            5: stream(b"/B Do", _FORM + b"/Resources 7 0 R"),
            6: stream(b"0 0 9 9 re f", _FORM + b"/Resources 7 0 R"),
            7: b"<</XObject<</A 5 0 R/B 6 0 R>>>>",
        },
        b"/XObject<</A 5 0 R/B 6 0 R>>",
        b"/A Do /B Do " * 500,
    ),
    "many letters that are pictures": drawing(
        {5: _FONT, 6: stream(_BITMAP)},
        b"/Font<</F 5 0 R>>",
        b"BT /F 10 Tf " + (b"(" + b"a" * 80 + b") Tj T* ") * 400 + b"ET",
    ),
    "one mask on a page of many lines": drawing(
        {5: stream(b"0 0 9 9 re f " * 3_000, _FORM + b"/Group<</S/Transparency>>")},
        b"/ExtGState<</G<</SMask<</S/Luminosity/G 5 0 R>>>>>>",
        b"q /G gs 0 0 9 9 re f Q " + b"0 0 m 9 9 l S " * 50_000,
    ),
    "many areas with one pattern": drawing(
        {
            5: stream(
                b"0 0 m 9 9 l S",
                b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 9 9]/XStep 9/YStep 9",
            )
        },
        b"/Pattern<</P 5 0 R>>",
        b"/Pattern cs /P scn " + b"0 0 9 9 re f " * 20_000,
    ),
    "many gradients": drawing(
        {
            5: b"<</ShadingType 2/ColorSpace/DeviceRGB/Coords[0 0 1 1]/Function 6 0 R>>",
            6: b"<</FunctionType 2/Domain[0 1]/C0[0 0 0]/C1[1 1 1]/N 1>>",
        },
        b"/Shading<</S 5 0 R>>",
        b"q 0 0 9 9 re W n /S sh Q " * 5_000,
    ),
    "a mesh": drawing({5: mesh()}, b"/Shading<</S 5 0 R>>", b"/S sh " * 20),
    "a colour wheel": drawing(
        {
            5: b"<</ShadingType 1/ColorSpace/DeviceRGB/Function 6 0 R>>",
            6: stream(
                b"{" + b" dup mul exch" * 30 + b"}",
                b"/FunctionType 4/Domain[0 1 0 1]/Range[0 1 0 1 0 1]",
            ),
        },
        b"/Shading<</S 5 0 R>>",
        b"/S sh",
    ),
    "a scan of A3 at 600 dots an inch with its layers": drawing(
        {
            number: stream(
                zlib.compress(bytes(9_000_000), 9),
                b"/Type/XObject/Subtype/Image/Width 7000/Height 10000/BitsPerComponent 1/ImageMask true"
                b"/Filter/FlateDecode",
            )
            for number in (5, 6, 7)
        },
        b"/XObject<</A 5 0 R/B 6 0 R/C 7 0 R>>",
        b"/A Do /B Do /C Do",
    ),
    "words that look like drawing": drawing(
        {5: stream(b"0 0 9 9 re f", _FORM)}, b"/XObject<</X 5 0 R>>", b"BT (I Do (not) sh gs %) Tj ET " * 50
    ),
    "a long content": drawing({}, b"", b"0 0 m 9 9 l S\n" * 300_000),
}


@pytest.mark.parametrize("name", PAPERS)
def test_what_papers_draw_honestly_is_taken(name: str) -> None:
    assert look_at(BytesIO(PAPERS[name]), declared_type="application/pdf", sealing=True).pages == 1
