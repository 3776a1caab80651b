"""The picture of a page is a reading like any other: entered first, opened by the gate, left nowhere."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from signing.leaf import Kind
from signing.picture import Picture
from vault import finding, keeping, picturing
from vault.callers import OwnerCaller
from vault.errors import ContentDamaged, NotFound, PictureFailed
from vault.tables import record

pytestmark = pytest.mark.anyio


async def test_a_page_is_shown_and_is_an_entry_that_names_it(house: Any, daughter: OwnerCaller) -> None:
    size = await house.size()
    drawn = await picturing.show_page(house.vault, daughter, house.daughters, 1)
    assert isinstance(drawn, Picture) and drawn.png.startswith(b"\x89PNG") and drawn.pages == 1
    assert await house.size() == size + 1
    (entry,) = await house.last(daughter)
    assert (entry.kind, entry.parts.event["type"]) == (Kind.DELIVERED, "page_delivered")
    assert entry.parts.basis["page"] == 1 and entry.parts.basis["kind"] == "owner"
    (told, *_) = await finding.my_accesses(house.vault, daughter)
    assert (told.event, told.page, told.record) == ("page_delivered", 1, house.daughters)
    assert list(house.vault.scratch.iterdir()) == []


@pytest.mark.parametrize("page", [0, -1, 2, 10**9])
async def test_a_page_that_is_not_there_opens_nothing(house: Any, daughter: OwnerCaller, page: int) -> None:
    size = await house.size()
    with pytest.raises(NotFound):
        await picturing.show_page(house.vault, daughter, house.daughters, page)
    assert await house.size() == size


async def test_where_nobody_counted_the_pages_the_file_is_asked(house: Any, daughter: OwnerCaller) -> None:
    await house.change(update(record).values(pages=None))
    with pytest.raises(NotFound):
        await picturing.show_page(house.vault, daughter, house.daughters, 2)
    delivered, broken = await house.last(daughter, 2)
    assert (delivered.kind, broken.kind) == (Kind.DELIVERED, Kind.NOT_DELIVERED)
    assert broken.parts.event["of"] == delivered.index
    assert broken.parts.basis["failure"] == "page_not_there"


async def test_a_strangers_page_is_not_there(house: Any, stranger: OwnerCaller) -> None:
    with pytest.raises(NotFound):
        await picturing.show_page(house.vault, stranger, house.daughters, 1)
    with pytest.raises(NotFound):
        await picturing.show_page(house.vault, stranger, "rec-nothing", 1)


async def test_a_damaged_file_is_not_drawn(house: Any, daughter: OwnerCaller) -> None:
    (blob,) = Path(house.places.store.removeprefix("folder:")).rglob(
        keeping.blob_name(house.daughters, "file").replace("/", ".")
    )
    content = bytearray(blob.read_bytes())
    content[500] ^= 1
    blob.chmod(0o600)
    blob.write_bytes(content)
    with pytest.raises(ContentDamaged):
        await picturing.show_page(house.vault, daughter, house.daughters, 1)
    assert (await house.last(daughter))[0].kind is Kind.NOT_DELIVERED
    assert list(house.vault.scratch.iterdir()) == []


async def test_a_file_that_cannot_be_drawn_is_told_and_entered(
    house: Any, daughter: OwnerCaller, tmp_path: Path
) -> None:
    """A file as an older store may hold it: whole by its digest, and yet no PDF that can be drawn."""
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing")
    broken = await _kept_unexamined(house, daughter, tmp_path / "broken.pdf")
    with pytest.raises(PictureFailed, match="unreadable"):
        await picturing.show_page(house.vault, daughter, broken, 1)
    (entry,) = await house.last(daughter)
    assert (entry.kind, entry.parts.basis["failure"]) == (Kind.NOT_DELIVERED, "unreadable")


async def _kept_unexamined(house: Any, caller: OwnerCaller, file: Path) -> str:
    vault, at = house.vault, house.vault.clock.now()
    found = await vault.workers.examine(file, anchors=[], at=at, max_bytes=1000)
    told = keeping.Description("OTHER", "Bản cũ", "upload")
    kept = await keeping.keep(vault, file, found, told, owners_of=[caller.owner], data=None, at=at)

    async def write(tx: Any) -> str:
        await keeping.write(tx.db, kept, at)
        return str(kept.id)

    return str(await vault.appender.commit(write))
