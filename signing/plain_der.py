"""Is a piece of ASN.1 written in the one way it can be? DER (ITU-T X.690, clauses 10 and 11), by bytes alone.

No schema is known here: what a value means is read elsewhere. Strings may hold anything, as no rule of
encoding says what they say.
"""

import re
from collections.abc import Callable
from typing import Any

_DEEPEST = 60
_UTC = re.compile(rb"\d{12}Z")
_GENERALIZED = re.compile(rb"\d{14}(?:\.\d*[1-9])?Z")


class _NotPlain(ValueError):
    """Another encoding of the same is possible."""


def is_plain(content: bytes) -> bool:
    """Tell whether `content` is exactly one value in DER."""
    try:
        return _end_of_value(content, 0, len(content), 0) == len(content)
    except (_NotPlain, IndexError):
        return False


def is_whole(content: bytes) -> bool:
    """Tell whether every part of a value ends where the value around it ends, in BER as in DER.

    A lazy reader does not see it: it reads a part only when somebody asks for it.
    """
    waiting = [(0, len(content), 0)]
    while waiting:
        at, stop, depth = waiting.pop()
        while at < stop:
            if depth > _DEEPEST or at + 2 > stop or content[at] & 0x1F == 0x1F:
                return False
            if content[at + 1] == 0x80:
                break  # its end is only found by reading all of it, which is done elsewhere
            count = content[at + 1] & 0x7F if content[at + 1] >= 0x80 else 0
            length = int.from_bytes(content[at + 2 : at + 2 + count], "big") if count else content[at + 1]
            start = at + 2 + count
            if count > 4 or start + length > stop:
                return False
            if content[at] & 0x20:
                waiting.append((start, start + length, depth + 1))
            at = start + length
    return True


def as_read(value: Any) -> bytes:
    """Give the bytes of a Sequence or Set of asn1crypto as it was read; written, if it never was.

    asn1crypto's own `dump` writes a value anew when its header ends with 80, as a definite length may, and
    whenever a default stands in a part that was looked at (an ESSCertIDv2 without a hash algorithm): three
    times for every level above it, which is minutes for a time stamp in a signature.
    """
    header, contents = value._header, value._contents
    indefinite = header is not None and len(header) == 2 and header[1] == 0x80
    if header is None or contents is None or indefinite:
        return bytes(value.dump())
    return bytes(header + contents + value._trailer)


def _end_of_value(content: bytes, at: int, stop: int, depth: int) -> int:
    if depth > _DEEPEST or at + 2 > stop:
        raise _NotPlain
    tag = content[at]
    if tag & 0x1F == 0x1F or not tag:  # a tag of several bytes, or an end of contents: not in what we read
        raise _NotPlain
    start, length = _length(content, at + 1)
    end = start + length
    if end > stop:
        raise _NotPlain
    if tag & 0x20:
        _check_parts(content, start, end, depth, is_set=tag == 0x31)
        if tag < 0x40 and tag not in (0x30, 0x31):
            raise _NotPlain  # only a sequence or a set of the universal kinds has parts
    elif not _PRIMITIVE.get(tag, _anything)(content[start:end]):
        raise _NotPlain
    return end


def _length(content: bytes, at: int) -> tuple[int, int]:
    first = content[at]
    if first < 0x80:
        return at + 1, first
    count = first & 0x7F
    octets = content[at + 1 : at + 1 + count]
    if not 1 <= count <= 4 or len(octets) != count or octets[0] == 0:
        raise _NotPlain
    length = int.from_bytes(octets, "big")
    if length < 0x80:
        raise _NotPlain
    return at + 1 + count, length


def _check_parts(content: bytes, at: int, end: int, depth: int, *, is_set: bool) -> None:
    before = b""
    while at < end:
        next_at = _end_of_value(content, at, end, depth + 1)
        part = content[at:next_at]
        if is_set and part < before:
            raise _NotPlain
        before, at = part, next_at


def _integer(value: bytes) -> bool:
    if not value:
        return False
    return len(value) == 1 or not (
        (value[0] == 0 and value[1] < 0x80) or (value[0] == 0xFF and value[1] >= 0x80)
    )


def _bits(value: bytes) -> bool:
    if not value or value[0] > 7 or (len(value) == 1 and value[0]):
        return False
    return len(value) == 1 or not value[-1] & ((1 << value[0]) - 1)


def _identifier(value: bytes) -> bool:
    if not value or value[-1] >= 0x80:
        return False
    starts = [0, *(place + 1 for place, one in enumerate(value[:-1]) if one < 0x80)]
    return all(value[place] != 0x80 for place in starts)


def _anything(value: bytes) -> bool:
    return True


_PRIMITIVE: dict[int, Callable[[bytes], bool]] = {
    0x01: lambda value: value in (b"\x00", b"\xff"),
    0x02: _integer,
    0x0A: _integer,
    0x03: _bits,
    0x05: lambda value: value == b"",
    0x06: _identifier,
    0x17: lambda value: _UTC.fullmatch(value) is not None,
    0x18: lambda value: _GENERALIZED.fullmatch(value) is not None,
    0x10: lambda value: False,  # a sequence or a set has parts
    0x11: lambda value: False,
}
