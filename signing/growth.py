"""The proof that a log only grew between two of its heads, as a file that anybody can check offline.

old N
the consistency proof (RFC 9162), one hash a line

the newer signed checkpoint

These are the lines that a C2SP tlog-witness is sent. The older checkpoint is not in it: it must be the one
that the checker kept.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from signing.canonical import from_base64, to_base64
from signing.checkpoint import Checkpoint, LogVerifier, parse_checkpoint, split_note
from signing.log_errors import GrowthMalformed, NoteInvalid, ProofInvalid
from signing.merkle import HASH_SIZE, verify_consistency
from signing.receipt import Step

_OLD_LINE = re.compile(r"old (0|[1-9][0-9]{0,18})")
_MOST_HASHES = 63  # as C2SP tlog-witness allows; a log of 2^63 entries needs no more
_LARGEST = 64 * 1024
_NAMES = ("growth_format", "older_head", "newer_head", "growth")


@dataclass(frozen=True)
class Growth:
    """A proof of growth taken apart, nothing of it verified yet."""

    old: int
    proof: tuple[bytes, ...]
    note: str
    checkpoint: Checkpoint


def make_growth(old: int, proof: Sequence[bytes], checkpoint: str) -> str:
    """Return the file: `proof` leads from the tree of `old` leaves to the head in the signed note."""
    return "\n".join([f"old {old}", *map(to_base64, proof)]) + "\n\n" + checkpoint


def parse_growth(text: str) -> Growth:
    """Take the file apart. Raises GrowthMalformed."""
    head, separator, note = text.partition("\n\n")
    first, *lines = head.split("\n")
    number = _OLD_LINE.fullmatch(first)
    if len(text) > _LARGEST or not separator or number is None or len(lines) > _MOST_HASHES:
        raise GrowthMalformed("the file is not a line with the old size, hashes and a checkpoint")
    try:
        proof = tuple(from_base64(line) for line in lines)
        checkpoint = parse_checkpoint(split_note(note)[0])
    except (ValueError, NoteInvalid) as error:
        raise GrowthMalformed(f"the file holds a malformed value: {error}") from None
    if any(len(each) != HASH_SIZE for each in proof):
        raise GrowthMalformed("a line of the proof is not a hash")
    return Growth(int(number[1]), proof, note, checkpoint)


def verify_growth(text: str | bytes, kept: str | bytes, log_key_line: str | None) -> tuple[Step, ...]:
    """Check in four numbered steps that the log of the newer head begins with all entries of the older one.

    1 growth_format, 2 older_head (`kept`, the checkpoint that the checker kept, is signed by the log's key),
    3 newer_head (so is the one in the file), 4 growth (the proof leads from one root to the other). Without
    the log's key line steps 2 and 3 are not decided. Raises NoteInvalid for a malformed key line.
    """
    verifier = None if log_key_line is None else LogVerifier.from_line(log_key_line)
    try:
        growth = parse_growth(text if isinstance(text, str) else text.decode())
        note = kept if isinstance(kept, str) else kept.decode()
        older = parse_checkpoint(split_note(note)[0])
    except (GrowthMalformed, NoteInvalid, UnicodeDecodeError) as error:
        missed = (Step(number, name, None, "not reached") for number, name in enumerate(_NAMES[1:], 2))
        return (Step(1, _NAMES[0], False, str(error)), *missed)
    told = f"{growth.old} entries, then {growth.checkpoint.size}"
    results = (
        (True, told),
        _signed(note, verifier),
        _signed(growth.note, verifier),
        _attempt(lambda: _grew(growth, older)),
    )
    return tuple(Step(number, name, *results[number - 1]) for number, name in enumerate(_NAMES, 1))


def _signed(note: str, verifier: LogVerifier | None) -> tuple[bool | None, str]:
    if verifier is None:
        return None, "no log key was given to check the signature with"

    def check() -> str:
        head = verifier.open_checkpoint(note)
        return f"{head.origin} signed the head of {head.size} entries"

    return _attempt(check)


def _grew(growth: Growth, older: Checkpoint) -> str:
    newer = growth.checkpoint
    if older.size != growth.old or older.origin != newer.origin:
        raise ProofInvalid(f"the checkpoint kept is that of {older.size} entries of {older.origin}")
    verify_consistency(older.size, newer.size, growth.proof, older.root, newer.root)
    return f"the first {older.size} of {newer.size} entries are the same"


def _attempt(check: Callable[[], str]) -> tuple[bool | None, str]:
    try:
        return True, check()
    except (NoteInvalid, ProofInvalid) as error:
        return False, str(error)
