"""Backup and restore of many records, in both set-ups: the first backup, the next one, and a restore."""

import os
import shutil
import time
from collections.abc import AsyncIterator, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from benchmarks.house import SIZE, built, release_many
from benchmarks.setups import SetUp, set_ups
from benchmarks.table import Row
from reuse_api.settings import Settings
from reuse_api.wiring import places_of
from signing.leaf import Kind, Parts
from tests.servers import postgres
from vault import entries
from vault.at_once import each
from vault.backing_up import back_up
from vault.backup_examining import examine
from vault.clock import Clock
from vault.restoring import restore
from vault.services import Vault
from vault.tables import record, record_owner, signature_report
from vault.telling import VAULT_HOLDER, nothing_to_check

_PORT = 8080  # nobody is served
_AT_ONCE = 200


async def measure(folder: Path, count: int) -> Iterable[Row]:
    """Back up and restore a vault of `count` records of `SIZE` bytes each, a log entry for each.

    Records are copies of one that was handed in, each with a blob of its own: sealed bytes look all alike.
    """
    rows: list[Row] = []
    with set_ups(folder / "servers", search=False) as there:
        for number, one in enumerate(there):
            rows += await _measured(folder / f"kho{number}", one, count)
            shutil.rmtree(folder / f"kho{number}")
    return rows


async def _measured(folder: Path, setup: SetUp, count: int) -> list[Row]:
    async with built(folder, _PORT, {"search": "none", **setup.places}) as (house, vault):
        await release_many(house, vault, 1)
        await _fill(vault, folder, count)
    places, out = places_of(house.settings), folder / "out"
    took = {}
    for name in ("backup", "backup again, nothing new"):
        started = time.perf_counter()
        done = await back_up(places, out, Clock().now(), keep=1)
        took[name] = time.perf_counter() - started
    started = time.perf_counter()
    examined = await examine(done.folder)
    took["check of a backup"] = time.perf_counter() - started
    target = _target(house.settings, folder / "target", setup)
    shutil.copytree(house.settings.keys, target.keys)
    started = time.perf_counter()
    await restore(examined, places_of(target), Clock().now(), log="new")
    took["restore, checked before"] = time.perf_counter() - started
    size = done.manifest.blob_bytes / 2**20
    told = f"{count:,} records of {SIZE // 1024} KiB, {done.manifest.log.size:,} entries"
    return [
        Row(f"{name}, {setup.name}", f"{seconds:,.1f} s", f"{size / seconds:,.0f} MiB/s", told)
        for name, seconds in took.items()
    ]


def _target(source: Settings, folder: Path, setup: SetUp) -> Settings:
    """Give empty places of the same kind."""
    folder.mkdir()
    said: dict[str, Any] = {"database": str(folder / "rows.db"), "store": f"folder:{folder / 'blobs'}"}
    if setup.places:
        sockets = source.database.partition("?host=")[2]
        said = {"database": postgres.fresh_database(sockets=sockets), "store": f"{source.store}/restored"}
    said |= {"keys": folder / "keys", "log_folder": folder / "log", "scratch": folder / "scratch"}
    return source.model_copy(update=said)


async def _fill(vault: Vault, folder: Path, count: int) -> None:
    """Write records with a blob each, and an entry for each."""
    async with vault.db.read() as db:
        model = dict((await db.execute(select(record).limit(1))).one()._mapping)
        held = dict((await db.execute(select(record_owner).limit(1))).one()._mapping)
        report = dict((await db.execute(select(signature_report).limit(1))).one()._mapping)
        holders = await entries.holders(db, [VAULT_HOLDER])

    async def numbers() -> AsyncIterator[range]:
        for start in range(0, count, _AT_ONCE):
            yield range(start, min(start + _AT_ONCE, count))

    async def write(some: range) -> None:
        rows = []
        for number in some:
            content = os.urandom(SIZE)
            path = folder / f"{number}.tmp"
            path.write_bytes(content)
            await vault.store.put(f"bench/{number:08d}", path)
            path.unlink()
            told = {"id": f"rec-bench-{number:08d}", "blob": f"bench/{number:08d}", "sealed_size": SIZE}
            rows.append(model | told | {"sealed_sha256": sha256(content).digest(), "replaced_by": None})
        codes = {one["id"]: {"record": one["id"], "document_code": f"bench-{one['id']}"} for one in rows}
        async with vault.db.write() as db:
            await db.execute(insert(record), rows)
            await db.execute(insert(record_owner), [held | one for one in codes.values()])
            await db.execute(insert(signature_report), [report | {"record": one} for one in codes])
        prepared = [_entry(vault, holders) for _ in some]
        await vault.appender.append(prepared, nothing_to_check)

    await each(numbers(), write)


def _entry(vault: Vault, holders: list[entries.Holder]) -> entries.Prepared:
    at = vault.clock.now()
    event = {"type": "measured", "result": "permitted", "at": at.isoformat()}
    parts = Parts({}, {"system": "vault"}, {}, {"facts": {"padding": "x" * 2000}}, event)
    return entries.prepare(Kind.HEARTBEAT, parts, holders, at=at, caller_kind="vault", caller="vault")
