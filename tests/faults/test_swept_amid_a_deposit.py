"""The server of the rows restarts amid a deposit, and somebody sweeps: the blob stays for its record."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reuse_api.demo import people
from storage.blobs import BlobStore
from tests.conftest import House
from tests.servers.postgres import end_connections
from vault import deliver, deposit
from vault.connecting import connect
from vault.errors import VaultBusy
from vault.inspecting import inspect
from vault.keeping import blob_name

pytestmark = pytest.mark.anyio
ROWS = ("postgresql",)


class Held:
    """A store in which a file is put, and whose caller is told of it later."""

    def __init__(self, real: BlobStore) -> None:
        self._real = real
        self.put_already, self.go_on = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def put(self, key: str, source: Path) -> None:
        await self._real.put(key, source)
        self.put_already.set()
        await self.go_on.wait()


async def test_a_blob_on_its_way_to_its_row_is_not_swept(house: House, pdf: Any, tmp_path: Path) -> None:
    owner, store = await house.owner(people.DAUGHTER), Held(house.vault.store)
    left_behind = blob_name("rec-" + "0" * 32, "file")
    (tmp_path / "spare").write_bytes(b"sealed, and its row was never written")
    await house.vault.store.put(left_behind, tmp_path / "spare")
    (lying,) = (tmp_path / "kho" / "blobs" / "blobs").rglob(left_behind.replace("/", "."))
    os.utime(lying, (0, 0))

    said = {"title": "Giấy tờ", "type": None, "declared_type": "application/pdf", "key": "amid"}
    vault = replace(house.vault, store=store)  # type: ignore[arg-type]
    uploading = asyncio.create_task(deposit.upload(vault, owner, pdf("amid"), **said))
    await store.put_already.wait()
    end_connections(house.places.database.text)
    found = await inspect(house.places, sweep=True)  # our place among the processes is lost, and free
    kept = [one for one in found.findings if one.code == "orphan_blob"]
    assert [one.what for one in found.findings if one.code == "orphan_swept"] == [left_behind]
    assert len(kept) == 1, "it is on its way"
    store.go_on.set()
    told = await uploading
    delivery = await deliver.read_own(house.vault, owner, told["record"])
    assert isinstance(delivery, deliver.Delivery)
    assert (await house.drained(delivery))[:5] == b"%PDF-"
    assert (await inspect(house.places)).sound


async def test_who_would_write_while_the_rows_are_swept_is_told_to_try_again(house: House) -> None:
    end_connections(house.places.database.text)
    alone = await connect(house.places.database, hold="alone")
    try:
        with pytest.raises(VaultBusy, match="swept"):
            async with house.vault.db.write():
                pass
    finally:
        await alone.close()
    async with house.vault.db.write():
        pass
