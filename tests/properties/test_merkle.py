"""The tree agrees with a naive recursive reading of RFC 6962, and every spoilt proof is refused."""

from hashlib import sha256

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from signing.log_errors import ProofInvalid
from signing.merkle import (
    EMPTY_ROOT,
    Tree,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(bytes([i % 251, i // 251])) for i in range(300)]


def naive_root(hashes):
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return node_hash(naive_root(hashes[:k]), naive_root(hashes[k:]))


def naive_path(index, hashes):
    if len(hashes) == 1:
        return []
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    if index < k:
        return [*naive_path(index, hashes[:k]), naive_root(hashes[k:])]
    return [*naive_path(index - k, hashes[k:]), naive_root(hashes[:k])]


def naive_consistency(old, hashes, whole=True):
    if old == len(hashes):
        return [] if whole else [naive_root(hashes)]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    if old <= k:
        return [*naive_consistency(old, hashes[:k], whole), naive_root(hashes[k:])]
    return [*naive_consistency(old - k, hashes[k:], False), naive_root(hashes[:k])]


TREE = Tree(LEAVES)
sizes = st.integers(1, len(LEAVES))


@settings(deadline=None)
@given(st.integers(0, len(LEAVES)))
def test_roots_of_every_earlier_size_agree_with_the_naive_tree(size):
    assert TREE.root(size) == naive_root(LEAVES[:size]) == Tree(LEAVES[:size]).root()


@settings(deadline=None)
@given(sizes, st.data())
def test_inclusion_proofs_agree_and_verify(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof = TREE.inclusion(index, size)
    assert proof == naive_path(index, LEAVES[:size])
    verify_inclusion(LEAVES[index], index, size, proof, TREE.root(size))


@settings(deadline=None)
@given(sizes, st.data())
def test_consistency_proofs_agree_and_verify(new, data):
    old = data.draw(st.integers(1, new))
    proof = TREE.consistency(old, new)
    assert proof == naive_consistency(old, LEAVES[:new])
    verify_consistency(old, new, proof, TREE.root(old), TREE.root(new))


@settings(deadline=None)
@given(sizes, st.data())
def test_a_proof_is_refused_for_another_leaf_index_size_or_root(size, data):
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, len(LEAVES) - 1))
    assume(other != index)
    proof, root = TREE.inclusion(index, size), TREE.root(size)
    with pytest.raises(ProofInvalid):
        verify_inclusion(LEAVES[other], index, size, proof, root)
    with pytest.raises(ProofInvalid):
        verify_inclusion(LEAVES[index], other, size, proof, root)
    with pytest.raises(ProofInvalid):
        verify_inclusion(LEAVES[index], index, size, proof, sha256(root).digest())


@settings(deadline=None)
@given(st.integers(2, len(LEAVES)), st.data())
def test_every_flipped_bit_of_a_proof_is_refused(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof = TREE.inclusion(index, size)
    row, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
    spoilt = bytearray(proof[row])
    spoilt[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ProofInvalid):
        verify_inclusion(
            LEAVES[index], index, size, [*proof[:row], bytes(spoilt), *proof[row + 1 :]], TREE.root(size)
        )


@settings(deadline=None)
@given(st.integers(2, len(LEAVES)), st.data())
def test_consistency_refuses_longer_shorter_and_exchanged_proofs(new, data):
    old = data.draw(st.integers(1, new - 1))
    proof, roots = TREE.consistency(old, new), (TREE.root(old), TREE.root(new))
    for spoilt in ([*proof, LEAVES[0]], proof[:-1], [LEAVES[0], *proof]):
        with pytest.raises(ProofInvalid):
            verify_consistency(old, new, spoilt, *roots)
    with pytest.raises(ProofInvalid):
        verify_consistency(old, new, proof, roots[1], roots[0])
    forked = Tree([*LEAVES[: old - 1], sha256(b"fork").digest(), *LEAVES[old:new]])
    with pytest.raises(ProofInvalid):
        verify_consistency(old, new, proof, roots[0], forked.root())


def test_the_empty_tree():
    assert Tree().root() == EMPTY_ROOT
    verify_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    for old, new, root in ((0, 0, LEAVES[0]), (0, 1, LEAVES[0]), (1, 0, EMPTY_ROOT)):
        with pytest.raises(ProofInvalid):
            verify_consistency(old, new, [], root, root)
    with pytest.raises(ProofInvalid):
        verify_inclusion(LEAVES[0], 0, 0, [], EMPTY_ROOT)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_hashes_of_another_length_are_refused(length):
    short = bytes(length)
    with pytest.raises(ProofInvalid):
        verify_inclusion(short, 0, 1, [], short)
    with pytest.raises(ProofInvalid):
        verify_consistency(1, 2, [LEAVES[1]], short, node_hash(short, LEAVES[1]))
    with pytest.raises(ProofInvalid):
        verify_consistency(1, 2, [short], LEAVES[0], node_hash(LEAVES[0], short))
    with pytest.raises(ValueError):
        Tree([short])


def test_levels_hold_complete_nodes_only():
    tree = Tree(LEAVES[:5])
    assert list(tree.level(0)) == LEAVES[:5]
    assert list(tree.level(1)) == [node_hash(*LEAVES[0:2]), node_hash(*LEAVES[2:4])]
    assert tree.level(2)[0] == tree.root(4)
    assert tree.level(2).joined(0, 1) == tree.root(4)
    assert len(tree.level(3)) == len(tree.level(40)) == 0
