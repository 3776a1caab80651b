"""The words of a file as a worker reads them: of annotations too, only what is seen."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
import typst

from signing.text_layer import read_words
from signing.workers import WorkerPool

pytestmark = pytest.mark.anyio

SHEET = "#set page(width: 300pt, height: 300pt)\n#set text(size: 11pt)\nTờ khai 001307012347\n\n"
NAME = "Giấy khai sinh"
UNDER = "#place(top + left, dy: 15pt, rect(width: 200pt, height: 100pt, fill: {}))"


def set_up(content: str) -> BytesIO:
    """A page that says what it is, and more."""
    made = typst.compile((SHEET + content).encode(), format="pdf")
    assert isinstance(made, bytes)
    return BytesIO(made)


def read(content: BytesIO) -> dict[str, Any]:
    return read_words(content, {})


async def test_a_worker_reads_every_page(sealed_certificate: Any, workers: WorkerPool) -> None:
    found = await workers.words(sealed_certificate.sealed)
    assert found.complete
    assert "GIẤY KHAI SINH" in found.pages[0]
    assert "075307001234" in found.pages[0]
    sizes = {one.text: one.size for one in found.lines}
    assert sizes["GIẤY KHAI SINH"] == pytest.approx(21, rel=0.06), "in points, as it was set"
    assert sizes["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"] == pytest.approx(13, rel=0.06)
    assert (found.layer, found.layer_lines) == ((), ())


async def test_a_file_that_is_none_has_no_words(workers: WorkerPool, tmp_path: Path) -> None:
    for content in (b"", b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n"):
        (tmp_path / "file").write_bytes(content)
        found = await workers.words(tmp_path / "file")
        assert (found.pages, found.complete) == ((), False)


@pytest.mark.parametrize(
    "hidden",
    [
        f"#text(fill: white)[{NAME}]",
        f'#text(fill: rgb("#f4f4f4"))[{NAME}]',
        f"#text(size: 0.1pt)[{NAME}]",
        f"#text(size: 3pt)[{NAME}]",
        f"{NAME} {UNDER.format('white')}",
        f"{NAME} {UNDER.format('black')}",
        f"#place(top + left, dx: 2000pt)[{NAME}]",
        f"#place(top + left, dx: -75pt)[{NAME}]",
        f"#box(width: 1pt, height: 1pt, clip: true)[#box(width: 200pt)[{NAME}]]",
        f"#place(top + left, dy: 30pt)[{NAME}] {UNDER.format('white')} #place(top + left, dy: 30pt)[Tôi]",
    ],
    ids=[
        "white",
        "pale",
        "tiny",
        "small",
        "covered",
        "black",
        "aside",
        "half aside",
        "clipped",
        "written over",
    ],
)
def test_words_that_nobody_sees_are_not_read_and_the_page_is_not_complete(hidden: str) -> None:
    found = read(set_up(hidden))
    assert found["complete"] is False
    assert NAME not in " ".join(found["words"])
    assert "001307012347" in found["words"][0], "the rest is read"
    assert all(NAME not in line[0] for line in found["lines"])


@pytest.mark.parametrize(
    "shown",
    [
        NAME,
        f'#text(size: 5pt, fill: rgb("#808080"))[{NAME}]',
        f"#rect(fill: black)[#text(fill: white)[{NAME}]]",
        f"#place(dx: 1pt)[{NAME}] #place(dx: 1.3pt)[{NAME}]",
        f"{NAME} AV To Vi Qu Tấ#place(dx: 30pt, dy: -20pt, circle(radius: 12pt, stroke: red))",
    ],
    ids=["plain", "small and grey", "white on black", "printed twice", "kerned and stamped"],
)
def test_what_is_seen_is_read(shown: str) -> None:
    found = read(set_up(shown))
    assert found["complete"] is True
    assert NAME in found["words"][0]


def test_letters_that_are_not_painted_are_a_layer_over_a_scan_and_else_nothing() -> None:
    with pikepdf.open(set_up(NAME)) as paper:
        page = paper.pages[0]
        content = page.Contents.read_bytes().replace(b"0 Tr", b"")
        page.Contents = paper.make_stream(b"q 3 Tr\n" + content + b"\nQ")
        found = read(_written(paper))
        assert (found["words"][0].strip(), found["layer"], found["complete"]) == ("", [], False)
        picture = paper.make_stream(b"\xc0", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image)
        picture.Width = picture.Height = 1
        picture.ColorSpace, picture.BitsPerComponent = pikepdf.Name.DeviceGray, 8
        page.Resources.XObject = pikepdf.Dictionary(Scan=picture)
        page.Contents = paper.make_stream(b"q 300 0 0 300 0 0 cm /Scan Do Q q 3 Tr\n" + content + b"\nQ")
        found = read(_written(paper))
        assert (found["words"][0].strip(), found["complete"], found["lines"]) == ("", True, [])
        assert NAME in found["layer"][0]
        assert [NAME in line[0] for line in found["layer_lines"]] == [False, True]


def _written(paper: pikepdf.Pdf) -> BytesIO:
    made = BytesIO()
    paper.save(made)
    made.seek(0)
    return made


def test_a_page_of_pictures_cannot_be_read_and_an_empty_one_can() -> None:
    with pikepdf.new() as paper:
        paper.add_blank_page()
        found = read(_written(paper))
        assert (found["words"], found["complete"]) == ([""], True)
        paper.pages[0].Contents = paper.make_stream(b"0 0 100 100 re f")
        found = read(_written(paper))
        assert (found["words"], found["complete"]) == ([""], False)


def test_words_of_an_annotation_are_read(sealed_certificate: Any) -> None:
    with pikepdf.open(sealed_certificate.composed) as paper:
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
        shown = paper.make_stream(b"BT /F 10 Tf 5 5 Td (SAO Y) Tj ET")
        shown.Type, shown.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
        shown.BBox = [0, 0, 100, 20]
        shown.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font))
        stamp = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Stamp,
            Rect=[400, 800, 500, 820],
            F=4,
            AP=pikepdf.Dictionary(N=shown),
        )
        paper.pages[0].Annots = [paper.make_indirect(stamp)]
        found = read(_written(paper))
        assert found["complete"] is True
        assert "SAO Y" in found["words"][0]


def test_a_page_that_is_turned_is_read_as_any_other() -> None:
    with pikepdf.open(set_up(NAME)) as paper:
        paper.pages[0].Rotate = 90
        found = read(_written(paper))
        assert (found["complete"], NAME in found["words"][0]) == (True, True)
        paper.pages[0].CropBox = [0, 0, 300, 200]  # the words stand above it
        found = read(_written(paper))
        assert (found["complete"], NAME in found["words"][0]) == (False, False)


def test_pieces_of_a_line_are_one_and_columns_are_two() -> None:
    found = read(set_up("#grid(columns: (150pt, 100pt), [Bên trái], [Bên phải])"))
    assert [line[0] for line in found["lines"]] == ["Tờ khai 001307012347", "Bên trái", "Bên phải"]


@pytest.mark.parametrize("flags", [None, 4, 4 + 32, 4 + 2])
def test_words_are_not_all_where_print_shows_others(sealed_certificate: Any, flags: int | None) -> None:
    with pikepdf.open(sealed_certificate.composed) as paper:
        shown = paper.make_stream(b"0 0 9 9 re f")
        shown.Type, shown.Subtype, shown.BBox = pikepdf.Name.XObject, pikepdf.Name.Form, [0, 0, 9, 9]
        stamp = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Stamp, Rect=[0, 0, 9, 9])
        stamp.AP = pikepdf.Dictionary(N=shown)
        if flags is not None:
            stamp.F = flags
        paper.pages[0].Annots = [stamp]
        assert read_words(_written(paper), {})["complete"] is (flags == 4)


def test_words_are_not_all_where_layers_are_off(sealed_certificate: Any) -> None:
    with pikepdf.open(sealed_certificate.composed) as paper:
        layer = paper.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name="x"))
        default = pikepdf.Dictionary(OFF=[layer])
        paper.Root.OCProperties = pikepdf.Dictionary(OCGs=[layer], D=default)
        assert read_words(_written(paper), {})["complete"] is False


def test_too_many_pages_are_not_all_read() -> None:
    with pikepdf.new() as paper:
        for _ in range(61):
            paper.add_blank_page()
        assert read(_written(paper))["complete"] is False
