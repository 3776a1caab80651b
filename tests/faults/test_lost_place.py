"""A process that lost its place among those who have the rows open: what moved meanwhile it never touches."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from reuse_api.demo import people
from tests.servers import postgres
from tests.servers.parts import Parts, running_parts
from vault import standing
from vault.connecting import connect
from vault.database import Database
from vault.errors import VaultLocked
from vault.rows_address import RowsAddress
from vault.standing import VaultElsewhere
from vault.tables import log_head, outbox

pytestmark = pytest.mark.anyio
ROWS = ("postgresql",)


async def _alone(address: RowsAddress, does: Callable[[Database], Awaitable[None]]) -> None:
    """Take the rows whole once all others have lost their place, as `kho move` does."""
    for _ in range(600):
        postgres.end_connections(address.text)
        try:
            rows = await connect(address, hold="alone")
        except VaultLocked:  # somebody was back before us
            continue
        try:
            await does(rows)
        finally:
            await rows.close()
        return
    raise AssertionError("the rows were never free")


async def _put(rows: Database) -> None:
    async with rows.write() as db:
        await standing.put(db, "moved", "elsewhere", datetime.now(UTC))


async def _clear(rows: Database) -> None:
    async with rows.write() as db:
        await standing.clear(db)


async def _size(address: RowsAddress) -> int:
    rows = await connect(address, hold="none")
    try:
        async with rows.read() as db:
            return int((await db.execute(select(log_head.c.size))).scalar_one())
    finally:
        await rows.close()


async def test_rows_that_moved_away_are_not_written_and_never_again(
    open_house: Any, rows_address: RowsAddress
) -> None:
    async with open_house() as house:
        caller = await house.system(people.COMMUNE)
        await _alone(rows_address, _put)
        before = await _size(rows_address)
        for _ in range(2):
            with pytest.raises(VaultElsewhere, match="was moved to elsewhere"):
                await house.opens(caller, people.COMMUNE, house.reregistration())
            with pytest.raises(VaultElsewhere):
                async with house.vault.db.beside() as db:
                    await db.execute(select(func.count()).select_from(outbox))
            with pytest.raises(VaultElsewhere):
                async with house.vault.db.read() as db:
                    await db.execute(select(func.count()).select_from(outbox))
            await _alone(rows_address, _clear)  # what is done later does not bring it back
        assert await _size(rows_address) == before


async def test_a_place_that_the_server_gave_up_unheard_is_no_place(
    open_house: Any, rows_address: RowsAddress
) -> None:
    """The connection looks open here, but the lock is gone: the head itself is not given."""
    async with open_house() as house:
        caller = await house.system(people.COMMUNE)
        presence = house.vault.db._presence

        async def deaf() -> None:
            return None

        presence.hold = deaf
        await _alone(rows_address, _put)
        before = await _size(rows_address)
        with pytest.raises(VaultElsewhere):
            await house.opens(caller, people.COMMUNE, house.reregistration())
        with pytest.raises(VaultElsewhere):
            async with house.vault.db.beside():
                pass
        assert await _size(rows_address) == before


async def test_bytes_that_moved_alone_are_not_written_at_the_old_place(
    open_house: Any, rows_address: RowsAddress, tmp_path: Path
) -> None:
    async with open_house() as house:
        caller = await house.system(people.COMMUNE)

        async def moves(rows: Database) -> None:
            async with rows.write() as db:
                await standing.put(db, "moving", "another store", datetime.now(UTC))
            await standing.leave_note(house.vault.store, "another store", tmp_path)
            async with rows.write() as db:
                await standing.served_again(db, "another store", datetime.now(UTC))

        await _alone(rows_address, moves)
        before = await _size(rows_address)
        with pytest.raises(VaultElsewhere, match="changed"):
            await house.opens(caller, people.COMMUNE, house.reregistration())
        assert await _size(rows_address) == before
    rows = await connect(rows_address, hold="writing")  # whoever opens them afresh finds nothing against it
    await standing.require_here(rows, "here")
    async with rows.write():
        pass
    await rows.close()


async def test_a_place_that_is_lost_is_taken_again_without_a_write(
    open_house: Any, rows_address: RowsAddress
) -> None:
    """`kho move` is refused again soon after the server came back, though nobody wrote."""
    async with open_house():
        postgres.end_connections(rows_address.text)
        for _ in range(200):
            try:
                rows = await connect(rows_address, hold="alone")
            except VaultLocked:
                return
            await rows.close()
            await asyncio.sleep(0.1)
    raise AssertionError("nobody took the place again")


@pytest.fixture
def parts(folder: Path, rows_address: RowsAddress) -> Iterator[Parts]:
    with running_parts(folder, rows_address.text) as made:
        yield made


async def test_processes_that_stood_still_while_the_vault_moved_serve_nothing(
    parts: Parts, rows_address: RowsAddress
) -> None:
    """Serve, gate and signer stopped, their connections lost, the rows moved away; then they go on.

    The session is looked up by the gate alone.
    """

    def asked(place: str) -> int:
        cookie = {"Cookie": "__Host-kho_session=a-session-of-nobody"}
        url = f"http://127.0.0.1:{parts.ports['serve']}{place}"
        return httpx.get(url, headers=cookie, timeout=60).status_code

    async def until(wanted: tuple[int, int]) -> None:
        for _ in range(600):
            told = await asyncio.to_thread(lambda: (asked("/v1/me/records"), asked("/readyz")))
            if told == wanted:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{told} for ever")

    await until((401, 200))
    held = [parts.running[name] for name in ("serve", "gate", "sign")]
    for one in held:
        one.send_signal(signal.SIGSTOP)
    try:
        await _alone(rows_address, _put)
        before = await _size(rows_address)
    finally:
        for one in held:
            one.send_signal(signal.SIGCONT)
    await until((503, 503))
    await _alone(rows_address, _clear)
    for _ in range(3):
        await asyncio.sleep(1)
        assert (asked("/v1/me/records"), asked("/readyz")) == (503, 503), "for good"
    assert await _size(rows_address) == before
