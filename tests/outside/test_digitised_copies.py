"""A paper goes in as a scan and a photo; what comes out is kept, found, and right in the eyes of others."""

import os
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from sqlalchemy import select

from reuse_api.demo import people
from signing.ocr import Ocr
from tests.conftest import House
from tests.outside.judges import pdfsig_says, qpdf_finds, verapdf
from tests.scans import making
from vault import deliver, digitise, inspecting, plan, scan_drafting
from vault.callers import OwnerCaller, SystemCaller
from vault.digitise import ScanBody
from vault.evidence_tables import scan, scan_finding
from vault.scan_judging import ScanRefused

pytestmark = pytest.mark.anyio
SAID = ScanBody("GKS", ("applicant",), title="Giấy khai sinh", reason="outdated")


async def moves(house: House, police: SystemCaller) -> str:
    persons = (house.person(people.STRANGER, "applicant"), house.person(people.MOTHER, "householder"))
    code = await house.opens(police, people.POLICE, house.residence(*persons))
    assert isinstance(await plan.ask(house.vault, police, code), dict)
    return code


async def copies(
    house: House, police: SystemCaller, owner: OwnerCaller, handed: dict[str, bytes], folder: Path
) -> list[tuple[dict[str, Any], Path]]:
    """Digitise files (media type -> content) for a dossier; gives each answer and the copy."""
    code, made = await moves(house, police), []
    for kind, content in handed.items():
        file = folder / f"{kind.replace('/', '.')}.scan"
        file.write_bytes(content)
        key = os.urandom(8).hex()
        told = await digitise.digitise(
            house.vault, police, code, people.KINSHIP, SAID, file, key=key, declared_type=kind
        )
        assert isinstance(told, dict), told
        delivery = await deliver.read_own(house.vault, owner, told["record"])
        assert isinstance(delivery, deliver.Delivery)
        copy = folder / f"{told['record']}.pdf"
        copy.write_bytes(await house.drained(delivery))
        made.append((told, copy))
    return made


async def test_copies_are_kept_with_their_originals_and_stand_outside(
    house: House, police: SystemCaller, stranger: OwnerCaller, tmp_path: Path
) -> None:
    handed = {
        "application/pdf": making.as_pdf(making.drawn(200), making.blank(200)),
        "image/jpeg": making.as_jpeg(making.drawn(200), comment=b"a photo"),
    }
    (scanned, first), (photo, second) = await copies(house, police, stranger, handed, tmp_path)
    assert (scanned["scan_passed"], photo["scan_passed"], photo["trust"]) == (True, False, "E")
    rows = {row.record: row for row in await house.rows(select(scan))}
    for told, content in zip((scanned, photo), handed.values(), strict=True):
        row = rows[told["record"]]
        assert row.content_sha256 == sha256(content).digest() == bytes.fromhex(told["scan_digest"])
        assert row.blob.endswith("/original") and row.passed is told["scan_passed"]
        assert (row.read, row.needs_person) == ("off", False)
    found = await house.rows(select(scan_finding).where(scan_finding.c.record == scanned["record"]))
    assert {(one.fault, one.page) for one in found if one.fault} == {("scan_page_blank", 2)}
    assert all(one.legal and one.measured and one.wanted for one in found)
    places = house.places
    seen = await inspecting.inspect(places)
    assert [one for one in seen.findings if "original" in one.what or one.code == "orphan_blob"] == []
    with pikepdf.open(first) as copy:
        assert len(copy.pages) == 2
    for file in (first, second):
        assert qpdf_finds(file) == ""
        assert "Signature is Valid" in pdfsig_says(file)
    judged = verapdf([first, second])
    assert [(one.level, one.compliant, one.broken) for one in judged.values()] == [("2b", True, "")] * 2


