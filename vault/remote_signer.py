"""The signer as other processes have it: a tree of their own, its signature asked for over a socket."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from signing.checkpoint import LogVerifier
from signing.log_errors import NoteInvalid
from signing.merkle import Tree
from vault.errors import PartFailed, VaultIncomplete
from vault.grown_log import GrownLog, LogBehind, ReadLeaves, require_prefix
from vault.socket_calling import SECONDS, SHORTLY, Part
from vault.wire_values import text

PATIENCE = 60.0  # seconds that a part is waited for at the start


class RemoteSigner(GrownLog):
    """Asks the signer for heads, and believes one only when its own tree of the rows has the same root."""

    publishes = False

    def __init__(self, part: Part, verifier: LogVerifier) -> None:
        super().__init__(verifier.line(), verifier.name)
        self._part = part
        self._verifier = verifier

    @classmethod
    async def reached(cls, place: Path, log_key: str = "") -> Self:
        """Wait until the signer answers.

        Args:
            log_key: the log's public line; empty: what the signer says.

        Raises:
            PartAway, SocketInvalid, PeerRefused: it cannot be asked.
            VaultIncomplete: it signs another log.
        """
        part = Part("signer", place)
        try:
            verifier = await log_verifier(part, log_key)
        except BaseException:
            await part.close()
            raise
        return cls(part, verifier)

    async def ready(self) -> None:
        """Return if the signer answers. Raises PartAway."""
        await self._part.ask("hello", {}, seconds=SHORTLY)

    async def publish(self, leaves: ReadLeaves) -> bool:
        """Leave it to the signer."""
        return False

    async def close(self) -> None:
        """Close the connections."""
        await self._part.close()

    async def load(self, hashes: Sequence[bytes]) -> None:
        """Grow the tree from the leaf hashes of all committed rows, and hold it to what is signed by now.

        Others may have committed since the rows were read: the tree is brought up to them first.
        """
        self.tree = await asyncio.to_thread(Tree, hashes)
        self._signed = await self._sign(SECONDS)

    async def _sign(self, seconds: float = SHORTLY) -> tuple[int, str]:
        wanted = self.tree.size
        note = text(await self._part.ask("sign", {"size": wanted}, seconds=seconds), "note")
        try:
            head = self._verifier.open_checkpoint(note)
        except NoteInvalid as problem:
            raise PartFailed(f"the signer gave no head of this log: {problem}") from problem
        if head.size < wanted:
            raise LogBehind(f"the signer signed {head.size} entries where {wanted} were asked for")
        if head.size > self.tree.size:
            await self._catch_up()  # others have committed meanwhile
        require_prefix(self.tree, head)
        return head.size, note


async def log_verifier(part: Part, log_key: str) -> LogVerifier:
    """Learn from the signer whose log it signs, and hold it to the line that is known, if one is.

    Raises:
        PartAway, SocketInvalid, PeerRefused, PartFailed: it cannot be asked.
        VaultIncomplete: it signs another log.
    """
    line = text(await part.wait("hello", PATIENCE), "log_key")
    if log_key and line != log_key.strip():
        raise VaultIncomplete(f"the signer at {part.place} signs another log than the one that is pinned")
    try:
        return LogVerifier.from_line(line)
    except NoteInvalid as problem:
        raise PartFailed(f"the signer at {part.place} names no log: {problem}") from problem
