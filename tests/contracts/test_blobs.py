"""What every store of bytes promises; each adapter is run through all of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from storage.blobs import BlobStore
from storage.errors import BlobConflict, BlobKeyInvalid, BlobMissing
from storage.opening import open_store
from tests.servers import seaweed

pytestmark = pytest.mark.anyio

Opener = Callable[[], BlobStore]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["folder", "s3", "s3 with versions"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Open the one store of this test, as another process would: same place, nothing shared in memory."""
    if request.param == "folder":
        return lambda: open_store(f"folder:{tmp_path / 'store'}")
    address, access = seaweed.fresh_store(tmp_path, lock=request.param == "s3 with versions")
    return lambda: open_store(address, access)


@pytest.fixture
async def store(reopen: Opener) -> AsyncIterator[BlobStore]:
    opened = reopen()
    yield opened
    await opened.close()


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    count = iter(range(10_000))

    def write(content: bytes) -> Path:
        path = tmp_path / f"source-{next(count)}"
        path.write_bytes(content)
        return path

    return write


Writer = Callable[[bytes], Path]


async def read(store: BlobStore, key: str) -> bytes:
    async with await store.open(key) as reader:
        return await reader.read_at(0, reader.size)


async def listed(store: BlobStore) -> dict[str, int]:
    rows = [row async for row in store.keys()]  # noqa: SIM118 - no mapping
    assert len(dict(rows)) == len(rows)
    return dict(rows)


@pytest.mark.parametrize("content", [b"", b"x", bytes(range(256)) * 9001])
async def test_what_was_put_is_read(store: BlobStore, file: Writer, content: bytes) -> None:
    await store.put("ab12/file", file(content))
    assert await read(store, "ab12/file") == content
    async with await store.open("ab12/file") as reader:
        assert reader.size == len(content)


async def test_put_keeps_the_source_and_does_not_follow_its_changes(store: BlobStore, file: Writer) -> None:
    source = file(b"first")
    await store.put("aa", source)
    source.write_bytes(b"other")
    assert await read(store, "aa") == b"first"


async def test_another_opening_of_the_store_sees_it(store: BlobStore, reopen: Opener, file: Writer) -> None:
    await store.put("aa", file(b"bytes"))
    other = reopen()
    assert await read(other, "aa") == b"bytes"
    await other.close()


async def test_it_is_known_how_long_a_blob_has_been_there(store: BlobStore, file: Writer) -> None:
    await store.put("aa", file(b"bytes"))
    assert timedelta(minutes=-1) < await store.age("aa") < timedelta(minutes=10)
    with pytest.raises(BlobMissing):
        await store.age("bb")


async def test_reads_at_any_place(store: BlobStore, file: Writer) -> None:
    content = bytes(range(256)) * 1000
    await store.put("aa", file(content))
    async with await store.open("aa") as reader:
        for offset, length in [(0, 0), (0, 1), (255, 2), (70_000, 100_000), (len(content) - 1, 1)]:
            assert await reader.read_at(offset, length) == content[offset : offset + length]
        assert await reader.read_at(len(content) - 3, 10) == content[-3:]
        assert await reader.read_at(len(content), 10) == b""


async def test_many_reads_of_one_reader_at_once(store: BlobStore, file: Writer) -> None:
    content = bytes(range(256)) * 400
    await store.put("aa", file(content))
    async with await store.open("aa") as reader:
        parts = await asyncio.gather(*(reader.read_at(at, 1024) for at in range(0, len(content), 1024)))
    assert b"".join(parts) == content


async def test_the_same_bytes_again_are_fine(store: BlobStore, file: Writer) -> None:
    await store.put("aa", file(b"same"))
    await store.put("aa", file(b"same"))
    assert await listed(store) == {"aa": 4}


@pytest.mark.parametrize("other", [b"sama", b"sam", b"same!", b""])
async def test_other_bytes_are_a_conflict_and_change_nothing(
    store: BlobStore, file: Writer, other: bytes
) -> None:
    await store.put("aa", file(b"same"))
    with pytest.raises(BlobConflict):
        await store.put("aa", file(other))
    assert await read(store, "aa") == b"same"
    assert await listed(store) == {"aa": 4}


async def test_one_of_many_rivals_wins_wholly(store: BlobStore, file: Writer) -> None:
    contents = [bytes([number]) * 50_000 for number in range(20)]
    sources = [file(content) for content in contents]
    outcomes = await asyncio.gather(*(store.put("aa", source) for source in sources), return_exceptions=True)
    winners = [content for content, outcome in zip(contents, outcomes, strict=True) if outcome is None]
    assert winners == [await read(store, "aa")]
    assert all(isinstance(outcome, BlobConflict) for outcome in outcomes if outcome is not None)


async def test_equal_rivals_all_succeed(store: BlobStore, file: Writer) -> None:
    sources = [file(b"same" * 20_000) for _ in range(20)]
    await asyncio.gather(*(store.put("aa", source) for source in sources))
    assert await listed(store) == {"aa": 80_000}


async def test_missing_is_said(store: BlobStore) -> None:
    with pytest.raises(BlobMissing):
        await store.open("ab/none")


async def test_deleted_is_gone_and_may_be_deleted_again(store: BlobStore, file: Writer) -> None:
    await store.put("aa", file(b"one"))
    await store.delete("aa")
    await store.delete("aa")
    with pytest.raises(BlobMissing):
        await store.open("aa")
    assert await listed(store) == {}
    await store.put("aa", file(b"two"))
    assert await read(store, "aa") == b"two"


async def test_a_key_may_begin_another(store: BlobStore, file: Writer) -> None:
    for key in ("ab", "ab/cd", "ab/cd/ef", "abcd"):
        await store.put(key, file(key.encode()))
    assert {key: await read(store, key) for key in ("ab", "ab/cd", "ab/cd/ef", "abcd")} == {
        key: key.encode() for key in ("ab", "ab/cd", "ab/cd/ef", "abcd")
    }


async def test_keys_lists_all_with_sizes(store: BlobStore, file: Writer) -> None:
    wanted = {f"{number:04x}/file": number for number in range(300)}
    for key, size in wanted.items():
        await store.put(key, file(bytes(size)))
    assert await listed(store) == wanted


BAD_KEYS = [
    "",
    "a",
    "ab/",
    "/ab",
    "ab//cd",
    "ab/c",
    "AB",
    "ab/../cd",
    "..",
    "ab.cd",
    "ab cd",
    "ab\n",
    "đơn",
    "a" * 241,
]


@pytest.mark.parametrize("key", BAD_KEYS)
async def test_a_malformed_key_is_refused_everywhere(store: BlobStore, file: Writer, key: str) -> None:
    with pytest.raises(BlobKeyInvalid):
        await store.put(key, file(b"x"))
    with pytest.raises(BlobKeyInvalid):
        await store.open(key)
    with pytest.raises(BlobKeyInvalid):
        await store.delete(key)
    assert await listed(store) == {}


async def test_the_longest_key_is_kept(store: BlobStore, file: Writer) -> None:
    key = "ab/" + "c" * 237
    await store.put(key, file(b"x"))
    assert await listed(store) == {key: 1}


async def test_a_store_in_order_is_ready_and_stays_empty(store: BlobStore) -> None:
    await store.ready()
    assert await listed(store) == {}
