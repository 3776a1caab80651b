"""Reading a scan has a time for all its pages together; what is not read by then needs a person."""

from dataclasses import replace
from pathlib import Path

import pytest

from signing.ocr import Ocr
from tests.conftest import House
from tests.scans import making
from vault import scan_reading

pytestmark = pytest.mark.anyio
PAGES = 3


@pytest.mark.parametrize(("seconds", "failure"), [(0.3, "ocr_timeout"), (600.0, "")])
async def test_all_pages_share_one_time(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, failure: str
) -> None:
    found = Ocr.found()
    if found.state != "ready":
        pytest.skip(f"tesseract with its Vietnamese data: {found.state} (tesseract-ocr, tesseract-ocr-vie)")
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(making.as_pdf(*[making.drawn(200)] * PAGES))
    monkeypatch.setattr(scan_reading, "SECONDS", seconds)
    reading = await scan_reading.read(replace(house.vault, ocr=found), scan, PAGES, {})
    assert [(one.number, one.failure) for one in reading.pages] == [
        (number, failure) for number in range(1, PAGES + 1)
    ]
    assert all(one.needs_person == bool(failure) for one in reading.pages)
