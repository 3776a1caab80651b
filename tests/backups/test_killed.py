"""Killed in the middle, or on a full disk: nothing half-done is taken for whole, and the next run goes on."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from signing.workers import WorkerPool
from tests.backups.conftest import Filled, Place, opened_at, place_in, reads_all
from tests.backups.test_moving import at, to
from vault import blob_copies, key_copies
from vault.backing_up import back_up
from vault.backup_examining import examine
from vault.backup_place import BackupUnwritable, chosen, whole
from vault.clock import Clock
from vault.errors import VaultError
from vault.inspecting import Inspection
from vault.key_copies import copy_keys, examine_keys
from vault.manifest import BLOBS, BackupCut

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
FEW, MANY = 2, 25


def command(place: Place, last: int, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.backups.dying", str(last), *map(str, arguments)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **place.environment},
        capture_output=True,
        text=True,
        check=False,
    )


def steps_of(done: subprocess.CompletedProcess[str]) -> int:
    assert done.returncode == 0, done.stderr
    return int(done.stdout.splitlines()[-1].removeprefix("steps "))


def points(count: int, wanted: int) -> list[int]:
    """Some of the steps, the last ones among them: it is there that a command says that it is done."""
    spread = {1 + (count - 1) * n // wanted for n in range(1, wanted + 1)}
    return sorted(spread | ({count - 1, count - 3} if wanted > FEW else set()))


wanted = pytest.mark.parametrize("wanted", [FEW, pytest.param(MANY, marks=pytest.mark.long)])


@wanted
async def test_a_backup_that_is_killed_is_none_and_the_next_goes_on(
    filled: Filled, tmp_path: Path, wanted: int
) -> None:
    source = filled.copied(tmp_path / "source")
    said = ("backup", tmp_path / "out", "--keys-to", tmp_path / "apart", "--keep", "1")
    count = steps_of(command(source, 0, *said))
    assert len(whole(tmp_path / "out")) == 1
    for last in points(count, wanted):
        for one in ("out", "apart"):
            shutil.rmtree(tmp_path / one)
        assert command(source, last, *said).returncode == -9
        for folder, name in (("out", "manifest.json"), ("apart", key_copies.LIST)):
            try:
                found = chosen(tmp_path / folder, name)
            except (BackupCut, OSError):
                continue
            if folder == "out":
                await examine(found)
            else:
                examine_keys([found])
        again = command(source, 0, *said)
        assert again.returncode == 0, again.stderr
        assert len(whole(tmp_path / "out")) == 1
        examined = await examine(chosen(tmp_path / "out"))
        listed = {
            blob_copies.place_of(examined.folder, key)
            async for key, _ in blob_copies.listed_blobs(examined.folder / BLOBS)
        }
        assert listed == {one for one in (examined.folder / "blobs").rglob("*") if one.is_file()}
        examine_keys([tmp_path / "apart"])


async def refused(place: Place, filled: Filled, workers: WorkerPool) -> bool:
    try:
        async with opened_at(place, filled, workers):
            return False
    except (VaultError, OSError):
        return True


@wanted
async def test_a_restore_that_is_killed_is_no_vault_and_goes_on(
    filled: Filled, backed_up: Path, workers: WorkerPool, tmp_path: Path, wanted: int
) -> None:
    said = ("restore", backed_up / "backups", "--keys-from", backed_up / "keys", "--new-origin")
    count = steps_of(command(place_in("embedded", tmp_path / "first"), 0, *said))
    for last in points(count, wanted):
        target = place_in("embedded", tmp_path / f"target{last}")
        assert command(target, last, *said).returncode == -9
        ended = not await refused(target, filled, workers)
        if not ended:
            again = command(target, 0, *said)
            assert again.returncode == 0, again.stderr
        await _right(target, filled, workers)
        shutil.rmtree(tmp_path / f"target{last}")


async def _right(target: Place, filled: Filled, workers: WorkerPool) -> None:
    async with opened_at(target, filled, workers) as house:
        await reads_all(house, filled)
    found = await target.inspected()
    assert found.sound and [one.code for one in found.findings].count("origin") == 1
    assert not list(target.places.keys.parent.glob("*.arriving*"))


@wanted
async def test_a_move_that_is_killed_goes_on_and_never_are_both_served(
    filled: Filled, workers: WorkerPool, tmp_path: Path, wanted: int
) -> None:
    first = filled.copied(tmp_path / "first")
    before = await first.inspected()
    count = steps_of(command(first, 0, "move", *to(place_in("embedded", tmp_path / "first-to"))))
    for last in points(count, wanted):
        source = filled.copied(tmp_path / f"source{last}")
        target = place_in("embedded", tmp_path / f"target{last}")
        assert command(source, last, "move", *to(target)).returncode == -9
        moved = at(source, target)
        served = [not await refused(one, filled, workers) for one in (source, moved)]
        assert served != [True, True]
        if served == [False, False]:
            again = command(source, 0, "move", *to(target))
            assert again.returncode == 0, again.stderr
            served = [False, True]
        if served == [True, False]:  # killed before it was frozen
            continue
        await _moved(before, source, moved, filled, workers)
        shutil.rmtree(tmp_path / f"source{last}")


async def _moved(
    before: Inspection, source: Place, moved: Place, filled: Filled, workers: WorkerPool
) -> None:
    assert await refused(source, filled, workers)
    async with opened_at(moved, filled, workers) as house:
        assert house.vault.signer.tree.root(before.entries) == before.root
        await reads_all(house, filled)
    assert (await moved.inspected()).sound


@pytest.mark.long
async def test_a_move_to_servers_that_is_killed_goes_on(
    filled: Filled, workers: WorkerPool, tmp_path: Path
) -> None:
    """Before the rows are committed, before the source says that they moved, before the target is served."""
    before = await filled.copied(tmp_path / "first").inspected()
    count = steps_of(
        command(
            filled.copied(tmp_path / "counted"), 0, "move", *to(place_in("server", tmp_path / "counted-to"))
        )
    )
    source = filled.copied(tmp_path / "source")
    target = place_in("server", tmp_path / "target")
    for last in (count // 2, 12, 10, 8, 6, 4):
        died = command(source, last, "move", *to(target))
        assert died.returncode in (-9, 0), died.stderr
        if died.returncode == 0:
            break
    again = command(source, 0, "move", *to(target))
    assert again.returncode == 0 or "was moved to" in again.stderr, again.stderr
    await _moved(before, source, at(source, target), filled, workers)


# A disk that takes no more


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Let this process write no file longer than that, as a full disk would not."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # or half of it is kept, for everybody
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [40_000, 100_000])
async def test_a_backup_for_which_there_is_no_room_says_so_and_the_one_before_stays(
    source: Place, tmp_path: Path, small_files: Callable[[int], None], size: int
) -> None:
    first = await back_up(source.places, tmp_path / "out", Clock().now(), keep=1)
    shutil.rmtree(first.folder / "blobs" / "00", ignore_errors=True)
    other = tmp_path / "other"
    small_files(size)
    with pytest.raises(BackupUnwritable, match="File too large"):
        await back_up(source.places, other, Clock().now(), keep=1)
    with pytest.raises(BackupCut):
        chosen(other)
    small_files(resource.RLIM_INFINITY)
    done = await back_up(source.places, other, Clock().now(), keep=1)
    await examine(done.folder)


async def test_keys_for_which_there_is_no_room_are_no_copy(
    source: Place, tmp_path: Path, small_files: Callable[[int], None]
) -> None:
    at_ = Clock().now()
    small_files(50)
    with pytest.raises(BackupUnwritable):
        copy_keys(source.places.keys, tmp_path / "apart", at_, 1)
    small_files(resource.RLIM_INFINITY)
    with pytest.raises(BackupCut):
        examine_keys([tmp_path / "apart"])
    copy_keys(source.places.keys, tmp_path / "apart", at_, 1)
    examine_keys([tmp_path / "apart"])


async def test_a_restore_for_which_there_is_no_room_is_no_vault(
    filled: Filled, backed_up: Path, workers: WorkerPool, tmp_path: Path
) -> None:
    said = ("restore", backed_up / "backups", "--keys-from", backed_up / "keys", "--same-origin")
    target = place_in("embedded", tmp_path / "target")
    small = f"import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({{}}, {{}})); {_RUN}"
    for size in (30, 4_000, 200_000):
        done = subprocess.run(
            [sys.executable, "-c", small.format(size, size), *map(str, said)],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "LC_ALL": "C.UTF-8",
                "PYTHONDONTWRITEBYTECODE": "1",  # or half of it is kept, for everybody
                **target.environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
        assert await refused(target, filled, workers)
    done = command(target, 0, *said)
    assert done.returncode == 0, done.stderr
    async with opened_at(target, filled, workers) as house:
        await reads_all(house, filled)


_RUN = "from reuse_api.__main__ import run; sys.exit(run(sys.argv[1:]))"
