"""A scan's page is pictures and nothing else: what is drawn besides them, however it is drawn, is seen."""

from io import BytesIO
from typing import Any

import pikepdf
import pytest

from signing.scan_measuring import measure_scan
from tests.scans import making

DPI = 75
WIDE, HIGH = 595.28, 841.89
UNDER = f"q {WIDE} 0 0 {HIGH} 0 0 cm /Im0 Do Q\n"
ONE_DRAWN = "q 100 0 0 100 100 300 cm BI /W 24 /H 24 /CS /RGB /BPC 8 ID " + "~" * 24 * 24 * 3 + " EI Q"


def page(content: bytes) -> dict[str, Any]:
    told = measure_scan(BytesIO(content), {"declared_type": "application/pdf", "paper_sizes": making.SIZES})
    return dict(told["measured"]["pages"][0])


def over(drawing: str, **more: Any) -> bytes:
    """A blank page in colour, and something drawn over it."""
    made = BytesIO()
    with pikepdf.open(BytesIO(making.as_pdf(making.blank(DPI), dpi=DPI))) as paper:
        leaf = paper.pages[0].obj
        leaf.Contents = paper.make_stream((UNDER + drawing).encode("latin-1"))
        for name, value in more.items():
            leaf.Resources[f"/{name}"] = value(paper)
        paper.save(made)
    return made.getvalue()


def tiling(paper: pikepdf.Pdf) -> pikepdf.Object:
    tile = pikepdf.Stream(paper, b"0 0 3 3 re f", PatternType=1, PaintType=1, TilingType=1)
    tile.BBox, tile.XStep, tile.YStep = pikepdf.Array([0, 0, 6, 6]), 6, 6
    tile.Resources = pikepdf.Dictionary()
    return pikepdf.Dictionary(P0=tile)


def font(paper: pikepdf.Pdf) -> pikepdf.Object:
    plain = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1)
    plain.BaseFont = pikepdf.Name.Helvetica
    return pikepdf.Dictionary(F0=plain)


def soft(paper: pikepdf.Pdf) -> pikepdf.Object:
    group = pikepdf.Stream(paper, b"1 g 0 0 300 300 re f", BBox=[0, 0, 595, 842])
    group.Subtype, group.Group = pikepdf.Name.Form, pikepdf.Dictionary(S=pikepdf.Name.Transparency)
    mask = pikepdf.Dictionary(S=pikepdf.Name.Luminosity, G=paper.make_indirect(group))
    return pikepdf.Dictionary(G0=pikepdf.Dictionary(SMask=mask))


@pytest.mark.parametrize(
    ("drawing", "more"),
    [
        ("BT /F0 24 Tf 100 400 Td (Typed) Tj ET", {"Font": font}),
        ("BT 7 Tr /F0 24 Tf 100 400 Td (Cut out) Tj ET" + UNDER, {"Font": font}),
        ("100 400 200 50 re f", {}),
        ("100 400 m 300 500 l S", {}),
        ("q 100 400 m 300 500 l 200 600 l h W n " + UNDER + "Q", {}),
        ("/Pattern cs /P0 scn 100 400 200 50 re f", {"Pattern": tiling}),
        ("q /G0 gs " + UNDER + "Q", {"ExtGState": soft}),
    ],
    ids=["typed", "cut-out", "box", "line", "clipped", "pattern", "mask"],
)
def test_what_is_drawn_besides_pictures_is_counted(drawing: str, more: dict[str, Any]) -> None:
    assert page(over(drawing, **more))["others"] >= 1


def test_an_annotation_that_shows_anything_is_counted() -> None:
    with pikepdf.open(BytesIO(making.as_pdf(making.blank(DPI), dpi=DPI))) as paper:
        shown = pikepdf.Stream(paper, b"0 0 100 50 re f", BBox=[0, 0, 100, 50])
        shown.Subtype = pikepdf.Name.Form
        note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Stamp, F=4)
        note.Rect, note.AP = [100, 400, 200, 450], pikepdf.Dictionary(N=paper.make_indirect(shown))
        paper.pages[0].obj.Annots = [paper.make_indirect(note)]
        made = BytesIO()
        paper.save(made)
    assert page(made.getvalue())["others"] == 1


