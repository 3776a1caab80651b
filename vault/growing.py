"""How the log grew: the consistency proof between two of its sizes (RFC 9162).

Nothing in it is secret: whoever has the published tiles can compute it. So asking for it is no entry.
"""

from dataclasses import dataclass

from signing.checkpoint import LogVerifier, parse_checkpoint, split_note
from signing.growth import make_growth
from signing.log_errors import NoteInvalid
from vault.errors import FieldInvalid
from vault.services import Vault


@dataclass(frozen=True)
class Grown:
    """Two sizes with their roots and the proof between them; `head` is the newest signed checkpoint."""

    old: int
    old_root: bytes
    new: int
    new_root: bytes
    proof: tuple[bytes, ...]
    head: str

    @property
    def file(self) -> str | None:
        """Give the file that is checked offline; there is one only up to a head that was just signed."""
        signed = parse_checkpoint(split_note(self.head)[0])
        return make_growth(self.old, self.proof, self.head) if signed.size == self.new else None


@dataclass(frozen=True)
class Compared:
    """A checkpoint that somebody kept beside the log of now; `root` is the log's own at that size."""

    size: int
    kept_root: bytes
    root: bytes | None  # None: the log is shorter than the checkpoint
    now: int
    signed: bool

    @property
    def agrees(self) -> bool:
        """Say whether the log of now begins with the very entries that the checkpoint stands for."""
        return self.root == self.kept_root


async def compared(vault: Vault, note: str) -> Compared:
    """Hold the log to a checkpoint that was kept: the root at its size, and the signature by the log's key.

    Raises:
        FieldInvalid: the text is no checkpoint.
        VaultBusy, LogBehind, LogForked: the log's head cannot be read.
    """
    try:
        kept = parse_checkpoint(split_note(note)[0])
    except NoteInvalid:
        raise FieldInvalid("kept", "checkpoint_malformed") from None
    await vault.appender.catch_up()
    tree = vault.signer.tree
    root = tree.root(kept.size) if kept.size <= tree.size else None
    return Compared(kept.size, kept.root, root, tree.size, _signed(vault.signer.verifier_line, note))


def _signed(log_key: str, note: str) -> bool:
    try:
        LogVerifier.from_line(log_key).open_checkpoint(note)
    except NoteInvalid:
        return False
    return True


async def grown(vault: Vault, old: int, new: int | None = None) -> Grown:
    """Prove that the log of size `old` is the beginning of that of size `new`, or of the present head.

    Raises:
        FieldInvalid: the older size is 0 or larger than the newer, or the log has not grown so far.
        VaultBusy, LogBehind, LogForked: the head cannot be signed.
    """
    await vault.appender.catch_up()
    head = await vault.signer.checkpoint()
    size = parse_checkpoint(split_note(head)[0]).size
    until = size if new is None else new
    if until > size:
        raise FieldInvalid("new", "size_not_reached")
    if old > size:
        raise FieldInvalid("old", "size_not_reached")
    if not 0 < old <= until:
        raise FieldInvalid("old", "sizes_reversed")
    tree = vault.signer.tree
    return Grown(old, tree.root(old), until, tree.root(until), tuple(tree.consistency(old, until)), head)
