"""How far a TIFF goes: which of its bytes a directory, a value or a strip names (TIFF 6.0, section 2)."""

import struct
from collections.abc import Iterator

from signing.errors import FileRefused

_MOST_DIRECTORIES = 1_000  # pages, and what hangs on them; a file of more pages is refused for those
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}  # by type
_LETTERS = {1: "B", 3: "H", 4: "I", 13: "I"}  # of the types that places and lengths are written in
_BELOW = frozenset({330, 34665, 34853, 40965})  # tags whose values are places of further directories
_DATA = ((273, 279), (324, 325), (513, 514), (288, 289))  # places and lengths: strips, tiles, JPEG, free
_SLACK = 16  # bytes behind the last that is named: programs align what they write
_LEAST_GAP = 8  # bytes: fewer hide nothing

Span = tuple[int, int]


def goes_on(content: bytes) -> bool:
    """Say whether something stands behind everything that a TIFF names. Raises FileRefused."""
    end = max(stop for _, stop in _named(content))
    return len(content[end:].rstrip(b"\0")) > _SLACK


def unnamed(content: bytes) -> Iterator[bytes]:
    """Give the stretches of a TIFF that nothing in it names. Raises FileRefused."""
    reached = 0
    for start, stop in [*sorted(_named(content)), (len(content), len(content))]:
        if start - reached >= _LEAST_GAP:
            yield content[reached:start]
        reached = max(reached, stop)


def _named(content: bytes) -> list[Span]:
    """Give every stretch that is named; what lies outside of the file is for its reader to refuse."""
    order = "<" if content[:2] == b"II" else ">"
    found, seen, waiting = [(0, 8)], set[int](), list(struct.unpack_from(f"{order}I", content, 4))
    while waiting:
        at = waiting.pop()
        if at in seen or not 8 <= at <= len(content) - 2:
            continue
        seen.add(at)
        if len(seen) > _MOST_DIRECTORIES:
            raise FileRefused("too_many_pages", f"the file has more than {_MOST_DIRECTORIES} directories")
        waiting += _directory(content, order, at, found)
    return found


def _directory(content: bytes, order: str, at: int, found: list[Span]) -> list[int]:
    """Note what a directory names, itself included; gives where further directories are."""
    (count,) = struct.unpack_from(f"{order}H", content, at)
    stop = at + 2 + 12 * count
    further: list[int] = []
    numbers: dict[int, tuple[int, ...]] = {}
    for entry in range(at + 2, min(stop, len(content) - 11), 12):
        tag, kind, many = struct.unpack_from(f"{order}HHI", content, entry)
        size = _SIZES.get(kind, 1) * many
        (place,) = struct.unpack_from(f"{order}I", content, entry + 8) if size > 4 else (entry + 8,)
        if size > 4:
            found.append((place, place + size))
        if kind in _LETTERS and place + size <= len(content):
            if tag in _BELOW:
                further += struct.unpack_from(f"{order}{many}{_LETTERS[kind]}", content, place)
            elif any(tag in pair for pair in _DATA):
                numbers[tag] = struct.unpack_from(f"{order}{many}{_LETTERS[kind]}", content, place)
    for places, lengths in _DATA:
        pairs = zip(numbers.get(places, ()), numbers.get(lengths, ()), strict=False)
        found += ((start, start + length) for start, length in pairs)
    found.append((at, stop + 4))
    if stop + 4 <= len(content):
        further += struct.unpack_from(f"{order}I", content, stop)
    return further
