"""A whole log is checked offline; every kind of damage is found by a named step."""

from functools import cache

import pytest

from signing.checkpoint import LogKey
from signing.log_check import verify_log
from signing.log_errors import NoteInvalid
from signing.merkle import Tree, leaf_hash
from signing.receipt import outcome_of
from signing.tiles import bundles_between, entry_bundle, tiles_for

KEY = LogKey.new("kho.local/log-1")
LINE = KEY.verifier_line()
LEAVES = [b"\x01\x03" + number.to_bytes(32) for number in range(70_000)]
_FEW = 768


@cache
def grown(size):
    return Tree(map(leaf_hash, LEAVES[:size]))


def log(size, leaves=LEAVES, tree=None):
    tree = tree or grown(_FEW if size <= _FEW else len(LEAVES))
    files = dict(tiles_for(tree, 0, size))
    for bundle in bundles_between(0, size):
        files[bundle.path] = entry_bundle(leaves[bundle.first : bundle.stop])
    files["checkpoint"] = KEY.sign_checkpoint(size, tree.root(size)).encode()
    return files


def check(files, line=LINE):
    def fetch(path):
        if path not in files:
            raise FileNotFoundError(path)
        return files[path]

    return verify_log(fetch, line)


def failed(files, line=LINE):
    return [step.name for step in check(files, line) if step.passed is False]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 600, 65_536, 70_000])
def test_a_whole_log_is_valid(size):
    steps = check(log(size))
    assert [(step.number, step.name, step.passed) for step in steps] == [
        (1, "checkpoint", True),
        (2, "tiles", True),
        (3, "entries", True),
        (4, "root", True),
    ]
    assert outcome_of(steps) == "valid"


def test_without_the_key_a_log_is_undetermined():
    steps = check(log(300), None)
    assert [step.passed for step in steps] == [None, True, True, True]
    assert outcome_of(steps) == "undetermined"
    with pytest.raises(NoteInvalid):
        check(log(300), "no key")


def test_only_what_the_head_needs_is_read():
    asked = []
    files = log(600)

    def fetch(path):
        asked.append(path)
        return files[path]

    assert outcome_of(verify_log(fetch, LINE)) == "valid"
    assert sorted(asked) == sorted(files)


def test_full_tiles_stand_in_for_partial_ones():
    files = {path: content for path, content in log(600).items() if ".p/" not in path or "tile/1" in path}
    files |= {
        path: content for path, content in log(768).items() if path in ("tile/0/002", "tile/entries/002")
    }
    assert failed(files) == []


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("checkpoint", ["checkpoint"]),
        ("tile/0/000", ["tiles"]),
        ("tile/0/002.p/88", ["entries", "root"]),
        ("tile/1/000.p/2", ["tiles"]),
        ("tile/entries/001", ["entries"]),
        ("tile/entries/002.p/88", ["entries"]),
    ],
)
def test_one_flipped_bit_is_found(path, steps):
    files = log(600)
    for place in (2, len(files[path]) // 2, len(files[path]) - 2):
        content = bytearray(files[path])
        content[place] ^= 1
        assert failed({**files, path: bytes(content)}) == steps


@pytest.mark.parametrize("path", sorted(log(600)))
def test_a_missing_file_is_found_and_named(path):
    files = log(600)
    del files[path]
    steps = check(files)
    first = next(step for step in steps if not step.passed)
    assert first.passed is False
    assert path.removesuffix(".p/88").removesuffix(".p/2") in first.detail


@pytest.mark.parametrize("path", sorted(set(log(600)) - {"checkpoint"}))
def test_a_cut_or_longer_file_is_found(path):
    files = log(600)
    assert failed({**files, path: files[path][:-1]})
    assert failed({**files, path: b""})
    assert failed({**files, path: files[path] + b"\0"})


def test_a_forked_or_rolled_back_log_is_found():
    leaves = [*LEAVES[:100], b"\x01\x02" + bytes(32), *LEAVES[101:600]]
    forked = log(600, leaves, Tree(map(leaf_hash, leaves)))
    assert failed({**forked, "checkpoint": log(600)["checkpoint"]}) == ["root"]
    assert failed({**log(300), "checkpoint": log(600)["checkpoint"]}) == ["tiles"]
    assert failed(forked, LogKey.new(KEY.name).verifier_line()) == ["checkpoint"]


def test_an_entry_that_is_no_leaf_is_found():
    leaves = [LEAVES[0], b"words"]
    assert failed(log(2, leaves, Tree(map(leaf_hash, leaves)))) == ["entries"]


def test_a_log_that_cannot_be_reached_is_undetermined():
    def fetch(path):
        raise ConnectionRefusedError("nobody answers")

    steps = verify_log(fetch, LINE)
    assert outcome_of(steps) == "undetermined"
    assert [step.passed for step in steps] == [None, None, None, None]


@pytest.mark.parametrize("content", [b"", b"\xff", b"words\n\n\xe2\x80\x94 a AAAAAAAB\n"])
def test_a_checkpoint_that_is_none_is_found(content):
    steps = check({**log(3), "checkpoint": content})
    assert [step.passed for step in steps] == [False, None, None, None]
