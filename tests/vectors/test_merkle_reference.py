"""Our Merkle proofs, right and spoilt, are judged alike by transparency-dev/merkle (its newest release)."""

import json
import subprocess
from base64 import b64encode
from pathlib import Path

import pytest

from signing.log_errors import ProofInvalid
from signing.merkle import Tree, leaf_hash, verify_consistency, verify_inclusion

SOURCE = Path(__file__).with_name("merkle_reference")
MODULE = "github.com/transparency-dev/merkle@v0.0.2"
CHECKSUM = "h1:Q9nBoQcZcgPamMkGn7ghV8XiTZ/kRxn1yCG81+twTK4="
SIZES = (*range(1, 34), 63, 64, 65, 127, 128, 129, 255, 256, 257, 1000)
HASHES = [leaf_hash(number.to_bytes(2)) for number in range(1000)]
TREE = Tree(HASHES)
VERIFY = {
    "inclusion": lambda low, high, first, last, proof: verify_inclusion(first, low, high, proof, last),
    "consistency": lambda low, high, first, last, proof: verify_consistency(low, high, proof, first, last),
}


@pytest.fixture(scope="module")
def reference(go, tmp_path_factory):
    go.require(MODULE, CHECKSUM, "reference Merkle verifier", SOURCE)
    program = tmp_path_factory.mktemp("go") / "merkle_reference"
    go.build("build", "-mod=readonly", "-o", program, ".", folder=SOURCE)
    return program


def spoilt(low, high, first, last, proof):
    """The case itself, then what a mistaken or dishonest log might hand out instead."""
    other = HASHES[999]
    yield low, high, first, last, proof
    for change in (1, -1, 2, -2):
        yield low + change, high, first, last, proof
        yield low, high + change, first, last, proof
    yield low * 2, high * 2, first, last, proof
    yield low, high, last, first, proof
    yield low, high, other, last, proof
    yield low, high, first, other, proof
    for longer in ([other, *proof], [*proof, other], [first, *proof], [*proof, first], [*proof, last]):
        yield low, high, first, last, longer
    for place, each in enumerate(proof):
        yield low, high, first, last, [*proof[:place], *proof[place + 1 :]]
        yield low, high, first, last, [*proof[:place], bytes([each[0] ^ 16]) + each[1:], *proof[place + 1 :]]
        yield low, high, first, last, [*proof[:place], b"", *proof[place + 1 :]]
    yield low, high, b"", last, proof
    yield low, high, first, b"", proof


def cases(kind):
    for size in SIZES:
        for low in sorted({0, 1, 2, size // 3, size // 2, size - 1, size} & set(range(size + 1))):
            if kind == "inclusion" and low < size:
                yield low, size, HASHES[low], TREE.root(size), TREE.inclusion(low, size)
            # A proof from the empty tree was still accepted by this release; its authors refuse it since.
            if kind == "consistency" and low:
                yield low, size, TREE.root(low), TREE.root(size), TREE.consistency(low, size)


def ours(kind, case):
    try:
        VERIFY[kind](*case)
    except ProofInvalid:
        return False
    return True


def question(kind, case):
    low, high, *hashes, proof = case
    first, last, *texts = (b64encode(each).decode() for each in (*hashes, *proof))
    return json.dumps({"Kind": kind, "Low": low, "High": high, "First": first, "Last": last, "Proof": texts})


@pytest.mark.parametrize("kind", VERIFY)
def test_the_reference_judges_as_we_do(reference, kind):
    right = list(cases(kind))
    every = [
        each
        for case in right
        for each in spoilt(*case)
        if each[0] >= (kind == "consistency") and each[1] >= 0
    ]
    asked = "".join(question(kind, case) + "\n" for case in every)
    answer = subprocess.run([reference], input=asked, capture_output=True, text=True, timeout=60, check=True)
    theirs = [line == "true" for line in answer.stdout.splitlines()]
    assert theirs == [ours(kind, case) for case in every]
    assert len(right) <= sum(theirs) < len(every) / 5
    assert len(every) > 3000
