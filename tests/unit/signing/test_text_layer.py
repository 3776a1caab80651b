"""The words of a file as a worker reads them: of annotations too, and never more than is known."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from signing.text_layer import read_words
from signing.workers import WorkerPool

pytestmark = pytest.mark.anyio


async def test_a_worker_reads_every_page(sealed_certificate: Any, workers: WorkerPool) -> None:
    pages, complete = await workers.words(sealed_certificate.sealed)
    assert complete
    assert "GIẤY KHAI SINH" in pages[0]
    assert "075307001234" in pages[0]


async def test_a_file_that_is_none_has_no_words(workers: WorkerPool, tmp_path: Path) -> None:
    for content in (b"", b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n"):
        (tmp_path / "file").write_bytes(content)
        assert await workers.words(tmp_path / "file") == ((), False)


def _written(paper: pikepdf.Pdf) -> BytesIO:
    made = BytesIO()
    paper.save(made)
    made.seek(0)
    return made


def test_a_page_of_pictures_cannot_be_read_and_an_empty_one_can() -> None:
    with pikepdf.new() as paper:
        paper.add_blank_page()
        assert read_words(_written(paper), {}) == {"words": [""], "complete": True}
        paper.pages[0].Contents = paper.make_stream(b"0 0 100 100 re f")
        assert read_words(_written(paper), {}) == {"words": [""], "complete": False}


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
        assert "SAO Y" in read_words(_written(paper), {})["words"][0]


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
        assert read_words(_written(paper), {})["complete"] is False
