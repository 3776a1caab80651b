"""Opening a vault: what a killed process left is taken up again or cleared away; half a vault is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from signing.workers import WorkerPool
from storage.keyring import create_key_folder, load_or_create_master
from vault.clock import Clock
from vault.errors import VaultIncomplete, VaultLocked
from vault.inspecting import inspect
from vault.migrating import migrate
from vault.opening import Authorities, VaultPlaces, opened
from vault.rows_address import RowsAddress

pytestmark = pytest.mark.anyio


@pytest.fixture
def places(tmp_path: Path) -> VaultPlaces:
    folder = tmp_path / "kho"
    return VaultPlaces(
        RowsAddress(str(folder / "rows.db")),
        f"folder:{folder / 'blobs'}",
        tmp_path / "keys",
        folder / "log",
        folder / "scratch",
    )


def opening(places: VaultPlaces, workers: WorkerPool, *, create: bool = True) -> Any:
    return opened(
        places,
        create=create,
        clock=Clock(),
        issuer="https://kho.test",
        authorities=Authorities(),
        workers=workers,
    )


async def keys_alone(places: VaultPlaces) -> None:
    create_key_folder(places.keys)
    load_or_create_master(places.keys, create=True)


async def rows_alone(places: VaultPlaces) -> None:
    await migrate(places.database)


@pytest.mark.parametrize("half", [keys_alone, rows_alone])
async def test_half_a_vault_is_refused_unless_its_making_was_never_finished(
    places: VaultPlaces, workers: WorkerPool, half: Callable[..., Any]
) -> None:
    places.database.file.parent.mkdir()
    await half(places)
    with pytest.raises(VaultIncomplete, match="belong together; put"):
        async with opening(places, workers):
            pass
    mark = places.database.file.with_suffix(".unfinished")
    mark.touch()
    with pytest.raises(VaultIncomplete, match="never finished"):
        async with opening(places, workers, create=False):
            pass
    with pytest.raises(VaultIncomplete, match="never finished"):
        await inspect(places)
    async with opening(places, workers) as vault:
        size = vault.signer.tree.size
    assert not mark.exists()
    async with opening(places, workers, create=False) as vault:
        assert vault.signer.tree.size == size
    assert (await inspect(places)).sound


async def test_looking_for_a_vault_makes_none(places: VaultPlaces) -> None:
    with pytest.raises(VaultIncomplete, match="no database"):
        await inspect(places)
    assert not places.database.file.parent.exists()


async def test_a_vault_is_made_by_one_process_alone(places: VaultPlaces, workers: WorkerPool) -> None:
    async with opening(places, workers):
        places.database.file.with_suffix(".unfinished").touch()  # as if this one were not done yet
        with pytest.raises(VaultLocked):
            async with opening(places, workers):
                pass


async def test_unsealed_content_of_a_killed_process_is_cleared_away(
    places: VaultPlaces, workers: WorkerPool
) -> None:
    async with opening(places, workers):
        pass
    assert places.scratch.stat().st_mode & 0o077 == 0
    for name in ("0a1b.tmp", ".0a1b.tmp.2c3d.partial", "somebody's.pdf"):
        (places.scratch / name).write_bytes(b"%PDF-")
    async with opening(places, workers):
        assert list(places.scratch.iterdir()) == [], "the folder is the vault's own"
