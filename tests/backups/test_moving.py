"""A vault that moves: frozen first, the same at both ends, served at one of them alone, and back again."""

from pathlib import Path
from typing import Any

import pytest

from reuse_api.settings import Settings
from signing.workers import WorkerPool
from tests.backups.conftest import Command, Filled, Place, opened_at, place_in, reads_all
from vault import moving, standing
from vault.backing_up import back_up
from vault.clock import Clock
from vault.connecting import connect
from vault.errors import VaultLocked
from vault.moving import MoveFailed, NothingToMove, give_up, move
from vault.publishing import publish
from vault.restoring import PlaceNotEmpty
from vault.standing import VaultElsewhere

pytestmark = pytest.mark.anyio


def to(place: Place, *, rows: bool = True, store: bool = True) -> list[str]:
    """Say where a move goes, as an operator does."""
    said = place.settings
    there = ["--to-database", said.database] if rows else []
    if store:
        there += ["--to-store", said.store]
        if said.store_credentials:
            there += ["--to-store-credentials", str(said.store_credentials)]
    return there


def at(place: Place, other: Place, **more: Any) -> Place:
    """Give `place` with the rows and bytes of `other`: keys and log stay."""
    said = {name: getattr(place.settings, name) for name in place.settings.model_fields_set}
    moved = {name: getattr(other.settings, name) for name in ("database", "store", "store_credentials")}
    return Place(Settings(**(said | moved | more)))


async def test_a_vault_moves_to_servers_and_back_and_tells_the_same(
    source: Place, filled: Filled, kho_command: Command, workers: WorkerPool, tmp_path: Path
) -> None:
    async with opened_at(source, filled, workers) as house:
        await publish(house.vault)
    before = await source.inspected()
    server = at(source, place_in("server", tmp_path / "server"))
    done = await kho_command(source, "move", *to(server))
    assert done.status == 0, done.err
    assert f"root {before.root.hex()}, unchanged" in done.out
    assert f"KHO_DATABASE={server.places.database}" in done.out
    async with opened_at(server, filled, workers) as house:
        await reads_all(house, filled)
        await publish(house.vault)
    after = await server.inspected()
    assert after.sound and after.root != before.root and after.records == before.records

    for again in (["renew"], ["revalidate"], ["move", *to(server)], ["backup", tmp_path / "out"]):
        done = await kho_command(source, *again)
        assert done.status == 1 and "was moved to" in done.err, again
    done = await kho_command(source, "move", "--give-up", "--lang", "vi")
    assert done.status == 1 and "không bao giờ từ đây nữa" in done.err

    home = at(source, place_in("embedded", tmp_path / "home"), search=f"tantivy:{tmp_path / 'index'}")
    done = await kho_command(server, "move", *to(home), "--to-search", home.settings.search)
    assert done.status == 0, done.err
    assert "documents indexed" in done.out and f"root {after.root.hex()}" in done.out
    async with opened_at(home, filled, workers) as house:
        await reads_all(house, filled)
        assert await house.vault.index.ready() == (await home.inspected()).records  # type: ignore[union-attr]
    assert (await home.inspected()).sound


@pytest.mark.parametrize("what", ["rows", "store"])
async def test_one_of_the_two_moves_alone(
    source: Place, filled: Filled, kho_command: Command, workers: WorkerPool, tmp_path: Path, what: str
) -> None:
    before = await source.inspected()
    other = place_in("embedded", tmp_path / "other")
    kept = {"rows": {"store": source.settings.store}, "store": {"database": source.settings.database}}[what]
    target = at(source, other, **kept)
    done = await kho_command(source, "move", *to(other, rows=what == "rows", store=what == "store"))
    assert done.status == 0, done.err
    assert (await target.inspected()).root == before.root
    async with opened_at(target, filled, workers) as house:
        await reads_all(house, filled)
    with pytest.raises(VaultElsewhere, match=r"were moved to|was moved to"):
        async with opened_at(source, filled, workers):
            pass
    assert (await target.inspected()).sound


