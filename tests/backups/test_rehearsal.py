"""The rehearsed restore: a filled vault, backed up while open, made again elsewhere, read by its citizen."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from reuse_api.demo import people
from signing.workers import WorkerPool
from tests.backups.conftest import KINDS, Command, Filled, Place, opened_at, place_in, reads_all
from vault import backup_place, blob_copies, hook_queue, hooks, outbox, quarantine_ending, standing
from vault.assertions import TokenRefused
from vault.backing_up import LEFT_OUT, back_up
from vault.backup_examining import examine
from vault.backup_place import (
    BEGUN,
    BackupPlaceTaken,
    Stays,
    begin,
    chosen,
    finish,
    prune,
    whole,
    writing_to,
)
from vault.clock import Clock
from vault.columns import metadata
from vault.connecting import connect
from vault.deposit import upload
from vault.errors import NotAuthenticated
from vault.hook_queue import TOPICS
from vault.hook_tables import webhook
from vault.key_copies import copy_keys
from vault.manifest import MANIFEST
from vault.publishing import publish
from vault.restoring import restore
from vault.tables import session, system, used_assertion

pytestmark = pytest.mark.anyio


async def counted(place: Place) -> dict[str, int]:
    rows = await connect(place.places.database, hold="none")
    try:
        async with rows.read() as db:
            return {
                one.name: (await db.execute(select(func.count()).select_from(one))).scalar_one()
                for one in metadata.sorted_tables
            }
    finally:
        await rows.close()


@pytest.fixture(scope="module")
async def on_server(filled: Filled, backed_up: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The filled vault on PostgreSQL and S3: it came there by a restore."""
    place = place_in("server", tmp_path_factory.mktemp("server"))
    examined = await examine(chosen(backed_up / "backups"))
    keys = [backed_up / "keys"]
    await restore(examined, place.places, Clock().now(), keys_from=keys, log="same")
    return place


@pytest.mark.parametrize("to", KINDS)
@pytest.mark.parametrize("origin", KINDS)
async def test_a_vault_is_made_again_from_its_backup(
    source: Place,
    on_server: Place,
    filled: Filled,
    kho_command: Command,
    workers: WorkerPool,
    tmp_path: Path,
    origin: str,
    to: str,
) -> None:
    source = {"embedded": source, "server": on_server}[origin]
    async with opened_at(source, filled, workers) as house:  # it is open, and goes on
        await reads_all(house, filled)
        await publish(house.vault)
        done = await kho_command(source, "backup", tmp_path / "out", "--keys-to", tmp_path / "apart")
        assert (done.status, done.err) == (0, "")
        before = await source.inspected()
        assert before.root.hex() in done.out
    rows = await counted(source)
    target = place_in(to, tmp_path / "target")
    done = await kho_command(target, "restore", tmp_path / "out", "--keys-from", tmp_path / "apart")
    assert done.status == 1 and "--new-origin" in done.err, "nobody knows what was signed after the backup"
    assert not Path(target.settings.keys).exists()

    digest = next(one for one in (await _backups(kho_command, source, tmp_path)).split() if len(one) == 64)
    said = ("--keys-from", tmp_path / "apart", "--same-origin", "--manifest", digest)
    done = await kho_command(target, "restore", tmp_path / "out", *said)
    assert done.status == 0, done.err
    after = await target.inspected()
    assert (after.entries, after.root, after.records) == (before.entries, before.root, before.records)
    assert after.blobs == before.blobs and after.sound, after.findings
    assert await counted(target) == rows | dict.fromkeys(LEFT_OUT, 0)

    async with opened_at(target, filled, workers) as house:
        await reads_all(house, filled)
        await publish(house.vault)
        assert house.vault.signer.tree.root(before.entries) == before.root
    assert (await target.inspected()).sound


async def _backups(kho_command: Command, source: Place, tmp_path: Path) -> str:
    """Back up once more; nothing is new, and what the manifest's hash is is told."""
    before = len(whole(tmp_path / "out"))
    done = await kho_command(source, "backup", tmp_path / "out", "--keys-to", tmp_path / "apart")
    assert done.status == 0 and "0 of them new" in done.out
    assert len(whole(tmp_path / "out")) == before + 1
    return str(done.out).partition("SHA-256 of the manifest:")[2]


async def test_what_is_new_alone_is_copied_and_old_backups_go(
    source: Place, filled: Filled, workers: WorkerPool, tmp_path: Path, scanned: Any
) -> None:
    first = await back_up(source.places, tmp_path / "out", Clock().now(), keep=2)
    assert first.written == first.manifest.blobs.rows > 5
    async with opened_at(source, filled, workers) as house:
        file = scanned("một tờ mới")
        daughter = await house.owner(people.DAUGHTER)
        said = {"title": "Mới", "type": None, "declared_type": "application/pdf", "key": "new"}
        await upload(house.vault, daughter, file, **said)
    second = await back_up(source.places, tmp_path / "out", Clock().now(), keep=2)
    assert second.written == 1 and second.pruned == ()
    assert second.manifest.blobs.rows == first.manifest.blobs.rows + 1
    shared = [one for one in (first.folder / "blobs").rglob("*") if one.is_file()]
    assert all((second.folder / one.relative_to(first.folder)).samefile(one) for one in shared)

    spoilt = shared[0]  # rotten on the disk of the backups: the next one copies it anew
    content = spoilt.read_bytes()
    spoilt.write_bytes(content[:-1])
    third = await back_up(source.places, tmp_path / "out", Clock().now(), keep=2)
    assert third.written == 1 and third.pruned == (first.folder.name,)
    assert (third.folder / spoilt.relative_to(first.folder)).read_bytes() == content
    assert whole(tmp_path / "out") == [second.folder, third.folder]
    await examine(third.folder)


