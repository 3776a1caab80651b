"""An agency's round seal on what it issues: from the moment that its picture is kept, until it is removed."""

import os
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from sqlalchemy import select, update

from reuse_api.demo import people
from signing.errors import SealImageDamaged, SealImageRefused
from signing.leaf import Kind
from signing.round_seal import MILLIMETRES, draw_round_seal
from tests.conftest import House
from vault import deliver, digitise, result_paper, seal_images
from vault.callers import OwnerCaller, SystemCaller
from vault.days import legal_day
from vault.digitise import ScanBody
from vault.errors import NotFound
from vault.evidence_tables import seal_image
from vault.tables import entry_holder, log_entry

pytestmark = pytest.mark.anyio
CODE = people.COMMUNE.code


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    (tmp_path / "seal.png").write_bytes(draw_round_seal(people.COMMUNE.name_vi))
    return tmp_path / "seal.png"


async def sealed(house: House, agency: str = CODE) -> Path:
    at = house.vault.clock.now()
    fields = people.certificate("118/2026", legal_day(at).isoformat(), birth_place="Hà Nội")
    made = await result_paper.composed(house.vault, agency, "GKS", fields, at)
    assert made.examined.report.verdict == "valid"
    return made.file


def pictures_of(file: Path) -> list[bytes]:
    """Give the pictures in the appearance of the seal, hashed over what is drawn."""
    with pikepdf.open(file) as document:
        seal = next(one for one in document.Root.AcroForm.Fields if str(one.T) == "Seal")
        inside = seal.AP.N.get("/Resources", {}).get("/XObject", {})
        found = [one for one in inside.values() if one.get("/Subtype") == "/Image"]
        return [sha256(one.read_bytes()).digest() for one in found]


async def test_results_show_it_from_then_on_and_others_do_not(house: House, picture: Path) -> None:
    before = await sealed(house)
    kept = await seal_images.keep(house.vault, CODE, picture, millimetres=MILLIMETRES)
    shown, of_another = await sealed(house), await sealed(house, house.other_commune.code)
    async with house.vault.db.read() as db:
        assert await seal_images.current(db) == {CODE: kept}
        assert await seal_images.in_force(db, CODE, kept.since - timedelta(seconds=1)) is None
        drawn = await seal_images.in_force(db, CODE, kept.since)
    assert drawn is not None and sha256(drawn.png).hexdigest() == kept.sha256
    assert (len(pictures_of(shown)), pictures_of(before), pictures_of(of_another)) == (1, [], [])
    await seal_images.remove(house.vault, CODE)
    assert pictures_of(await sealed(house)) == []
    async with house.vault.db.read() as db:
        assert await seal_images.current(db) == {}
        assert await seal_images.in_force(db, CODE, kept.since) == drawn, (
            "what was drawn then can still be told"
        )


async def test_keeping_and_removing_are_entries_of_an_administrator(house: House, picture: Path) -> None:
    size = await house.size()
    kept = await seal_images.keep(house.vault, CODE, picture, millimetres=MILLIMETRES)
    await seal_images.remove(house.vault, CODE)
    assert await house.size() == size + 2
    told = await house.rows(select(log_entry.c.kind).where(log_entry.c.idx >= size))
    assert [one.kind for one in told] == [Kind.ADMINISTRATOR_ACT] * 2
    held = await house.rows(select(entry_holder.c.holder_kind).where(entry_holder.c.idx >= size))
    assert [one.holder_kind for one in held] == ["vault"] * 2
    assert kept.millimetres == pytest.approx(MILLIMETRES)


async def test_what_is_refused_leaves_nothing(house: House, picture: Path, tmp_path: Path) -> None:
    size = await house.size()
    (tmp_path / "no.png").write_bytes(b"%PDF-1.7")
    with pytest.raises(SealImageRefused):
        await seal_images.keep(house.vault, CODE, tmp_path / "no.png", millimetres=MILLIMETRES)
    with pytest.raises(NotFound):
        await seal_images.keep(house.vault, "H99.99", picture, millimetres=MILLIMETRES)
    for code in (CODE, "H99.99"):
        with pytest.raises(NotFound):
            await seal_images.remove(house.vault, code)
    assert await house.size() == size
    assert list(await house.rows(select(seal_image))) == []
    assert list(house.vault.scratch.iterdir()) == []


async def test_a_damaged_picture_is_never_drawn(house: House, picture: Path) -> None:
    await seal_images.keep(house.vault, CODE, picture, millimetres=MILLIMETRES)
    async with house.vault.db.write() as db:
        await db.execute(update(seal_image).values(content=b"\x89PNG another"))
    with pytest.raises(SealImageDamaged):
        await sealed(house)


async def test_a_digitised_copy_shows_none_by_law(
    house: House, police: SystemCaller, stranger: OwnerCaller, scanned: Any, picture: Path, tmp_path: Path
) -> None:
    await seal_images.keep(house.vault, people.POLICE.code, picture, millimetres=MILLIMETRES)
    persons = (house.person(people.STRANGER, "applicant"), house.person(people.MOTHER, "householder"))
    code = await house.opens(police, people.POLICE, house.residence(*persons))
    body = ScanBody("GKS", ("applicant",), number="15/1998", reason="applicant_insists")
    said = {"key": os.urandom(8).hex()}
    told = await digitise.digitise(
        house.vault, police, code, people.KINSHIP, body, scanned("giấy khai sinh"), **said
    )
    assert isinstance(told, dict), told
    delivery = await deliver.read_own(house.vault, stranger, told["record"])
    assert isinstance(delivery, deliver.Delivery)
    (tmp_path / "copy.pdf").write_bytes(await house.drained(delivery))
    assert pictures_of(tmp_path / "copy.pdf") == []
    with pikepdf.open(tmp_path / "copy.pdf") as copy:
        marks = [one for page in copy.pages for one in _images(page.obj)]
    assert all("/SMask" not in one for one in marks), "no seal with a transparent ground stands on the page"


def _images(thing: Any) -> list[Any]:
    found = []
    for one in thing.get("/Resources", {}).get("/XObject", {}).values():
        found += [one] if one.get("/Subtype") == "/Image" else _images(one)
    return found
