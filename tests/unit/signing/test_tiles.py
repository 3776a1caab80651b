"""Paths and contents of tiles, against the examples and formulas of C2SP tlog-tiles."""

import itertools

import pytest

from signing.merkle import Tree, leaf_hash
from signing.tiles import (
    bundles_between,
    entries_path,
    entry_bundle,
    outgrown_tiles,
    read_bundle,
    tile_path,
    tiles_for,
)


@pytest.fixture(scope="module")
def tree():
    return Tree(leaf_hash(i.to_bytes(4)) for i in range(70_000))


@pytest.mark.parametrize(
    ("index", "path"),
    [(0, "000"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067"), (10**6, "x001/x000/000")],
)
def test_an_index_is_a_path_of_three_digit_elements(index, path):
    assert tile_path(3, index) == f"tile/3/{path}"
    assert entries_path(index, 17) == f"tile/entries/{path}.p/17"


@pytest.mark.parametrize("width", [0, -1, 257])
def test_there_is_no_empty_and_no_wider_tile(width):
    with pytest.raises(ValueError):
        tile_path(0, 0, width)


def test_a_log_of_70000_has_the_tiles_of_the_standards_example(tree):
    tiles = dict(tiles_for(tree, 0, 70_000))
    assert [path for path in tiles if ".p" in path] == [
        "tile/0/273.p/112",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert len(tiles) == 274 + 2 + 1
    assert tiles["tile/0/273.p/112"] == b"".join(tree.level(0)[273 * 256 : 70_000])
    assert tiles["tile/1/000"] == b"".join(
        Tree(tree.level(0)[i * 256 : i * 256 + 256]).root() for i in range(256)
    )
    assert tiles["tile/2/000.p/1"] == tree.root(65_536)


def test_a_log_of_256_has_a_full_tile_and_one_hash_above(tree):
    assert [path for path, _ in tiles_for(tree, 0, 256)] == ["tile/0/000", "tile/1/000.p/1"]


def test_growing_rewrites_nothing(tree):
    written = {}
    sizes = [0, 1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 70_000]
    for old, new in itertools.pairwise(sizes):
        for path, content in tiles_for(tree, old, new):
            assert path not in written
            written[path] = content
    final = dict(tiles_for(tree, 0, 70_000))
    assert {path: content for path, content in written.items() if path in final} == final


def test_equal_sizes_need_nothing(tree):
    assert list(tiles_for(tree, 300, 300)) == list(bundles_between(300, 300)) == []
    assert list(tiles_for(tree, 0, 0)) == []


def test_bundles_between_sizes():
    found = [(each.path, each.first, each.stop) for each in bundles_between(255, 600)]
    assert found == [
        ("tile/entries/000", 0, 256),
        ("tile/entries/001", 256, 512),
        ("tile/entries/002.p/88", 512, 600),
    ]


def test_partials_are_dropped_once_the_tile_after_is_full():
    assert list(outgrown_tiles(0, 511)) == []
    assert list(outgrown_tiles(511, 512)) == ["tile/0/000", "tile/entries/000"]
    assert list(outgrown_tiles(512, 767)) == []
    dropped = [
        path
        for old, new in itertools.pairwise([0, 300, 600, 70_000, 140_000])
        for path in outgrown_tiles(old, new)
    ]
    assert dropped.count("tile/1/000") == 1
    assert sorted(dropped) == sorted(outgrown_tiles(0, 140_000))
    assert len(dropped) == len(set(dropped)) == 2 * (140_000 // 256 - 1) + 1


def test_a_bundle_is_entries_after_their_lengths():
    leaves = [b"", b"a", bytes(34), bytes(65_535)]
    content = entry_bundle(leaves)
    assert content[:5] == b"\x00\x00\x00\x01a"
    assert read_bundle(content) == leaves
    for cut in (1, 2, 4, len(content) - 1):
        spoilt = content[:cut]
        if cut == 2:
            assert read_bundle(spoilt) == [b""]
            continue
        with pytest.raises(ValueError):
            read_bundle(spoilt)
    with pytest.raises(ValueError):
        entry_bundle([bytes(65_536)])