async def test_a_backup_after_a_clock_that_was_ahead_is_the_newest_all_the_same(
    source: Place, tmp_path: Path
) -> None:
    ahead = Clock().now() + timedelta(days=400)
    wrong = [await back_up(source.places, tmp_path / "out", ahead, keep=2) for _ in range(2)]
    later = await back_up(source.places, tmp_path / "out", Clock().now(), keep=2)
    assert later.pruned == (wrong[0].folder.name,)
    assert whole(tmp_path / "out") == [wrong[1].folder, later.folder]
    assert chosen(tmp_path / "out") == later.folder
    assert later.manifest.made_at < wrong[1].manifest.made_at


async def test_a_file_that_is_ended_while_it_is_copied_is_in_no_backup(
    source: Place, filled: Filled, workers: WorkerPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are read, then a file in quarantine is destroyed, then the blobs are copied."""
    async with opened_at(source, filled, workers) as house:
        (item,) = [one.id for one in await _quarantined(house)]
        copying, rounds = blob_copies.into_backup, []

        async def destroyed_first(*said: Any, **how: Any) -> Any:
            if not rounds:
                await quarantine_ending.destroy(house.vault, None, item, reason="thử")
            rounds.append(said)
            return await copying(*said, **how)

        monkeypatch.setattr(blob_copies, "into_backup", destroyed_first)
        done = await back_up(source.places, tmp_path / "out", Clock().now(), keep=1)
    assert len(rounds) == 2 and done.manifest.damaged == {}
    target = place_in("embedded", tmp_path / "target")
    copy_keys(source.places.keys, tmp_path / "apart", Clock().now(), 1)
    examined = await examine(done.folder)
    restored = await restore(
        examined, target.places, Clock().now(), keys_from=[tmp_path / "apart"], log="same"
    )
    assert not [one for one in restored.findings if one.harm or one.code.startswith(("blob", "orphan"))]


async def _quarantined(house: Any) -> Any:
    return await quarantine_ending.my_quarantine(house.vault, await house.owner(people.DAUGHTER))


async def test_what_is_damaged_in_the_vault_is_told_and_all_else_is_kept(
    source: Place, filled: Filled, kho_command: Command, workers: WorkerPool, tmp_path: Path
) -> None:
    blobs = sorted((Path(source.settings.store.partition(":")[2]) / "blobs").rglob("*/*"))
    blobs[0].unlink()
    blobs[1].write_bytes(b"rotten")
    done = await kho_command(source, "backup", tmp_path / "out", "--keys-to", tmp_path / "apart")
    assert done.status == 1
    assert done.err.count("HARM") == 2 and "blob_missing" in done.err and "blob_changed" in done.err
    target = place_in("embedded", tmp_path / "target")
    said = ("--keys-from", tmp_path / "apart", "--same-origin")
    done = await kho_command(target, "restore", tmp_path / "out", *said)
    assert done.status == 1 and "records" in done.out
    found = {one.code for one in (await target.inspected()).findings if one.harm}
    assert found <= {"blob_missing"}
    async with opened_at(target, filled, workers):
        pass


async def test_what_the_vault_lost_since_the_backup_before_is_told_and_kept(
    source: Place, kho_command: Command, tmp_path: Path
) -> None:
    """All of it is in the backup already: the store is asked all the same, and read if that is wanted."""
    first = await back_up(source.places, tmp_path / "out", Clock().now(), keep=9)
    blobs = sorted((Path(source.settings.store.partition(":")[2]) / "blobs").rglob("*/*"))
    blobs[0].unlink()
    blobs[1].write_bytes(b"rotten")
    blobs[2].write_bytes(bytes(byte ^ 1 for byte in blobs[2].read_bytes()))
    done = await kho_command(source, "backup", tmp_path / "out", "--lang", "en")
    assert done.status == 1 and done.err.count("HARM") == 2
    assert "blob_missing in the vault itself; the backup has it" in done.err and "blob_changed" in done.err
    assert "0 of them new" in done.out
    done = await kho_command(source, "backup", tmp_path / "out", "--read-store", "--lang", "vi")
    assert done.status == 1 and done.err.count("HỎNG") == 3
    newest = await examine(chosen(tmp_path / "out"))
    assert newest.manifest.damaged == {} and newest.manifest.blobs.rows == first.manifest.blobs.rows


def test_the_last_of_each_day_and_week_stays_beside_the_newest(tmp_path: Path) -> None:
    """What is spoilt over a night pushes out no good backup of the days before."""
    start = datetime(2026, 10, 1, tzinfo=UTC)  # a Thursday
    for hours in range(24 * 40):
        with writing_to(tmp_path):
            begun = begin(tmp_path, frozenset())
            (begun / MANIFEST).touch()
            finish(begun, start + timedelta(hours=hours))
        prune(tmp_path, Stays(newest=3, days=4, weeks=3))
    stayed = [one.name for one in whole(tmp_path)]
    assert stayed == [
        "20261101T230000Z",
        "20261106T230000Z",
        "20261107T230000Z",
        "20261108T230000Z",
        "20261109T210000Z",
        "20261109T220000Z",
        "20261109T230000Z",
    ]


async def test_a_restored_vault_tells_no_web_hook_by_itself(
    source: Place, kho_command: Command, tmp_path: Path
) -> None:
    """What waited when the backup was made is not sent: neither in a rehearsal, nor to whoever left since."""
    rows, at = await connect(source.places.database, hold="alone"), Clock().now()
    async with rows.write() as db:
        caller = (await db.execute(select(system.c.id, system.c.agency))).first()
        assert caller is not None
        for name in ("whk-confirmed", "whk-asked"):
            await hooks.add(db, name, *caller, url=f"https://{name}.example/", topics=TOPICS, at=at)
        await hooks.confirm(db, "whk-confirmed", at)
        await hook_queue.queue(db, "whk-confirmed", TOPICS[0], "rec-1", {}, at)
    await rows.close()
    done = await kho_command(source, "backup", tmp_path / "out", "--keys-to", tmp_path / "apart")
    assert done.status == 0
    target = place_in("embedded", tmp_path / "target")
    said = ("--keys-from", tmp_path / "apart", "--same-origin", "--lang", "en")
    done = await kho_command(target, "restore", tmp_path / "out", *said)
    assert done.status == 0 and "1 web hooks are paused" in done.out, done.err
    rows = await connect(target.places.database, hold="none")
    async with rows.read() as db:
        found = {row.id: row.state for row in await db.execute(select(webhook.c.id, webhook.c.state))}
        assert found == {"whk-confirmed": "paused", "whk-asked": "ended"}
        assert await hooks.due(db, at + timedelta(days=1), 9) == []
        assert (await outbox.lag(db, hook_queue.topic_of("whk-confirmed"))).waiting == 1, "it is kept"
    await rows.close()


async def test_nothing_of_a_sign_in_or_a_token_comes_back(
    source: Place, filled: Filled, backed_up: Path, workers: WorkerPool, tmp_path: Path
) -> None:
    """A stolen backup gives no session, and what was stolen before the restore is good for nothing after."""
    target = place_in("embedded", tmp_path / "target")
    async with opened_at(source, filled, workers) as house:
        secret = await house.session(people.DAUGHTER)
        told = (await house.system(people.POLICE)).token
        await house.vault.gate.check_session(secret)
        assertion = (await house.rows(select(used_assertion.c.jti)))[0].jti
        done = await back_up(source.places, tmp_path / "out", Clock().now(), keep=1)
    copy_keys(source.places.keys, tmp_path / "apart", Clock().now(), 1)
    examined = await examine(done.folder)
    await restore(examined, target.places, Clock().now(), keys_from=[tmp_path / "apart"], log="same")
    async with opened_at(target, filled, workers) as house:
        assert await house.rows(select(session)) == []
        with pytest.raises(NotAuthenticated):
            await house.vault.gate.check_session(secret)
        with pytest.raises(TokenRefused, match="signature"):
            house.vault.gate.check_token(told)
        known = [one.jti for one in await house.rows(select(used_assertion.c.jti))]
        assert assertion in known, "an assertion is not good twice, before and after"
        await reads_all(house, filled)


async def test_a_second_backup_at_once_is_refused(source: Place, tmp_path: Path) -> None:
    with backup_place.writing_to(tmp_path / "out"), pytest.raises(BackupPlaceTaken, match="being made"):
        await back_up(source.places, tmp_path / "out", Clock().now(), keep=1)


async def test_manifest_tells_what_is_there(backed_up: Path) -> None:
    said = json.loads((chosen(backed_up / "backups") / MANIFEST).read_text())
    assert said["format"] == "kho-backup/1" and said["kho"] and said["schema"]
    tables = {one["table"] for one in said["rows"]}
    assert tables == {one.name for one in metadata.sorted_tables} - LEFT_OUT
    assert said["log"]["checkpoint"].startswith(said["log"]["origin"] + "\n")
    assert not (backed_up / "backups" / BEGUN).exists()
    assert standing.NOTE not in json.dumps(said)


async def test_rehearsing_changes_nothing(
    source: Place, filled: Filled, kho_command: Command, backed_up: Path
) -> None:
    done = await kho_command(source, "restore", backed_up / "backups", "--check-only")
    assert done.status == 0 and "whole" in done.out
    found = await source.inspected()
    assert found.sound
