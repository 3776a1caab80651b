"""The public proof vectors of transparency-dev/merkle, as they stand at its commit 417fb0c (July 2026).

That commit keeps them as files, which no released Go module carries. They are the cases that the newest
release puts to its verifiers in its own tests, but for one added and two judged otherwise since. So those
tests are run in a copy of the release that writes the cases down; the three are put right; and a digest over
all says that these are the cases of the files, no more and no fewer.
"""

import json
import shutil
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from signing.log_errors import ProofInvalid
from signing.merkle import EMPTY_ROOT, verify_consistency, verify_inclusion

RECORDING = Path(__file__).with_name("merkle_recording") / "recording.go"
MODULE = "github.com/transparency-dev/merkle@v0.0.2"
CHECKSUM = "h1:Q9nBoQcZcgPamMkGn7ghV8XiTZ/kRxn1yCG81+twTK4="
COPIED = ("hasher.go", "compact", "proof", "rfc6962")
# Of the 98 + 98 files: their 194 different cases as `line` writes them, sorted.
DIGEST = "a09524d4ec53abbb34581528cacc63ad615ae68e18cad33a48a3350f6d80232e"
ONE, TWO = b64encode(b"don't care 1").decode(), b64encode(b"don't care 2").decode()
# Nothing is proven from the empty tree, and its root is no matter of choice; the release accepted these yet.
CHANGED = {("consistency", 0, 0, ONE, ONE, ()), ("consistency", 0, 1, ONE, TWO, ())}
ADDED = ("consistency", 0, 1, b64encode(EMPTY_ROOT).decode(), TWO, ())


@pytest.fixture(scope="module")
def vectors(go, tmp_path_factory):
    """Every case (kind, low, high, first, last, proof; hashes in base64), and whether it must be refused."""
    release = Path(go.require(MODULE, CHECKSUM, "vectors of transparency-dev/merkle"))
    folder = tmp_path_factory.mktemp("merkle")
    for name in COPIED:
        copy = shutil.copytree if (release / name).is_dir() else shutil.copyfile
        copy(release / name, folder / name)
    (folder / "go.mod").write_text(f"module {MODULE.partition('@')[0]}\n\ngo 1.24\n")
    _record_verifiers(folder / "proof")
    cases = folder / "cases"
    go.build("test", "./proof", "-run", "^TestVerify", "-count=1", folder=folder, KHO_CASES=str(cases))
    found = {}
    for *case, refused in map(json.loads, cases.read_text().splitlines()):
        kind, low, high, first, last, proof = case
        key = (kind, low, high, first or "", last or "", tuple(each or "" for each in proof or ()))
        found[key] = refused or key in CHANGED
    return found | {ADDED: True}


def _record_verifiers(package):
    for path in (package, *package.iterdir()):
        path.chmod(0o700)  # the module cache is not to be written to, and so is its copy
    for path in package.glob("*_test.go"):
        if path.name != "verify_test.go":
            path.unlink()
    verify = package / "verify.go"
    source = verify.read_text()
    for name in ("VerifyInclusion", "VerifyConsistency"):
        assert f"\nfunc {name}(" in source
        source = source.replace(f"\nfunc {name}(", f"\nfunc {name[0].lower()}{name[1:]}(")
    verify.write_text(source)
    shutil.copyfile(RECORDING, package / RECORDING.name)


def line(case, refused):
    kind, low, high, first, last, proof = case
    return json.dumps([kind, low, high, first, last, list(proof), refused]) + "\n"


def test_the_vectors_are_those_of_the_commit(vectors):
    assert vectors.keys() > CHANGED
    lines = sorted(line(case, refused) for case, refused in vectors.items())
    assert sha256("".join(lines).encode()).hexdigest() == DIGEST


@pytest.mark.parametrize("kind", ["inclusion", "consistency"])
def test_every_vector_is_judged_as_its_authors_say(vectors, kind):
    judged = [(case, refused) for case, refused in vectors.items() if case[0] == kind]
    assert [case for case, refused in judged if ours(*case) != refused] == []
    assert len(judged) > 90


def ours(kind, low, high, first, last, proof):
    """Say whether we refuse a case."""
    first, last, *proof = (b64decode(text) for text in (first, last, *proof))
    try:
        if kind == "inclusion":
            verify_inclusion(first, low, high, proof, last)
        else:
            verify_consistency(low, high, proof, first, last)
    except ProofInvalid:
        return True
    return False