async def test_what_is_served_is_not_moved_and_what_is_moved_is_not_served(
    source: Place, filled: Filled, workers: WorkerPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = at(source, place_in("embedded", tmp_path / "target"))
    now = Clock().now()
    async with opened_at(source, filled, workers):
        with pytest.raises(VaultLocked):
            await move(source.places, target.places, now)

    async def breaks(*_: Any) -> Any:
        raise MoveFailed("on the way")

    with monkeypatch.context() as broken:
        broken.setattr(moving, "load", breaks)
        with pytest.raises(MoveFailed):
            await move(source.places, target.places, now)
    with pytest.raises(VaultElsewhere, match="kho move --give-up"):
        async with opened_at(source, filled, workers):
            pass
    with pytest.raises(VaultElsewhere, match="is being moved"):
        await back_up(source.places, tmp_path / "out", now, keep=1)
    elsewhere = at(source, place_in("embedded", tmp_path / "elsewhere"))
    with pytest.raises(VaultElsewhere, match="is being moved to"):
        await move(source.places, elsewhere.places, now)
    assert (await source.inspected()).sound, "and it may be looked at"

    given = await give_up(source.places)
    assert given is not None and given.peer == moving.place(target.places)
    assert await give_up(source.places) is None
    async with opened_at(source, filled, workers) as house:
        await reads_all(house, filled)
    with pytest.raises(PlaceNotEmpty, match="bytes are in"):
        await move(source.places, target.places, now)
    done = await move(source.places, elsewhere.places, now)
    assert done.size == (await elsewhere.inspected()).entries


async def test_what_differs_at_the_target_stops_it(
    source: Place, filled: Filled, workers: WorkerPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that loses a blob on the way: the move does not end, and goes on once that is mended."""
    target = at(source, place_in("embedded", tmp_path / "target"))
    blobs = Path(target.settings.store.partition(":")[2]) / "blobs"
    loading = moving.load
    lost: dict[Path, bytes] = {}

    async def loses(*said: Any) -> Any:
        path = min(one for one in blobs.rglob("*/*") if "quarantine" not in one.name)
        lost[path] = path.read_bytes()
        path.unlink()
        return await loading(*said)

    with monkeypatch.context() as losing:
        losing.setattr(moving, "load", loses)
        with pytest.raises(MoveFailed, match="blob_missing"):
            await move(source.places, target.places, Clock().now())
    for place in (source, target):
        with pytest.raises(VaultElsewhere):
            async with opened_at(place, filled, workers):
                pass
    done = await move(source.places, target.places, Clock().now())
    assert done.copied == 1
    for path, content in lost.items():
        assert path.read_bytes() == content
    async with opened_at(target, filled, workers) as house:
        await reads_all(house, filled)


async def test_damage_comes_along_as_it_is_and_is_told(source: Place, tmp_path: Path) -> None:
    folder = Path(source.settings.store.partition(":")[2]) / "blobs"
    blobs = sorted(one for one in folder.rglob("*/*") if "quarantine" not in one.name)
    blobs[0].unlink()
    blobs[1].write_bytes(b"rotten")
    before = {one for one in (await source.inspected()).findings if one.harm}
    assert len(before) == 2
    target = at(source, place_in("embedded", tmp_path / "target"))
    done = await move(source.places, target.places, Clock().now())
    assert {one for one in done.findings if one.harm} == before


async def test_a_target_that_is_taken_or_the_source_itself_is_refused(
    source: Place, filled: Filled, tmp_path: Path
) -> None:
    with pytest.raises(NothingToMove):
        await move(source.places, source.places, Clock().now())
    other = filled.copied(tmp_path / "other")
    with pytest.raises(PlaceNotEmpty, match="rows are at"):
        await move(source.places, at(source, other).places, Clock().now())
    rows = await connect(source.places.database, hold="none")
    try:
        async with rows.read() as db:
            assert await standing.standing(db) is None, "nothing was frozen for it"
    finally:
        await rows.close()