async def test_what_is_read_is_suggested_found_in_the_copy_and_decides_nothing(
    house: House, police: SystemCaller, stranger: OwnerCaller, tmp_path: Path
) -> None:
    ocr = Ocr.found()
    if ocr.state != "ready":
        pytest.skip(f"tesseract with its Vietnamese data: {ocr.state} (tesseract-ocr, tesseract-ocr-vie)")
    vault, code = replace(house.vault, ocr=ocr), await moves(house, police)
    file = tmp_path / "scan.pdf"
    file.write_bytes(making.as_pdf(making.grained(making.drawn(200, 0.7), 0.005)))
    types = {one.code: one.name.vi for one in vault.book.record_types}
    handed = (people.KINSHIP, file, "application/pdf", "scan.pdf")
    draft = await scan_drafting.begin(vault, police, code, *handed, types)
    suggested = {one.field: one.value for one in draft.reading.suggestions}
    assert (suggested["type"], suggested["number"]) == ("GKS", "118/2026")
    assert vault.drafts.find(police, code, draft.id, vault.clock.now()) is draft
    said = {"key": "read", "known": (draft.judged, draft.reading)}
    async with scan_drafting.opened(vault, draft) as opened:
        assert opened.read_bytes() == file.read_bytes()
        told = await digitise.digitise(vault, police, code, people.KINSHIP, SAID, opened, **said)
    vault.drafts.drop(draft.id)
    assert isinstance(told, dict) and told["read"] == "ready"
    reading = told["reading"]
    assert [(one["page"], one["needs_person"], one["failure"]) for one in reading["pages"]] == [
        (1, False, "")
    ]
    assert {one["field"]: one["value"] for one in reading["suggestions"]} == suggested
    (number,) = [one for one in reading["suggestions"] if one["field"] == "number"]
    assert 8000 < number["left"] < 8700 and number["width"] > 0 and 60 <= number["confidence"] <= 100
    again = await digitise.digitise(vault, police, code, people.KINSHIP, SAID, file, **said)
    assert again == {name: value for name, value in told.items() if name != "reading"}, "it is kept nowhere"
    mine = await deliver.read_own(vault, stranger, told["record"])
    assert isinstance(mine, deliver.Delivery)
    with pypdfium2.PdfDocument(BytesIO(await house.drained(mine))) as copy:
        text = copy[0].get_textpage().get_text_bounded()
    assert "118/2026" in text and "Trần Thị Hồng Nhung" in text
    assert not list(house.places.scratch.iterdir())


async def test_a_scan_handed_in_by_a_system_is_read_too(
    house: House, police: SystemCaller, tmp_path: Path
) -> None:
    ocr = Ocr.found()
    if ocr.state != "ready":
        pytest.skip(f"tesseract with its Vietnamese data: {ocr.state} (tesseract-ocr, tesseract-ocr-vie)")
    vault, code, file = replace(house.vault, ocr=ocr), await moves(house, police), tmp_path / "scan.pdf"
    file.write_bytes(making.as_pdf(making.drawn(200), making.blank(200)))
    told = await digitise.digitise(vault, police, code, people.KINSHIP, SAID, file, key="by a system")
    assert isinstance(told, dict) and told["needs_person"] is True
    assert [one["needs_person"] for one in told["reading"]["pages"]] == [False, True], "a blank page"
    suggested = {one["field"]: one["value"] for one in told["reading"]["suggestions"]}
    assert (suggested["type"], suggested["number"]) == ("GKS", "118/2026")


async def test_a_coarse_scan_leaves_nothing_behind(
    house: House, police: SystemCaller, tmp_path: Path
) -> None:
    code, file = await moves(house, police), tmp_path / "coarse.pdf"
    file.write_bytes(making.as_pdf(making.drawn(150), dpi=150))
    with pytest.raises(ScanRefused) as raised:
        await digitise.digitise(house.vault, police, code, people.KINSHIP, SAID, file, key="coarse")
    assert (raised.value.code, raised.value.details["measured"]) == ("scan_resolution_low", "150 dpi")
    assert await house.rows(select(scan)) == [] and not list(house.places.scratch.iterdir())
