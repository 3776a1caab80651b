"""Sealed content: the form is the one written down, and anything else than the sealed bytes is refused."""

import hashlib
import itertools
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage.errors import BlobDamaged, StoreUnavailable
from storage.folder import FolderStore
from storage.sealed import (
    CHUNK,
    new_record_key,
    open_file,
    read_sealed,
    seal_bytes,
    seal_file,
    sealed_size,
)

pytestmark = pytest.mark.anyio

KEY = bytes(range(32))
NAMED = {"key": KEY, "record": "r3k0rd", "part": "file"}
HEADER, ROW = 33, CHUNK + 16

SEAL_WITHIN_A_LIMIT = """
import resource, sys
from pathlib import Path
from storage.errors import StoreUnavailable
from storage.sealed import seal_file
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    seal_file(Path(sys.argv[1]), Path(sys.argv[2]), key=bytes(32), record="r1", part="file")
except StoreUnavailable as error:
    print("refused:", error)
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Memory:
    """A reader of bytes in memory that counts what is read from it."""

    def __init__(self, content: bytes, size: int | None = None) -> None:
        self.content = content
        self.size = len(content) if size is None else size
        self.read = 0

    async def read_at(self, offset: int, length: int) -> bytes:
        self.read += length
        return self.content[offset : offset + length]

    async def __aenter__(self) -> "Memory":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


async def pieces(sealed: bytes, content_size: int, **kw: object) -> list[bytes]:
    arguments: dict[str, object] = {**NAMED, "content_size": content_size, **kw}
    return [piece async for piece in read_sealed(Memory(sealed), **arguments)]  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 20 * CHUNK + 5])
async def test_sealed_content_comes_back(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(content)
    facts = seal_file(source, target, **NAMED)
    sealed = target.read_bytes()
    assert facts.content_sha256 == hashlib.sha256(content).digest()
    assert facts.sealed_sha256 == hashlib.sha256(sealed).digest()
    assert (facts.content_size, facts.sealed_size) == (size, len(sealed))
    assert facts.sealed_size == sealed_size(size)
    assert b"".join(await pieces(sealed, size)) == content
    assert b"".join(await pieces(seal_bytes(content, **NAMED), size)) == content
    assert target.stat().st_mode & 0o777 == 0o600


def test_the_form_is_the_one_written_down() -> None:
    content = os.urandom(CHUNK + 10)
    sealed = seal_bytes(content, **NAMED)
    assert sealed[:1] == b"\x01"
    cipher = AESGCM(HKDF(SHA256(), 32, sealed[1:33], b"kho/1/sealed").derive(KEY))
    names = b"kho/1/chunk" + b"\0\0\0\x06r3k0rd" + b"\0\0\0\x04file"
    first = cipher.decrypt(bytes(12), sealed[HEADER : HEADER + ROW], names + bytes(8) + b"\0")
    second = cipher.decrypt(bytes(11) + b"\1", sealed[HEADER + ROW :], names + bytes(7) + b"\1" + b"\1")
    assert first + second == content


def test_two_sealings_of_one_content_share_nothing() -> None:
    one, two = (seal_bytes(bytes(64), **NAMED) for _ in range(2))
    assert one[1:] != two[1:]
    assert not any(one[at : at + 8] == two[at : at + 8] for at in range(1, len(one) - 8))
    assert new_record_key() != new_record_key()
    assert len(new_record_key()) == 32


async def test_every_flipped_bit_is_damage() -> None:
    content = b"kho" * 5
    sealed = seal_bytes(content, **NAMED)
    for place, bit in itertools.product(range(len(sealed)), range(8)):
        changed = bytearray(sealed)
        changed[place] ^= 1 << bit
        with pytest.raises(BlobDamaged):
            await pieces(bytes(changed), len(content))


async def test_every_other_length_is_damage() -> None:
    content = b"kho" * 5
    sealed = seal_bytes(content, **NAMED)
    others = [sealed[:size] for size in range(len(sealed))] + [sealed + bytes(size) for size in (1, 16, ROW)]
    for other in others:
        with pytest.raises(BlobDamaged):
            await pieces(other, len(content))


async def test_another_content_size_is_damage() -> None:
    sealed = seal_bytes(bytes(100), **NAMED)
    for size in (0, 99, 101, 100 + CHUNK):
        with pytest.raises(BlobDamaged):
            await pieces(sealed, size)


def rearranged(sealed: bytes) -> dict[str, bytes]:
    """Give the ways in which whole chunks of a sealed content of four chunks can be put wrong."""
    header = sealed[:HEADER]
    rows = [sealed[at : at + ROW] for at in range(HEADER, len(sealed), ROW)]
    other_header = bytearray(header)
    other_header[5] ^= 1
    return {
        "last dropped": header + b"".join(rows[:-1]),
        "first dropped": header + b"".join(rows[1:]),
        "swapped": header + rows[1] + rows[0] + b"".join(rows[2:]),
        "repeated": header + rows[0] + rows[0] + b"".join(rows[2:]),
        "appended": sealed + rows[-1],
        "other salt": bytes(other_header) + b"".join(rows),
        "other version": b"\x02" + sealed[1:],
    }


@pytest.mark.parametrize("wrong", rearranged(bytes(HEADER + 4 * ROW)))
@pytest.mark.parametrize("tail", [CHUNK, 7])
async def test_chunks_put_wrong_are_damage(wrong: str, tail: int) -> None:
    content = os.urandom(3 * CHUNK + tail)
    changed = rearranged(seal_bytes(content, **NAMED))[wrong]
    for claimed in {len(content), len(changed) - HEADER - 16 * -(-(len(changed) - HEADER) // ROW)}:
        with pytest.raises(BlobDamaged):
            await pieces(changed, claimed)


@pytest.mark.parametrize(
    "named",
    [
        {**NAMED, "record": "r3k0re"},
        {**NAMED, "part": "data"},
        {**NAMED, "record": "r3k0rdf", "part": "ile"},
        {**NAMED, "key": bytes(32)},
    ],
)
async def test_chunks_of_another_record_part_or_key_are_damage(named: dict[str, object]) -> None:
    sealed = seal_bytes(bytes(CHUNK + 1), **named)  # type: ignore[arg-type]
    with pytest.raises(BlobDamaged):
        await pieces(sealed, CHUNK + 1)


async def test_what_lies_before_the_damage_leaves_and_nothing_after() -> None:
    content = os.urandom(12 * CHUNK)
    sealed = bytearray(seal_bytes(content, **NAMED))
    sealed[HEADER + 9 * ROW + 100] ^= 1
    left = []
    with pytest.raises(BlobDamaged, match="chunk 9"):
        async for piece in read_sealed(Memory(bytes(sealed)), **NAMED, content_size=len(content)):
            left.append(piece)
    assert b"".join(left) == content[: 9 * CHUNK]


async def test_a_stored_size_that_lies_is_damage_before_its_chunk() -> None:
    content = os.urandom(2 * CHUNK)
    sealed = seal_bytes(content, **NAMED)
    reader = Memory(sealed[:-1], size=len(sealed))
    left = []
    with pytest.raises(BlobDamaged, match="chunk 1 is short"):
        async for piece in read_sealed(reader, **NAMED, content_size=len(content)):
            left.append(piece)
    assert left == [content[:CHUNK]]


async def test_a_range_reads_its_chunks_alone() -> None:
    content = os.urandom(40 * CHUNK)
    sealed = bytearray(seal_bytes(content, **NAMED))
    sealed[HEADER] ^= 1  # damage outside the range is not looked at
    reader = Memory(bytes(sealed))
    start, stop = 20 * CHUNK + 5, 21 * CHUNK + 5
    rows = read_sealed(reader, **NAMED, content_size=len(content), start=start, stop=stop)
    assert b"".join([piece async for piece in rows]) == content[start:stop]
    assert reader.read == HEADER + 2 * ROW


async def test_a_reading_given_up_fetches_no_more() -> None:
    content = bytes(100 * CHUNK)
    reader = Memory(seal_bytes(content, **NAMED))
    rows = read_sealed(reader, **NAMED, content_size=len(content))
    assert await anext(rows) == bytes(CHUNK)
    assert reader.read < len(content) // 10


@pytest.mark.parametrize(("start", "stop"), [(-1, 1), (0, 101), (5, 4), (101, 101)])
async def test_a_range_outside_the_content_is_a_mistake(start: int, stop: int) -> None:
    with pytest.raises(ValueError, match="no range"):
        await pieces(seal_bytes(bytes(100), **NAMED), 100, start=start, stop=stop)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_length_is_a_mistake_and_leaves_no_file(tmp_path: Path, size: int) -> None:
    (tmp_path / "source").write_bytes(b"x")
    with pytest.raises(ValueError, match="32 bytes"):
        seal_file(tmp_path / "source", tmp_path / "target", key=bytes(size), record="r1", part="file")
    assert not (tmp_path / "target").exists()


def test_a_full_disk_leaves_no_half_sealed_file(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(1_000_000))
    program = [sys.executable, "-c", SEAL_WITHIN_A_LIMIT, str(source), str(target)]
    done = subprocess.run(program, capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert done.stdout.startswith("refused: ")
    assert not target.exists()


def test_a_missing_source_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        seal_file(tmp_path / "none", tmp_path / "target", **NAMED)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    source = tmp_path / "source"
    with source.open("wb") as file:
        file.truncate(200_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    facts = seal_file(source, tmp_path / "target", **NAMED)
    assert facts.content_size == 200_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


async def test_read_from_a_real_store(tmp_path: Path) -> None:
    content = os.urandom(5 * CHUNK + 3)
    (tmp_path / "source").write_bytes(content)
    seal_file(tmp_path / "source", tmp_path / "target", **NAMED)
    store = FolderStore(tmp_path / "store")
    await store.put("aa", tmp_path / "target")
    async with await store.open("aa") as reader:
        rows = [
            piece async for piece in read_sealed(reader, **NAMED, content_size=len(content), start=70_000)
        ]
    await store.close()
    assert b"".join(rows) == content[70_000:]


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
def test_a_sealed_file_is_opened_into_a_file(tmp_path: Path, size: int) -> None:
    plain, sealed, opened = (tmp_path / name for name in ("plain", "sealed", "opened"))
    plain.write_bytes(os.urandom(size))
    seal_file(plain, sealed, **NAMED)
    open_file(sealed, opened, **NAMED)
    assert opened.read_bytes() == plain.read_bytes()
    assert opened.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "harm", [lambda it: it[:-1], lambda it: it + b"x", lambda it: it[:20], lambda _: b""]
)
def test_a_changed_file_is_not_opened_and_leaves_nothing(tmp_path: Path, harm: Any) -> None:
    plain, sealed, opened = (tmp_path / name for name in ("plain", "sealed", "opened"))
    plain.write_bytes(os.urandom(2 * CHUNK + 9))
    seal_file(plain, sealed, **NAMED)
    sealed.write_bytes(harm(sealed.read_bytes()))
    with pytest.raises(BlobDamaged):
        open_file(sealed, opened, **NAMED)
    assert not opened.exists()
    with pytest.raises(StoreUnavailable):
        open_file(tmp_path / "nothing", opened, **NAMED)
