"""How the log grew: the consistency proof between two of its sizes (RFC 9162).

Nothing in it is secret: whoever has the published tiles can compute it. So asking for it is no entry.
"""

from dataclasses import dataclass

from signing.checkpoint import parse_checkpoint, split_note
from signing.growth import make_growth
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
