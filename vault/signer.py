"""The signer: sole holder of the log key (DESIGN 6).

It signs heads of the tree that it grows from committed rows, never one that is smaller than or different from
what it signed before: the newest head is remembered outside the database and is durable before its signature
leaves. Ed25519 signs the same head with the same bytes, so signing again after a crash is harmless.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Self, TypeVar

from signing.checkpoint import Checkpoint, LogKey, LogVerifier
from signing.merkle import HASH_SIZE, Tree, leaf_hash
from signing.tiles import Bundle, bundles_between, entry_bundle, outgrown_tiles, tiles_for
from vault.grown_log import GrownLog, LogBehind, ReadLeaves, require_prefix
from vault.log_folder import LogFolder, LogForked
from vault.signer_memory import Memory, open_key

__all__ = ["LogBehind", "LogForked", "ReadLeaves", "Signer"]

T = TypeVar("T")
_BATCH = 64  # bundles or tiles handed to the disk in one go: some 16,000 leaves


class Signer(GrownLog):
    """Signs heads of the log on demand and publishes them; lives in one event loop.

    One per vault, or, over rows that several processes share, one in each: they take turns at one memory, and
    nobody signs before what the others have signed is known to continue in its own tree.
    """

    publishes = True

    def __init__(self, key: LogKey, memory: Memory, remembered: Checkpoint, log_folder: Path) -> None:
        super().__init__(key.verifier_line(), key.name)
        self._key = key
        self._memory = memory
        self._remembered = remembered
        self._turns: set[asyncio.Task[tuple[int, str]]] = set()
        self._one_turn = asyncio.Lock()
        self._folder = LogFolder(log_folder, LogVerifier.from_line(self.verifier_line))
        self._publishing = asyncio.Lock()
        # A thread each: its jobs keep their order even when who waited for one was cancelled.
        self._memory_thread = ThreadPoolExecutor(1, "signer-memory")
        self._folder_thread = ThreadPoolExecutor(1, "signer-folder")

    @classmethod
    async def open(
        cls,
        *,
        key_folder: Path,
        log_folder: Path,
        create: bool,
        shared: bool = False,
        name_prefix: str = "kho.local/log",
    ) -> Self:
        """Open the key folder's log key and memory, and the folder to publish into.

        With `create`, a key named by the prefix and a random suffix is made when there is neither key nor
        memory; with `shared`, other processes of this machine sign with them too. Raises MasterKeyExposed,
        MasterKeyMissing (no such folder), VaultIncomplete (key and memory are not each other's, or one is
        missing), VaultLocked (another signer is at work), VaultBusy.
        """
        key, memory, remembered = await asyncio.to_thread(
            open_key, key_folder, create=create, name_prefix=name_prefix, shared=shared
        )
        signer = cls(key, memory, remembered, log_folder)
        try:
            await signer._in(signer._folder_thread, signer._folder.prepare)
        except BaseException:
            await signer.close()
            raise
        return signer

    async def ready(self) -> None:
        """Return: it is here."""

    async def load(self, hashes: Sequence[bytes]) -> None:
        """Grow the tree from the leaf hashes of all committed rows, in order; once, at the start.

        Raises LogBehind or LogForked when they do not continue what was signed.
        """
        tree = await asyncio.to_thread(Tree, hashes)
        require_prefix(tree, self._remembered)
        self.tree = tree

    async def publish(self, leaves: ReadLeaves) -> bool:
        """Bring the published log to the present head: bundles and tiles first, then the checkpoint.

        `leaves(first, stop)` gives the leaves first <= i < stop from their rows; they are hashed again before
        they are published. False when there was nothing new. Raises LogBehind, LogForked, VaultBusy; what was
        not finished is done again by the next call with the same bytes.
        """
        async with self._publishing:
            size, note = await self._current()
            published = await self._in(self._folder_thread, self._folder.head)
            if published is not None:
                require_prefix(self.tree, published)
                if published.size == size:
                    return False
            old = published.size if published is not None else 0
            for bundles in _groups(bundles_between(old, size)):
                await self._publish_bundles(bundles, leaves)
            for tiles in _groups(tiles_for(self.tree, old, size)):
                await self._in(self._folder_thread, partial(self._folder.write_once, tiles))
            outgrown = list(outgrown_tiles(old, size))
            await self._in(self._folder_thread, partial(self._folder.drop_partials, outgrown))
            await self._in(self._folder_thread, partial(self._folder.replace_checkpoint, note, size))
            return True

    async def close(self) -> None:
        """Let running writes end and give the memory file free."""
        await asyncio.gather(*self._turns, return_exceptions=True)
        for thread in (self._folder_thread, self._memory_thread):
            await asyncio.to_thread(thread.shutdown)
        self._memory.close()

    async def _sign(self) -> tuple[int, str]:
        if not self._memory.shared:
            return await self._sign_here()
        turn = asyncio.create_task(self._sign_in_turn())  # goes on when who waits for it is cancelled
        self._turns.add(turn)
        turn.add_done_callback(self._turns.discard)
        return await asyncio.shield(turn)

    async def _sign_in_turn(self) -> tuple[int, str]:
        async with self._one_turn:
            self._remembered = await self._in(self._memory_thread, self._memory.take_turn)
            try:
                if self.tree.size < self._remembered.size:
                    await self._catch_up()
                return await self._sign_here()
            finally:
                await self._in(self._memory_thread, self._memory.end_turn)

    async def _sign_here(self) -> tuple[int, str]:
        require_prefix(self.tree, self._remembered)
        head = Checkpoint(self.origin, self.tree.size, self.tree.root())
        if head != self._remembered:
            await self._in(self._memory_thread, partial(self._memory.remember, head))
            self._remembered = head
        return head.size, self._key.sign_checkpoint(head.size, head.root)

    async def _publish_bundles(self, bundles: Sequence[Bundle], leaves: ReadLeaves) -> None:
        first, stop = bundles[0].first, bundles[-1].stop
        rows = await leaves(first, stop)
        hashes = self.tree.level(0).joined(first, stop)

        def write() -> None:
            _require_leaves(rows, hashes, first)
            files = (
                (each.path, entry_bundle(rows[each.first - first : each.stop - first])) for each in bundles
            )
            self._folder.write_once(files)

        await self._in(self._folder_thread, write)

    async def _in(self, thread: ThreadPoolExecutor, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(thread, job)


def _require_leaves(leaves: Sequence[bytes], hashes: bytes, first: int) -> None:
    if b"".join(map(leaf_hash, leaves)) == hashes:
        return
    for index, leaf in enumerate(leaves):
        if leaf_hash(leaf) != hashes[index * HASH_SIZE : (index + 1) * HASH_SIZE]:
            raise LogForked(f"the row of entry {first + index} is not the one in the tree")
    raise LogForked(
        f"{len(leaves)} rows were read from entry {first} on, {len(hashes) // HASH_SIZE} were expected"
    )


def _groups(items: Iterable[T]) -> Iterator[list[T]]:
    source = iter(items)
    while group := list(islice(source, _BATCH)):
        yield group