def test_pictures_alone_are_all_there_is_to_a_scan() -> None:
    plain = "q 0 0 595 842 re W n /Artifact BMC " + UNDER + "EMC Q BT 3 Tr /F0 9 Tf 9 9 Td (unseen) Tj ET"
    for content in (making.as_pdf(making.drawn(DPI), dpi=DPI), over(plain, Font=font)):
        assert (page(content)["others"], round(page(content)["dpi"])) == (0, DPI)


def test_a_picture_within_the_page_content_counts_like_any_other() -> None:
    found = page(over(ONE_DRAWN))
    assert (found["others"], round(found["dpi"])) == (0, 17)


def tiles(dpi: int, rows: int, under: int | None = None) -> bytes:
    """The certificate in strips of so many rows, over a blank page of another resolution if wanted."""
    picture, made, drawing = making.drawn(dpi), BytesIO(), []
    with pikepdf.new() as paper:
        leaf = paper.add_blank_page(page_size=(WIDE, HIGH)).obj
        held = pikepdf.Dictionary()
        if under:
            blank = making.blank(under)
            held["/Im0"] = making.jpeg_in(paper, making.as_jpeg(blank), blank.size, "/DeviceRGB")
            drawing.append(UNDER)
        for top in range(0, picture.height, rows):
            end = min(picture.height, top + rows)
            strip = picture.crop((0, top, picture.width, end))
            held[f"/S{top}"] = making.jpeg_in(paper, making.as_jpeg(strip), strip.size, "/DeviceRGB")
            high, low = HIGH * (end - top) / picture.height, HIGH * (1 - end / picture.height)
            drawing.append(f"q {WIDE} 0 0 {high:.2f} 0 {low:.2f} cm /S{top} Do Q")
        leaf.Resources = pikepdf.Dictionary(XObject=held)
        leaf.Contents = paper.make_stream("\n".join(drawing).encode())
        paper.save(made)
    return made.getvalue()


def test_a_scan_in_strips_is_measured_as_a_whole() -> None:
    found = page(tiles(200, 16))
    assert found["dpi"] > 199.5
    assert (found["colour"], found["covered"], found["others"]) == ("rgb", 1.0, 0)


def test_coarse_tiles_over_a_fine_blank_page_are_coarse() -> None:
    assert round(page(tiles(60, 6, under=300))["dpi"]) == 60


def test_pixels_are_those_that_are_there_not_those_that_are_declared() -> None:
    coarse = making.drawn(60)
    with pikepdf.open(BytesIO(making.as_pdf(coarse, dpi=60))) as paper:
        picture = paper.pages[0].obj.Resources.XObject.Im0
        picture.Width, picture.Height = (side * 5 for side in coarse.size)
        made = BytesIO()
        paper.save(made)
    assert round(page(made.getvalue())["dpi"]) == 60


def test_a_coarse_mask_makes_a_fine_picture_coarse() -> None:
    with pikepdf.open(BytesIO(making.as_pdf(making.blank(DPI), dpi=DPI))) as paper:
        mask = making.jpeg_in(paper, making.as_jpeg(making.drawn(30).convert("L")), (248, 351), "/DeviceGray")
        paper.pages[0].obj.Resources.XObject.Im0.SMask = paper.make_indirect(mask)
        made = BytesIO()
        paper.save(made)
    assert round(page(made.getvalue())["dpi"]) == 30


def test_the_version_in_the_catalogue_is_the_file_s() -> None:
    with pikepdf.open(BytesIO(making.as_pdf(making.blank(30), dpi=30, version="1.3"))) as paper:
        paper.Root.Version = pikepdf.Name("/1.7")
        made = BytesIO()
        paper.save(made, force_version="1.3")
    told = measure_scan(BytesIO(made.getvalue()), {"declared_type": "application/pdf", "paper_sizes": []})
    assert told["measured"]["version"] == "1.7"
