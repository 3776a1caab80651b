"""The leaf format is final: fixed bytes, computed apart from our code, and everything else refused."""

import base64
import copy
import enum
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from signing.leaf import (
    PARTS,
    Kind,
    Parts,
    check_opening,
    leaf_kind,
    make_leaf,
    new_seed,
    open_body,
    opening,
    seal_body,
)
from signing.log_errors import LeafMalformed

SEED = bytes(range(32))
CONTENT = {
    "subject": {"type": "GKS", "record": "r1", "owners": ["o1", "o2"], "version": 1},
    "actor": {"agency": "H56.14", "officer": "Nguyễn Thị Ánh", "system": "s1"},
    "purpose": {"dossier": "H56.14-250201-0001", "component": "KQ003606"},
    "basis": {"kind": "statute", "facts": {"dossier_open": True, "count": -3}},
    "event": {},
}


def parts(**changes):
    return Parts(**{**copy.deepcopy(CONTENT), **changes})


LEAF = make_leaf(Kind.DELIVERED, parts(), SEED)


def by_hand(kind, content, seed):
    """The lines of DESIGN 6, with the standard library alone."""

    def mac(key, text):
        return hmac.new(key, text, hashlib.sha256).digest()

    commitments = b""
    for name in ("subject", "actor", "purpose", "basis", "event"):
        text = json.dumps(content[name], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        salt = mac(seed, b"kho/1/salt/" + name.encode())
        commitments += mac(salt, b"kho/1/part/" + name.encode() + b"\x00" + text.encode())
    k = hashlib.sha256(b"kho/1/entry" + b"\x00" + bytes([kind]) + commitments).digest()
    return b"\x01" + bytes([kind]) + k


@pytest.mark.parametrize("kind", list(Kind))
def test_the_leaf_is_the_one_written_in_the_design(kind):
    leaf = make_leaf(kind, parts(), SEED)
    assert leaf == by_hand(int(kind), CONTENT, SEED)
    assert len(leaf) == 34
    assert leaf_kind(leaf) is kind


def test_the_leaf_never_changes():
    assert LEAF.hex() == "01032e40d6ddd98a8e6b15bafc4a390f083019d15815031ca68e099f969fb964ce72"


def test_kinds_are_those_of_the_design():
    assert [int(kind) for kind in Kind] == list(range(1, 18))
    assert (Kind.RELEASE_PERMITTED, Kind.DELIVERED, Kind.AUDITOR_ACT, Kind.HEARTBEAT) == (1, 3, 14, 17)


def test_strings_and_keys_are_taken_in_nfc():
    decomposed = "Nguye\u0302\u0303n Thi\u0323 A\u0301nh"
    actor = {"system": "s1", "officer": decomposed, "agency": "H56.14"}
    assert make_leaf(Kind.DELIVERED, parts(actor=actor), SEED) == LEAF
    assert parts(event={"e\u0301": 1}).event == {"\u00e9": 1}


def test_parts_are_copies():
    owners = ["o1"]
    kept = parts(subject={"owners": owners})
    owners.append("o2")
    assert kept.subject == {"owners": ["o1"]}


def test_enumerations_become_plain_values():
    class Colour(enum.StrEnum):
        RED = "red"

    assert parts(event={"c": Colour.RED, "k": Kind.SEARCH}).encoded["event"] == b'{"c":"red","k":6}'


def deep(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        {"a": None},
        {"a": 1.0},
        {"a": [1, float("nan")]},
        {"a": 2**53},
        {"a": -(2**53)},
        {"a": b"bytes"},
        {"a": {1}},
        {1: "a"},
        {"a": "\ud800"},
        {"\udfff": 1},
        {"\u00e9": 1, "e\u0301": 2},
        {"a": deep(40)},
        {"a": deep(100_000)},
        ["a"],
        "a",
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_single_json_text_is_refused_by_part(value):
    with pytest.raises(LeafMalformed) as refused:
        parts(basis=value)
    assert refused.value.part == "basis"
    assert refused.value.code == "leaf_malformed"


def test_the_largest_integers_are_taken():
    assert parts(event={"a": 2**53 - 1, "b": -(2**53) + 1}).encoded["event"].endswith(b"-9007199254740991}")


def test_seeds_are_32_random_bytes():
    assert len(new_seed()) == 32
    assert len({new_seed() for _ in range(20)}) == 20
    with pytest.raises(LeafMalformed):
        make_leaf(Kind.SEARCH, parts(), bytes(31))


def test_the_body_is_the_one_written_in_the_design():
    body = seal_body(parts(), SEED, LEAF)
    key = hmac.new(SEED, b"kho/1/body", hashlib.sha256).digest()
    text = AESGCM(key).decrypt(bytes(12), body, LEAF)
    assert text == json.dumps(CONTENT, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert open_body(body, SEED, LEAF) == parts()


def test_a_changed_body_seed_or_leaf_does_not_open():
    body = seal_body(parts(), SEED, LEAF)
    for place in range(len(body)):
        with pytest.raises(LeafMalformed):
            open_body(body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :], SEED, LEAF)
    for spoilt, seed, leaf in (
        (body[:-1], SEED, LEAF),
        (b"", SEED, LEAF),
        (body, bytes(32), LEAF),
        (body, b"", LEAF),
        (body, SEED, make_leaf(Kind.SEARCH, parts(), SEED)),
    ):
        with pytest.raises(LeafMalformed):
            open_body(spoilt, seed, leaf)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({**CONTENT, "event": {"a": 1}}, sort_keys=True, separators=(",", ":")).encode(),
        json.dumps(CONTENT).encode(),
        b'{"subject":{}}',
        b"[]",
        b"\xff",
    ],
)
def test_a_body_that_holds_other_parts_than_its_leaf_is_refused(text):
    key = hmac.new(SEED, b"kho/1/body", hashlib.sha256).digest()
    with pytest.raises(LeafMalformed):
        open_body(AESGCM(key).encrypt(bytes(12), text, LEAF), SEED, LEAF)


