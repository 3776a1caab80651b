"""The public proof vectors of transparency-dev/merkle, at commit 417fb0c314750d94e53942e9f92e79b6d35915db.

They belong to that project and are not kept here; no tagged Go module carries them. KHO_MERKLE_TESTDATA
names a folder that holds them (`testdata` of a clone at that commit); without it the part is skipped.
`test_merkle_reference.py` asks the same project's released code instead, wherever Go is.
"""

import base64
import hashlib
import json
import os
from pathlib import Path

import pytest

from signing.log_errors import ProofInvalid
from signing.merkle import verify_consistency, verify_inclusion

PINNED = {
    "inclusion": (98, "6d0dc148765c4724404fb97d9b1b752ac7ae34176874d3512d8b47f702da3046"),
    "consistency": (98, "bb2c0699c5750f2208fad5d8e148613aab7eed0276c0463072037516bae5602f"),
}


def files_of(kind):
    folder = os.environ.get("KHO_MERKLE_TESTDATA")
    if not folder:
        pytest.skip(f"{kind} vectors of transparency-dev/merkle: KHO_MERKLE_TESTDATA names no folder")
    root = Path(folder) / kind
    return root, sorted(root.rglob("*.json"), key=lambda path: path.relative_to(root).as_posix())


def hashes(texts):
    return [base64.b64decode(text) for text in texts or ()]


def inclusion(case):
    leaf, root = hashes([case["leafHash"], case["root"]])
    verify_inclusion(leaf, case["leafIdx"], case["treeSize"], hashes(case["proof"]), root)


def consistency(case):
    roots = hashes([case["root1"] or "", case["root2"] or ""])
    verify_consistency(case["size1"], case["size2"], hashes(case["proof"]), *roots)


@pytest.mark.parametrize("kind", PINNED)
def test_the_vectors_are_the_pinned_ones(kind):
    root, files = files_of(kind)
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    assert (len(files), digest.hexdigest()) == PINNED[kind]


@pytest.mark.parametrize(("kind", "verify"), [("inclusion", inclusion), ("consistency", consistency)])
def test_every_vector_is_judged_as_its_authors_say(kind, verify):
    wrong = []
    for path in files_of(kind)[1]:
        case = json.loads(path.read_text())
        try:
            verify(case)
            refused = False
        except ProofInvalid:
            refused = True
        if refused != case["wantErr"]:
            wrong.append((path.name, case["desc"]))
    assert wrong == []
