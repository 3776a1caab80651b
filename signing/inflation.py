"""How large the streams of a file become, measured piece by piece: nothing is ever held unpacked.

Every filter of a chain is counted, so that a small stream of a huge one of a small one is found as well.
Codecs of pictures (DCT, JPX, JBIG2, CCITT) end a chain: what they become is bounded by their pixels.

Readers differ in what they do with damage: one stops, another skips it and goes on. A stream is measured as
all of them read it, or it is refused as damaged; none is measured short.
"""

import re
import zlib
from base64 import a85decode
from binascii import unhexlify
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from signing import ceilings
from signing.errors import FileRefused

_PIECE = 64 * 1024
_ABBREVIATED = {
    "/Fl": "/FlateDecode",
    "/LZW": "/LZWDecode",
    "/RL": "/RunLengthDecode",
    "/AHx": "/ASCIIHexDecode",
    "/A85": "/ASCII85Decode",
    "/DCT": "/DCTDecode",
    "/CCF": "/CCITTFaxDecode",
}
_PICTURES = frozenset({"/DCTDecode", "/JPXDecode", "/JBIG2Decode", "/CCITTFaxDecode"})
_CLEAR, _END = 256, 257  # codes of LZW
_WIDEST = 12
_SPACE = re.compile(rb"[\x00\t\n\x0c\r ]+")


@dataclass
class Tally:
    """What one file has used up so far; raises FileRefused("too_large_inside") with what was too large."""

    inflated: int = 0
    lzw: int = 0
    ascii85: int = 0
    stage: dict[str, Callable[[Iterable[bytes]], Iterator[bytes]]] = field(init=False)

    def __post_init__(self) -> None:
        self.stage = {
            "/FlateDecode": _inflated,
            "/LZWDecode": self._lzw,
            "/RunLengthDecode": _run_length,
            "/ASCIIHexDecode": _hexadecimal,
            "/ASCII85Decode": self._ascii85,
        }

    def measure(self, packed: bytes, filters: Sequence[str], most: int) -> int:
        """Give how many bytes a stream becomes (of pictures: that their codec is given)."""
        return sum(map(len, self.unpacked(packed, filters, most)))

    def unpacked(self, packed: bytes, filters: Sequence[str], most: int) -> Iterable[bytes]:
        """Give a stream piece by piece as it becomes; raises FileRefused where it is damaged."""
        names = [_ABBREVIATED.get(name, name) for name in filters if name != "/Crypt"]
        if len(names) > ceilings.MOST_FILTERS:
            raise FileRefused("too_complex", found=("filters",))
        pieces: Iterable[bytes] = (packed,)
        for place, name in enumerate(names):
            if name in _PICTURES and place == len(names) - 1:
                break
            if name not in self.stage:
                raise FileRefused("too_complex", found=("filters",))
            pieces = self._counted(self.stage[name](pieces), most)
        return pieces

    def _counted(self, pieces: Iterable[bytes], most: int) -> Iterator[bytes]:
        """Let pieces through as long as neither the stage nor the file has had too much."""
        size = 0
        for piece in pieces:
            size += len(piece)
            self.inflated += len(piece)
            if size > most:
                raise FileRefused("too_large_inside", found=("stream_inflated",))
            if self.inflated > ceilings.FILE_INFLATED:
                raise FileRefused("too_large_inside", found=("file_inflated",))
            yield piece

    def _lzw(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in _lzw(pieces):
            self.lzw += piece[1]
            if self.lzw > ceilings.LZW_PACKED:
                raise FileRefused("too_large_inside", found=("lzw_packed",))
            yield piece[0]

    def _ascii85(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        packed = b"".join(pieces)
        self.ascii85 += len(packed)
        if self.ascii85 > ceilings.ASCII85_PACKED:
            raise FileRefused("too_large_inside", found=("ascii85_packed",))
        groups = _SPACE.sub(b"", packed).partition(b"~>")[0].split(b"z")
        if any(len(text) % 5 for text in groups[:-1]):
            raise _damaged()  # zeros within a group: some readers drop what came before them
        for place, text in enumerate(groups):
            if place:
                yield bytes(4)
            for start in range(0, len(text), 5 * 4096):
                try:
                    yield a85decode(text[start : start + 5 * 4096], ignorechars=b"")
                except ValueError as error:
                    raise _damaged() from error


def _damaged() -> FileRefused:
    return FileRefused("unreadable", found=("stream_unfinished",))


def _inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Undo deflate (RFC 1950); the checksum is not looked at, as readers show what has a wrong one."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    head, headless = b"", True
    for piece in pieces:
        waiting = piece
        if headless:
            head += piece
            if len(head) < 2:
                continue
            if not _heads_deflate(head):
                raise _damaged()
            waiting, headless = head[2:], False
        while waiting and not unpacker.eof:
            try:
                yield unpacker.decompress(waiting, _PIECE)
            except zlib.error as error:
                raise _damaged() from error
            waiting = unpacker.unconsumed_tail
        if unpacker.eof:
            return


def _heads_deflate(head: bytes) -> bool:
    """Whether two bytes begin deflated data with a window of up to 32 KiB and no dictionary of its own."""
    method, flags = head[0], head[1]
    return method & 15 == 8 and method >> 4 <= 7 and not flags & 32 and (method << 8 | flags) % 31 == 0


def _hexadecimal(pieces: Iterable[bytes]) -> Iterator[bytes]:
    text = _SPACE.sub(b"", b"".join(pieces)).partition(b">")[0]
    try:
        yield unhexlify(text + b"0" * (len(text) % 2))
    except ValueError as error:
        raise _damaged() from error  # some readers skip what is no digit, and go on


def _run_length(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packed, at = b"".join(pieces), 0
    made = bytearray()
    while at < len(packed) and packed[at] != 128:
        length = packed[at]
        if length < 128:
            made += packed[at + 1 : at + 2 + length].ljust(length + 1, b"\x00")
            at += 2 + length
        else:
            made += packed[at + 1 : at + 2].ljust(1, b"\x00") * (257 - length)
            at += 2
        if len(made) >= _PIECE:
            yield bytes(made)
            made.clear()
    yield bytes(made)


def _lzw(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Give pieces with the packed bytes that each was made of (ISO 32000-2, 7.4.4; early change)."""
    table = [bytes([one]) for one in range(256)] + [b"", b""]
    width, bits, held, before, used = 9, 0, 0, b"", 0
    made = bytearray()
    for byte in b"".join(pieces):
        held, bits, used = (held << 8 | byte) & 0xFFFFF, bits + 8, used + 1
        if bits < width:
            continue
        bits -= width
        code = (held >> bits) & ((1 << width) - 1)
        if code == _END:
            yield bytes(made), used
            return
        if code == _CLEAR:
            del table[_END + 1 :]
            width, before = 9, b""
            continue
        if code < len(table):
            entry = table[code]
        elif before:
            entry = before + before[:1]
        else:
            break
        if before and len(table) < 1 << _WIDEST:
            table.append(before + entry[:1])
        before = entry
        made += entry
        if len(table) + 1 >= 1 << width and width < _WIDEST:
            width += 1
        if len(made) >= _PIECE:
            yield bytes(made), used
            made.clear()
            used = 0
    raise _damaged()
