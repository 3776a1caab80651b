"""What the signer keeps outside the database: its key, and the newest head that it may have signed.

The memory file holds two slots, written in turn: one in-place write and one fdatasync (about 0.15 ms, against
0.7 ms for writing beside and renaming) make a head durable, and a torn write
spoils only the slot being written, whose signature has not left the process yet.
"""

import fcntl
import os
import time
from hashlib import sha256
from pathlib import Path
from typing import Self

from signing.checkpoint import Checkpoint, LogKey, parse_checkpoint
from signing.log_errors import NoteInvalid
from signing.merkle import EMPTY_ROOT
from storage.durable import publish, temporary_file
from storage.keyring import check_key_folder, create_key_folder
from vault.errors import VaultBusy, VaultIncomplete, VaultLocked

KEY_FILE = "log.key"
MEMORY_FILE = "signer.state"
_SLOT = 512
SUFFIX_BYTES = 6
_LONGEST_TURN = 10.0  # seconds: to read the rows of others, to sign, to make it durable


class Memory:
    """The newest head that may have been signed, durable.

    Locked against a second signer for good or, `shared`, for the length of one's turn.
    """

    def __init__(self, path: Path, handle: int, heads: list[Checkpoint | None], *, shared: bool) -> None:
        self.shared = shared
        self._path = path
        self._handle = handle
        self._heads = heads
        self._broken = False

    @classmethod
    def open(cls, path: Path, *, create: bool, shared: bool = False) -> Self:
        """Open and lock the file; with `create` an empty one is made when there is none.

        Raises VaultLocked (another signer has it), VaultIncomplete (there is none), VaultBusy (I/O).
        """
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
        try:
            handle = os.open(path, flags, 0o600)
        except FileNotFoundError:
            raise VaultIncomplete(f"the signer's memory {path} is missing") from None
        try:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            content = os.pread(handle, 2 * _SLOT, 0)
            if shared:
                fcntl.flock(handle, fcntl.LOCK_UN)
        except BlockingIOError:
            os.close(handle)
            raise VaultLocked(f"another process signs with the keys beside {path}") from None
        except OSError as error:
            os.close(handle)
            raise VaultBusy(f"{path}: {error.strerror}") from error
        return cls(path, handle, heads_in(content), shared=shared)

    def take_turn(self) -> Checkpoint:
        """Wait for the turn to sign, and give the newest head that any process remembered.

        Raises VaultBusy: a turn takes too long, or the file cannot be read.
        """
        until = time.monotonic() + _LONGEST_TURN
        while True:
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise VaultBusy(f"{self._path}: another process signs for too long") from None
                time.sleep(0.001)
        try:
            self._heads = heads_in(os.pread(self._handle, 2 * _SLOT, 0))
            head = self.head()
            if head is None:
                raise VaultBusy(f"{self._path} cannot be read any more; start again")
        except BaseException as error:
            self.end_turn()
            if isinstance(error, OSError):
                raise VaultBusy(f"{self._path}: {error.strerror}") from error
            raise
        return head

    def end_turn(self) -> None:
        """Let the next process sign."""
        fcntl.flock(self._handle, fcntl.LOCK_UN)

    def head(self) -> Checkpoint | None:
        """Return the newest head remembered, or None when none can be read."""
        known = [head for head in self._heads if head is not None]
        return max(known, key=lambda head: head.size, default=None)

    def begin(self, origin: str) -> None:
        """Start the memory of a new log, forgetting what an attempt that died at its start left behind."""
        empty = Checkpoint(origin, 0, EMPTY_ROOT)
        for slot in range(2):
            self._write(slot, empty)

    def remember(self, head: Checkpoint) -> None:
        """Make `head` durable over the older of the two slots; blocks for one fdatasync.

        Raises VaultBusy; after a failed write what the disk holds is unknown, so nothing is taken any more
        until the file is opened again.
        """
        sizes = [-1 if each is None else each.size for each in self._heads]
        self._write(sizes.index(min(sizes)), head)

    def _write(self, slot: int, head: Checkpoint) -> None:
        if self._broken:
            raise VaultBusy(f"{self._path} could not be written before; start again")
        try:
            os.pwrite(self._handle, _slot_of(head), slot * _SLOT)
            os.fdatasync(self._handle)
        except OSError as error:
            self._broken = True
            raise VaultBusy(f"{self._path}: {error.strerror}") from error
        self._heads[slot] = head

    def close(self) -> None:
        """Give the file and its lock free."""
        os.close(self._handle)


