"""The published form of the log: C2SP tlog-tiles. Pure: paths and bytes, no files.

A tile holds up to 256 hashes of one level (every eighth level of the tree), an entry bundle up to 256
leaves. What a path holds depends on level, index and width alone, so it is written once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from signing.merkle import Tree

TILE_WIDTH = 256
TILE_HEIGHT = 8
_LARGEST_ENTRY = 2**16 - 1


@dataclass(frozen=True)
class Bundle:
    """A bundle of leaves: its path below the log, and which leaves it holds (first <= i < stop)."""

    path: str
    first: int
    stop: int


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Return the path of tile `index` of `level` (0 holds leaf hashes) holding `width` hashes."""
    return f"tile/{level}/{_index_path(index)}{_partial(width)}"


def entries_path(index: int, width: int = TILE_WIDTH) -> str:
    """Return the path of the bundle with the leaves from index * 256 on, holding `width` of them."""
    return f"tile/entries/{_index_path(index)}{_partial(width)}"


def tiles_for(tree: Tree, old_size: int, new_size: int) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each tile that a log of `new_size` leaves has beyond `old_size`.

    Partial tiles are included; lower levels come first.
    """
    for level in range(64):
        old, new = old_size >> TILE_HEIGHT * level, new_size >> TILE_HEIGHT * level
        if not new:
            return
        nodes = tree.level(TILE_HEIGHT * level)
        for index, width in _grown(old, new):
            start = index * TILE_WIDTH
            yield tile_path(level, index, width), nodes.joined(start, start + width)


def bundles_between(old_size: int, new_size: int) -> Iterator[Bundle]:
    """Yield each bundle that a log of `new_size` leaves has beyond `old_size`, the partial one included."""
    for index, width in _grown(old_size, new_size):
        first = index * TILE_WIDTH
        yield Bundle(entries_path(index, width), first, first + width)


def outgrown_tiles(old_size: int, new_size: int) -> Iterator[str]:
    """Yield the paths of the full tiles and bundles whose partial versions a log of `new_size` may drop.

    Those are all but the newest full one of a level, so that a reader of the head before still finds what he
    began with; what was given for `old_size` is left out.
    """
    for level in range(64):
        old, new = (size >> TILE_HEIGHT * (level + 1) for size in (old_size, new_size))
        if not new:
            return
        for index in range(max(old - 1, 0), new - 1):
            yield tile_path(level, index)
            if level == 0:
                yield entries_path(index)


def entry_bundle(leaves: Sequence[bytes]) -> bytes:
    """Return the content of a bundle: each leaf after its length as a big-endian uint16."""
    if any(len(leaf) > _LARGEST_ENTRY for leaf in leaves):
        raise ValueError("an entry of a bundle has at most 65535 bytes")
    return b"".join(len(leaf).to_bytes(2) + leaf for leaf in leaves)


def read_bundle(content: bytes) -> list[bytes]:
    """Return the leaves of a bundle. Raises ValueError when it ends inside a leaf."""
    leaves = []
    place = 0
    while place < len(content):
        stop = place + 2 + int.from_bytes(content[place : place + 2])
        if stop > len(content) or place + 2 > len(content):
            raise ValueError("the bundle ends inside an entry")
        leaves.append(content[place + 2 : stop])
        place = stop
    return leaves


def _grown(old: int, new: int) -> Iterator[tuple[int, int]]:
    """Yield index and width of each tile that holds items old <= i < new of a level."""
    if old >= new:
        return
    for index in range(old // TILE_WIDTH, (new - 1) // TILE_WIDTH + 1):
        yield index, min(TILE_WIDTH, new - index * TILE_WIDTH)


def _index_path(index: int) -> str:
    path = f"{index % 1000:03}"
    while index >= 1000:
        index //= 1000
        path = f"x{index % 1000:03}/{path}"
    return path


def _partial(width: int) -> str:
    if not 0 < width <= TILE_WIDTH:
        raise ValueError(f"a tile holds 1 to {TILE_WIDTH} items, not {width}")
    return "" if width == TILE_WIDTH else f".p/{width}"
