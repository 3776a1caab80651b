"""The receipt of an entry: a C2SP tlog-proof whose extra line carries the leaf and an opening of it.

c2sp.org/tlog-proof@v1
extra base64 of the canonical JSON {"leaf": base64, "opening": see signing/leaf.py}
index N
the inclusion proof, one hash a line

the signed checkpoint
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from signing.canonical import canonical, from_base64, parse_canonical, to_base64
from signing.checkpoint import Checkpoint, LogVerifier, parse_checkpoint, split_note
from signing.leaf import check_commitments, check_shown
from signing.log_errors import LeafMalformed, NoteInvalid, ProofInvalid, ReceiptMalformed
from signing.merkle import HASH_SIZE, leaf_hash, verify_inclusion

MEDIA_TYPE = "text/plain; charset=utf-8"
Outcome = Literal["valid", "invalid", "undetermined"]

_FIRST_LINE = "c2sp.org/tlog-proof@v1"
_INDEX_LINE = re.compile(r"index (0|[1-9][0-9]{0,18})")
_LARGEST = 256 * 1024  # a receipt has 1 to 3 kB; this bounds what a stranger can make us parse


@dataclass(frozen=True)
class Receipt:
    """A receipt taken apart, nothing of it verified yet."""

    leaf: bytes
    index: int
    proof: tuple[bytes, ...]
    note: str
    checkpoint: Checkpoint
    opening: dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One numbered step of a check: passed, failed, or (None) not decided; `name` is a stable code."""

    number: int
    name: str
    passed: bool | None
    detail: str


@dataclass(frozen=True)
class ReceiptCheck:
    """The result of checking a receipt; `parts` are the shown parts, empty when it is invalid."""

    steps: tuple[Step, ...]
    outcome: Outcome
    parts: dict[str, dict[str, Any]]
    checkpoint: Checkpoint | None
    index: int | None


def make_receipt(
    *, leaf: bytes, index: int, proof: Sequence[bytes], checkpoint: str, opening: dict[str, Any]
) -> str:
    """Return the receipt's text: `proof` leads from `leaf` at `index` to the root in the signed note."""
    extra = canonical({"leaf": to_base64(leaf), "opening": opening})
    lines = [_FIRST_LINE, f"extra {to_base64(extra)}", f"index {index}", *map(to_base64, proof)]
    return "\n".join(lines) + "\n\n" + checkpoint


def parse_receipt(text: str) -> Receipt:
    """Take a receipt apart; every receipt has one text. Raises ReceiptMalformed."""
    if len(text) > _LARGEST:
        raise ReceiptMalformed("the receipt is too long")
    head, separator, note = text.partition("\n\n")
    first, extra, index, *proof = [*head.split("\n"), "", "", ""]
    number = _INDEX_LINE.fullmatch(index)
    if not separator or first != _FIRST_LINE or not extra.startswith("extra ") or number is None:
        raise ReceiptMalformed("the receipt is not the lines of a log proof with an extra line")
    try:
        content = parse_canonical(from_base64(extra.removeprefix("extra ")))
        leaf, opening = _split_extra(content)
        hashes = tuple(from_base64(line) for line in proof[:-3])
        checkpoint = parse_checkpoint(split_note(note)[0])
    except (ValueError, LeafMalformed, NoteInvalid) as error:
        raise ReceiptMalformed(f"the receipt holds a malformed value: {error}") from None
    if any(len(each) != HASH_SIZE for each in hashes):
        raise ReceiptMalformed("a line of the proof is not a hash")
    return Receipt(leaf, int(number[1]), hashes, note, checkpoint, opening)


def verify_receipt(text: str | bytes, log_key_line: str | None) -> ReceiptCheck:
    """Check a receipt in five numbered steps, with public means alone.

    1 format, 2 checkpoint (its signature by the log's key), 3 inclusion (the leaf is in that tree),
    4 leaf (the five commitments make it up), 5 parts (what is shown is what was committed to). Each step
    is tried once the format is right. Without the log's key line, which never comes from the receipt
    itself, step 2 is not decided and the outcome is undetermined at best. Raises NoteInvalid for a
    malformed key line.
    """
    verifier = None if log_key_line is None else LogVerifier.from_line(log_key_line)
    try:
        receipt = parse_receipt(text if isinstance(text, str) else text.decode())
    except (ReceiptMalformed, UnicodeDecodeError) as error:
        rest = [(name, None, "not reached") for name in ("checkpoint", "inclusion", "leaf", "parts")]
        return _conclude([("format", False, str(error)), *rest], {}, None)
    parts: dict[str, dict[str, Any]] = {}
    results = [
        ("format", True, f"a log proof for entry {receipt.index}"),
        _check_signature(receipt, verifier),
        _attempt("inclusion", lambda: _check_inclusion(receipt)),
        _attempt("leaf", lambda: _check_leaf(receipt)),
        _attempt("parts", lambda: _check_parts(receipt, parts)),
    ]
    return _conclude(results, parts, receipt)


def outcome_of(steps: Sequence[Step]) -> Outcome:
    """Return what some steps say together: one failed is invalid, one not decided is undetermined."""
    if any(step.passed is False for step in steps):
        return "invalid"
    return "undetermined" if any(step.passed is None for step in steps) else "valid"


def _split_extra(content: Any) -> tuple[bytes, dict[str, Any]]:
    if not isinstance(content, dict) or set(content) != {"leaf", "opening"}:
        raise ValueError("the extra line does not hold leaf and opening")
    leaf, opening = content["leaf"], content["opening"]
    if not isinstance(leaf, str) or not isinstance(opening, dict):
        raise ValueError("the extra line's leaf or opening is of another type")
    return from_base64(leaf), opening


_Result = tuple[str, bool | None, str]


def _check_signature(receipt: Receipt, verifier: LogVerifier | None) -> _Result:
    if verifier is None:
        return "checkpoint", None, "no log key was given to check the signature with"
    return _attempt("checkpoint", lambda: _signed_head(receipt, verifier))


def _signed_head(receipt: Receipt, verifier: LogVerifier) -> str:
    checkpoint = verifier.open_checkpoint(receipt.note)
    return f"{checkpoint.origin} signed the head of {checkpoint.size} entries"


def _check_inclusion(receipt: Receipt) -> str:
    head = receipt.checkpoint
    verify_inclusion(leaf_hash(receipt.leaf), receipt.index, head.size, receipt.proof, head.root)
    return f"entry {receipt.index} stands in that head"


def _check_leaf(receipt: Receipt) -> str:
    check_commitments(receipt.opening, receipt.leaf)
    return "the five commitments make up the entry"


def _check_parts(receipt: Receipt, parts: dict[str, dict[str, Any]]) -> str:
    parts.update(check_shown(receipt.opening))
    return "shown as committed: " + (", ".join(parts) or "no part")


def _attempt(name: str, check: Callable[[], str]) -> _Result:
    try:
        return name, True, check()
    except (LeafMalformed, NoteInvalid, ProofInvalid) as error:
        return name, False, str(error)


def _conclude(
    results: Sequence[_Result], parts: dict[str, dict[str, Any]], receipt: Receipt | None
) -> ReceiptCheck:
    steps = tuple(Step(number, *result) for number, result in enumerate(results, 1))
    outcome = outcome_of(steps)
    return ReceiptCheck(
        steps=steps,
        outcome=outcome,
        parts={} if outcome == "invalid" else parts,
        checkpoint=receipt.checkpoint if receipt else None,
        index=receipt.index if receipt else None,
    )
