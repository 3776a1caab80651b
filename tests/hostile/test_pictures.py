"""Whatever a picture does to the workers that measure and copy it: an answer in time, and never a good scan.

What is odd and honest is read, and its copy holds nothing of it but what is seen.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from PIL import ImageChops, ImageStat

from policies.scan_rules import PageMeasures, ScanMeasures, judge
from signing.workers import Limits, WorkerPool
from tests.hostile.pictures import DPI, HONEST, PICTURES
from tests.hostile.test_rewritten import ARCHIVE, MOST, SIZES, sealed
from tests.scans import making

pytestmark = pytest.mark.anyio
TODAY = date(2026, 11, 20)
# The code that it is refused with; of what can be measured, the first rule that it does not meet.
OUTCOMES = {
    "text_that_unpacks_to_a_gigabyte": "unreadable",
    "international_text_that_unpacks_to_a_gigabyte": "unreadable",
    "a_thousand_texts_of_a_mebibyte": "unreadable",
    "profile_that_unpacks_to_a_gigabyte": "unreadable",
    "a_gigapixel_promised": "too_complex",
    "a_side_of_two_thousand_million": "too_complex",
    "no_width_at_all": "unreadable",
    "fewer_lines_than_promised": "unreadable",
    "far_more_lines_than_promised": "too_large_inside",
    "an_animation_of_a_thousand_pictures_cut_short": "unreadable",
    "animated_web_picture_named_png": "not_a_scan",
    "animated_gif_named_png": "not_a_scan",
    "a_page_of_the_web_behind_a_png": "polyglot",
    "an_archive_behind_a_jpeg": "polyglot",
    "a_paper_behind_a_jpeg": "polyglot",
    "a_paper_in_a_comment": "polyglot",
    "a_page_of_the_web_in_a_comment": "polyglot",
    "an_archive_in_what_is_called_exif": "polyglot",
    "a_page_of_the_web_in_the_second_picture": "polyglot",
    "an_archive_in_a_chunk_of_its_own": "polyglot",
    "a_page_of_the_web_in_a_text": "polyglot",
    "a_page_of_the_web_in_a_box_that_nobody_reads": "polyglot",
    "a_page_of_the_web_behind_a_tiff": "polyglot",
    "a_program_and_an_archive_behind_a_tiff": "polyglot",
    "something_unknown_behind_a_tiff": "polyglot",
    "a_paper_before_the_directory_of_a_tiff": "polyglot",
    "a_thousand_directories_below_a_directory": "too_many_pages",
    "directory_that_leads_to_itself": "too_complex",
    "twenty_thousand_directories": "too_many_pages",
    "a_side_longer_than_a_jpeg_has": "too_complex",
    "a_side_longer_than_a_jpeg_has_in_strips": "too_complex",
    "strips_beyond_the_file": "unreadable",
    "a_thousand_million_strips": "unreadable",
    "a_strip_packed_to_a_gigabyte": "too_large_inside",
    "a_tiff_of_a_gigapixel": "too_complex",
    "heic_cut_in_the_middle": "unreadable",
    "heic_of_a_giant_grid": "unreadable",
    "heic_of_nested_boxes": "unreadable",
    "progressive_without_end": "too_complex",
    "jpeg_of_the_largest_sides": "too_complex",
    "jpeg_of_forty_megabytes_of_markers": "unreadable",
}
COSTLY = {"jpeg_of_forty_megabytes_of_markers", "a_photo_with_all_the_metadata_there_may_be"}


def named(names: Any) -> list[Any]:
    return [pytest.param(one, marks=pytest.mark.long if one in COSTLY else ()) for one in names]


@pytest.fixture(scope="module")
async def pool(anyio_backend: str) -> AsyncIterator[WorkerPool]:
    workers = WorkerPool(size=2)
    await workers.start()
    yield workers
    await workers.close()


@pytest.mark.parametrize("name", named(PICTURES))
async def test_it_is_answered_in_time_and_is_no_good_scan(
    pool: WorkerPool, tmp_path: Path, name: str
) -> None:
    kind, make = PICTURES[name]
    scan = tmp_path / "scan"
    scan.write_bytes(make())
    async with asyncio.timeout(Limits().wall_seconds + 10):
        found = await pool.measure(scan, declared_type=kind, paper_sizes=SIZES, max_bytes=MOST)
    if found.measured is None:
        assert found.refusal == OUTCOMES[name]
    else:
        pages = tuple(PageMeasures(**asdict(page)) for page in found.measured.pages)
        refused = judge(ScanMeasures(kind, None, pages), TODAY).refused
        assert refused is not None and refused.fault == OUTCOMES[name]
    made = await sealed(pool, scan, ARCHIVE)  # even if it was refused: no worker may rest on another
    if made is not None:
        with pikepdf.open(made, attempt_recovery=False) as paper:
            assert len(paper.pages) == 1


def test_every_picture_has_an_outcome() -> None:
    assert OUTCOMES.keys() == PICTURES.keys() and len(PICTURES) > 25


@pytest.mark.parametrize("name", named(HONEST))
async def test_what_is_odd_and_honest_is_read_and_only_seen(
    pool: WorkerPool, tmp_path: Path, name: str
) -> None:
    kind, make = HONEST[name]
    scan = tmp_path / "scan"
    scan.write_bytes(make())
    found = await pool.measure(scan, declared_type=kind, paper_sizes=SIZES, max_bytes=MOST)
    assert found.measured is not None
    (page,) = found.measured.pages
    assert round(page.dpi) == DPI and 0.04 < page.ink < 0.07
    made = await sealed(pool, scan, ARCHIVE)
    assert made is not None
    content = made.read_bytes()
    assert b"where she lives" not in content and b"Exif" not in content and b"GPS" not in content
    with pypdfium2.PdfDocument(content) as paper:
        shown = paper[0].render(scale=DPI / 72).to_pil().convert("L")
    wanted = making.drawn(DPI).convert("L")
    seen = shown.crop((0, shown.height - wanted.height, wanted.width, shown.height))
    assert ImageStat.Stat(ImageChops.difference(seen, wanted)).mean[0] < 12