def test_a_foreign_leaf_is_neither_sealed_nor_opened():
    foreign = make_leaf(Kind.DELIVERED, parts(event={"a": 1}), SEED)
    for act in (seal_body, opening):
        with pytest.raises(LeafMalformed):
            act(parts(), SEED, foreign)


@settings(deadline=None)
@given(st.sets(st.sampled_from(PARTS)))
def test_an_opening_shows_the_chosen_parts_and_hides_the_others(show):
    shown = opening(parts(), SEED, LEAF, show)
    text = json.dumps(shown, ensure_ascii=False)
    assert check_opening(json.loads(text), LEAF) == {part: CONTENT[part] for part in show}
    if "actor" not in show:
        assert "Nguyễn" not in text
    for part in set(PARTS) - show:
        salt = hmac.new(SEED, b"kho/1/salt/" + part.encode(), hashlib.sha256).digest()
        assert base64.b64encode(salt).decode() not in text


def spoil(change):
    content = json.loads(json.dumps(opening(parts(), SEED, LEAF, ("actor", "event"))))
    change(content)
    return content


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda o: o["shown"]["actor"]["json"].update(officer="Nguyễn Thị Ảnh"), "actor"),
        (lambda o: o["shown"]["actor"]["json"].update(extra=1), "actor"),
        (lambda o: o["shown"]["actor"]["json"].update(extra=None), "actor"),
        (lambda o: o["shown"]["actor"]["json"].update(extra=0.5), "actor"),
        (lambda o: o["shown"]["actor"]["json"].update(officer="Nguye\u0302\u0303n Thị Ánh"), "actor"),
        (lambda o: o["shown"]["actor"].update(json=[]), "actor"),
        (lambda o: o["shown"]["actor"].update(more=1), "actor"),
        (lambda o: o["shown"]["actor"].pop("salt"), "actor"),
        (lambda o: o["shown"].update(actor="a"), "actor"),
        (lambda o: o["shown"]["event"].update(salt=base64.b64encode(bytes(32)).decode()), "event"),
        (lambda o: o["shown"]["event"].update(salt="AA=="), "event"),
        (lambda o: o["shown"]["event"].update(salt="é"), "event"),
        (lambda o: o["shown"]["event"].update(salt=7), "event"),
        (lambda o: o["commitments"].update(basis=base64.b64encode(bytes(32)).decode()), ""),
        (lambda o: o["commitments"].update(basis="!"), "basis"),
        (lambda o: o["commitments"].update(basis=None), "basis"),
        (lambda o: o["commitments"].pop("basis"), ""),
        (lambda o: o["commitments"].update(other="a"), ""),
        (lambda o: o["shown"].update(other={}), ""),
        (lambda o: o.update(other={}), ""),
        (lambda o: o.pop("shown"), ""),
        (lambda o: o.update(shown=[]), ""),
        (lambda o: o.update(commitments=[]), ""),
    ],
)
def test_a_spoilt_opening_is_refused_naming_the_part(change, part):
    with pytest.raises(LeafMalformed) as refused:
        check_opening(spoil(change), LEAF)
    assert refused.value.part == part


@pytest.mark.parametrize("value", [None, [], "a", 1])
def test_an_opening_that_is_no_object_is_refused(value):
    with pytest.raises(LeafMalformed):
        check_opening(value, LEAF)


def test_an_opening_fits_no_other_leaf():
    shown = opening(parts(), SEED, LEAF)
    for leaf in (
        make_leaf(Kind.DELIVERED, parts(event={"a": 1}), SEED),
        make_leaf(Kind.DELIVERED, parts(), bytes(32)),
        LEAF[:-1],
        b"",
        b"\x02" + LEAF[1:],
        b"\x01\x00" + LEAF[2:],
        b"\x01\x06" + LEAF[2:],
        b"\x01\x12" + LEAF[2:],
    ):
        with pytest.raises(LeafMalformed):
            check_opening(shown, leaf)
    with pytest.raises(LeafMalformed):
        opening(parts(), SEED, LEAF, ("actor", "nobody"))
