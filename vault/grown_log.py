"""The tree of the log, grown from committed rows by whoever signs it and by whoever asks for that."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from signing.checkpoint import Checkpoint
from signing.merkle import Tree
from vault.errors import VaultError
from vault.log_folder import LogForked

ReadLeaves = Callable[[int, int], Awaitable[list[bytes]]]


class LogBehind(VaultError):
    """The database holds fewer entries than were signed: it is an older copy. Restore the newest one."""

    code = "log_behind"


class GrownLog(ABC):
    """A tree and signed heads of it, in one event loop. `publishes`: whether it can publish the log."""

    publishes: bool

    def __init__(self, verifier_line: str, origin: str) -> None:
        self.verifier_line = verifier_line
        self.origin = origin
        self.tree = Tree()
        self.fault = ""  # log_forked or log_behind, once it was met: an alarm
        self._signed: tuple[int, str] | None = None
        self._signing = asyncio.Lock()
        self._catch_up: Callable[[], Awaitable[None]] = _nothing_to_follow

    def follow(self, catch_up: Callable[[], Awaitable[None]]) -> None:
        """Say how the tree is grown by the rows that others committed."""
        self._catch_up = catch_up

    @abstractmethod
    async def load(self, hashes: Sequence[bytes]) -> None:
        """Grow the tree from the leaf hashes of all committed rows, in order; once, at the start.

        Raises LogBehind or LogForked when they do not continue what was signed.
        """

    def extend(self, first: int, hashes: Sequence[bytes]) -> None:
        """Add the leaf hashes of committed rows from index `first` on; rows known already must be the same.

        Raises LogBehind when rows before `first` are unknown, LogForked when a known one differs.
        """
        with self._noting_faults():
            if first > self.tree.size:
                raise LogBehind(f"entries {self.tree.size} to {first - 1} are unknown to the signer")
            leaves = self.tree.level(0)
            for index, each in enumerate(hashes, first):
                if index == self.tree.size:
                    self.tree.append(each)
                elif leaves[index] != each:
                    raise LogForked(f"entry {index} is not the one that was committed before")

    async def checkpoint(self) -> str:
        """Return the signed head of the tree, as a note; made once per size.

        Raises LogBehind, LogForked, VaultBusy (it cannot be signed now).
        """
        return (await self._current())[1]

    async def proof(self, index: int) -> tuple[list[bytes], str, int]:
        """Return the inclusion proof of an entry, the signed head that it leads to, and that head's size.

        Raises IndexError for an entry that the tree does not hold, and as `checkpoint` does.
        """
        size, note = await self._current()
        return self.tree.inclusion(index, size), note, size

    @abstractmethod
    async def ready(self) -> None:
        """Return if heads can be signed now. Raises PartAway where the signer is another process."""

    @abstractmethod
    async def publish(self, leaves: ReadLeaves) -> bool:
        """Bring the published log to the present head; False when there was nothing new."""

    @abstractmethod
    async def close(self) -> None:
        """End."""

    async def _current(self) -> tuple[int, str]:
        wanted = self.tree.size
        if self._signed is None or self._signed[0] < wanted:
            async with self._signing:
                # Whoever waited is served by the signature of the one before, if it covers his entries.
                if self._signed is None or self._signed[0] < wanted:
                    with self._noting_faults():
                        self._signed = await self._sign()
                    if self.fault == LogBehind.code:
                        self.fault = ""  # what was missing has come
        return self._signed

    @contextmanager
    def _noting_faults(self) -> Iterator[None]:
        """Remember what is met: a log that is behind until it is not, a fork until somebody explained it."""
        try:
            yield
        except (LogBehind, LogForked) as problem:
            if self.fault != LogForked.code:
                self.fault = problem.code
            raise

    @abstractmethod
    async def _sign(self) -> tuple[int, str]:
        """Have the tree's head signed, or one that is larger; gives its size and its note."""


def require_prefix(tree: Tree, head: Checkpoint) -> None:
    """Refuse a tree that does not begin with what a head stands for. Raises LogBehind, LogForked."""
    if tree.size < head.size:
        raise LogBehind(f"there are {tree.size} entries, but {head.size} were signed")
    if tree.root(head.size) != head.root:
        raise LogForked(f"the first {head.size} entries are not the ones that were signed")


async def _nothing_to_follow() -> None:
    """Nobody else commits."""
