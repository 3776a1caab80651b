"""A log that only grew is told from one that was rewritten, offline, by a named step."""

import pytest

from signing.checkpoint import LogKey
from signing.growth import make_growth, parse_growth, verify_growth
from signing.log_errors import GrowthMalformed, NoteInvalid
from signing.merkle import Tree, leaf_hash
from signing.receipt import outcome_of

KEY = LogKey.new("kho.local/log-1")
LINE = KEY.verifier_line()
TREE = Tree(leaf_hash(bytes([1, 3]) + number.to_bytes(32)) for number in range(300))


def head(size, key=KEY, tree=TREE):
    return key.sign_checkpoint(size, tree.root(size))


def grown(old, new, key=KEY, tree=TREE):
    return make_growth(old, tree.consistency(old, new), head(new, key, tree))


def failed(text, kept, line=LINE):
    return [step.name for step in verify_growth(text, kept, line) if step.passed is False]


@pytest.mark.parametrize(
    ("old", "new"), [(1, 1), (1, 2), (7, 8), (8, 300), (255, 256), (299, 300), (300, 300)]
)
def test_a_log_that_grew_is_valid(old, new):
    steps = verify_growth(grown(old, new).encode(), head(old).encode(), LINE)
    assert [(step.number, step.name, step.passed) for step in steps] == [
        (1, "growth_format", True),
        (2, "older_head", True),
        (3, "newer_head", True),
        (4, "growth", True),
    ]
    assert outcome_of(steps) == "valid"


def test_without_the_key_it_is_undetermined():
    steps = verify_growth(grown(7, 300), head(7), None)
    assert [step.passed for step in steps] == [True, None, None, True]
    assert outcome_of(steps) == "undetermined"
    with pytest.raises(NoteInvalid):
        verify_growth(grown(7, 300), head(7), "no key")


def test_a_log_in_which_one_old_entry_was_changed_has_not_grown():
    hashes = list(TREE.level(0)[:])
    hashes[5] = leaf_hash(b"another")
    forked = Tree(hashes)
    assert failed(grown(7, 300, tree=forked), head(7)) == ["growth"]
    assert failed(grown(5, 300, tree=forked), head(5)) == []  # before the change both are one


def test_another_checkpoint_than_the_one_asked_about_is_told():
    assert failed(grown(7, 300), head(8)) == ["growth"]
    assert failed(grown(7, 300), head(7, LogKey.new("kho.local/log-2"))) == ["older_head", "growth"]


def test_a_head_signed_by_another_key_is_told():
    imposter = LogKey.new(KEY.name)
    assert failed(grown(7, 300, imposter), head(7)) == ["newer_head"]
    assert failed(grown(7, 300), head(7, imposter)) == ["older_head"]


def test_a_log_never_shrinks():
    shrunk = make_growth(300, [], head(7))
    assert failed(shrunk, head(300)) == ["growth"]


def test_every_line_of_the_proof_counts():
    lines = grown(7, 300).split("\n")
    proof = range(1, lines.index(""))
    assert len(proof) > 5
    for number in proof:
        without = [*lines[:number], *lines[number + 1 :]]
        assert failed("\n".join(without), head(7)) == ["growth"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "old 7",
        "old -7\n\n" + head(300),
        "old 07\n\n" + head(300),
        "new 7\n\n" + head(300),
        "old 7\nAA==\n\n" + head(300),
        "old 7\nnot base64\n\n" + head(300),
        "old 7\n\nno checkpoint\n",
        "old 7\n" + "A" * 70_000 + "\n\n" + head(300),
        "old 7\n" + "\n".join(["A" * 43 + "="] * 64) + "\n\n" + head(300),
    ],
)
def test_what_is_no_such_file_is_told_by_its_first_step(text):
    with pytest.raises(GrowthMalformed):
        parse_growth(text)
    steps = verify_growth(text, head(7), LINE)
    assert [step.passed for step in steps] == [False, None, None, None]


@pytest.mark.parametrize("kept", [b"\xff", b"", b"no checkpoint", head(7).encode()[:-3]])
def test_a_kept_checkpoint_that_is_none_is_told(kept):
    assert failed(grown(7, 300), kept) == ["growth_format"]
