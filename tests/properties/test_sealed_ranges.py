"""For any content and any range: what is read is that stretch of the content, and any change is found."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.errors import BlobDamaged
from storage.sealed import CHUNK, read_sealed, seal_bytes, sealed_size

KEY = bytes(range(32))
NAMED = {"key": KEY, "record": "r3k0rd", "part": "file"}

# Sizes crowd around the borders of chunks, where the mistakes are.
near_a_border = st.builds(
    lambda chunks, off: max(0, chunks * CHUNK + off), st.integers(0, 12), st.integers(-2, 2)
)
sizes = st.one_of(near_a_border, st.integers(0, 12 * CHUNK))


class Memory:
    """A reader of bytes in memory."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.size = len(content)

    async def read_at(self, offset: int, length: int) -> bytes:
        return self.content[offset : offset + length]

    async def __aenter__(self) -> "Memory":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


def content_of(size: int) -> bytes:
    """Bytes in which no stretch is like another: a counter, four bytes each."""
    return b"".join(number.to_bytes(4, "big") for number in range(-(-size // 4)))[:size]


def read(sealed: bytes, content_size: int, start: int, stop: int) -> list[bytes]:
    async def collect() -> list[bytes]:
        rows = read_sealed(Memory(sealed), **NAMED, content_size=content_size, start=start, stop=stop)
        return [piece async for piece in rows]

    return asyncio.run(collect())


@settings(max_examples=150, deadline=None)
@given(data=st.data(), size=sizes)
def test_a_range_is_that_stretch_of_the_content(data: st.DataObject, size: int) -> None:
    content = content_of(size)
    start = data.draw(st.one_of(sizes, st.integers(0, size)).map(lambda at: min(at, size)))
    stop = data.draw(st.one_of(sizes, st.integers(start, size)).map(lambda at: min(max(at, start), size)))
    pieces = read(seal_bytes(content, **NAMED), size, start, stop)
    assert b"".join(pieces) == content[start:stop]
    assert all(0 < len(piece) <= CHUNK for piece in pieces)


@settings(max_examples=100, deadline=None)
@given(
    data=st.data(), size=st.one_of(near_a_border, st.integers(0, 4 * CHUNK)).map(lambda n: min(n, 4 * CHUNK))
)
def test_a_changed_bit_is_found_by_every_range_over_it(data: st.DataObject, size: int) -> None:
    content = content_of(size)
    sealed = bytearray(seal_bytes(content, **NAMED))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(BlobDamaged):
        read(bytes(sealed), size, 0, size)
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))
    try:
        pieces = read(bytes(sealed), size, start, stop)
    except BlobDamaged:
        return
    assert b"".join(pieces) == content[start:stop], "what leaves is right, or nothing leaves"


@given(first=sizes, second=sizes)
def test_the_sealed_size_tells_the_content_size(first: int, second: int) -> None:
    assert (sealed_size(first) == sealed_size(second)) == (first == second)
