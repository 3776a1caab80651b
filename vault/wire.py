"""Frames between Kho's own processes, over Unix sockets (docs/processes.md).

A frame is two lengths (4 bytes each, big end first), a header, and raw bytes. A header is canonical JSON: an
object of objects, lists, strings, integers and booleans. Bytes that belong to a header but are too many for
one frame follow in frames without a header; `size` in the header says how many they are together. Nothing is
ever unpickled.
"""

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Mapping
from typing import Any

from vault.errors import VaultError

VERSION = 1
HEADER_MAX = 4 * 2**20  # bytes
RAW_MAX = 2**20  # bytes in one frame
CONTENT_MAX = 256 * 2**20  # bytes that follow one header
SECONDS = 30.0  # that a frame may take once its first byte is here
_LENGTHS = struct.Struct(">II")


class FrameMalformed(VaultError):
    """What came over the socket is no frame of ours."""

    code = "frame_malformed"


class FrameCut(FrameMalformed):
    """The other side left in the middle of a frame."""

    code = "frame_cut"


def encoded(header: Mapping[str, Any], raw: bytes = b"") -> bytes:
    """Write a frame. Raises FrameMalformed for a header that is too long."""
    text = _text(header)
    if len(text) > HEADER_MAX or len(raw) > RAW_MAX:
        raise FrameMalformed("the frame would be too long")
    return _LENGTHS.pack(len(text), len(raw)) + text + raw


async def read_header(reader: asyncio.StreamReader, *, wait: float | None = None) -> dict[str, Any] | None:
    """Read a frame that has a header, and no raw bytes of its own; None when the other side has left.

    Args:
        wait: seconds for the frame to begin; None: for ever.

    Raises:
        FrameMalformed: it is none, too long, of another version, or not finished in time.
        TimeoutError: it did not begin in time.
    """
    async with asyncio.timeout(wait):
        first = await reader.read(1)
    if not first:
        return None
    length, raw = await _lengths(reader, first)
    if not 0 < length <= HEADER_MAX or raw:
        raise FrameMalformed("a header was expected, of a length that is allowed")
    header = _parsed(await _exactly(reader, length))
    if header.get("v") != VERSION:
        raise FrameMalformed(f"version {VERSION} is spoken here")
    return header


async def read_content(reader: asyncio.StreamReader, size: int) -> AsyncIterator[bytes]:
    """Read the bytes that follow a header, piece by piece. Raises FrameMalformed."""
    if size > CONTENT_MAX:
        raise FrameMalformed("more content than is allowed")
    left = size
    while left:
        length, raw = await _lengths(reader, b"")
        if length or not 0 < raw <= min(RAW_MAX, left):
            raise FrameMalformed("content was expected, of a length that is allowed")
        yield await _exactly(reader, raw)
        left -= raw


def size_of(header: Mapping[str, Any]) -> int:
    """Say how many bytes follow a header. Raises FrameMalformed."""
    size = header.get("size", 0)
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= CONTENT_MAX:
        raise FrameMalformed("`size` is no number of bytes that is allowed")
    return size


def piece(raw: bytes) -> bytes:
    """Write a frame of content."""
    return _LENGTHS.pack(0, len(raw)) + raw


async def _lengths(reader: asyncio.StreamReader, begun: bytes) -> tuple[int, int]:
    lengths = begun + await _exactly(reader, _LENGTHS.size - len(begun))
    header, raw = _LENGTHS.unpack(lengths)
    return header, raw


async def _exactly(reader: asyncio.StreamReader, count: int) -> bytes:
    try:
        async with asyncio.timeout(SECONDS):
            return await reader.readexactly(count)
    except asyncio.IncompleteReadError:
        raise FrameCut("the frame ended early") from None
    except TimeoutError:
        raise FrameCut("the frame took too long") from None


def _text(header: Mapping[str, Any]) -> bytes:
    # The values of our headers have one JSON text each; for these, sorted and without blanks is RFC 8785.
    return json.dumps(header, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
        again = _text(header) if isinstance(header, dict) else b""
    except (ValueError, RecursionError):
        raise FrameMalformed("the header is no JSON") from None
    if again != text:
        raise FrameMalformed("the header is no object in canonical JSON")
    return dict(header)
