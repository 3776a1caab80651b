"""The folder store beyond the contract: crashes, full disks and lost volumes leave nothing half done."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from storage.durable import temporary_file
from storage.errors import BlobMissing, StoreUnavailable
from storage.folder import FolderStore

pytestmark = pytest.mark.anyio

HOLD_A_HALF_WRITTEN_FILE = """
import sys, time
from pathlib import Path
from storage.durable import temporary_file
with temporary_file(Path(sys.argv[1])) as (path, file):
    file.write(b"half")
    file.flush()
    print("written", flush=True)
    time.sleep(600)
"""

PUT_TOO_MUCH = """
import asyncio, resource, sys
from pathlib import Path
from storage.errors import StoreUnavailable
from storage.folder import FolderStore
async def main():
    root, small, large = map(Path, sys.argv[1:4])
    store = FolderStore(root)
    if sys.argv[4] == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    await store.put("aa", small)
    try:
        await store.put("bb", large)
    except StoreUnavailable as error:
        print("refused:", error)
    await store.put("cc", small)
    await store.ready()
    print([row async for row in store.keys()], [path.name for path in (root / "writing").iterdir()])
asyncio.run(main())
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def names(root: Path) -> set[str]:
    return {path.name for path in root.rglob("*") if path.is_file()}


async def listed(store: FolderStore) -> list[tuple[str, int]]:
    return [row async for row in store.keys()]  # noqa: SIM118 - no mapping


def can_mount() -> bool:
    tool = shutil.which("unshare")
    mount = [str(tool), "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return tool is not None and subprocess.run(mount, capture_output=True, check=False).returncode == 0


def run_put_too_much(tmp_path: Path, how: str, *before: str) -> str:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(bytes(1000))
    large.write_bytes(bytes(3_000_000))
    room = tmp_path / "room"
    room.mkdir()
    program = [sys.executable, "-c", PUT_TOO_MUCH, str(room / "store"), str(small), str(large), how]
    done = subprocess.run([*before, *program], capture_output=True, text=True, check=True, cwd=Path.cwd())
    return done.stdout


async def test_a_limit_on_file_size_refuses_and_leaves_nothing(tmp_path: Path) -> None:
    said = run_put_too_much(tmp_path, "limit")
    assert "refused: The store cannot be read or written just now. (File too large" in said
    assert said.splitlines()[-1] in ("[('aa', 1000), ('cc', 1000)] []", "[('cc', 1000), ('aa', 1000)] []")
    assert names(tmp_path / "room") == {"aa", "cc"}


@pytest.mark.skipif(not can_mount(), reason="no tiny file system may be mounted here")
async def test_a_full_disk_refuses_and_leaves_nothing(tmp_path: Path) -> None:
    mounted = 'mount -t tmpfs -o size=2m none "$0" && exec "$@"'
    said = run_put_too_much(tmp_path, "disk", "unshare", "-rm", "sh", "-c", mounted, str(tmp_path / "room"))
    assert "refused: The store cannot be read or written just now. (No space left" in said
    assert said.splitlines()[-1] in ("[('aa', 1000), ('cc', 1000)] []", "[('cc', 1000), ('aa', 1000)] []")


async def test_what_a_killed_process_left_is_removed_at_opening(tmp_path: Path) -> None:
    await FolderStore(tmp_path / "store").close()
    writing = tmp_path / "store" / "writing"
    program = [sys.executable, "-c", HOLD_A_HALF_WRITTEN_FILE, str(writing)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, cwd=Path.cwd()) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"written\n"
        await FolderStore(tmp_path / "store").close()
        assert len(names(writing)) == 1, "a living process keeps its file"
        other.send_signal(signal.SIGKILL)
        other.wait()
    await FolderStore(tmp_path / "store").close()
    assert names(writing) == set()


async def test_a_put_that_died_between_its_two_names_is_whole(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    source = tmp_path / "source"
    source.write_bytes(b"bytes")
    await store.put("aa", source)
    (blob,) = (path for path in (tmp_path / "store" / "blobs").rglob("aa") if path.is_file())
    os.link(blob, tmp_path / "store" / "writing" / "0123.part")
    await store.close()
    store = FolderStore(tmp_path / "store")
    await store.put("aa", source)
    assert names(tmp_path / "store") == {"aa"}
    await store.close()


async def test_files_and_folders_are_ours_alone(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    source = tmp_path / "source"
    source.write_bytes(b"bytes")
    source.chmod(0o666)
    await store.put("aa", source)
    await store.close()
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "store").rglob("*")} == {0}


async def test_a_lost_volume_is_not_a_missing_blob(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    source = tmp_path / "source"
    source.write_bytes(b"bytes")
    await store.put("aa", source)
    with pytest.raises(BlobMissing):
        await store.open("bb")
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    for attempt in (store.open("aa"), store.put("cc", source), store.delete("aa"), store.ready()):
        with pytest.raises(StoreUnavailable):
            await attempt
    with pytest.raises(StoreUnavailable):
        await listed(store)
    await store.close()


async def test_a_missing_source_is_our_error_too(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    with pytest.raises(StoreUnavailable, match="nothing-here"):
        await store.put("aa", tmp_path / "nothing-here")
    assert names(tmp_path / "store") == set()
    await store.close()


async def test_foreign_files_are_not_listed(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    (tmp_path / "store" / "blobs" / "00" / "README.txt").write_bytes(b"")
    assert await listed(store) == []
    await store.close()


async def test_an_opening_given_up_holds_no_file(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    source = tmp_path / "source"
    source.write_bytes(b"bytes")
    await store.put("aa", source)
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    openings = [asyncio.ensure_future(store.open("aa")) for _ in range(50)]
    await asyncio.sleep(0)
    for opening in openings:
        opening.cancel()
    outcomes = await asyncio.gather(*openings, return_exceptions=True)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
    await store.close()  # every thread has ended, so every opening has
    await asyncio.sleep(0.01)
    after = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    assert after <= before


async def test_a_temporary_file_is_gone_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), temporary_file(tmp_path) as (_, file):
        file.write(b"half")
        raise ZeroDivisionError
    assert names(tmp_path) == set()