def open_key(
    folder: Path, *, create: bool, name_prefix: str, shared: bool = False
) -> tuple[LogKey, Memory, Checkpoint]:
    """Open the log key, its memory and the head remembered; with `create` make both when neither is there.

    The key's name, which is the log's origin, is the prefix and a random suffix. Raises MasterKeyExposed,
    VaultIncomplete (one without the other, or not each other's), VaultLocked, VaultBusy.
    """
    if create:
        create_key_folder(folder)
    else:
        check_key_folder(folder)
    path = folder / KEY_FILE
    fresh = create and not path.exists()
    if not fresh and not path.exists():
        raise VaultIncomplete(f"the log key {path} is missing")
    memory = Memory.open(folder / MEMORY_FILE, create=fresh, shared=shared)
    try:
        key = _make_key(path, memory, name_prefix) if fresh else read_key(path)
        head = memory.head()
        if head is None or head.origin != key.name:
            raise VaultIncomplete(f"the memory beside {path} is damaged or of another log")
        return key, memory, head
    except BaseException:
        memory.close()
        raise


def _make_key(path: Path, memory: Memory, name_prefix: str) -> LogKey:
    known = memory.head()
    if known is not None and known.size:
        raise VaultIncomplete(f"the log key {path} is missing, but {known.size} entries were signed with it")
    key = LogKey.new(f"{name_prefix}-{os.urandom(SUFFIX_BYTES).hex()}")
    # The memory first: a key without memory is refused, a memory of no entries without key begins again.
    memory.begin(key.name)
    try:
        with temporary_file(path.parent) as (temporary, file):
            file.write(key.to_line().encode() + b"\n")
            publish(temporary, file, path)
    except OSError as error:
        raise VaultBusy(f"{path}: {error.strerror}") from error
    return key


def read_key(path: Path) -> LogKey:
    """Read a log key. Raises VaultIncomplete (there is none, or it is no key), VaultBusy."""
    try:
        return LogKey.from_line(path.read_text().strip())
    except (NoteInvalid, UnicodeDecodeError):
        raise VaultIncomplete(f"{path} holds no log key") from None
    except FileNotFoundError:
        raise VaultIncomplete(f"the log key {path} is missing") from None
    except OSError as error:
        raise VaultBusy(f"{path}: {error.strerror}") from error


def _slot_of(head: Checkpoint) -> bytes:
    text = head.text().encode()
    slot = text + sha256(text).hexdigest().encode() + b"\n"
    if len(slot) > _SLOT:
        raise ValueError("the name of the log is too long")
    return slot.ljust(_SLOT)


def heads_in(content: bytes) -> list[Checkpoint | None]:
    """Give the heads of both slots of a memory file; None for what cannot be read."""
    return [_read_slot(content[:_SLOT]), _read_slot(content[_SLOT:])]


def _read_slot(slot: bytes) -> Checkpoint | None:
    """Return the head of a slot, or None for an empty, torn or damaged one."""
    text, digest = slot[:_SLOT].rstrip(b" \n").rpartition(b"\n")[::2]
    text += b"\n"
    if sha256(text).hexdigest().encode() != digest:
        return None
    try:
        return parse_checkpoint(text.decode())
    except (NoteInvalid, UnicodeDecodeError):
        return None
