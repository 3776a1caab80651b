"""A receipt is checked with public means alone, and every changed bit is found by a named step."""

import base64
import itertools
import json

import pytest

from signing.checkpoint import LogKey
from signing.leaf import Kind, Parts, make_leaf, new_seed, opening
from signing.log_errors import NoteInvalid, ReceiptMalformed
from signing.merkle import Tree, leaf_hash
from signing.receipt import make_receipt, parse_receipt, verify_receipt

KEY = LogKey.new("kho.local/log-1")
LINE = KEY.verifier_line()
NAMES = ["format", "checkpoint", "inclusion", "leaf", "parts"]


def entry(number):
    parts = Parts(
        subject={"record": f"r{number}", "digest": "00" * 32},
        actor={"agency": "H56.14", "officer": "Nguyễn Thị Ánh"},
        purpose={"dossier": "H56.14-250201-0001"},
        basis={"kind": "statute"},
        event={"type": "delivered"},
    )
    seed = new_seed()
    return parts, seed, make_leaf(Kind.DELIVERED, parts, seed)


ENTRIES = [entry(number) for number in range(11)]
TREE = Tree(leaf_hash(leaf) for _, _, leaf in ENTRIES)


def receipt(index=5, size=11, show=("actor", "event"), **changes):
    parts, seed, leaf = ENTRIES[index]
    given = {
        "leaf": leaf,
        "index": index,
        "proof": TREE.inclusion(index, size),
        "checkpoint": KEY.sign_checkpoint(size, TREE.root(size)),
        "opening": opening(parts, seed, leaf, show),
    }
    return make_receipt(**{**given, **changes})


def failed(text, line=LINE):
    return [step.name for step in verify_receipt(text, line).steps if step.passed is False]


@pytest.mark.parametrize("size", range(1, 12))
def test_every_entry_of_every_size_is_valid(size):
    for index in range(size):
        check = verify_receipt(receipt(index, size), LINE)
        assert check.outcome == "valid"
        assert [step.name for step in check.steps] == NAMES
        assert [step.number for step in check.steps] == [1, 2, 3, 4, 5]
        assert (check.index, check.checkpoint.size) == (index, size)
        assert check.parts["actor"] == {"agency": "H56.14", "officer": "Nguyễn Thị Ánh"}
        assert set(check.parts) == {"actor", "event"}


def test_the_receipt_is_a_log_proof():
    lines = receipt().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ")
    assert lines[2] == "index 5"
    assert [base64.b64decode(line) for line in lines[3:7]] == TREE.inclusion(5)
    assert "\n".join(lines[8:]) == KEY.sign_checkpoint(11, TREE.root())
    taken = parse_receipt(receipt())
    assert taken.leaf == ENTRIES[5][2]
    assert (
        make_receipt(
            leaf=taken.leaf,
            index=taken.index,
            proof=taken.proof,
            checkpoint=taken.note,
            opening=taken.opening,
        )
        == receipt()
    )
    assert len(receipt()) < 3000


def test_without_the_logs_key_nothing_is_proven():
    check = verify_receipt(receipt(), None)
    assert check.outcome == "undetermined"
    assert [step.passed for step in check.steps] == [True, None, True, True, True]
    assert verify_receipt(receipt(leaf=ENTRIES[4][2]), None).outcome == "invalid"


def test_a_malformed_key_line_is_the_callers_error():
    with pytest.raises(NoteInvalid):
        verify_receipt(receipt(), "no key")


def test_every_flipped_bit_is_found_by_a_named_step():
    content = receipt(2, 3, ("event",)).encode()
    seen = set()
    for place in range(len(content) * 8):
        spoilt = bytearray(content)
        spoilt[place // 8] ^= 1 << place % 8
        check = verify_receipt(bytes(spoilt), LINE)
        assert check.outcome == "invalid", place
        assert check.parts == {}
        seen |= {step.name for step in check.steps if step.passed is False}
    assert seen == set(NAMES)


def test_every_removed_or_doubled_line_is_found():
    lines = receipt(2, 3).splitlines(keepends=True)
    for place in range(len(lines)):
        assert failed("".join(lines[:place] + lines[place + 1 :]))
        if place < len(lines) - 1:  # a doubled signature is still the log's signature
            assert failed("".join(lines[: place + 1] + lines[place:]))


def test_the_step_that_fails_is_the_one_at_fault():
    other = LogKey.new("kho.local/log-1")
    forked = Tree([*TREE.level(0)[:10], leaf_hash(b"other")])
    parts, seed, leaf = ENTRIES[5]
    lying = opening(parts, seed, leaf)
    lying["shown"]["actor"] = {**lying["shown"]["actor"], "json": {"agency": "H56.15"}}
    assert failed(receipt(), other.verifier_line()) == ["checkpoint"]
    assert failed(receipt(checkpoint=KEY.sign_checkpoint(11, forked.root()))) == ["inclusion"]
    assert failed(
        receipt(index=4, leaf=ENTRIES[5][2], proof=TREE.inclusion(5), opening=opening(*ENTRIES[5]))
    ) == ["inclusion"]
    assert failed(receipt(opening=opening(*ENTRIES[4]))) == ["leaf"]
    assert failed(receipt(opening=lying)) == ["parts"]
    assert failed(receipt(proof=TREE.inclusion(5)[:-1])) == ["inclusion"]
    assert failed(receipt(proof=[b"short"])) == ["format"]
    assert failed(receipt(leaf=b"")) == ["inclusion", "leaf"]


def extra(content):
    lines = receipt().split("\n")
    lines[1] = "extra " + base64.b64encode(content).decode()
    return "\n".join(lines)


SHOWN = {"leaf": base64.b64encode(ENTRIES[5][2]).decode(), "opening": {}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "words",
        "\n\n",
        "c2sp.org/tlog-proof@v1",
        "c2sp.org/tlog-proof@v1\nextra AAAA\nindex 1",
        receipt().replace("index 5", "index 05"),
        receipt().replace("index 5", "index -5"),
        receipt().replace("index 5", "index ٥"),
        receipt().replace("\n", "\r\n"),
        receipt() + " ",
        " " + receipt(),
        receipt() + "x" * 300_000,
        extra(b"{}"),
        extra(b"[]"),
        extra(json.dumps(SHOWN).encode()),
        extra(json.dumps({**SHOWN, "leaf": 1}, separators=(",", ":")).encode()),
        extra(json.dumps({**SHOWN, "leaf": "!"}, separators=(",", ":")).encode()),
        extra(json.dumps({**SHOWN, "opening": []}, separators=(",", ":")).encode()),
        extra(json.dumps({**SHOWN, "more": {}}, separators=(",", ":")).encode()),
        extra(b"\xff\xfe"),
        extra(b"[" * 50_000),
        "\ud800" + receipt(),
    ],
)
def test_what_is_no_receipt_fails_at_its_format(text):
    check = verify_receipt(text, LINE)
    assert check.outcome == "invalid"
    assert [step.passed for step in check.steps] == [False, None, None, None, None]
    assert (check.parts, check.checkpoint, check.index) == ({}, None, None)
    with pytest.raises(ReceiptMalformed):
        parse_receipt(text)


def test_receipts_of_one_log_cannot_be_mixed():
    first, second = parse_receipt(receipt(5)), parse_receipt(receipt(6))
    fields = ("leaf", "index", "proof", "opening")
    for chosen in itertools.product((first, second), repeat=len(fields)):
        if len(set(map(id, chosen))) == 1:
            continue
        mixed = {field: getattr(source, field) for field, source in zip(fields, chosen, strict=True)}
        assert failed(make_receipt(**mixed, checkpoint=first.note))
