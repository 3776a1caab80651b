"""The log's Merkle tree: hashes as RFC 6962 section 2.1, proofs as RFC 9162 section 2.1.3.

Pure arithmetic over 32-byte SHA-256 hashes. The tree keeps every complete node (64 bytes per leaf),
so that roots and proofs of any earlier size cost a logarithm of the size.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import overload

from signing.log_errors import ProofInvalid

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """Return the 32-byte hash of a leaf's bytes."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the 32-byte hash of an inner node over its two 32-byte children."""
    return sha256(b"\x01" + left + right).digest()


class Level(Sequence[bytes]):
    """The complete nodes of one level, as 32-byte hashes from left to right; read only for callers."""

    def __init__(self) -> None:
        self._nodes = bytearray()

    def __len__(self) -> int:
        """Return the number of complete nodes."""
        return len(self._nodes) // HASH_SIZE

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        """Return one node, or the nodes of a slice."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._at(index)

    def joined(self, start: int, stop: int) -> bytes:
        """Return the nodes start <= i < stop as one string of bytes, which is the content of a tile."""
        if not 0 <= start <= stop <= len(self):
            raise IndexError((start, stop))
        return bytes(self._nodes[start * HASH_SIZE : stop * HASH_SIZE])

    def _at(self, index: int) -> bytes:
        # Slicing past the end would give less than a hash: callers have checked the index.
        return bytes(self._nodes[index * HASH_SIZE : (index + 1) * HASH_SIZE])

    def _add(self, node: bytes) -> None:
        self._nodes += node


class Tree:
    """A growing Merkle tree over leaf hashes. Not safe for use from several threads at once."""

    def __init__(self, hashes: Iterable[bytes] = ()) -> None:
        self._levels = [Level()]
        for each in hashes:
            self.append(each)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return len(self._levels[0])

    def append(self, leaf_hash: bytes) -> int:
        """Add one 32-byte leaf hash and return its index."""
        if len(leaf_hash) != HASH_SIZE:
            raise ValueError("a leaf hash has 32 bytes")
        index = self.size
        node, position = leaf_hash, index
        for level in self._growing_levels():
            level._add(node)
            if position % 2 == 0:
                break
            node = node_hash(level._at(position - 1), node)
            position //= 2
        return index

    def level(self, level: int) -> Level:
        """Return the complete nodes `level` steps above the leaves; a level not reached yet is empty."""
        return self._levels[level] if level < len(self._levels) else Level()

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the first `size` leaves (all of them when None)."""
        size = self._checked_size(size)
        return self._range(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Return the proof that leaf `index` stands in the tree of `size` leaves (RFC 9162 2.1.3.1)."""
        size = self._checked_size(size)
        if not 0 <= index < size:
            raise IndexError(f"leaf {index} is not in a tree of {size}")
        path = []
        start, stop = 0, size
        while stop - start > 1:
            middle = start + _split(stop - start)
            if index < middle:
                path.append(self._range(middle, stop))
                stop = middle
            else:
                path.append(self._range(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """Return the proof that the tree of `old` leaves is a prefix of that of `new` (RFC 9162 2.1.4.1).

        From size 0 there is nothing to prove: the proof is empty, and `verify_consistency` refuses it.
        """
        new = self._checked_size(new)
        if not 0 <= old <= new:
            raise IndexError(f"no tree of {old} leaves inside one of {new}")
        if old in (0, new):
            return []
        path = []
        start, stop = 0, new
        while old < stop:
            middle = start + _split(stop - start)
            if old <= middle:
                path.append(self._range(middle, stop))
                stop = middle
            else:
                path.append(self._range(start, middle))
                start = middle
        if start:
            path.append(self._range(start, stop))
        return path[::-1]

    def _growing_levels(self) -> Iterator[Level]:
        height = 0
        while True:
            if height == len(self._levels):
                self._levels.append(Level())
            yield self._levels[height]
            height += 1

    def _checked_size(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise IndexError(f"the tree has {self.size} leaves, not {size}")
        return size

    def _range(self, start: int, stop: int) -> bytes:
        """Return the hash over the leaves start <= i < stop; start must be aligned to that subtree."""
        peaks = []
        while start < stop:
            height = (stop - start).bit_length() - 1
            peaks.append(self._levels[height]._at(start >> height))
            start += 1 << height
        node = peaks.pop()
        while peaks:
            node = node_hash(peaks.pop(), node)
        return node


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that `leaf_hash` is leaf `index` of the tree of `size` leaves with this root.

    RFC 9162 section 2.1.3.2. Raises ProofInvalid.
    """
    _require_hashes([leaf_hash, root, *proof])
    if not 0 <= index < size:
        raise ProofInvalid(f"there is no leaf {index} in a tree of {size}")
    node, position, last = leaf_hash, index, size - 1
    for sibling in proof:
        if last == 0:
            raise ProofInvalid("the inclusion proof is too long")
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise ProofInvalid("the inclusion proof is too short")
    if node != root:
        raise ProofInvalid("the inclusion proof leads to another root")


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Check that the tree of `old` leaves is a prefix of that of `new` leaves.

    RFC 9162 section 2.1.4.2. Size 0 against a larger tree is refused (any tree begins with nothing, so
    such a proof says nothing), and a tree of size 0 has one root only. Roots of equal sizes are compared
    as they are, whatever their length, as the public vectors ask. Raises ProofInvalid.
    """
    if not 0 <= old <= new:
        raise ProofInvalid(f"a tree of {old} leaves cannot grow to {new}")
    if old == new:
        _verify_same(old, proof, old_root, new_root)
        return
    if old == 0:
        raise ProofInvalid("a proof from the empty tree says nothing")
    _require_hashes([old_root, new_root, *proof])
    # A complete old tree is a node of the new one: its root is the first hash and is not repeated.
    hashes = list(proof) if old & (old - 1) else [old_root, *proof]
    if not hashes:
        raise ProofInvalid("the consistency proof is too short")
    _verify_growth(old, new, hashes[0], hashes[1:], (old_root, new_root))


def _verify_same(size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    if proof:
        raise ProofInvalid("a proof between equal sizes is empty")
    if old_root != new_root or (size == 0 and old_root != EMPTY_ROOT):
        raise ProofInvalid("equal sizes have different roots")


def _verify_growth(old: int, new: int, first: bytes, rest: list[bytes], roots: tuple[bytes, bytes]) -> None:
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old_node = new_node = first
    for sibling in rest:
        if last == 0:
            raise ProofInvalid("the consistency proof is too long")
        if position & 1 or position == last:
            old_node = node_hash(sibling, old_node)
            new_node = node_hash(sibling, new_node)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            new_node = node_hash(new_node, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise ProofInvalid("the consistency proof is too short")
    if (old_node, new_node) != roots:
        raise ProofInvalid("the consistency proof leads to other roots")


def _split(size: int) -> int:
    """Return the largest power of two smaller than `size` (size > 1)."""
    return 1 << (size - 1).bit_length() - 1


def _require_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(each) != HASH_SIZE for each in hashes):
        raise ProofInvalid("a hash of another length than 32 bytes")
